"""Files of an email, as a reader's mail program finds them."""

import json
from base64 import b64encode, urlsafe_b64encode
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ion.contract import BadInput, S3Object, Send, parse
from ion.envelope import Email
from ion.mail import compose
from ion.mail.attachments import check_attachments
from ion.mail.base64_lines import base64_lines, encoded_size, octets_of
from ion.outcome import Problem, Reason
from mail.reading import QUEUED_AT, assert_clean_on_the_wire, body, read

OCTETS = "application/octet-stream"
PNG = bytes(range(256)) * 5


def file(name: str = "a.png", octets: bytes = PNG, **fields: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"filename": name, "content": b64encode(octets).decode()} | fields


def made(*attachments: dict[str, Any], **fields: Any) -> Email:  # noqa: ANN401
    return compose(
        published(*attachments, **fields),
        key="key-1",
        queued_at=QUEUED_AT,
        default_sender="a@b.example",
    )


def published(*attachments: dict[str, Any], **fields: Any) -> Send:  # noqa: ANN401
    message = {"action": "send", "recipient": "ann@example.org", "body_text": "hi"} | fields
    send = parse(json.dumps(message | {"attachments": attachments}))
    assert isinstance(send, Send)
    return send


def told(*attachments: dict[str, Any], **fields: Any) -> tuple[Reason, str, Problem | None]:  # noqa: ANN401
    with pytest.raises(BadInput) as caught:
        made(*attachments, **fields)
    return caught.value.reason, caught.value.path, caught.value.problem


def bad(path: str, problem: Problem = Problem.VALUE) -> tuple[Reason, str, Problem | None]:
    return Reason.INVALID_SCHEMA, f"$.attachments{path}", problem


def structure(part: EmailMessage) -> Any:  # noqa: ANN401 - as deep as the email
    """The tree of types."""
    if part.is_multipart():
        inner: Any = part.get_payload()
        return {part.get_content_subtype(): [structure(one) for one in inner]}
    return part.get_content_type()


def files(email: Email) -> list[tuple[str | None, Any]]:
    """Names and octets of what isn't a body, in order."""
    assert_clean_on_the_wire(email)
    parts = [one for one in read(email).walk() if one.get_content_disposition()]
    for part in parts:
        assert not part.defects
    return [(part.get_filename(), part.get_payload(decode=True)) for part in parts]


# the structure


@pytest.mark.parametrize(
    ("fields", "attachments", "expected"),
    [
        ({}, [file()], {"mixed": ["text/plain", "image/png"]}),
        (
            {"body_html": "<p>x</p>"},
            [file("a.pdf")],
            {"mixed": [{"alternative": ["text/plain", "text/html"]}, "application/pdf"]},
        ),
        (
            {"body_html": "<p>x</p>"},
            [file(content_id="logo")],
            {"related": [{"alternative": ["text/plain", "text/html"]}, "image/png"]},
        ),
        (
            {"body_html": '<img src="cid:logo">', "body_text": None},
            [file("a.zip"), file(content_id="logo"), file("b.bin")],
            {"mixed": [{"related": ["text/html", "image/png"]}, "application/zip", OCTETS]},
        ),
        ({}, [file(content_id="logo")], {"mixed": ["text/plain", "image/png"]}),
        ({"body_text": None}, [file("a.ics")], {"mixed": ["text/plain", "text/calendar"]}),
    ],
)
def test_each_level_is_there_only_if_it_is_needed(
    fields: dict[str, Any], attachments: list[dict[str, Any]], expected: object
) -> None:
    email = made(*attachments, **fields)
    assert_clean_on_the_wire(email)
    assert structure(read(email)) == expected


def test_a_related_body_says_which_part_is_read_first() -> None:
    message = read(made(file(content_id="a"), body_html="<p>x</p>"))
    assert message.get_param("type") == "multipart/alternative"
    assert body(message, "html") == "<p>x</p>\n"


def test_an_inline_image_has_the_id_that_the_html_refers_to() -> None:
    message = read(made(file(content_id="logo@shop.example"), body_html="<img>"))
    (image,) = [one for one in message.walk() if one.get_content_type() == "image/png"]
    assert image["Content-ID"] == "<logo@shop.example>"
    assert image.get_content_disposition() == "inline"


def test_no_attachments_leave_the_email_as_it_was() -> None:
    assert made() == compose(
        Send(recipient="ann@example.org", body_text="hi"),
        key="key-1",
        queued_at=QUEUED_AT,
        default_sender="a@b.example",
    )


def test_a_text_that_knows_the_boundaries_ends_no_part() -> None:
    """Whoever knows the key of an email knows them."""
    text = "x"
    for _ in range(6):  # each one that it knows makes place for another
        email = made(file(), body_text=text, body_html="<p>x</p>")
        text += "".join(f"\n--{mark}--\n" for mark in _marks(email))
    email = made(file(), body_text=text, body_html="<p>x</p>")
    assert structure(read(email)) == {
        "mixed": [{"alternative": ["text/plain", "text/html"]}, "image/png"]
    }
    assert body(read(email), "plain") == text


