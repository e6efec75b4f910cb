"""Fields that are left out, null or empty, as serializers write them; and who must be there."""

import json
from typing import Any

import pytest

from ion.contract import BadInput, Redrive, Send, Where, parse
from ion.outcome import Problem, Reason

LEAST: dict[str, Any] = {"action": "send", "recipient": "ann@example.org", "body_text": "hi"}
WITHOUT_RECIPIENT = {"action": "send", "body_text": "hi"}
OPTIONAL = [name for name in Send.__struct_fields__ if name not in LEAST]
"""Without any of the others; recipient and body_text are optional as well beside their like."""
NOBODY: list[Any] = [None, "", " \t", [], [None], ["", " ", None]]


def problem(fields: dict[str, Any]) -> tuple[Reason, str, Problem | None]:
    with pytest.raises(BadInput) as caught:
        parse(json.dumps(fields))
    return caught.value.reason, caught.value.path, caught.value.problem


@pytest.mark.parametrize("field", OPTIONAL)
def test_null_is_a_field_that_is_left_out(field: str) -> None:
    assert parse(json.dumps(LEAST | {field: None})) == parse(json.dumps(LEAST))


def test_null_for_all_at_once_is_the_least_message() -> None:
    nulls = dict.fromkeys(OPTIONAL)
    assert parse(json.dumps(LEAST | nulls)) == parse(json.dumps(LEAST))


@pytest.mark.parametrize("field", Redrive.__struct_fields__)
def test_null_means_the_same_in_a_redrive(field: str) -> None:
    action = parse(json.dumps({"action": "redrive", field: None}))
    assert isinstance(action, Redrive)
    assert not any((action.where, action.max, action.rate, action.dry_run))


@pytest.mark.parametrize("field", Where.__struct_fields__)
def test_null_means_the_same_in_a_redrives_conditions(field: str) -> None:
    action = parse(json.dumps({"action": "redrive", "where": {field: None}}))
    assert action == parse('{"action": "redrive", "where": {}}')


@pytest.mark.row(2)
def test_null_excuses_no_unknown_field() -> None:
    assert problem(LEAST | {"recipeint": None})[1:] == ("$.recipeint", Problem.UNKNOWN)
    assert problem(LEAST | {"action": None})[1:] == ("$.action", Problem.TYPE)


@pytest.mark.row(2)
@pytest.mark.parametrize("nobody", NOBODY, ids=json.dumps)
def test_no_recipient_at_all_is_refused(nobody: object) -> None:
    missing = (Reason.INVALID_SCHEMA, "$.recipient", Problem.MISSING)
    assert problem(WITHOUT_RECIPIENT) == missing
    assert problem(WITHOUT_RECIPIENT | {"recipient": nobody}) == missing
    assert problem(WITHOUT_RECIPIENT | {"cc": nobody, "bcc": nobody}) == missing


@pytest.mark.parametrize("field", ["recipient", "cc", "bcc"])
@pytest.mark.parametrize("nobody", NOBODY, ids=json.dumps)
def test_one_recipient_is_enough_wherever_it_is(field: str, nobody: object) -> None:
    others = dict.fromkeys(("recipient", "cc", "bcc"), nobody)
    action = parse(json.dumps(WITHOUT_RECIPIENT | others | {field: ["", "ann@example.org"]}))
    assert isinstance(action, Send)


@pytest.mark.parametrize("body", ["body_text", "body_html"])
def test_one_body_is_enough_beside_null(body: str) -> None:
    bodies = {"body_text": None, "body_html": None, body: "x"}
    assert getattr(parse(json.dumps(LEAST | bodies)), body) == "x"


def test_a_byte_order_mark_is_read_over() -> None:
    assert parse("\ufeff" + json.dumps(LEAST)) == parse(json.dumps(LEAST))
    assert parse('\ufeff\r\n{"action": "redrive"}') == Redrive()
