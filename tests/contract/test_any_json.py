"""Any JSON at all is an action or BadInput, all the way to an email; its spelling is nothing."""

import json
from datetime import UTC, datetime
from typing import Any, get_args

from hypothesis import example, given, settings
from hypothesis import strategies as st

from fuzz.contract import assert_reads_back, assert_says_only_where
from ion.contract import Action, BadInput, Send, content_hash, parse, read_time
from ion.mail import compose

QUEUED_AT = datetime(2025, 3, 9, 7, 5, 2, tzinfo=UTC)

any_text = st.text(st.characters())  # lone surrogates too
any_number = st.integers() | st.floats() | st.sampled_from([10**400, -(10**4000), 5e-324])
any_json = st.recursive(
    st.none() | st.booleans() | any_number | any_text,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(any_text, inner, max_size=5),
    max_leaves=20,
)
likely = st.sampled_from(
    [
        *("ann@example.org", "Ann <ann@example.org>", "x", "", "order-17", "park", "3d", "EXPIRED"),
        *(["a@b.example"], {"email": "a@b.example"}, {"X-A": "b"}, {"reason": "EXPIRED"}, 1, True),
        *("bulk", "2027-03-08T09:00:00Z", "2027-03-08t10:00:00.5+01:00", {"tag": {"a": "b"}}),
    ]
)
ACTIONS = {str(one.__struct_config__.tag): one for one in get_args(Action)}
fields = sorted({name for one in ACTIONS.values() for name in one.__struct_fields__})
messages = st.fixed_dictionaries(
    {"action": st.sampled_from(sorted(ACTIONS))},
    optional=dict.fromkeys([*fields, "x` - at `$.y"], likely | any_json),
)


def ends_well(body: str) -> Action | None:
    """The action; None for bad input. Everything that it may become ends well, too."""
    try:
        action = parse(body)
        assert isinstance(action, Action)
        assert content_hash(body) == content_hash(f" {body}\n")
        if isinstance(action, Send):
            begins, ends = (
                one and read_time(one) for one in (action.not_before, action.expires_at)
            )
            assert not begins or not ends or begins < ends
            email = compose(
                action, key="k", queued_at=QUEUED_AT, default_sender="relay@example.com"
            )
            assert_reads_back(action, email)
    except BadInput as bad:
        assert_says_only_where(bad)
        return None
    return action


@given(any_json | messages, st.booleans())
@example(10**400, False)
@example({"action": "redrive", "max": 10**400}, False)
@example({"action": "redrive", "rate": float("inf")}, False)
@example({"action": "redrive", "where": {"older_than": "1d\n"}}, False)
@example({"action": "stop", "where": {"tag": {"\ud800": "x"}}}, True)
@example({"action": "stop", "where": {"tag": {"\n": 5}}}, True)
@example({"action": "send", "recipient": "a@b.c", "body_text": "x", "tags": {"a": "\ud800"}}, True)
@example({"action": "pause", "until": "0001-01-01T00:00:00+23:59"}, True)
@example({"action": "send", "recipient": "a@b.example", "body_text": "\ud800"}, True)
@settings(max_examples=400)
def test_any_json_ends_as_an_action_or_as_bad_input(value: Any, escaped: bool) -> None:  # noqa: ANN401
    ends_well(json.dumps(value, ensure_ascii=escaped))


@given(st.sampled_from(sorted(ACTIONS)), st.data())
@settings(max_examples=200)
def test_any_action_ends_as_one_or_as_bad_input(name: str, data: st.DataObject) -> None:
    names = st.sampled_from(["where", *ACTIONS[name].__struct_fields__])
    asked = data.draw(st.dictionaries(names, likely | any_json))
    action = ends_well(json.dumps({"action": name} | asked))
    assert action is None or isinstance(action, ACTIONS[name])


@given(
    st.text(st.characters(codec="utf-8"), max_size=50),
    st.text(st.characters(codec="utf-8"), max_size=50),
    st.permutations(["action", "recipient", "subject", "body_text", "headers"]),
    st.integers(0, 8),
)
def test_a_message_is_the_same_however_it_is_spelt(
    subject: str, text: str, order: list[str], indent: int
) -> None:
    message: dict[str, Any] = {
        "action": "send",
        "recipient": ["ann@example.org", "bob@example.org"],
        "subject": subject,
        "body_text": text,
        "headers": {"X-B": "2", "X-A": "1"},
    }
    plain = json.dumps(message)
    turned = {name: message[name] for name in order} | {"headers": {"X-A": "1", "X-B": "2"}}
    spelt = json.dumps(turned, ensure_ascii=False, indent=indent)
    assert parse(plain) == parse(spelt)
    assert content_hash(plain) == content_hash(spelt)
    other = json.dumps(message | {"subject": subject + "."})
    assert content_hash(plain) != content_hash(other)
