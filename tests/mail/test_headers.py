import re
from base64 import b64decode
from quopri import decodestring

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ion.contract import Mailbox
from ion.mail.encoded_words import encoded_words
from ion.outcome import Reason
from mail.reading import assert_clean_on_the_wire, composed, people, read, refused

SENTENCE = "The quick brown fox jumps over the lazy dog. "
NASTY = [
    "",
    "Hi",
    " leading",
    "trailing ",
    "two  blanks   within",
    "\ttabs\there\t",
    " ",
    "\t",
    "=?utf-8?q?x?=",
    "before =?utf-8?b?eA==?= after",
    "=?broken",
    "a=?utf-8?q?=",
    "{{7*7}}",
    "Grüße",
    "Grüße_und=?Fragen?=",
    "é" * 300,
    "שלום עולם \u202eabc\u202c",
    "e\u0301" * 60,
    "👩‍👩‍👧‍👦" * 40,
    "例え" * 50,
    "x" * 10_000,
    (SENTENCE * 300)[:10_000],
    "🦊" * 10_000,
    ("x" * 100 + "  ") * 99,
    "x " * 500 + "y" * 2_000,
    "a" + " " * 2_000 + "b",
    "a\u00a0b",
    "a\ufeffb\u200b",
    '"quoted" <angle>, (comment) \\ ;:',
]
STRUCTURAL = [
    *("From", "To", "Cc", "Bcc", "bCC", "Sender", "Reply-To", "Subject", "Date", "Message-ID"),
    *("MIME-Version", "MIME-X", "Content-Type", "content-transfer-encoding", "Content-X"),
    *("Received", "RETURN-PATH", "Resent-To", "Resent-X", "DKIM-Signature", "ARC-Seal"),
]
header_text = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"], include_characters="\t")
)


@pytest.mark.row(9)
@pytest.mark.parametrize("text", NASTY, ids=lambda text: f"{text[:12]!r}-{len(text)}")
def test_a_nasty_subject_is_read_as_written(text: str) -> None:
    email = composed(subject=text, headers={"X-Copy": text})
    assert_clean_on_the_wire(email)
    message = read(email)
    assert message["Subject"] == text
    assert message["X-Copy"] == text.strip(" \t")


@settings(deadline=None)
@given(header_text)
@example("=?" * 40 + "?=")
@example("a\xa0 b\xa0")
def test_any_subject_is_read_as_written(text: str) -> None:
    email = composed(subject=text, headers={"X-Copy": text, "X" * 76: text})
    assert_clean_on_the_wire(email)
    message = read(email)
    assert message["Subject"] == text
    assert message["X-Copy"] == text.strip(" \t")
    # no encoded word has room behind that name; the parser of Python 3.11 keeps the fold's blank
    assert message["X" * 76].lstrip(" ") == text.strip(" \t")


@pytest.mark.parametrize("text", [*NASTY[1:6], *NASTY[8:20], "Lee, Ann", 'A "B" \\ C', "Ann Lee"])
def test_a_nasty_name_is_read_as_written(text: str) -> None:
    email = composed(recipient=[Mailbox("a@example.org", text), "b@example.org"])
    assert_clean_on_the_wire(email)
    assert people(email, "To") == [(text.strip(" \t"), "a@example.org"), ("", "b@example.org")]


@settings(deadline=None)
@given(st.lists(header_text, min_size=1, max_size=5))
def test_any_names_are_read_as_written(names: list[str]) -> None:
    email = composed(recipient=[Mailbox("a@example.org", name) for name in names])
    assert_clean_on_the_wire(email)
    assert people(email, "To") == [(name.strip(" \t"), "a@example.org") for name in names]


def test_a_plain_name_stays_readable_on_the_wire() -> None:
    email = composed(recipient=["Ann Lee <ann@example.org>", '"Lee, B." <b@example.org>'])
    assert b'\r\nTo: Ann Lee <ann@example.org>, "Lee, B." <b@example.org>\r\n' in email.content


@pytest.mark.parametrize("name", ["Miles O'Brien", "'Ann'", "Dr. Ann", "Ann (Sales)", "a@b"])
def test_a_name_with_more_than_atoms_is_quoted(name: str) -> None:
    """An apostrophe is an atom's (RFC 5322 section 3.2.3), and some servers mind it."""
    email = composed(recipient=Mailbox("ann@example.org", name))
    assert f'\r\nTo: "{name}" <ann@example.org>\r\n' in email.content.decode()
    assert people(email, "To") == [(name, "ann@example.org")]


@pytest.mark.parametrize("field", ["recipient", "cc", "sender", "reply_to"])
def test_an_encoded_name_fits_on_the_line_that_its_field_begins(field: str) -> None:
    for length in range(1, 90):
        assert_clean_on_the_wire(composed(**{field: Mailbox("ann@example.org", "é" * length)}))


def test_beside_an_address_beyond_ascii_octets_count_and_not_characters() -> None:
    email = composed(recipient=[f"Пётр <{'п' * length}@example.org>" for length in range(1, 32)])
    assert_clean_on_the_wire(email)


