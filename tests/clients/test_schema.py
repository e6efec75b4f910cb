"""The schemas in docs/ say what the code says, and the examples are messages."""

import json
import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator, Draft202012Validator

from ion.contract import (
    Action,
    BadInput,
    Cancel,
    Mailbox,
    Pause,
    Redrive,
    Send,
    Stop,
    StopWhere,
    Where,
    parse,
)
from ion.drain.templating import filled
from ion.mail import compose
from ion.outcome import Problem
from ion.template import Folder, Renderer
from ionctl.build.schema import EXAMPLES, ROOT, SCHEMAS, asyncapi, examples, files, json_schema
from mail.reading import QUEUED_AT

VALIDATOR = Draft202012Validator(json_schema())
NO_DAY = "2027-02-30T09:00:00Z"

any_text = st.text(max_size=5)
any_json = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(0, 2) | any_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(any_text, inner, max_size=3),
    max_leaves=6,
)
likely = st.sampled_from(
    [
        *("ann@example.org", "", "order-17", "a\n", "park", "3d", "3w", "EXPIRED", 1, 10_000_001),
        *(0.005, True, ["a@b.example", None], {"email": "a@b.example"}, {"email": "a", "nam": "b"}),
        *("welcome", "de-AT", [{"filename": "a", "content": "YQ=="}], [{"filename": "a"}], []),
        *({"X-A": "b", "X-B": None}, {"X-A": 5}, {"reason": ["EXPIRED"]}, {"older_than": "5s"}),
        *("bulk", "2027-03-08T09:00:00Z", "2027-03-08t10:30:00.5+01:00", "2027-03-08 09:00:00Z"),
        *(NO_DAY, {"tag": {"a": "b", "c": None}}, {"tag": {"a": "\u00e9"}}, {"sender": "a@b.c"}),
    ]
)
ACTIONS = {str(one.__struct_config__.tag): one for one in get_args(Action)}
fields = sorted({name for one in (*ACTIONS.values(), Where) for name in one.__struct_fields__})
messages = st.dictionaries(st.sampled_from(fields) | any_text, likely | any_json, max_size=4)


def is_valid(message: object) -> bool:
    return VALIDATOR.is_valid(message)


def test_the_files_are_current() -> None:
    for name, text in files().items():
        assert (SCHEMAS / name).read_text(encoding="utf-8") == text, "run scripts/schema"
    ionctls = {"ionctl.json"}  # tests/scripts/cli/test_reference.py
    assert {path.name for path in SCHEMAS.iterdir()} == files().keys() | ionctls


def test_each_is_a_schema_to_both_dialects() -> None:
    Draft202012Validator.check_schema(json_schema())
    for schema in asyncapi()["components"]["schemas"].values():
        Draft7Validator.check_schema(schema)


def test_whatever_asyncapi_refers_to_is_there() -> None:
    document = asyncapi()
    references = [one for name, one in members(document) if name == "$ref"]
    assert len(references) > 10
    for reference in references:
        place: Any = document
        for name in reference.removeprefix("#/").split("/"):
            place = place[name]
        assert isinstance(place, dict)


def members(value: object) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        yield from value.items()
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from members(one)


def test_nothing_of_python_is_left_in_them() -> None:
    texts = [one for _, one in members(json_schema()) if isinstance(one, str)]
    assert any(text.endswith("$") for text in texts)
    assert not [text for text in texts if r"\Z" in text or "Args:" in text or "\n " in text]


# -- examples ----------------------------------------------------------------------------


def named() -> dict[str, tuple[str, ...]]:
    """The example that each field wants, by the way to the field."""
    ways = [
        *(("send", name) for name in Send.__struct_fields__),
        *(("send", "recipient", name) for name in Mailbox.__struct_fields__),
        *(("redrive", name) for name in Redrive.__struct_fields__),
        *(("redrive", "where", name) for name in Where.__struct_fields__),
        *(("cancel", name) for name in Cancel.__struct_fields__),
        *(("stop", name) for name in Stop.__struct_fields__),
        *(("stop", "where", name) for name in StopWhere.__struct_fields__),
        *(("pause", name) for name in Pause.__struct_fields__),
        ("resume",),
    ]
    return {"-".join(way): way for way in ways}


@pytest.mark.parametrize("name", named())
def test_each_field_has_an_example(name: str) -> None:
    place: Any = examples()[EXAMPLES / f"{name}.json"]
    action, *way = named()[name]
    assert place["action"] == action
    for field in way:
        place = place[field]
    assert place not in (None, "")


def test_each_example_is_a_fields() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.json")} == named().keys()


