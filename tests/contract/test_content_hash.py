"""What tells two messages under one key apart, and what doesn't."""

import json
from typing import Any

import pytest

from ion.contract import Send, content_hash, parse

MESSAGE: dict[str, Any] = {
    "action": "send",
    "email_id": "order-17",
    "recipient": ["ann@example.org", "Bob <bob@example.org>"],
    "subject": "Grüße",
    "body_text": "hi",
    "headers": {"X-A": "1", "X-B": "2"},
}
PLAIN = json.dumps(MESSAGE)


def test_a_redelivery_has_the_same_hash() -> None:
    """By whatever version of ion its row was written."""
    in_the_ledger = "88b1601092c1dab22097cf3b44a7c07e7f8796b765a0dd824256b0157a0587e0"
    assert content_hash(PLAIN) == in_the_ledger


@pytest.mark.parametrize(
    "spelt",
    [
        json.dumps(dict(reversed(MESSAGE.items()))),
        json.dumps(MESSAGE | {"headers": {"X-B": "2", "X-A": "1"}}),
        json.dumps(MESSAGE, indent=4) + "\r\n",
        json.dumps(MESSAGE, ensure_ascii=False),
        "\ufeff" + PLAIN,
        json.dumps({**dict.fromkeys(Send.__struct_fields__), **MESSAGE}),
    ],
    ids=["order", "inner order", "white space", "escapes", "byte order mark", "null"],
)
def test_the_same_fields_in_another_spelling_are_the_same_content(spelt: str) -> None:
    assert parse(spelt) == parse(PLAIN)
    assert content_hash(spelt) == content_hash(PLAIN)


@pytest.mark.parametrize(
    "other",
    [
        {"subject": "Grüße "},
        {"recipient": ["ann@example.org", " Bob <bob@example.org>"]},
        {"recipient": ["ann@example.org", {"email": "bob@example.org", "name": "Bob"}]},
        {"recipient": ["ann@example.org", "Bob <bob@example.org>", None]},
        {"cc": ""},
        {"cc": []},
        {"headers": {"X-A": "1", "X-B": "2", "X-C": None}},
        {"tags": {"a": None}},
    ],
    ids=json.dumps,
)
def test_another_spelling_inside_a_value_is_other_content(other: dict[str, Any]) -> None:
    """Of most of them the same email would come, but the hash is of the JSON."""
    assert content_hash(json.dumps(MESSAGE | other)) != content_hash(PLAIN)


@pytest.mark.parametrize(
    "more",
    [
        {"lane": "normal"},
        {"lane": "bulk"},
        {"not_before": "2027-03-08T09:00:00Z"},
        {"not_before": "2027-03-08T10:00:00+01:00"},
        {"expires_at": "2027-03-08T09:00:00Z"},
        {"tags": {}},
        {"tags": {"campaign": "spring"}},
    ],
    ids=json.dumps,
)
def test_when_and_how_an_email_goes_is_part_of_what_was_published(more: dict[str, Any]) -> None:
    """Under its own key another time is another wish: it is told, and doesn't get lost."""
    with_more = json.dumps(MESSAGE | more)
    assert isinstance(parse(with_more), Send)
    assert content_hash(with_more) != content_hash(PLAIN)