def _marks(email: Email) -> list[str]:
    return [str(one.get_boundary()) for one in read(email).walk() if one.is_multipart()]


# names


@pytest.mark.parametrize(
    "name",
    [
        "report.pdf",
        'a "quoted" name; with=signs.pdf',
        "Größe.pdf",
        "見積書.pdf",
        "🎉 party.png",
        "x" * 251 + ".pdf",
        "ü" * 125 + ".pdf",
        "100%.pdf",
        "=?utf-8?b?eA==?=",
        ".profile",
        "it's.txt",
    ],
)
def test_a_file_keeps_its_name(name: str) -> None:
    assert files(made(file(name))) == [(name, PNG)]


def test_blanks_around_a_name_are_no_part_of_it() -> None:
    assert files(made(file(" a b.png "))) == [("a b.png", PNG)]


def test_old_readers_find_the_name_as_an_encoded_word() -> None:
    content = made(file("Größe.pdf")).content
    assert b'Content-Type: application/pdf;\r\n name="=?utf-8?b?R3LDtsOfZS5wZGY=?="\r\n' in content
    assert b"filename*=utf-8''Gr%C3%B6%C3%9Fe.pdf\r\n" in content


def test_encoded_words_of_a_name_stay_in_lines_of_78() -> None:
    """RFC 5322 section 2.1.1."""
    content = made(file("ü" * 120 + ".pdf")).content
    field = content[content.index(b' name="') : content.index(b"Content-Transfer-Encoding: base64")]
    assert field.count(b"=?") > 2
    assert max(map(len, field.split(b"\r\n"))) <= 78


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a\r\nBcc: eve@example.org", (Reason.HEADER_INJECTION, "$.attachments[1].filename", None)),
        ("a\x00.pdf", (Reason.HEADER_INJECTION, "$.attachments[1].filename", None)),
        ("a\u2028.pdf", (Reason.HEADER_INJECTION, "$.attachments[1].filename", None)),
        ("\ud800", (Reason.INVALID_UNICODE, "$", None)),
        ("../../etc/passwd", bad("[1].filename")),
        ("C:\\boot.ini", bad("[1].filename")),
        ("", bad("[1].filename")),
        ("..", bad("[1].filename")),
        (" ", bad("[1].filename")),
        ("a\tb", bad("[1].filename")),
        (". .", bad("[1].filename")),
        ("x" * 256, bad("[1].filename")),
        ("ü" * 128, bad("[1].filename")),
    ],
)
def test_a_name_that_is_a_path_or_more_than_a_name_is_refused(
    name: str, expected: tuple[Reason, str, Problem | None]
) -> None:
    assert told(file(), file(name)) == expected


@pytest.mark.parametrize(
    "mark", [*"\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"], ids=ascii
)
def test_a_name_that_turns_its_text_around_is_refused(mark: str) -> None:
    assert told(file(f"invoice{mark}fdp.exe")) == bad("[0].filename")


# types


@pytest.mark.parametrize(
    ("name", "given_type", "expected"),
    [
        ("a.PDF", None, "application/pdf"),
        ("a.b.tar", None, "application/x-tar"),
        ("a.eml", None, OCTETS),
        ("README", None, OCTETS),
        ("pdf", None, "application/pdf"),
        ("a.pdf", "Application/X-Own", "application/x-own"),
        ("a.ics", 'text/calendar; method=REQUEST; charset="utf-8"', "text/calendar"),
    ],
)
def test_the_type_is_as_given_or_by_the_ending(
    name: str, given_type: str | None, expected: str
) -> None:
    email = made(file(name, content_type=given_type))
    assert files(email) == [(name, PNG)]
    (part,) = [one for one in read(email).walk() if one.get_content_disposition()]
    assert part.get_content_type() == expected


def test_a_parameter_of_the_type_is_kept() -> None:
    email = made(file("a.ics", content_type="text/calendar; method=REQUEST"))
    (part,) = [one for one in read(email).walk() if one.get_content_disposition()]
    assert part.get_param("method") == "REQUEST"


@pytest.mark.parametrize(
    "media_type",
    [
        "",
        "pdf",
        "image/",
        "image/png\r\nX: y",
        "image/png\n",
        "image/png; a",
        "image/png; name=x.exe",
        "image/png; name*0=x.exe",
        "image/png; a=1; A=2",
        'image/png; a="b"c"',
        "bücher/png",
        "image/png; a=" + "x" * 255,
        "multipart/mixed",
        "Multipart/Mixed; boundary=x",
        "message/rfc822",
        "message/partial",
    ],
)
def test_a_type_that_is_none_or_must_not_be_base64_is_refused(media_type: str) -> None:
    assert told(file(content_type=media_type)) == bad("[0].content_type")


# content ids


@pytest.mark.parametrize("content_id", ["logo@shop.example", "{3F-4}_~!#$%&'*+/=?^`|", "x" * 255])
def test_a_part_has_the_id_that_it_was_given(content_id: str) -> None:
    (part,) = [
        one
        for one in read(made(file(content_id=content_id))).walk()
        if one.get_content_disposition()
    ]
    assert part["Content-ID"] == f"<{content_id}>"


