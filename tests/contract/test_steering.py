"""What steers: cancel, stop, pause and resume, and which emails a query is about."""

import json
from typing import Any, get_args

import pytest

from contract.test_times import NO_TIMES
from ion.contract import (
    Action,
    BadInput,
    Cancel,
    Lane,
    Pause,
    Redrive,
    Resume,
    Stop,
    StopWhere,
    Where,
    claim_check,
    parse,
)
from ion.outcome import Problem, Reason

NINE = "2027-03-08T09:00:00+01:00"
QUERIES = ["redrive", "stop"]


def parsed(action: str, **fields: Any) -> Action:  # noqa: ANN401
    return parse(json.dumps({"action": action} | fields))


def refused(action: str, **fields: Any) -> tuple[str, str | None, str]:  # noqa: ANN401
    with pytest.raises(BadInput) as caught:
        parsed(action, **fields)
    bad = caught.value
    assert bad.reason is Reason.INVALID_SCHEMA
    return bad.path, bad.problem, bad.did_you_mean


def test_an_email_is_cancelled_by_its_name() -> None:
    assert parsed("cancel", email_id="order-17") == Cancel(email_id="order-17")


def test_a_cancel_is_no_claim_check() -> None:
    assert claim_check('{"action": "cancel", "email_id": "order-17"}') is None


@pytest.mark.row(76)
@pytest.mark.parametrize(
    ("fields", "path", "problem"),
    [
        ({}, "$.email_id", Problem.MISSING),
        ({"email_id": None}, "$.email_id", Problem.TYPE),
        ({"email_id": ["a", "b"]}, "$.email_id", Problem.TYPE),
        ({"email_id": ""}, "$.email_id", Problem.VALUE),
        ({"email_id": "a b"}, "$.email_id", Problem.VALUE),
        ({"email_id": "a\n"}, "$.email_id", Problem.VALUE),
        ({"email_id": "x" * 257}, "$.email_id", Problem.VALUE),
        ({"email_id": "a", "until": NINE}, "$.until", Problem.UNKNOWN),
    ],
)
def test_a_cancel_names_one_email(fields: dict[str, Any], path: str, problem: Problem) -> None:
    assert refused("cancel", **fields)[:2] == (path, problem)


def test_a_stop_is_of_all_or_of_some() -> None:
    assert parsed("stop") == Stop()
    assert parsed("stop", where=None, until=None) == Stop()
    assert parsed("stop", where={}) == Stop(where=StopWhere())
    where = {"tag": {"campaign": "spring"}, "sender": "a@b.c", "recipient_domain": "example.org"}
    assert parsed("stop", where=where, until=NINE) == Stop(
        where=StopWhere(tag={"campaign": "spring"}, sender="a@b.c", recipient_domain="example.org"),
        until=NINE,
    )


@pytest.mark.parametrize("field", ["reason", "older_than", "younger_than"])
def test_what_only_dead_letters_have_is_no_condition_of_a_stop(field: str) -> None:
    assert refused("stop", where={field: "1d"})[:2] == (f"$.where.{field}", Problem.UNKNOWN)


def test_a_pause_is_of_all_or_of_a_lane() -> None:
    assert parsed("pause") == Pause()
    assert parsed("pause", lane="bulk", until=NINE) == Pause(lane=Lane.BULK, until=NINE)
    assert refused("pause", lane="late")[:2] == ("$.lane", Problem.VALUE)


def test_resume_needs_nothing() -> None:
    assert parsed("resume") == Resume()
    assert refused("resume", lane="bulk")[:2] == ("$.lane", Problem.UNKNOWN)


@pytest.mark.row(77)
@pytest.mark.parametrize("action", ["stop", "pause"])
@pytest.mark.parametrize("text", NO_TIMES)
def test_until_is_a_time(action: str, text: str) -> None:
    assert refused(action, until=text) == ("$.until", Problem.VALUE, "")


@pytest.mark.parametrize("action", ["stop", "pause"])
def test_until_is_a_text(action: str) -> None:
    assert refused(action, until=3600) == ("$.until", Problem.TYPE, "")


