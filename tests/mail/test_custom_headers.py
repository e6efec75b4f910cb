"""Custom headers that programs read by a grammar: as written, folded where it has blanks."""

import json

import pytest

from ion.outcome import Reason
from mail.reading import assert_clean_on_the_wire, composed, people, read, refused

ADDRESS_LISTS = ["Disposition-Notification-To", "Errors-To", "Return-Receipt-To", "Mail-Reply-To"]
OTHERS = [
    *("List-Unsubscribe", "List-Post", "list-help", "List-Unsubscribe-Post", "References"),
    *("In-Reply-To", "Auto-Submitted", "Archived-At"),
]
WITH_A_GRAMMAR = [*ADDRESS_LISTS, *OTHERS, "List-Id"]
LONG_URL = "<https://example.org/" + "a=b&" * 225 + ">"


def field(name: str, value: str) -> list[str]:
    """The lines of a custom header, without its name."""
    email = composed(headers={name: value})
    assert_clean_on_the_wire(email)
    assert email.content.isascii()
    header, _, _ = email.content.decode().partition("\r\nMIME-Version:")
    return header.split(f"\r\n{name}: ")[1].split("\r\n")


@pytest.mark.parametrize("name", WITH_A_GRAMMAR)
@pytest.mark.parametrize(
    "value",
    [
        "<mailto:u@example.org>",
        "<https://example.org/?=?utf-8?q?x?=>",
        "=?utf-8?q?Gr=C3=BC=C3=9Fe?= <list.example.org>",
        '"Lee, Ann" <ann@example.org>, (b) <b@c.d>',
        """O'Brien <"a > b, c"@example.org>""",
        "NO (posting not allowed on this list)",
        "List-Unsubscribe=One-Click",
        "",
        '"',
        "<",
    ],
)
def test_a_value_with_a_grammar_is_left_as_it_is(name: str, value: str) -> None:
    assert field(name, value) == [value]


@pytest.mark.parametrize("name", ["List-Unsubscribe", "Errors-To", "References"])
def test_a_value_with_a_grammar_is_folded_at_its_blanks(name: str) -> None:
    assert field(name, f"{LONG_URL}, <mailto:u@example.org>") == [
        f"{LONG_URL},",
        " <mailto:u@example.org>",
    ]


def test_neither_quotes_nor_brackets_are_folded() -> None:
    inside = "x " * 60
    lines = field("Errors-To", f'"{inside}" <ann@example.org>, b@example.org <{inside}>')
    assert lines == [f'"{inside}"', " <ann@example.org>, b@example.org", f" <{inside}>"]


def test_hundreds_of_references_are_folded_between_them() -> None:
    references = [f"<{i}.reference@example.org>" for i in range(200)]
    lines = field("References", " ".join(references))
    assert " ".join(line.strip() for line in lines) == " ".join(references)
    assert max(map(len, lines)) <= 76


@pytest.mark.parametrize("name", WITH_A_GRAMMAR)
@pytest.mark.parametrize(
    "value",
    [
        "<https://bücher.example/unsubscribe>",
        "<grüße@example.org>",
        "grüße@example.org",
        "Jörg Groß",
        "Jörg <>",
        "ann@example.org, Jörg",
        'Jörg <"j',
        "<" + "x" * 1000 + ">",
    ],
)
def test_what_the_grammar_can_not_say_in_ascii_is_refused(name: str, value: str) -> None:
    assert refused(headers={name: value}) == (Reason.HEADER_VALUE, f"$.headers['{name}']")


@pytest.mark.parametrize("name", ADDRESS_LISTS)
def test_a_comma_ends_an_address_unless_it_is_quoted(name: str) -> None:
    path = f"$.headers['{name}']"
    value = "Groß, Jörg <j@example.org>"
    assert refused(headers={name: value}) == (Reason.HEADER_VALUE, path)


@pytest.mark.parametrize("name", OTHERS)
def test_where_the_grammar_has_no_phrases_nothing_beyond_ascii_is_said(name: str) -> None:
    path = f"$.headers['{name}']"
    assert refused(headers={name: "Jörg <j@example.org>"}) == (Reason.HEADER_VALUE, path)