def test_a_long_list_is_folded_between_its_members() -> None:
    recipients = [f"Person Number{i} <person{i}@example.org>" for i in range(900)]
    email = composed(recipient=recipients)
    assert max(map(len, email.content.split(b"\r\n"))) <= 78
    assert [address for _, address in people(email, "To")] == [
        f"person{i}@example.org" for i in range(900)
    ]


@pytest.mark.parametrize(
    "value",
    [
        "<https://example.org/unsubscribe?" + "a=b&" * 100 + ">, <mailto:u@example.org?subject=x>",
        " ".join(f"<{i}.reference@example.org>" for i in range(200)),
        "https://example.org/?q=?x",
    ],
)
def test_ascii_values_are_folded_but_not_encoded(value: str) -> None:
    email = composed(headers={"List-Unsubscribe": value})
    raw = email.content.decode().split("List-Unsubscribe: ")[1].split("\r\nMIME")[0]
    assert raw.replace("\r\n", "") == value
    assert read(email)["List-Unsubscribe"] == value


def test_a_word_too_long_for_a_line_is_encoded_not_broken() -> None:
    url = "https://example.org/" + "x" * 5_000
    email = composed(headers={"X-URL": url})
    assert_clean_on_the_wire(email)
    assert read(email)["X-URL"] == url


@pytest.mark.parametrize(
    "text",
    [
        "=?utf-8?q?x?=",
        "Re: =?utf-8?b?eA==?= and more",
        "=?x?Q?y?=",
        "(=?utf-8?q?x?=)",
        "=?utf-8*en?q?x?=",
        # what lenient readers decode as well
        "=?utf-8?q??=",
        "=?utf-8?q?x y?=",
        "a=?utf-8?q?x?=b",
    ],
)
def test_text_that_looks_like_an_encoded_word_is_encoded(text: str) -> None:
    email = composed(subject=text)
    assert text not in email.content.decode()
    assert read(email)["Subject"] == text


@pytest.mark.parametrize(
    "text",
    ["Why =? because ?=", "a=?b?=", "=?utf-8?x?y?=", "=?utf-8?q?x", "=?=?=?=", "=?a?bb?c?="],
)
def test_text_that_no_reader_would_decode_stays_readable(text: str) -> None:
    email = composed(subject=text)
    assert f"\r\nSubject: {text}\r\n" in email.content.decode()
    assert read(email)["Subject"] == text


@pytest.mark.row(3)
@pytest.mark.parametrize(
    "control",
    ["\r\n", "\r", "\n", "\0", "\x1b", "\x7f", "\x0b", "\x0c", "\x85", "\u2028", "\u2029"],
)
def test_controls_are_refused(control: str) -> None:
    injection = Reason.HEADER_INJECTION
    assert refused(subject=f"Hi{control}Bcc: eve@example.org") == (injection, "$.subject")
    assert refused(subject=f"é{control}") == (injection, "$.subject")
    assert refused(headers={"X-Foo": f"a{control}"}) == (injection, "$.headers['X-Foo']")
    assert refused(headers={"X_Foo!": control}) == (injection, "$.headers[*]")


@pytest.mark.row(6)
def test_lone_surrogates_are_refused() -> None:
    assert refused(subject="\ud800") == (Reason.INVALID_UNICODE, "$.subject")
    assert refused(headers={"X-A": "\udfff"}) == (Reason.INVALID_UNICODE, "$.headers['X-A']")
    assert refused(headers={"\udfff": "x"}) == (Reason.HEADER_NAME, "$.headers[*]")


@pytest.mark.row(4)
@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("", "$.headers[*]"),
        ("X-Foo: a\r\nBcc", "$.headers[*]"),
        ("X-Foo\n", "$.headers[*]"),
        ("X Foo", "$.headers[*]"),
        ("X:", "$.headers[*]"),
        ("Bücher", "$.headers[*]"),
        ("X" * 77, "$.headers[*]"),
        *((name, f"$.headers['{name}']") for name in STRUCTURAL),
    ],
)
def test_structural_and_malformed_names_are_refused(name: str, path: str) -> None:
    assert refused(headers={name: "x"}) == (Reason.HEADER_NAME, path)


@pytest.mark.row(4)
def test_a_name_given_twice_is_refused() -> None:
    assert refused(headers={"X-Foo": "a", "x-foo": "b"}) == (
        Reason.HEADER_NAME,
        "$.headers['x-foo']",
    )


@pytest.mark.parametrize(
    "name", ["X-Foo", "List-ID", "Fromage", "Precedence", "A!#'*_`|~", "X" * 76]
)
def test_other_names_are_kept(name: str) -> None:
    assert read(composed(headers={name: "value"}))[name] == "value"


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8"), min_size=1), st.integers(0, 100))
def test_encoded_words_are_short_and_each_decodes_on_its_own(text: str, room: int) -> None:
    decoded = ""
    for word in encoded_words(text, room):
        assert len(word) <= 75
        form = re.fullmatch(r"=\?utf-8\?([bq])\?([!->@-~]+)\?=", word)
        assert form
        octets = form[2].encode()
        if form[1] == "b":
            decoded += b64decode(octets, validate=True).decode()
        else:
            decoded += decodestring(octets, header=True).decode()
    assert decoded == text