def test_a_redrive_may_ask_for_what_a_stop_does_and_for_one_email() -> None:
    where = {"tag": {"campaign": "spring"}, "sender": "a@b.c", "email_id": "order-17"}
    assert parsed("redrive", where=where) == Redrive(
        where=Where(tag={"campaign": "spring"}, sender="a@b.c", email_id="order-17")
    )


@pytest.mark.parametrize("action", QUERIES)
@pytest.mark.parametrize("field", StopWhere.__struct_fields__)
def test_null_is_a_condition_that_is_left_out(action: str, field: str) -> None:
    assert parsed(action, where={field: None}) == parsed(action, where={})


@pytest.mark.row(79)
@pytest.mark.parametrize("action", QUERIES)
@pytest.mark.parametrize(
    ("where", "path", "problem"),
    [
        ([], "$.where", Problem.TYPE),
        ({"tag": "spring"}, "$.where.tag", Problem.TYPE),
        ({"tag": {"campaign": 5}}, "$.where.tag['campaign']", Problem.TYPE),
        ({"tag": {"a": "b", "campaign": "é"}}, "$.where.tag['campaign']", Problem.VALUE),
        ({"tag": {"a b": "c"}}, "$.where.tag[*]", Problem.VALUE),
        ({"tag": {str(n): "x" for n in range(11)}}, "$.where.tag", Problem.VALUE),
        ({"tag": {}}, "$.where.tag", Problem.VALUE),
        ({"tag": {"campaign": None}}, "$.where.tag", Problem.VALUE),
        ({"tag": {}, "sender": "a@b.c"}, "$.where.tag", Problem.VALUE),
        ({"sender": ""}, "$.where.sender", Problem.VALUE),
        ({"sender": "example.org"}, "$.where.sender", Problem.VALUE),
        ({"sender": "@example.org"}, "$.where.sender", Problem.VALUE),
        ({"sender": "Shop <post@example.org>"}, "$.where.sender", Problem.VALUE),
        ({"sender": {"email": "post@example.org"}}, "$.where.sender", Problem.TYPE),
        ({"recipient_domain": "a@b.c"}, "$.where.recipient_domain", Problem.VALUE),
    ],
    ids=json.dumps,
)
def test_a_wrong_condition_is_told(action: str, where: object, path: str, problem: Problem) -> None:
    assert refused(action, where=where)[:2] == (path, problem)


def test_a_redrive_takes_the_path_of_a_dead_letter() -> None:
    for path in ("$", "$.recipient[0]", "$.headers['List-Id']"):
        assert parsed("redrive", where={"path": path}) == Redrive(where=Where(path=path))
    assert refused("redrive", where={"path": "recipient"})[:2] == ("$.where.path", Problem.VALUE)
    assert refused("stop", where={"path": "$"})[:2] == ("$.where.path", Problem.UNKNOWN)


@pytest.mark.row(2)
@pytest.mark.parametrize("action", get_args(Action))
def test_a_misspelt_field_is_told_with_the_one_that_was_meant(action: type[Action]) -> None:
    config = action.__struct_config__
    for field in action.__struct_fields__:
        said = refused(str(config.tag), **{f"{field}s" if field != "tags" else "tag": 1})
        assert said[1:] == (Problem.UNKNOWN, field)


@pytest.mark.row(2)
@pytest.mark.parametrize(
    ("action", "misspelt", "meant"),
    [
        *(("stop", "senders", "sender"), ("redrive", "senders", "sender")),
        *(("stop", "tags", "tag"), ("redrive", "email-id", "email_id")),
        *(("stop", "email-id", "email_id"), ("stop", "reasons", "")),
    ],
)
def test_a_misspelt_condition_is_told_by_what_the_action_knows(
    action: str, misspelt: str, meant: str
) -> None:
    path = "$.where[*]" if "-" in misspelt else f"$.where.{misspelt}"
    assert refused(action, where={misspelt: 1}) == (path, Problem.UNKNOWN, meant)
