"""Django's mail goes out through ion, or is refused in words that say what can't be said to ion."""

import unittest
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage as StandardMessage
from email.message import Message
from typing import Any, ClassVar

import django
import pytest
from django.conf import settings
from django.core import mail
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.test import SimpleTestCase, override_settings
from django.utils.translation import gettext_lazy

from at_length import only_at_length
from clients.django_suite import mail_tests
from clients.topic import Topic, failing
from ion.contract import Send, parse
from ion.envelope import Email
from ion.mail import compose
from ion_publisher import InvalidMessage, Mailbox, PublishFailed, Reason, Receipt
from ion_publisher.django import EmailBackend, shared_publisher
from ion_publisher.django_email import email_of
from real.unavailable import skipped_unless_available

BACKEND = "ion_publisher.django.EmailBackend"
QUEUED_AT = datetime(2025, 3, 9, 7, 5, 2, tzinfo=UTC)

if not settings.configured:
    settings.configure(EMAIL_BACKEND=BACKEND, USE_TZ=True)
    django.setup()


@pytest.fixture(autouse=True)
def _backend(topic: Topic) -> Iterator[None]:
    shared_publisher.cache_clear()
    with override_settings(EMAIL_BACKEND=BACKEND):
        yield


def sent(topic: Topic) -> list[Email]:
    """The emails that the relay makes of what was published."""
    found = []
    for body in topic.bodies:
        action = parse(body)
        assert isinstance(action, Send)
        found.append(
            compose(action, key=action.email_id or "", queued_at=QUEUED_AT, default_sender=None)
        )
    return found


def refused(message: EmailMessage) -> InvalidMessage:
    with pytest.raises(InvalidMessage) as caught:
        message.send()
    return caught.value


def message(**more: Any) -> EmailMessage:  # noqa: ANN401 - whatever Django takes
    fields = {"subject": "Hi", "body": "plain", "to": ["ann@example.org"]} | more
    return EmailMessage(**fields)


def test_a_message_goes_out_whole(topic: Topic) -> None:
    headers: dict[str, Any] = {"X-Order": 17, "List-Unsubscribe": "<https://example.org/u>"}
    email = EmailMultiAlternatives(
        subject="Grüße",
        body="plain",
        from_email="Shop <post@example.org>",
        to=["Ann <ann@example.org>", '"Bob, B." <bob@example.org>'],
        cc=["c@example.org"],
        bcc=["d@example.org"],
        reply_to=["answers@example.org", "e@example.org"],
        headers=headers,
    )
    email.attach_alternative("<p>rich", "text/html")
    assert email.send() == 1
    (message,) = topic.messages
    assert message.pop("email_id")
    assert message == {
        "action": "send",
        "recipient": ["Ann <ann@example.org>", '"Bob, B." <bob@example.org>'],
        "cc": ["c@example.org"],
        "bcc": ["d@example.org"],
        "reply_to": ["answers@example.org", "e@example.org"],
        "sender": "Shop <post@example.org>",
        "subject": "Grüße",
        "body_text": "plain",
        "body_html": "<p>rich",
        "headers": {"X-Order": "17", "List-Unsubscribe": "<https://example.org/u>"},
    }


def test_bcc_alone_is_enough_and_is_in_no_header(topic: Topic) -> None:
    assert message(to=[], bcc=["ann@example.org"]).send() == 1
    (email,) = sent(topic)
    assert email.envelope.recipients == ("ann@example.org",)
    assert b"ann@" not in email.content


def test_without_recipients_nothing_is_sent(topic: Topic) -> None:
    assert mail.get_connection().send_messages([message(to=[]), message()]) == 1
    assert len(topic.bodies) == 1
    assert mail.get_connection().send_messages([]) == 0


def test_lazy_texts_are_read_when_they_are_sent(topic: Topic) -> None:
    lazy = gettext_lazy
    message(
        subject=lazy("Hi"),
        body=lazy("plain"),
        from_email=lazy("post@example.org"),
        to=[lazy("ann@example.org")],
        reply_to=[lazy("answers@example.org")],
        headers={"X-A": lazy("b")},
    ).send()
    assert len(sent(topic)) == 1