@pytest.mark.parametrize("content_id", ["", "<a@b>", "a b", "a\r\nX: y", "é", "x" * 256])
def test_a_content_id_that_is_no_msg_id_is_refused(content_id: str) -> None:
    assert told(file(content_id=content_id)) == bad("[0].content_id")


def test_two_parts_with_one_content_id_are_refused() -> None:
    pair = file(content_id="logo"), file("b.png", content_id="logo")
    assert told(*pair) == bad("[1].content_id", Problem.DUPLICATE)


# content


@given(st.binary(max_size=500))
def test_any_octets_arrive_as_they_are(octets: bytes) -> None:
    assert files(made(file(octets=octets))) == [("a.png", octets)]


@given(st.binary(max_size=300))
def test_lines_are_as_long_as_they_are_said_to_be(octets: bytes) -> None:
    assert len(base64_lines(octets)) == encoded_size(len(octets))


@given(st.binary(max_size=300), st.integers(min_value=1, max_value=5))
def test_pieces_encoded_apart_are_the_whole(octets: bytes, lines: int) -> None:
    step = 57 * lines
    pieces = [octets[start : start + step] for start in range(0, len(octets), step)]
    assert b"".join(map(base64_lines, pieces)) == base64_lines(octets)


@given(st.binary(max_size=60))
def test_both_alphabets_are_read_with_line_ends_and_without_padding(octets: bytes) -> None:
    standard, urlsafe = b64encode(octets).decode(), urlsafe_b64encode(octets).decode()
    for text in (standard, urlsafe, urlsafe.rstrip("="), "\r\n".join(standard), f" {standard}\n"):
        assert octets_of(text) == octets


@pytest.mark.parametrize(
    "text",
    ["A", "AAAAA", "AA=A", "====", "AAAA====", "A*AA", "ÄAAA", "AAA==", "AA==AAAA", "=AAA", "AA="],
)
def test_what_is_no_base64_is_told_by_its_index(text: str) -> None:
    assert told(file(), file(content=text)) == bad("[1].content")


def test_content_is_there_once() -> None:
    elsewhere = {"bucket": "bucket", "key": "k"}
    assert told({"filename": "a"}) == bad("[0].content", Problem.MISSING)
    assert told(file(s3=elsewhere)) == bad("[0].s3")


@pytest.mark.parametrize(
    ("object_", "field"),
    [
        ({"bucket": "No", "key": "k"}, ".bucket"),
        ({"bucket": "x" * 64, "key": "k"}, ".bucket"),
        ({"bucket": "bucket\n", "key": "k"}, ".bucket"),
        ({"bucket": "bucket", "key": ""}, ".key"),
        ({"bucket": "bucket", "key": "ü" * 513}, ".key"),
        ({"bucket": "bucket", "key": "k", "sha256": "abc"}, ".sha256"),
        ({"bucket": "bucket", "key": "k", "sha256": "a" * 64 + "\n"}, ".sha256"),
        ({"bucket": "bucket", "key": "k", "version": "a\r\nb"}, ".version"),
        ({"bucket": "bucket", "key": "k", "version": "v\n"}, ".version"),
    ],
)
def test_a_name_that_no_object_can_have_is_refused(object_: dict[str, str], field: str) -> None:
    assert told({"filename": "a", "s3": object_}) == bad(f"[0].s3{field}")


@pytest.mark.parametrize(
    "longest",
    [
        {"bucket": "x" * 63},
        {"key": "ü" * 512},
        {"version": "v" * 1024},
        {"sha256": "aF" * 32},
    ],
)
def test_names_of_objects_are_as_long_as_s3_has_them(longest: dict[str, str]) -> None:
    one = {"bucket": "bucket", "key": "k"} | longest
    (checked,) = check_attachments(published({"filename": "a", "s3": one}).attachments or (), "$")
    assert checked.s3 == S3Object(**one)


def test_ten_thousand_attachments_are_too_many() -> None:
    too_large = (Reason.TOO_LARGE, "$.attachments", None)
    assert len(files(made(*[file(octets=b"")] * 100))) == 100
    assert told(*[file(octets=b"")] * 101) == too_large
    assert told(*[file(octets=b"")] * 10_000) == too_large


def test_an_object_in_s3_is_a_part_like_any_other() -> None:
    send = published({"filename": "a.png", "s3": {"bucket": "bucket", "key": "k"}})
    s3 = (send.attachments or [])[0].s3
    assert s3 is not None
    large = PNG * 100
    content = base64_lines(large)
    email = compose(
        send,
        key="key-1",
        queued_at=QUEUED_AT,
        default_sender="a@b.example",
        objects={s3: (content,)},
    )
    assert files(email) == [("a.png", large)]
    assert any(piece is content for piece in email.pieces), "it isn't copied"
    assert email.content == made(file(octets=large)).content
