"""An email is taken apart as readers do it, and a broken one as far as it goes."""

import email.policy
from collections.abc import Callable
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consoles import email as email_of
from ionctl.console.mime import mime

HEADER = b"From: a@example.org\r\nTo: b@example.org\r\nSubject: s\r\n"


def html(body: bytes, more: bytes = b"") -> bytes:
    return HEADER + b"Content-Type: text/html; charset=utf-8\r\n" + more + b"\r\n" + body


def full() -> bytes:
    message = email_of(To="Jörg <joerg@example.org>, ann@example.org", Subject="Grüße 💌")
    message.add_alternative('<p>Hi <img src="cid:logo">', subtype="html")
    related = message.get_payload()[1]  # type: ignore[index]
    related.add_related(b"\x89PNG", "image", "png", cid="<logo>", filename="logo.png")  # type: ignore[union-attr]
    message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="Übung.pdf")
    return message.as_bytes(policy=email.policy.SMTP)


def test_text_html_images_and_files_are_told_apart() -> None:
    taken = mime(full())
    assert taken.author == "Bob <bob@example.org>"
    assert taken.to == ["Jörg <joerg@example.org>", "ann@example.org"]
    assert taken.field("subject") == "Grüße 💌"
    assert taken.text == "Some words.\r\n"
    assert taken.html.startswith('<p>Hi <img src="cid:logo">')
    image, file = taken.attachments
    assert (image.n, image.content_id, image.content_type) == (0, "logo", "image/png")
    assert (image.content, image.inline) == (b"\x89PNG", True)
    assert (file.n, file.filename, file.content) == (1, "Übung.pdf", b"%PDF")
    assert not file.inline


def test_the_second_text_is_an_attachment() -> None:
    message = email_of()
    message.add_attachment("more words", filename="more.txt")
    taken = mime(message.as_bytes())
    assert taken.text == "Some words.\n"
    assert [one.filename for one in taken.attachments] == ["more.txt"]


@pytest.mark.parametrize("kind", ["text/plain", "text/html"])
def test_an_attached_file_is_never_the_email_s_text(kind: str) -> None:
    disposition = b"Content-Disposition: attachment; filename=a\r\n"
    content = HEADER + f"Content-Type: {kind}\r\n".encode() + disposition + b"\r\n<p>A file"
    taken = mime(content)
    assert (taken.text, taken.html) == ("", "")
    assert [one.content for one in taken.attachments] == [b"<p>A file"]


def test_an_email_in_the_email_is_one_file() -> None:
    message = email_of()
    message.add_attachment(email_of(Subject="Inner"))
    (inner,) = mime(message.as_bytes()).attachments
    assert inner.content_type == "message/rfc822"
    assert b"Subject: Inner" in inner.content


def test_fields_that_are_there_twice_stay_in_order() -> None:
    taken = mime(b"Received: a\r\nSubject: s\r\nReceived: b\r\n\r\n")
    assert taken.fields == [("Received", "a"), ("Subject", "s"), ("Received", "b")]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (b"=?utf-8?b?R3LDvMOfZQ==?=", "Grüße"),
        (b"=?utf-8?q?a?=\r\n =?utf-8?q?b?=", "ab"),
        ("Grüße".encode(), "Grüße"),
        ("Grüße".encode("latin-1"), "Gr��e"),
        (b"=?no-charset?q?a?=", "=?no-charset?q?a?="),
        (b"=?utf-8?b?####?=", "=?utf-8?b?####?="),
        (b"a\r\n b", "a b"),
        (b"", ""),
    ],
)
def test_a_subject_is_read_whatever_its_octets(value: bytes, shown: str) -> None:
    assert mime(b"Subject: " + value + b"\r\n\r\n").field("subject") == shown


@pytest.mark.parametrize("charset", ["no-such", "idna", "punycode", "hex", "utf-8\0", "ütf", ""])
def test_text_in_no_charset_is_read_as_utf_8(charset: str) -> None:
    content = (
        HEADER + f"Content-Type: text/plain; charset={charset}\r\n\r\n".encode() + b"Gr\xc3\xbc\xdf"
    )
    assert mime(content).text == "Grü�"