@pytest.mark.parametrize("length", [-1, 0, 1])
def test_a_line_of_998_octets_is_the_longest(length: int) -> None:
    """Where it doesn't fit behind the name, it has a line of its own."""
    url = "<" + "x" * (998 - len(" <>") + length) + ">"
    if length > 0:
        assert refused(headers={"List-Help": url})[0] is Reason.HEADER_VALUE
    else:
        assert b"\r\nList-Help:\r\n " + url.encode() in composed(headers={"List-Help": url}).content
        shorter = url[: -len("List-Help:") - 1] + ">"
        assert field("List-Help", shorter) == [shorter]


@pytest.mark.parametrize("name", ["X-SMTPAPI", "X-MC-MergeVars", "X-Mailgun-Variables"])
def test_json_for_a_provider_goes_out_as_written(name: str) -> None:
    value = json.dumps({"sub": {"%name%": ["=?utf-8?q?x?=", "Jörg", "x" * 970, "a b " * 300]}})
    assert "".join(field(name, value)) == value.rstrip()
    assert max(map(len, field(name, value))) <= 998
    for wrong in ('{"a": "Jörg"}', json.dumps(["x" * 999])):
        assert refused(headers={name: wrong}) == (Reason.HEADER_VALUE, f"$.headers['{name}']")


@pytest.mark.parametrize("name", ["X-A", "X-" + "a" * 74])
def test_text_in_ascii_is_encoded_only_if_a_word_is_longer_than_a_line(name: str) -> None:
    value = f"a {'x' * 997} b"
    content = composed(headers={name: value}).content
    assert b"=?" not in content
    assert max(map(len, content.split(b"\r\n"))) == 998
    assert read(composed(headers={name: value}))[name] == value
    assert b"=?" in composed(headers={name: f"{'x' * 998} b"}).content


@pytest.mark.parametrize("name", ADDRESS_LISTS)
def test_names_of_an_address_list_are_encoded_and_no_more(name: str) -> None:
    value = (
        'Jörg <j@example.org>,ann@example.org, "Groß, \\"É\\"" <g@bücher.example>, É <"a,>b"@c.d>'
    )
    email = composed(headers={name: value})
    assert_clean_on_the_wire(email)
    assert people(email, name) == [
        ("Jörg", "j@example.org"),
        ("", "ann@example.org"),
        ('Groß, "É"', "g@xn--bcher-kva.example"),
        ("É", '"a,>b"@c.d'),
    ]
    raw = b"".join(email.content.split(b"\r\n"))
    assert b" <j@example.org>, ann@example.org, =?" in raw


def test_a_name_of_any_length_is_encoded_in_short_lines() -> None:
    name = "Jörg von und zu " * 30
    email = composed(headers={"Disposition-Notification-To": f"{name} <j@example.org>"})
    assert_clean_on_the_wire(email)
    assert people(email, "Disposition-Notification-To") == [(name.strip(), "j@example.org")]


@pytest.mark.parametrize("described", ["Grüße", '"Grüße"', "Die Liste über Käse, Brot " * 9])
def test_the_description_of_a_list_is_encoded_and_its_id_is_not(described: str) -> None:
    email = composed(headers={"List-Id": f"{described} <cheese.example.org>"})
    assert_clean_on_the_wire(email)
    name = described.strip().strip('"')
    assert read(email)["List-Id"] == f"{name} <cheese.example.org>"
    assert b" <cheese.example.org>\r\n" in email.content


def test_a_list_id_beyond_ascii_is_refused() -> None:
    for value in ("Käse <käse.example.org>", "Käse <a b>", "Käse <a> <b>", "Käse <a>b"):
        assert refused(headers={"List-Id": value})[0] is Reason.HEADER_VALUE


@pytest.mark.parametrize("name", ["X-Errors-To", "X-References", "Reply-By", "Precedence", "Lists"])
def test_other_headers_are_text(name: str) -> None:
    assert field(name, "Jörg") == ["=?utf-8?b?SsO2cmc=?="]
    assert read(composed(headers={name: "Jörg <j@example.org>"}))[name] == "Jörg <j@example.org>"


def test_hostile_values_end_soon() -> None:
    for value in ('"\\' * 100_000, '\\"' * 100_000, "<" * 200_000, '"<' * 100_000, "(" * 200_000):
        assert refused(headers={"References": value})[0] is Reason.HEADER_VALUE
        assert refused(headers={"Errors-To": f"é{value}"})[0] is Reason.HEADER_VALUE
        assert refused(headers={"List-Id": f"é{value}"})[0] is Reason.HEADER_VALUE