def test_html_alone_is_html_alone(topic: Topic) -> None:
    alone = message(body="<p>rich")
    alone.content_subtype = "html"
    alone.send()
    beside_nothing = EmailMultiAlternatives(body="", to=["ann@example.org"])
    beside_nothing.attach_alternative("<p>rich", "text/html")
    beside_nothing.send()
    for one in topic.messages:
        assert one["body_html"] == "<p>rich"
        assert "body_text" not in one


def test_a_text_may_be_the_alternative(topic: Topic) -> None:
    email = EmailMultiAlternatives(body="<p>rich", to=["ann@example.org"])
    email.content_subtype = "html"
    email.attach_alternative("plain", "text/plain")
    email.send()
    (said,) = topic.messages
    assert (said["body_text"], said["body_html"]) == ("plain", "<p>rich")


def test_an_empty_message_is_a_message(topic: Topic) -> None:
    assert EmailMessage(to=["ann@example.org"]).send() == 1
    assert topic.messages[0]["body_text"] == ""


@pytest.mark.parametrize("kinds", [["text/x-amp-html"], ["text/html", "text/html"], ["text/plain"]])
def test_another_alternative_is_refused(topic: Topic, kinds: list[str]) -> None:
    email = EmailMultiAlternatives(body="plain", to=["ann@example.org"])
    for kind in kinds:
        email.attach_alternative("x", kind)
    assert refused(email).path == f"$.alternatives[{len(kinds) - 1}]"
    assert not topic.bodies


def test_another_kind_of_body_is_refused() -> None:
    email = message()
    email.content_subtype = "calendar"
    assert refused(email).path == "$.body"


def test_a_message_that_builds_its_own_mime_is_refused() -> None:
    class Signed(EmailMessage):
        def message(self, *args: Any, **more: Any) -> Any:  # noqa: ANN401 - as Django has it
            return super().message(*args, **more)

    assert "MIME" in refused(Signed(body="x", to=["ann@example.org"])).problem


@pytest.mark.parametrize(
    ("name", "said"),
    [("Message-ID", "X-Ion-Id"), ("message-id", "X-Ion-Id"), ("Date", "time of the publish")],
)
def test_headers_that_ion_writes_itself_are_refused(topic: Topic, name: str, said: str) -> None:
    invalid = refused(message(headers={name: "<a@b.example>"}))
    assert invalid.path == f"$.headers['{name}']"
    assert invalid.reason is Reason.HEADER_NAME
    assert said in invalid.problem
    assert not topic.bodies


@pytest.mark.parametrize("name", ["To", "Cc", "Bcc", "Sender", "Received", "Content-Type"])
def test_a_header_that_makes_up_the_email_is_refused(name: str) -> None:
    assert refused(message(headers={name: "b@example.org"})).path == f"$.headers['{name}']"


def test_from_as_a_header_is_the_author_and_from_email_gets_the_bounces(topic: Topic) -> None:
    message(from_email="bounces@example.org", headers={"From": "Ann <ann@example.org>"}).send()
    (email,) = sent(topic)
    assert email.envelope.sender == "bounces@example.org"
    assert b"From: Ann <ann@example.org>\r\n" in email.content


def test_reply_to_as_a_header_goes_before_the_field() -> None:
    email = email_of(
        message(
            reply_to=["no@example.org"], headers={"reply-to": '"A, B" <a@b.example>, c@d.example'}
        )
    )
    assert email["reply_to"] == [Mailbox("a@b.example", "A, B"), Mailbox("c@d.example", "")]
    assert "headers" not in email
    assert refused(message(headers={"Reply-To": "nobody"})).path.startswith("$.reply_to[0]")


def test_a_line_break_is_refused_as_django_does(topic: Topic) -> None:
    for email in (message(subject="a\nBcc: b@c.example"), message(headers={"X-A": "a\nb"})):
        assert refused(email).reason is Reason.HEADER_INJECTION
    assert issubclass(InvalidMessage, ValueError)  # as Django's BadHeaderError
    assert not topic.bodies


