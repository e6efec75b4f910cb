"""Files of suppressed addresses, as each provider writes them."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ion.mail.addresses import address_of, is_address
from ion.policy.suppression import Why
from ionctl.ops.suppression_file import moment, read
from ionctl.problem import Problem

SAMPLES = Path(__file__).parent / "suppressions"
AT = datetime(2026, 4, 10, 19, 3, 5, tzinfo=UTC)
ANN, BOB = "ann@example.org", "bob@example.org"


@pytest.mark.parametrize(
    ("name", "kind", "entries"),
    [
        ("ses.json", "SES suppression list", [(ANN, Why.COMPLAINT), (BOB, Why.BOUNCE)]),
        ("ses-bulk.csv", "addresses", [(ANN, Why.BOUNCE), (BOB, Why.COMPLAINT)]),
        ("sendgrid-bounces.csv", "SendGrid bounces", [(ANN, Why.BOUNCE), (BOB, Why.BOUNCE)]),
        ("sendgrid-bounces.json", "SendGrid bounces", [(ANN, Why.BOUNCE)]),
        ("sendgrid-spam.csv", "SendGrid spam reports", [(ANN, Why.COMPLAINT)]),
        ("sendgrid-spam.json", "SendGrid spam reports", [(ANN, Why.COMPLAINT)]),
        ("sendgrid-unsubscribes.csv", "SendGrid unsubscribes", [(ANN, Why.UNSUBSCRIBE)]),
        ("sendgrid-unsubscribes.json", "SendGrid unsubscribes", [(ANN, Why.UNSUBSCRIBE)]),
        *(
            (
                f"sendgrid-groups.{ending}",
                "SendGrid group unsubscribes",
                [(ANN, Why.UNSUBSCRIBE), (BOB, Why.UNSUBSCRIBE)],
            )
            for ending in ("csv", "json")
        ),
        ("mailgun-bounces.csv", "Mailgun bounces", [(ANN, Why.BOUNCE)]),
        ("mailgun-bounces.json", "Mailgun bounces", [(ANN, Why.BOUNCE)]),
        ("mailgun-complaints.csv", "Mailgun complaints", [(ANN, Why.COMPLAINT)]),
        ("mailgun-complaints.json", "Mailgun complaints", [(ANN, Why.COMPLAINT)]),
        (
            "mailgun-unsubscribes.csv",
            "Mailgun unsubscribes",
            [(ANN, Why.UNSUBSCRIBE), (BOB, Why.UNSUBSCRIBE)],
        ),
        (
            "mailgun-unsubscribes.json",
            "Mailgun unsubscribes",
            [(ANN, Why.UNSUBSCRIBE), (BOB, Why.UNSUBSCRIBE)],
        ),
    ],
)
def test_a_provider_is_known_by_its_columns(
    name: str, kind: str, entries: list[tuple[str, Why]]
) -> None:
    found = read((SAMPLES / name).read_text(encoding="utf-8"))
    assert found.format == kind
    assert [(one.address, one.why) for one in found.entries] == entries
    if name != "ses-bulk.csv":
        first = found.entries[0].at
        assert first is not None
        assert first.replace(microsecond=0) == AT
    if "mailgun-unsub" in name:
        assert [one.tags for one in found.entries] == [(), ("news", "offers")]
    if "groups" in name:
        assert [one.tags for one in found.entries] == [("Weekly News",), ("Offers",)]


def test_each_sample_is_tested() -> None:
    assert len(list(SAMPLES.iterdir())) == 16


@pytest.mark.parametrize(
    "text",
    [
        f"{ANN}\n\n{BOB}\n",
        f"\ufeff{ANN}\r\n{BOB}\r\n",
        f"email\n{ANN}\n{BOB}",
        f"Name;E-Mail;Note\nAnn;{ANN};x\nBob;{BOB};y",
        f"id\tEmail\n1\t{ANN}\n2\t{BOB}",
        f"1,{ANN}\n2,{BOB}",
        f'["{ANN}", "{BOB}"]',
        f'{{"email": "{ANN}"}}\n{{"email": "{BOB}"}}\n',
        f'[{{"Email": "{ANN}"}}, {{"Email": "{BOB}", "extra": {{"a": 1}}}}]',
        f'[{{"email": ["{ANN}", "{BOB}"]}}]',
        f"{ANN}, {BOB}",
        f"{ANN}; {BOB}",
        f"{ANN} {BOB}\n",
        f"Ann <{ANN}>; Bob <{BOB}>",
        f"Ann Lee <{ANN}>, <{BOB}>",
        f"Ann <{ANN}> Bob<{BOB}>",
        f"{ANN}, Bob <{BOB}>",
        f"{ANN} <{BOB}>",
        f'"Lee, Ann" <{ANN}>, "Bob" < {BOB} >',
        f"Lee, Ann <{ANN}>\nDoe, Bob <{BOB}>\n",
        f'email,name\n"Ann <{ANN}>; {BOB}",both\n',
        f"email\n{ANN}, Bob <{BOB}>\n",
        f"email,{ANN}\nemail,{BOB}\n",
        f'["Ann <{ANN}>; Bob <{BOB}>"]',
        f"email,email\n{ANN},{BOB}\n",
        f"email,name,recipient\n{ANN},Ann,{BOB}\n",
        f"email\n{ANN},{BOB}\n",
        f'name,email\nboth,"{ANN}; {BOB}"\n',
        f"sep=;\nemail;note\n{ANN};a,b,c\n{BOB};d,e,f\n",
        f'"sep=,"\n{ANN}\n{BOB}\n',
    ],
)
def test_plain_addresses_are_read_from_csv_and_json(text: str) -> None:
    found = read(text)
    assert [(address_of(one.address), one.why) for one in found.entries] == [
        (ANN, Why.IMPORT),
        (BOB, Why.IMPORT),
    ]


def test_each_address_of_a_plain_line_is_an_entry_of_that_line() -> None:
    found = read(f"{ANN}\nm1@example.org, m2@example.org; m3@example.org\n{BOB},bounced\n")
    assert [(one.number, one.address) for one in found.entries] == [
        (1, ANN),
        *((2, f"m{number}@example.org") for number in (1, 2, 3)),
        (3, BOB),
    ]


def test_addresses_between_blanks_commas_semicolons_and_brackets_are_all_read() -> None:
    mixed = "m1@example.org m2@example.org, <m3@example.org>; Ann <m4@example.org>"
    assert [one.address for one in read(mixed).entries] == [
        f"m{number}@example.org" for number in (1, 2, 3, 4)
    ]


@pytest.mark.parametrize(
    "line",
    [
        f"{BOB},bounced at x@example.org",
        f"{BOB}; <x@example.org> bounced",
        f"{BOB}, x@example.org (Ann)",
        f"{BOB} <x@example.org",
        f"{BOB} Ann x@example.org",
        f"{BOB};x@y@example.org",
        f'{BOB} "x@example.org"',
        f"{BOB}, mailto:x@example.org",
        f"Staff: {BOB}, x@example.org;",
    ],
)
@pytest.mark.parametrize("head", [ANN, f"email\n{ANN}"], ids=["plain", "below a name"])
def test_what_has_an_at_and_is_not_understood_is_an_entry_that_is_no_address(
    head: str, line: str
) -> None:
    text = f"{head}\n{line}\n"
    number = len(text.splitlines())
    refused = [one.number for one in read(text).entries if not is_address(one.address)]
    assert refused == [number]


@given(
    st.lists(
        st.sampled_from(["{}", "<{}>", "Ann <{}>", '"Lee, Ann" <{}>', "{} gone", "at {}", "<{}"]),
        min_size=1,
        max_size=6,
    ),
    st.sampled_from([", ", ";", " ; ", " ", "|", "\t", "\n"]),
)
def test_each_address_of_a_list_is_read_or_its_line_has_one_that_is_none(
    shapes: list[str], between: str
) -> None:
    written = [f"m{number}@example.org" for number, _ in enumerate(shapes)]
    text = between.join(shape.format(one) for shape, one in zip(shapes, written, strict=True))
    found = [one.address for one in read(text).entries]
    read_well = {address_of(one) for one in found if is_address(one)}
    assert read_well >= {*written} or not all(is_address(one) for one in found)


def test_a_servers_reply_in_a_column_of_its_own_is_not_taken_for_addresses() -> None:
    found = read(f"email,reason\n{ANN},550 <x@example.org> unknown\n")
    assert [one.address for one in found.entries] == [ANN]


def test_a_postal_address_and_a_hash_beside_an_address_are_no_entries() -> None:
    found = read(f"email,address,hash\n{ANN},12 Main Street,0123456789abcdef\n")
    assert [one.address for one in found.entries] == [ANN]


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("until", "yesterday"),
        ("until", "2020"),
        ("since", "2020"),
        ("since", "31.12.2025"),
        ("created", "1e400"),
    ],
)
def test_a_line_whose_time_is_none_is_unclear_and_says_why(name: str, written: str) -> None:
    found = read(f"email,{name}\n{ANN},{written}\n{BOB},\n")
    assert [one.address for one in found.entries] == [BOB]
    (unclear,) = found.unclear
    assert unclear.number == 2
    assert unclear.why.startswith(f"{name} {written}: no time that is known")


def test_a_plain_file_may_say_why_for_which_mail_since_and_until_when() -> None:
    (one,) = read(
        "address,why,scope,since,until\n"
        f"{ANN},unsubscribe,tag:list=news,2026-04-10T19:03:05Z,2027-04-10T21:03:05+02:00\n"
    ).entries
    assert (one.why, one.scope, one.at) == (Why.UNSUBSCRIBE, "tag:list=news", AT)
    assert one.until == AT.replace(year=2027)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (f"email,reason\n{ANN},Hard-Bounce\n", Why.BOUNCE),
        (f"email,reason\n{ANN},abuse\n", Why.COMPLAINT),
        (f"email,reason\n{ANN},550 blocked for spam\n", Why.IMPORT),
        (f"email,reason,reason\n{ANN},unsubscribed,bounce\n", Why.UNSUBSCRIBE),
    ],
    ids=["one word", "another", "a server's reply", "two columns of one name"],
)
def test_a_reason_counts_if_it_is_one_word(text: str, why: Why) -> None:
    assert [one.why for one in read(text).entries] == [why]


def test_pages_of_json_may_follow_one_another() -> None:
    page = (SAMPLES / "ses.json").read_text(encoding="utf-8")
    assert [one.address for one in read(page + page).entries] == [ANN, BOB] * 2


def test_entries_have_the_number_of_their_line() -> None:
    found = read(f'email,reason\n{ANN},"two\nlines"\n\n{BOB},x\n')
    assert [one.number for one in found.entries] == [3, 5]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the file is empty"),
        (" \n\n", "the file is empty"),
        ("name,phone\nAnn,123", "no known kind: .* It begins with: name,phone"),
        ("Lorem ipsum dolor", "It begins with: Lorem ipsum dolor"),
        ('[{"name": "Ann"}]', "no column or field of the file is called .*; it has: name"),
        ('{"a": [1', "begins like JSON and isn't"),
        ("[1, 2]", "entry 1 of the JSON list is no object"),
        ("[" * 100_000, "begins like JSON and isn't"),
    ],
)
def test_what_is_of_no_known_kind_is_said_with_what_was_read(text: str, said: str) -> None:
    with pytest.raises(Problem, match=said):
        read(text)


@pytest.mark.parametrize(
    "written",
    [
        "1775847785",
        1775847785,
        1775847785.0,
        "2026-04-10T19:03:05Z",
        "2026-04-10 19:03:05",
        "2026-04-10T21:03:05+02:00",
        "Fri, 10 Apr 2026 19:03:05 GMT",
        "Fri, 10 Apr 2026 19:03:05 UTC",
        "Fri, 10 Apr 2026 21:03:05 +0200",
        "20260410T190305Z",
    ],
)
def test_times_are_read_as_providers_write_them(written: object) -> None:
    assert moment(written) == AT


@pytest.mark.parametrize(
    "written", [None, "", "soon", "2020", "0", "-1", "1e400", "99999999999999999", "nan"]
)
def test_what_is_no_time_is_not_known(written: object) -> None:
    assert moment(written) is None


@given(st.text(max_size=300) | st.text(alphabet='[]{}",:@\n;\t ae1', max_size=300))
def test_whatever_the_file_is_it_is_read_or_said_to_be_none(text: str) -> None:
    try:
        found = read(text)
    except Problem:
        return
    assert all(isinstance(one.address, str) for one in found.entries)
