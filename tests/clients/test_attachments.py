"""Files go along, as the library and Django name them."""

from collections.abc import Iterator
from email.message import EmailMessage as Parsed
from email.mime.image import MIMEImage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from pathlib import Path

import django
import pytest
from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.test import override_settings

from clients.topic import Topic
from ion_publisher import Attachment, InvalidMessage
from ion_publisher.django_attachments import attachments_of
from ion_publisher.outbox import Outbox, Published

BACKEND = "ion_publisher.django.EmailBackend"
PNG = b"\x89PNG\r\n\x1a\n"

if not settings.configured:
    settings.configure(USE_TZ=True)
    django.setup()


@pytest.fixture(autouse=True)
def _backend() -> Iterator[None]:
    with override_settings(EMAIL_BACKEND=BACKEND):
        yield


def files(topic: Topic) -> dict[str, tuple[str, bytes, str]]:
    """Type, octets and Content-ID of each file of the one email, by its name."""
    (email,) = Outbox(lambda: map(Published, topic.bodies))
    found = {}
    for part in email.message.walk():
        assert isinstance(part, Parsed)
        if part.get_filename():
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            found[str(part.get_filename())] = (
                part.get_content_type(),
                content,
                str(part.get("Content-ID", "")),
            )
    return found


def test_files_go_along(topic: Topic, tmp_path: Path) -> None:
    (tmp_path / "grüße.pdf").write_bytes(b"%PDF")
    topic.publisher().send(
        to="ann@example.org",
        html="<img src='cid:logo'>",
        attachments=[
            Attachment.read(tmp_path / "grüße.pdf"),
            Attachment("logo.png", PNG, content_id="logo"),
            Attachment("data", b"\0", "application/x-data"),
            {"filename": "a.txt", "content": "aGk="},
        ],
    )
    assert files(topic) == {
        "grüße.pdf": ("application/pdf", b"%PDF", ""),
        "logo.png": ("image/png", PNG, "<logo>"),
        "data": ("application/x-data", b"\0", ""),
        "a.txt": ("text/plain", b"hi", ""),
    }


def test_a_file_alone_is_an_email(topic: Topic) -> None:
    topic.publisher().send(to="ann@example.org", attachments=[Attachment("a.txt", b"hi")])
    assert files(topic) == {"a.txt": ("text/plain", b"hi", "")}


@pytest.mark.parametrize(
    ("attachment", "path"),
    [
        (Attachment("a/b.txt", b""), "$.attachments[0].filename"),
        (Attachment("a.txt", b"", "message/rfc822"), "$.attachments[0].content_type"),
        (Attachment("a.txt", b"", content_id="a b"), "$.attachments[0].content_id"),
        ({"filename": "a.txt", "content": "?"}, "$.attachments[0].content"),
        ({"filename": "a.txt"}, "$.attachments[0].content"),
        (Attachment("a.bin", bytes(200_000)), "$"),
    ],
)
def test_a_file_that_ion_would_refuse_is_told(
    topic: Topic, attachment: Attachment, path: str
) -> None:
    with pytest.raises(InvalidMessage) as caught:
        topic.publisher().send(to="ann@example.org", text="hi", attachments=[attachment])
    assert caught.value.path == path
    assert not topic.bodies


# -- Django's ----------------------------------------------------------------------------


def test_djangos_files_go_along(topic: Topic, tmp_path: Path) -> None:
    (tmp_path / "report.pdf").write_bytes(b"%PDF")
    logo = MIMEImage(PNG, "png", name="logo.png")
    logo.add_header("Content-ID", "<logo>")
    logo.add_header("Content-Disposition", "inline", filename="logo.png")
    email = EmailMultiAlternatives(body="plain", to=["ann@example.org"])
    email.attach_alternative("<img src='cid:logo'>", "text/html")
    email.attach_file(str(tmp_path / "report.pdf"))
    email.attach("grüße.txt", "é")
    email.attach("data.bin", b"\0\1")
    email.attach(logo)
    email.attach("inner.eml", EmailMessage("Inner", "x", to=["a@b.example"]), "message/rfc822")
    assert email.send() == 1
    found = files(topic)
    inner = found.pop("inner.eml")
    assert b"Subject: Inner" in inner[1]
    assert found == {
        "report.pdf": ("application/pdf", b"%PDF", ""),
        "grüße.txt": ("text/plain", "é".encode(), ""),
        "data.bin": ("application/octet-stream", b"\0\1", ""),
        "logo.png": ("image/png", PNG, "<logo>"),
    }


def test_a_text_goes_in_the_encoding_of_its_message(topic: Topic) -> None:
    email = EmailMessage(body="plain", to=["ann@example.org"])
    email.encoding = "iso-8859-1"
    email.attach("a.txt", "é", "text/plain")
    email.send()
    assert files(topic)["a.txt"] == ("text/plain", b"\xe9", "")


def test_only_the_type_of_a_text_says_its_encoding() -> None:
    email = EmailMessage(attachments=[("a.txt", "é", "text/plain"), ("a.json", "{}", "a/json")])
    types = [one.content_type for one in attachments_of(email)]
    assert types == ["text/plain; charset=utf-8", "a/json"]


def test_what_is_no_file_is_refused(topic: Topic) -> None:
    parts = MIMEMultipart()
    parts.attach(MIMEText("x"))
    latin = EmailMessage(body="plain", to=["ann@example.org"])
    latin.encoding = "iso-8859-1"
    latin.attach("a.txt", "🎉", "text/plain")
    unheard_of = EmailMessage(body="plain", to=["ann@example.org"])
    unheard_of.encoding = "no-such"
    unheard_of.attach("a.txt", "a", "text/plain")
    made_of_parts = EmailMessage(body="plain", to=["ann@example.org"])
    made_of_parts.attach(parts)
    for email in (latin, unheard_of, made_of_parts):
        with pytest.raises(InvalidMessage) as caught:
            email.send()
        assert caught.value.path == "$.attachments[0]"
    assert not topic.bodies
