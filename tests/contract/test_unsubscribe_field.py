"""The field that asks for a link by which the recipient unsubscribes."""

from typing import Any

import pytest

from contract.test_waiting_fields import parsed, refused
from ion.contract.hints import hint
from ion.outcome import Problem, Reason

ONE = {"list": "news"}
TWO = {"list": "news", "customer.id": "17"}


@pytest.mark.parametrize(
    ("fields", "tag"),
    [
        ({"unsubscribe": True}, None),
        ({"unsubscribe": True, "tags": {}}, None),
        ({"unsubscribe": True, "tags": {"list": None}}, None),
        ({"unsubscribe": True, "tags": ONE}, "list"),
        ({"unsubscribe": True, "tags": ONE | {"campaign": None}}, "list"),
        ({"unsubscribe": "list", "tags": ONE}, "list"),
        ({"unsubscribe": "customer.id", "tags": TWO}, "customer.id"),
        ({"unsubscribe": True, "recipient": ["ann@example.org", None, " "]}, None),
        ({"unsubscribe": True, "recipient": None, "bcc": "ann@example.org"}, None),
    ],
)
def test_it_is_about_all_mail_about_the_only_tag_or_about_the_one_that_is_named(
    fields: dict[str, Any], tag: str | None
) -> None:
    send = parsed(**fields)
    assert send.unsubscribe
    assert send.unsubscribe_tag == tag


@pytest.mark.parametrize("value", [False, None])
def test_it_may_be_left_out(value: object) -> None:
    everybody = {"cc": ["b@example.org", "c@example.org"], "tags": TWO}
    assert not parsed(unsubscribe=value, **everybody).unsubscribe


@pytest.mark.row(2)
@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"unsubscribe": True, "recipient": ["a@example.org", "b@example.org"]}, Problem.VALUE),
        ({"unsubscribe": True, "recipient": ["a@example.org", "a@example.org"]}, Problem.VALUE),
        ({"unsubscribe": True, "cc": "b@example.org"}, Problem.VALUE),
        ({"unsubscribe": True, "bcc": [{"email": "b@example.org"}]}, Problem.VALUE),
        ({"unsubscribe": True, "tags": TWO}, Problem.VALUE),
        ({"unsubscribe": "list"}, Problem.VALUE),
        ({"unsubscribe": "campaign", "tags": ONE}, Problem.VALUE),
        ({"unsubscribe": "campaign", "tags": ONE | {"campaign": None}}, Problem.VALUE),
        ({"unsubscribe": "", "tags": ONE}, Problem.VALUE),
        ({"unsubscribe": "a b", "tags": ONE}, Problem.VALUE),
        ({"unsubscribe": 1}, Problem.TYPE),
        ({"unsubscribe": ["list"], "tags": ONE}, Problem.TYPE),
    ],
)
def test_what_leaves_open_whom_or_which_mail_it_is_about_is_refused(
    fields: dict[str, Any], problem: Problem
) -> None:
    assert refused(**fields) == ("$.unsubscribe", problem)
    assert "one recipient" in hint(Reason.INVALID_SCHEMA, "$.unsubscribe", problem)
