"""With events on, a dead letter of what has no row gets one, for the table's stream to tell of."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from conftest import Log
from draining import email, reasons, run
from emulated import Account, Request, failing
from smtp_server import ScriptedServer, Step, reply

BAD = email(1, email_id="a", recipient="no address", tags={"list": "news"})


def told(account: Account) -> dict[str, dict[str, Any]]:
    """What there is to tell, by the keys of the rows."""
    return {
        str(row["email_id"]): json.loads(str(row["told"]))
        for row in account.rows()
        if str(row["email_id"]).startswith(" event ")
    }


@pytest.mark.row(81)
def test_bad_input_is_told_of(account: Account) -> None:
    id_ = account.publish(BAD)
    run(account, events=True)
    ((key, one),) = told(account).items()
    assert key == f" event {id_} a"
    assert one.pop("at") > "2026"
    assert one == {
        "email_id": "a",
        "status": "dead_lettered",
        "reason": "INVALID_ADDRESS",
        "stage": "parse",
        "path": "$.recipient",
        "reply": "",
        "lane": "normal",
        "tags": {"list": "news"},
        "attempts": 0,
    }
    (row,) = account.rows()
    assert row.keys() == {"email_id", "told", "expires_at"}
    assert "no address" not in str(row)


def test_without_events_nothing_is_written(account: Account) -> None:
    account.publish(BAD)
    run(account)
    assert (account.rows(), reasons(account)) == ([], ["INVALID_ADDRESS"])


def test_what_has_a_row_tells_of_itself(account: Account) -> None:
    account.publish(email(1, email_id="a"))
    run(account, ScriptedServer({Step.RCPT: reply(550, "5.1.1 no")}), events=True)
    assert [row["email_id"] for row in account.rows()] == ["a"]


def test_an_email_whose_key_is_anothers_is_told_of(account: Account) -> None:
    for number in range(2):
        account.publish(email(number, email_id="a"))
        run(account, events=True)
    (one,) = told(account).values()
    assert (one["reason"], one["stage"]) == ("ID_REUSED", "claim")


def test_an_order_that_is_refused_is_no_email(account: Account) -> None:
    for number in range(51):
        account.publish(json.dumps({"action": "stop", "where": {"tag": {"n": str(number)}}}))
    run(account, events=True)
    assert (told(account), reasons(account)) == ({}, ["TOO_LARGE"])


def test_a_letter_that_dies_again_is_told_of_again(account: Account) -> None:
    account.publish(BAD)
    run(account, events=True)
    account.publish('{"action": "redrive"}')
    run(account, events=True)
    assert len(told(account)) == 2


@pytest.mark.row(81)
def test_it_is_told_before_its_message_is_deleted(account: Account) -> None:
    """Should the process die between the two, it comes again, and is told of then."""
    account.publish(BAD)
    seen: list[int] = []

    def looking(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        seen.append(len(told(account)))
        return real(**request)

    run(account, sqs=account.sqs(delete_message_batch=looking), events=True)
    assert seen == [1]


@pytest.mark.row(81)
def test_where_it_cannot_be_told_the_letter_is_there_and_the_trouble_is_logged(
    account: Account, log: Log
) -> None:
    account.publish(BAD)
    dynamodb = account.dynamodb(batch_execute_statement=failing())
    run(account, dynamodb=dynamodb, events=True)
    assert (account.waiting(), reasons(account)) == ([], ["INVALID_ADDRESS"])
    assert len(dynamodb.asked("batch_execute_statement")) == 3, "it was tried again"
    assert "fates not recorded in the ledger" in [event["message"] for event in log.events]