def test_text_in_another_charset_is_read_in_it() -> None:
    content = HEADER + b"Content-Type: text/plain; charset=iso-8859-1\r\n\r\nGr\xfc\xdfe"
    assert mime(content).text == "Grüße"


def test_five_megabytes_of_html_are_whole() -> None:
    body = b"<p>\xc3\xbc</p>\r\n" * 500_000
    assert mime(html(body)).html == body.decode()


def test_so_many_parts_are_shown_and_no_more() -> None:
    part = b"--x\r\nContent-Disposition: attachment\r\n\r\nhi\r\n"
    content = HEADER + b"Content-Type: multipart/mixed; boundary=x\r\n\r\n" + part * 1500
    assert len(mime(content + b"--x--\r\n").attachments) == 1000


def nested(depth: int) -> bytes:
    levels = (
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (one, one)
        for one in range(depth)
    )
    return HEADER + b"".join(levels) + b"Content-Type: text/plain\r\n\r\n" + b"line\r\n" * 20_000


BOMBS: dict[str, Callable[[], bytes]] = {
    "an address field of a megabyte": lambda: b"To: " + b"(((a)))" * 150_000 + b"\r\n\r\n",
    "a thousand address fields": lambda: (b"To: " + b"(((a)))" * 570 + b"\r\n") * 1000 + b"\r\n",
    "a million fields": lambda: b"X: y\r\n" * 1_000_000 + b"\r\n",
    "a megabyte of encoded words": lambda: b"Subject: " + b"=?utf-8?q?a?= " * 70_000 + b"\r\n\r\n",
    "a field of a million lines": lambda: b"Subject: a" + b"\r\n b" * 1_000_000 + b"\r\n\r\n",
    "nested deeper than the parser goes": lambda: nested(2000),
    "nested so deep that it is slow": lambda: nested(600),
    "emails in emails": lambda: HEADER + b"Content-Type: message/rfc822\r\n\r\n" * 3000,
    "a parameter of a megabyte": lambda: (
        HEADER + b'Content-Type: text/html; a="' + b";" * 1_000_000 + b"\r\n\r\n"
    ),
    "a boundary that is nowhere": lambda: HEADER + b"Content-Type: multipart/mixed\r\n\r\nx",
    "base64 that is none": lambda: html(b"!#=" * 100_000, b"Content-Transfer-Encoding: base64\r\n"),
    "an unknown encoding": lambda: html(b"x", b"Content-Transfer-Encoding: \xff\r\n"),
    "no header": lambda: b"\r\n\r\nx",
    "nothing": lambda: b"",
    "zeros": lambda: b"\0" * 100_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_what_is_made_to_break_the_parser_is_shown_as_far_as_it_goes(name: str) -> None:
    taken = mime(BOMBS[name]())
    assert len(taken.fields) <= 1000
    assert len(taken.attachments) <= 1000


def test_of_what_is_too_much_for_the_parser_the_header_is_shown() -> None:
    assert mime(nested(2000)).field("subject") == "s"


@given(st.binary(max_size=300))
def test_no_octets_raise(octets: bytes) -> None:
    mime(octets)


@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=30))
def test_no_damage_to_an_email_raises(damage: list[tuple[int, int]]) -> None:
    octets = bytearray(full())
    for place, value in damage:
        octets[place % len(octets)] = value
    taken = mime(bytes(octets))
    assert "\ud800" not in "".join((taken.text, taken.html, *(value for _, value in taken.fields)))


def test_an_address_field_that_is_too_long_is_shown_as_it_is() -> None:
    many = ", ".join(f"user{one}@example.org" for one in range(1000))
    message = EmailMessage()
    message["To"] = many
    (shown,) = mime(message.as_bytes()).to
    assert shown == many