@pytest.mark.parametrize("name", named())
def test_each_example_is_an_email_to_relay_and_valid_to_the_schema(name: str) -> None:
    text = (EXAMPLES / f"{name}.json").read_text(encoding="utf-8")
    action = parse(text)
    if isinstance(action, Send):
        send = filled(action, Renderer(Folder(ROOT / "templates")))
        compose(send, key="k", queued_at=QUEUED_AT, default_sender="relay@example.com")
    assert not [*VALIDATOR.iter_errors(json.loads(text))]


# -- the two say the same ----------------------------------------------------------------


@given(st.sampled_from(sorted(ACTIONS)), messages)
@example("send", {"recipient": "a@b.example", "body_text": "x", "cc": None})
@example("send", {"tags": {"a.b": "c", "d": None}, "expires_at": "2027-03-08t10:30:00.5+01:00"})
@example("stop", {"where": {"sender": "post@example.org", "tag": {"a": "b"}}})
@example("send", {"bcc": [None, "a@b.example"], "body_html": ""})
@example("send", {"recipient": [], "cc": "a@b.example", "body_text": "x", "attachments": []})
@example("send", {"recipient": "a@b.example", "attachments": [{"filename": "a", "content": ""}]})
@example("send", {"recipient": "a@b.example", "template": "t", "context": {}, "locale": "de"})
@example("send", {"recipient": "a@b.example", "body_text": "x", "template": None, "context": None})
@settings(max_examples=300)
def test_what_the_relay_takes_is_valid(action: str, message: dict[str, Any]) -> None:
    for more in ({}, {"recipient": "a@b.example", "body_text": "x"} if action == "send" else {}):
        whole = {"action": action} | more | message
        if relay_finds(whole) is None:
            assert is_valid(whole), whole


@given(st.sampled_from(sorted(ACTIONS)), messages)
@example("send", {"recipient": None, "body_text": "x"})
@example("send", {"recipient": "a@b.example", "body_html": None})
@example("send", {"recipient": "a@b.example", "body_text": "x", "subjct": "y"})
@example("send", {"recipient": "a@b.example", "body_text": "x", "context": {}})
@example("send", {"recipient": "a@b.example", "body_text": "x", "template": None, "locale": "de"})
@example("send", {"recipient": "a@b.example", "attachments": []})
@example("send", {"recipient": "a@b.example", "attachments": [{"filename": "a"}]})
@example(
    "send",
    {
        "recipient": "a@b.example",
        "attachments": [{"filename": "a", "content": "", "s3": {"bucket": "abc", "key": "k"}}],
    },
)
@example("redrive", {"where": {"reason": "WEATHER"}})
@example("send", {"tags": {"a b": "c"}})
@example("send", {"tags": dict.fromkeys("abcdefghijk", "x")})
@example("send", {"not_before": "2027-03-08T09:00:00"})
@example("stop", {"where": {"email_id": "order-17"}})
@example("pause", {"until": "2027-13-08T09:00:00Z"})
@example("cancel", {})
@settings(max_examples=300)
def test_what_breaks_the_contract_is_not_valid(action: str, message: dict[str, Any]) -> None:
    for more in ({}, {"recipient": "a@b.example", "body_text": "x"} if action == "send" else {}):
        whole = {"action": action} | more | message
        found = relay_finds(whole)
        if found and not _only_the_relay_sees(found, whole):
            assert not is_valid(whole), whole


def relay_finds(message: dict[str, Any]) -> BadInput | None:
    try:
        parse(json.dumps(message))
    except BadInput as bad:
        return bad
    return None


def _only_the_relay_sees(found: BadInput, message: dict[str, Any]) -> bool:
    """What the schema doesn't say: blanks for an address, 1.0 for 1, a line end after a value.

    Nor which month has how many days, and which of two times is the later one.
    """
    no_recipient = found.problem is Problem.MISSING and found.path == "$.recipient"
    numbers = [one for _, one in members(message) if isinstance(one, float)]
    # jsonschema takes "$" as Python does; by the standard it is the very end
    texts = [one for pair in members(message) for one in pair if isinstance(one, str)]
    lines = [one for one in texts if one.endswith("\n")]
    times = NO_DAY in texts or (found.path == "$.expires_at" and message.get("not_before"))
    return no_recipient or bool(numbers) or bool(lines) or bool(times)


@pytest.mark.parametrize("fields", [{"subject": "x"}, {"recipient": None, "cc": None}])
def test_nobody_to_send_to_is_not_valid(fields: dict[str, Any]) -> None:
    assert not is_valid({"action": "send", "body_text": "x"} | fields)


def test_patterns_are_of_the_kind_that_other_languages_know() -> None:
    patterns = [one for name, one in members(json_schema()) if name == "pattern"]
    assert patterns
    for pattern in patterns:
        assert re.fullmatch(r"\^.*\$", pattern), pattern
        assert "(?" not in pattern
        assert set(re.findall(r"\\(.)", pattern)) <= {"s", "d"}, pattern
