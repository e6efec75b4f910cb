"""What a Django message has that was meant for ion is read, or refused; never left out."""

from collections.abc import Iterator
from typing import Any

import django
import pytest
from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.test import override_settings

from clients.spelling import spelled
from clients.topic import Topic
from ion.contract import Send
from ion_publisher import InvalidMessage
from ion_publisher.django import shared_publisher
from ion_publisher.django_options import ATTRIBUTES

BACKEND = "ion_publisher.django.EmailBackend"
TEMPLATES = ("template", "context", "locale")
BODIES = ("body_text", "body_html")

if not settings.configured:
    settings.configure(EMAIL_BACKEND=BACKEND, USE_TZ=True)
    django.setup()


@pytest.fixture(autouse=True)
def _backend(topic: Topic) -> Iterator[None]:
    assert not topic.bodies
    shared_publisher.cache_clear()
    with override_settings(EMAIL_BACKEND=BACKEND):
        yield


def message(body: str = "plain", /, **attributes: Any) -> EmailMessage:  # noqa: ANN401 - any of them
    one = EmailMessage("Hi", body, "post@example.org", ["ann@example.org"])
    for name, value in attributes.items():
        setattr(one, name, value)
    return one


def of_django() -> set[str]:
    return {*dir(EmailMultiAlternatives())}


def spellings(*names: str) -> set[str]:
    return {wrong for name in names for wrong in spelled(name) if wrong.isidentifier()}


MISSPELT = (
    spellings(*{*ATTRIBUTES, *Send.__struct_fields__} - {*TEMPLATES, *BODIES})
    - {*ATTRIBUTES}
    - of_django()
) | {"send_after", "expires", "expire_at", "tenant_id"}


def test_what_is_nearly_one_of_ours_is_refused(topic: Topic) -> None:
    assert {"not_before", "sendat", "tag", "Lane", "sender", "headers"} <= MISSPELT
    for name in sorted(MISSPELT):
        with pytest.raises(InvalidMessage) as caught:
            message(**{name: "x"}).send()
        assert caught.value.did_you_mean, name
        assert caught.value.path == f"$.{name}"
    assert not topic.bodies


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        *(("not_before", "send_at"), ("send_after", "send_at"), ("expires", "expires_at")),
        *(
            ("tag", "tags"),
            ("meta_data", "metadata"),
            ("recipient", "to"),
            ("sender", "from_email"),
        ),
        *(("headers", "extra_headers"), ("attachment", "attachments")),
        *(("return_path", "from_email"), ("body_html", "attach_alternative")),
    ],
)
def test_the_one_that_was_meant_is_named(wrong: str, meant: str) -> None:
    with pytest.raises(InvalidMessage) as caught:
        message(**{wrong: {}}).send()
    assert (caught.value.path, caught.value.did_you_mean) == (f"$.{wrong}", meant)


def test_what_a_class_says_counts_as_well(topic: Topic) -> None:
    class Newsletter(EmailMessage):
        not_before = "2025-03-09T07:00:00Z"

    with pytest.raises(InvalidMessage, match="did you mean send_at"):
        Newsletter("Hi", "plain", "post@example.org", ["ann@example.org"]).send()
    assert not topic.bodies


def test_what_is_none_is_left_out(topic: Topic) -> None:
    assert message(**dict.fromkeys(MISSPELT)).send() == 1
    assert len(topic.messages) == 1


def test_djangos_own_attributes_go_on_to_work(topic: Topic) -> None:
    own = {name: value for name, value in vars(EmailMultiAlternatives()).items() if not value}
    own |= {"encoding": "iso-8859-1", "mixed_subtype": "related", "alternative_subtype": "x"}
    own |= {"to": ["ann@example.org"], "body": "plain"}
    assert message(**own).send() == 1
    assert topic.messages[0]["body_text"] == "plain"


def test_attributes_of_applications_go_on_to_work(topic: Topic) -> None:
    theirs = ["lang", "object", "email", "user", "html", "text", "request", "template_name"]
    theirs += ["_tag", "anymail_status", "two", "x" * 200, *TEMPLATES, "body_text"]
    assert message(**dict.fromkeys(theirs, "x")).send() == 1
    assert len(topic.messages) == 1


def test_a_subclass_may_keep_what_it_makes_its_bodies_of(topic: Topic) -> None:
    class Rendered(EmailMultiAlternatives):
        def __init__(self, **context: str) -> None:
            self.template, self.context = "welcome", context
            self.body_text, self.body_html = "plain", "<p>rich"
            super().__init__("Hi", self.body_text, "post@example.org", ["ann@example.org"])
            self.attach_alternative(self.body_html, "text/html")

        def send_after(self) -> None: ...

        @property
        def sender(self) -> str:
            return self.from_email

    assert Rendered(name="Ann").send() == 1
    assert topic.messages[0]["body_html"] == "<p>rich"


@pytest.mark.parametrize("name", [*TEMPLATES, "template_id"])
def test_a_template_without_a_body_is_refused(topic: Topic, name: str) -> None:
    with pytest.raises(InvalidMessage, match="template"):
        message("", **{name: "welcome"}).send()
    assert not topic.bodies


def test_a_message_that_was_sent_can_be_sent_again(topic: Topic) -> None:
    one = message(email_id="a", in_doubt="park")
    assert one.send() + one.send() == 2
    assert [said["in_doubt"] for said in topic.messages] == ["park", "park"]
