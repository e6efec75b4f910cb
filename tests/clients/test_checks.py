"""What the library takes the relay never refuses; what the relay refuses is never published."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from clients.accepted import accepted
from clients.topic import Topic
from emulated import is_character_of_sqs
from fuzz.contract import assert_reads_back
from ion.contract import BadInput, Send, parse
from ion.limits import MOST_MESSAGE_BYTES
from ion.mail import check, compose
from ion_publisher import Attachment, Email, InvalidMessage, Mailbox
from ion_publisher.message import FIELDS, letter

QUEUED_AT = datetime(2025, 3, 9, 7, 5, 2, tzinfo=UTC)

any_text = st.text(st.characters())  # lone surrogates too
any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | any_text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(any_text, inner, max_size=4),
    max_leaves=10,
)
addresses = st.sampled_from(
    [
        *(
            "ann@example.org",
            "Ann <ann@example.org>",
            '"A, \\"B\\"" <a@b.example>',
            "пётр@例え.テスト",
        ),
        *(
            "a@[192.0.2.1]",
            " a@b.example\t",
            "",
            "a@b c",
            "a\r\n@b.example",
            "x" * 65 + "@b.example",
        ),
        *("an\u200bn@example.org", "a@b, c@d", "\ud800@b.example", "A\x00 <a@b.example>"),
        *({"email": "a@b.example", "name": "Ann\u2028"}, {"email": "", "name": "x"}),
        *({"email": "a@b.example", "name": "Köln"}, {"mail": "a@b.example"}),
    ]
)
header_names = (
    st.sampled_from(
        [
            "X-A",
            "x-a",
            "From",
            "List-Unsubscribe",
            "List-Id",
            "Errors-To",
            "Content-Type",
            "X: y",
            "",
        ]
    )
    | any_text
)
files = st.sampled_from(
    [
        {"filename": "a.txt", "content": "YQ==", "content_type": None},
        {"filename": "é.png", "content": "", "content_id": "logo"},
        *({"filename": "a/b", "content": ""}, {"filename": ".. ", "content": ""}),
        *({"filename": "a\n", "content": ""}, {"filename": "\ud800", "content": ""}),
        *({"filename": "a", "content": "YQ="}, {"filename": "a", "content": "é"}),
        *({"filename": "a"}, {"content": ""}),
        {"filename": "a", "content": "", "s3": {"bucket": "abc", "key": "k"}},
        {"filename": "a.eml", "content": "", "content_type": "message/rfc822"},
        {"filename": "a", "content": "", "content_type": "text/plain\r\nX: y"},
        {"filename": "a", "content": "", "content_id": "a b"},
        {"filename": "a", "s3": {"bucket": "A", "key": "k"}},
        {"filename": "a", "s3": {"bucket": "abc", "key": "é" * 1024}},
        {"filename": "a", "s3": {"bucket": "abc", "key": "k", "sha256": "0"}},
    ]
)
attachments = st.sampled_from(
    [
        *(Attachment("a/b", b""), Attachment("é\u202efdp.exe", b""), Attachment("a", b"", "text")),
        *(Attachment("a", bytes(200_000)), Attachment("a", b"a", content_id="a b")),
    ]
)
parts = {
    "to": addresses | st.lists(addresses | st.none(), max_size=4),
    "cc": st.lists(addresses, max_size=3),
    "bcc": addresses,
    "sender": addresses,
    "reply_to": addresses | st.lists(addresses, max_size=2),
    "return_path": addresses,
    "subject": any_text,
    "text": any_text,
    "html": any_text,
    "template": st.sampled_from(["welcome", "a/b", "../x"]),
    "context": st.dictionaries(st.text(max_size=5), any_json, max_size=3),
    "locale": st.sampled_from(["de-AT", "x"]),
    "attachments": st.lists(files, max_size=3) | st.just([{"filename": "a", "content": ""}] * 101),
    "headers": st.dictionaries(header_names, st.none() | any_text | addresses, max_size=3),
    "email_id": st.sampled_from(["order-17", "", "a b", "é", "x" * 257, "a\n"]),
    "in_doubt": st.sampled_from(["park", "resend", "Park", True]),
    "lane": st.sampled_from(["normal", "bulk", "Bulk"]),
    "send_at": st.sampled_from(["2025-03-09T07:00:00Z", "2025-03-09t07:00:00+01:00", "2025-03-09"]),
    "expires_at": st.sampled_from(["2025-03-09T06:30:00Z", "2025-03-10T07:00:00Z", "\ud800"]),
    "unsubscribe": st.sampled_from([True, False, "a.b", "", 1]),
    "tags": st.dictionaries(any_text | st.just("a.b"), any_text | st.none(), max_size=3),
}
emails = st.fixed_dictionaries(
    {"to": parts["to"]},
    optional={name: part | st.none() for name, part in parts.items() if name != "to"},
)
rather_wrong = st.fixed_dictionaries(
    {}, optional={name: part | any_json for name, part in parts.items()}
)


wrong_parts = st.sampled_from([*parts]).flatmap(
    lambda name: st.tuples(
        st.just(name),
        parts[name] | any_json | (st.lists(attachments) if name == "attachments" else st.nothing()),
    )
)
nearly_right = st.builds(
    lambda email, wrong: email | dict(wrong), accepted(), st.lists(wrong_parts, max_size=2)
)


def found_by_relay(body: str) -> tuple[str, str] | None:
    """Reason and path if the relay refuses it; an email that is made of it says what it should."""
    try:
        action = parse(body)
        if isinstance(action, Send):
            email = compose(
                action, key="k", queued_at=QUEUED_AT, default_sender="relay@example.com"
            )
            assert_reads_back(action, email)
    except BadInput as bad:
        return bad.reason, bad.path
    return None


def found_by_library(email: Mapping[str, object]) -> tuple[str, str] | None:
    try:
        one = letter(email)
    except InvalidMessage as invalid:
        return invalid.reason, invalid.path
    assert found_by_relay(one.body) is None
    said = json.loads(one.body)
    assert said.pop("action") == "send"
    assert said.pop("email_id") == one.email_id
    assert said == {
        FIELDS.get(name, name): json.loads(json.dumps(value))
        for name, value in email.items()
        if value is not None and name != "email_id"
    }
    return None


@given(emails | rather_wrong)
@example({"to": "a@b.example", "text": "\ufffe\uffff"})
@example({"to": ["a@b.example"] * 1001, "text": "x"})
@example({"to": "a@b.example", "text": float("nan")})
@example({"to": "a@b.example", "html": "<p>x", "headers": {"X-A": "1", "x-a": "2"}})
@settings(max_examples=300)
def test_library_and_relay_find_the_same(email: dict[str, Any]) -> None:
    fields = {FIELDS.get(name, name): value for name, value in email.items()}
    by_relay = found_by_relay(json.dumps({"action": "send"} | fields))
    by_library = found_by_library(email)
    assert (by_library is None) == (by_relay is None), (by_relay, by_library)
    # the library sees the values, and the relay the JSON: it knows less of where a character is
    if by_relay and by_library and by_relay[1] not in ("$", by_library[1]):
        assert len([*_wrong(email)]) > 1, (by_relay, by_library)


@given(nearly_right)
@settings(max_examples=150)
def test_what_the_library_takes_the_relay_never_refuses(email: dict[str, Any]) -> None:
    try:
        one = letter(email)
    except InvalidMessage:
        return
    assert one.size == len(one.body.encode()) <= MOST_MESSAGE_BYTES
    assert all(map(is_character_of_sqs, one.body))
    send = parse(one.body)
    assert isinstance(send, Send)
    checked = check(send, key="k", default_sender="relay@example.com")
    checked.email(QUEUED_AT, dict.fromkeys(checked.objects, ()))


def _wrong(email: Mapping[str, object]) -> list[str]:
    """The parts that are refused, each beside nothing but what an email needs."""
    good = {"to": "ann@example.org", "text": "hi"}
    return [name for name, value in email.items() if found_by_library(good | {name: value})]


HI: dict[str, Any] = {"to": "a@b.example", "text": "x"}
EAST = timezone(timedelta(hours=10))


def with_file(**parts: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    file = {"filename": "a.txt", "content": "eA=="} | parts
    return {"to": "a@b.example", "text": "x", "attachments": [file]}


BAD: list[tuple[dict[str, Any], str, str]] = [
    ({}, "$.recipient", "is missing"),
    ({"to": []}, "$.recipient", "is missing"),
    ({"to": "a@b.example"}, "$.body_text", "is missing"),
    ({"to": "nobody", "text": "x"}, "$.recipient", "is no address"),
    ({"to": ["a@b.example", "nobody"], "text": "x"}, "$.recipient[1]", "is no address"),
    ({"to": {"email": "nobody"}, "text": "x"}, "$.recipient.email", "is no address"),
    ({"to": "a@b.example", "cc": 5, "text": "x"}, "$.cc", "wrong type"),
    ({"to": b"a@b.example", "text": "x"}, "$.recipient", "wrong type"),
    ({"to": "a@b.example", "cc": bytearray(1), "text": "x"}, "$.cc", "wrong type"),
    ({"to": "a@b.example", "cc": memoryview(b"a"), "text": "x"}, "$.cc", "wrong type"),
    ({"to": "a@b.example", "text": QUEUED_AT}, "$.body_text", "wrong type"),
    ({"to": "a@b.example", "subject": "a\r\nBcc: b@c.example", "text": "x"}, "$.subject", "line"),
    ({"to": "a@b.example", "text": "\ud800"}, "$.body_text", "surrogate"),
    ({"to": "a@b.example", "text": "x", "headers": {"From": "x"}}, "$.headers['From']", "header"),
    ({"to": "a@b.example", "text": "x", "headers": {"X-A": 5}}, "$.headers['X-A']", "wrong type"),
    ({"to": "a@b.example", "text": "x", "headers": {5: "x"}}, "$.headers[*]", "wrong type"),
    ({"to": "a@b.example", "text": "x", "email_id": "a b"}, "$.email_id", "isn't allowed"),
    ({"to": "a@b.example", "text": "x", "in_doubt": "perhaps"}, "$.in_doubt", "isn't allowed"),
    (HI | {"lane": "express"}, "$.lane", "isn't allowed"),
    (HI | {"send_at": "tomorrow"}, "$.not_before", "isn't allowed"),
    (HI | {"send_at": "2025-03-09T07:00:00"}, "$.not_before", "isn't allowed"),
    (HI | {"send_at": 1_741_500_000}, "$.not_before", "wrong type"),
    (HI | {"send_at": QUEUED_AT.date()}, "$.not_before", "wrong type"),
    (HI | {"send_at": QUEUED_AT.replace(tzinfo=None)}, "$.not_before", "no time zone"),
    (HI | {"send_at": "9999-01-01T00:00:00Z"}, "$.not_before", "more than 13 days ahead"),
    (HI | {"expires_at": QUEUED_AT.replace(tzinfo=None)}, "$.expires_at", "no time zone"),
    (HI | {"expires_at": datetime.min.replace(tzinfo=EAST)}, "$.expires_at", "isn't allowed"),
    (HI | {"send_at": QUEUED_AT, "expires_at": QUEUED_AT}, "$.expires_at", "isn't allowed"),
    *((HI | {"tenant": wrong}, "$.tenant", "isn't allowed") for wrong in ("", "a b", "x" * 129)),
    (HI | {"tenant": 17}, "$.tenant", "wrong type"),
    (HI | {"unsubscribe": "list"}, "$.unsubscribe", "one recipient"),
    (HI | {"unsubscribe": True, "cc": "b@example.org"}, "$.unsubscribe", "one recipient"),
    (HI | {"tags": ["spring"]}, "$.tags", "wrong type"),
    (HI | {"tags": {"campaign": 5}}, "$.tags['campaign']", "wrong type"),
    (HI | {"tags": {"campaign": "é"}}, "$.tags['campaign']", "isn't allowed"),
    (HI | {"tags": {"campaign": "\ud800"}}, "$.tags['campaign']", "surrogate"),
    (with_file() | {"attachments": [{"filename": "a", "content": "x"}] * 101},
        "$.attachments", "at most 100 attachments"),
    (with_file(filename="a/b"), "$.attachments[0].filename", "must be a name of at most"),
    (with_file(content_type="text"), "$.attachments[0].content_type", "must be type/subtype"),
    (with_file(content_id="<a>"), "$.attachments[0].content_id", "must be 1-255 ASCII"),
    (with_file(content="?"), "$.attachments[0].content", "must be base64"),
    ({"to": "a@b.example", "template": "../a"}, "$.template", "must be a folder's name"),
    ({"to": "a@b.example", "template": "a", "locale": "?"}, "$.locale", "must be a language tag"),
    ({"to": "a@b.example", "text": "x", "email_id": "a b"}, "$.email_id", "must be 1-256 print"),
    ({"to": "a@b.example", "text": "x", "in_doubt": "?"}, "$.in_doubt", "must be resend_once, "),
    ({"to": "a@b.example", "text": "x", "headers": {"List-Id": "x" * 999}},
        "$.headers['List-Id']", "a line of 998 octets"),
    ({"to": ["a@b.example"] * 1001, "text": "x"}, "$.recipient", "1,000 recipients"),
    ({"to": "a@b.example", "text": "x" * MOST_MESSAGE_BYTES}, "$", "256 KiB"),
    ({"to": "a@b.example", "text": "é" * (MOST_MESSAGE_BYTES // 2)}, "$", "256 KiB"),
]  # fmt: skip


@pytest.mark.parametrize(("email", "path", "problem"), BAD)
def test_bad_input_is_told_and_not_published(
    topic: Topic, email: dict[str, Any], path: str, problem: str
) -> None:
    with pytest.raises(InvalidMessage) as caught:
        topic.publisher().send(**cast("Email", email))
    assert caught.value.path == path
    assert problem in caught.value.problem
    assert not topic.bodies


def test_a_message_may_be_as_large_as_sns_takes_and_no_larger() -> None:
    email = {"to": "a@b.example", "email_id": "x", "text": ""}
    room = MOST_MESSAGE_BYTES - letter(email).size - len("é".encode())
    assert letter(email | {"text": "é" + "x" * room}).size == MOST_MESSAGE_BYTES
    with pytest.raises(InvalidMessage):
        letter(email | {"text": "é" + "x" * (room + 1)})


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        *(("subjct", "subject"), ("recipient", "to"), ("body_text", "text"), ("body_html", "html")),
        *(("From", "sender"), ("body", "text"), ("body_txt", "text")),
        *(("Headers", "headers"), ("replyto", "reply_to"), ("zzz", "")),
    ],
)
def test_a_part_that_is_unknown_is_told_with_the_one_that_was_meant(name: str, meant: str) -> None:
    with pytest.raises(InvalidMessage) as caught:
        letter({"to": "a@b.example", "text": "x", name: "y"})
    assert (caught.value.path, caught.value.did_you_mean) == (f"$.{name}", meant)
    assert str(caught.value).endswith(f"is unknown; did you mean {meant}?" if meant else "unknown")


def told(email: Mapping[str, object]) -> str:
    try:
        letter(email)
    except InvalidMessage as invalid:
        return f"{invalid} {invalid!r}"
    return ""


def test_no_value_is_in_what_is_told() -> None:
    for canary in ("ca nary", "canary\r\n", "canary\ud800"):
        for name in parts:
            email = {"to": "a@b.example", "text": "x"} | {name: canary}
            assert "canary" not in told(email)


def test_what_has_no_end_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(InvalidMessage):
        letter({"to": endless, "text": "x"})


def test_a_context_is_any_json_but_not_too_deep() -> None:
    email = {"to": "a@b.example", "template": "welcome"}
    context: Any = {"n": 10**300, "x": [1.5, None, {"": "\uffff"}]}
    assert json.loads(letter(email | {"context": context}).body)["context"] == context
    for _ in range(80):
        context = {"in": context}
    with pytest.raises(InvalidMessage) as caught:
        letter(email | {"context": context})
    assert caught.value.path == "$.context"


def test_a_mailbox_needs_no_quoting() -> None:
    said = json.loads(letter({"to": Mailbox("a@b.example", 'A "B", C'), "text": "x"}).body)
    assert said["recipient"] == {"email": "a@b.example", "name": 'A "B", C'}


def test_a_time_is_an_aware_datetime_or_a_text() -> None:
    soon = datetime.now(UTC).replace(microsecond=0) + timedelta(days=12)
    odd = timezone(timedelta(minutes=53, seconds=28))
    said = json.loads(
        letter(HI | {"send_at": soon.astimezone(odd), "expires_at": "9999-01-01t00:00:00z"}).body
    )
    assert datetime.fromisoformat(said["not_before"]) == soon
    assert said["expires_at"] == "9999-01-01t00:00:00z"


def test_thirteen_days_ahead_is_the_most() -> None:
    at = datetime.now(UTC) + timedelta(days=13)
    assert "not_before" in letter(HI | {"send_at": at - timedelta(minutes=5)}).body
    with pytest.raises(InvalidMessage):
        letter(HI | {"send_at": at + timedelta(minutes=5)})
