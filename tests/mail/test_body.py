import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ion.mail.body import Part, text_part
from ion.outcome import Reason
from mail.reading import assert_clean_on_the_wire, body, composed, read, refused

any_text = st.text(st.characters(codec="utf-8"))
# what trips encoders: blanks and dots at the edges of lines, "=", line ends, From
tricky_text = st.lists(
    st.sampled_from(
        [" ", "\t", "\r", "\n", "\r\n", ".", "=", "From ", "x" * 74, "x" * 75, "y" * 899, "é", "\0"]
    ),
    max_size=30,
).map("".join)


def read_back(text: str) -> str:
    """A text as it comes out: every line end the same, and one at the end."""
    text = re.sub(r"\r\n?", "\n", text)
    return text if text.endswith("\n") else text + "\n"


def encoding(part: Part) -> str:
    return part.fields.split("Content-Transfer-Encoding: ")[1].strip()


@settings(deadline=None)
@given(any_text | tricky_text)
@example("x" * 74 + " \n")
@example("x" * 74 + "\t\né")
@example("From " * 100)
def test_any_text_is_read_as_written(text: str) -> None:
    email = composed(body_text=text)
    assert_clean_on_the_wire(email)
    assert body(read(email), "plain") == read_back(text)


@settings(deadline=None)
@given(any_text | tricky_text, any_text | tricky_text)
def test_both_bodies_are_read_as_written(text: str, html: str) -> None:
    email = composed(body_text=text, body_html=html)
    assert_clean_on_the_wire(email)
    message = read(email)
    if html:
        assert body(message, "html") == read_back(html)
    if text or not html:
        assert body(message, "plain") == read_back(text)
    if text and html:
        assert message.get_content_type() == "multipart/alternative"
        assert [part.get_content_subtype() for part in message.iter_parts()] == ["plain", "html"]


@settings(deadline=None)
@given(any_text | tricky_text)
def test_encoded_lines_are_at_most_76_and_no_mbox_rewrites_them(text: str) -> None:
    part = text_part(text, "plain", "$")
    lines = part.content.split(b"\r\n")
    if encoding(part) != "7bit":
        assert max(map(len, lines)) <= 76
    assert not [line for line in lines if line.startswith(b"From ") or line.endswith((b" ", b"\t"))]


@pytest.mark.row(60)
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain\ntext", "7bit"),
        ("tab\there", "7bit"),
        ("x" * 900, "7bit"),
        ("x" * 901, "quoted-printable"),
        ("x" * 5_000, "quoted-printable"),
        (("x" * 899 + "\n") * 50, "7bit"),
        (("x" * 899 + "\n") * 50 + "x" * 901, "quoted-printable"),
        ("-- \nsignature", "quoted-printable"),
        ("From here on", "quoted-printable"),
        ("line\nFrom here on", "quoted-printable"),
        ("One é in a sentence that is otherwise plain", "quoted-printable"),
        ("Съешь же ещё этих мягких французских булок", "base64"),
        ("esc \x1b[31m in a sentence that is otherwise plain", "quoted-printable"),
        ("\0" * 100, "base64"),
    ],
)
def test_the_encoding_is_the_plainest_that_is_safe(text: str, expected: str) -> None:
    assert encoding(text_part(text, "plain", "$")) == expected
    assert body(read(composed(body_text=text)), "plain") == read_back(text)


@pytest.mark.row(61)
@pytest.mark.parametrize(
    "text",
    [
        "a\r.\rMAIL FROM:<eve@example.org>",
        "a\n.\nMAIL FROM:<eve@example.org>",
        "a\r\n.\r\nMAIL FROM:<eve@example.org>",
        "a\r\n.\rMAIL",
        "a\n.\r\nMAIL",
        "a\r\n\0.\r\nMAIL",
        ".",
        "..\n.a\n.",
        "\r",
        "\n\r\n\r",
        "\r.\r",
    ],
)
def test_nothing_is_smuggled_past_the_dot(text: str) -> None:
    email = composed(body_text=text, body_html=f"<p>{text}")
    assert_clean_on_the_wire(email)
    message = read(email)
    assert body(message, "plain") == read_back(text)
    assert body(message, "html") == read_back(f"<p>{text}")


@pytest.mark.row(15)
def test_what_looks_like_a_template_is_literal_text() -> None:
    message = read(composed(subject="{{7*7}}", body_text="{{7*7}}", body_html="{{7*7}}"))
    assert message["Subject"] == "{{7*7}}"
    assert body(message, "plain") == body(message, "html") == "{{7*7}}\n"


@pytest.mark.row(6)
def test_lone_surrogates_are_refused() -> None:
    assert refused(body_text="\ud800") == (Reason.INVALID_UNICODE, "$.body_text")
    assert refused(body_text=None, body_html="\ud800") == (Reason.INVALID_UNICODE, "$.body_html")
    assert refused(body_text="\ud800", body_html="x") == (Reason.INVALID_UNICODE, "$.body_text")


def test_an_empty_body_does_not_hide_the_other() -> None:
    assert read(composed(body_text="text", body_html="")).get_content_type() == "text/plain"
    assert body(read(composed(body_text="", body_html="<b>x</b>")), "plain") == "x\n"
    assert body(read(composed(body_text="", body_html="")), "plain") == "\n"


def test_a_body_that_holds_the_boundary_gets_another() -> None:
    first = read(composed(body_html="x")).get_boundary()
    message = read(composed(body_text=f"--{first}\n--{first}--", body_html=f"--{first}"))
    assert message.get_boundary() != first
    assert body(message, "plain") == f"--{first}\n--{first}--\n"
    assert body(message, "html") == f"--{first}\n"