def test_the_name_of_an_email_is_a_header_or_an_attribute(topic: Topic) -> None:
    by_header = message(headers={"x-ion-id": "order-17", "X-A": "b"})
    by_attribute = message()
    by_attribute.email_id = "order-18"  # type: ignore[attr-defined]
    without = message()
    assert mail.get_connection().send_messages([by_header, by_attribute, without]) == 3
    first, second, third = topic.messages
    assert (first["email_id"], second["email_id"]) == ("order-17", "order-18")
    assert first["headers"] == {"X-A": "b"}
    receipts = [one.ion_receipt for one in (by_header, by_attribute, without)]  # type: ignore[attr-defined]
    assert all(isinstance(one, Receipt) for one in receipts)
    assert [one.email_id for one in receipts] == ["order-17", "order-18", third["email_id"]]


# -- what can't be published -------------------------------------------------------------


def test_nothing_is_published_if_one_is_wrong(topic: Topic) -> None:
    with pytest.raises(InvalidMessage):
        mail.get_connection().send_messages([message(), message(to=["nobody"])])
    assert not topic.bodies


def test_silently_only_the_wrong_one_is_left_out(topic: Topic) -> None:
    silent = mail.get_connection(fail_silently=True)
    assert silent.send_messages([message(), message(to=["nobody"]), message()]) == 2
    assert len(topic.bodies) == 2
    assert message(to=["nobody"]).send(fail_silently=True) == 0


def test_the_number_sent_is_what_sns_has(topic: Topic, monkeypatch: pytest.MonkeyPatch) -> None:
    ill = topic.publisher(
        topic.sns(publish_batch=failing(*[{"b@": ("InvalidParameter", True)}] * 2))
    )
    monkeypatch.setattr("ion_publisher.django.shared_publisher", lambda *_: ill)
    emails = [message(), message(to=["b@example.org"])]
    assert EmailBackend(fail_silently=True).send_messages(emails) == 1
    with pytest.raises(PublishFailed, match="InvalidParameter"):
        EmailBackend().send_messages(emails)
    assert len(topic.bodies) == 2


def test_a_topic_comes_from_the_settings_before_the_environment(
    topic: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ION_TOPIC_ARN")
    for silently in (True, False):
        with pytest.raises(ImproperlyConfigured, match="ION_TOPIC_ARN"):
            message().send(fail_silently=silently)
    with override_settings(ION_TOPIC_ARN=topic.arn):
        assert message().send() == 1


# -- Django's own cases ------------------------------------------------------------------

DEPARTURES = {
    "test_recipient_without_domain": "an address without a domain is refused",
    "test_lazy_addresses": "the same; lazy ones are tested above",
    "test_send_long_lines": "Cyrillic is sent in base64, which is shorter than quoted-printable",
}


@only_at_length
def test_djangos_own_cases_hold(topic: Topic) -> None:
    with skipped_unless_available():
        cases = mail_tests()

    class Cases(cases.BaseEmailBackendTests, SimpleTestCase):  # type: ignore[misc,name-defined]
        email_backend: ClassVar[str] = BACKEND

        def get_mailbox_content(self) -> list[Message]:
            return [_as_django_reads(email) for email in sent(topic)]

        def flush_mailbox(self) -> None:
            assert topic.bodies is not None

    suite = unittest.defaultTestLoader.loadTestsFromTestCase(Cases)
    result = unittest.TestResult()
    suite.run(result)
    failed = {
        str(test.id().rpartition(".")[2]): said for test, said in result.failures + result.errors
    }
    unexpected = {name: said for name, said in failed.items() if name not in DEPARTURES}
    assert not unexpected, "\n".join(unexpected.values())
    assert failed.keys() == DEPARTURES.keys()
    assert result.testsRun > 15


def _as_django_reads(email: Email) -> StandardMessage:
    """As a server stores it, without the line end that SMTP wants last; with Django's quotes."""
    content = b"Received: by example.org; Sun, 9 Mar 2025 07:05:03 +0000\n" + email.content.replace(
        b"\r\n", b"\n"
    ).replace(b"charset=utf-8", b'charset="utf-8"')
    message = message_from_bytes(content, policy=policy.default)
    assert isinstance(message, StandardMessage)
    for part in message.walk():
        if not part.is_multipart():
            part.set_payload(str(part.get_payload()).removesuffix("\n"))
    return message
