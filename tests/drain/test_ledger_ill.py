"""Without the ledger nothing is sent and nothing lost."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from conftest import Log
from draining import (
    delays,
    drain,
    email,
    only_updates,
    recipients,
    run,
)
from emulated import (
    AWS_SECRET_TEXT,
    Account,
    Answer,
    Request,
    failing,
    unreachable,
)
from ion.contract import Send
from ion.drain.progress import Summary
from ion.mail import Checked, check
from smtp_server import (
    ScriptedServer,
)


def each_refused(_real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
    """The call works, and none of its statements."""
    refused = {"Error": {"Code": "ThrottlingError", "Message": AWS_SECRET_TEXT}}
    return {"Responses": [refused] * len(request["Statements"])}


ILL_LEDGERS = [failing("InternalServerError"), failing("AccessDenied"), unreachable, each_refused]


@pytest.mark.row(64)
@pytest.mark.parametrize("answer", ILL_LEDGERS)
def test_without_the_ledger_nothing_is_sent_and_nothing_lost(
    account: Account, log: Log, answer: Answer
) -> None:
    for number in range(3):
        account.publish(email(number))
    server = ScriptedServer()
    ill = account.dynamodb(batch_execute_statement=answer)
    sqs = account.sqs()

    async def main() -> tuple[Summary, Summary]:
        async with server:
            first = await drain(account, server, sqs=sqs, dynamodb=ill)
            assert "MAIL" not in [verb for session in server.sessions for verb in session.verbs]
            assert (len(account.waiting()), account.dead(), account.rows()) == (3, [], [])
            account.time_passes(60)
            return first, await drain(account, server)

    first, second = asyncio.run(main())
    assert (first.sent, first.deferred, first.stopped) == (0, 3, "empty")
    assert delays(sqs) == [60] * 3
    assert second.sent == 3
    assert recipients(server) == {f"to{number}@example.org": 1 for number in range(3)}
    assert {row["attempts"] for row in account.rows()} == {1}, "the first run cost nothing"
    assert "canary" not in log.text


@pytest.mark.row(64)
@pytest.mark.parametrize("answer", ILL_LEDGERS)
def test_a_ledger_that_fails_three_times_in_a_row_ends_the_run(
    account: Account, log: Log, answer: Answer
) -> None:
    for number in range(45):
        account.publish(email(number))
    server = ScriptedServer()
    ill = account.dynamodb(batch_execute_statement=answer)
    summary = run(account, server, dynamodb=ill)
    assert (summary.stopped, summary.received, summary.sent) == ("ledger", 30, 0)
    assert summary.error.startswith("LEDGER at claim")
    assert "MAIL" not in [verb for session in server.sessions for verb in session.verbs]
    assert Counter(held.receives for held in account.waiting()) == {1: 30, 0: 15}
    assert [event["message"] for event in log.events].count("delivery suspended") == 1


@pytest.mark.row(64)
def test_a_ledger_that_recovers_in_time_ends_nothing(account: Account) -> None:
    for number in range(45):
        account.publish(email(number))
    calls = [0]

    def two_of_three(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        insert = any(one["Statement"].startswith("INSERT") for one in request["Statements"])
        calls[0] += insert
        return failing()(real, request) if insert and calls[0] % 3 else real(**request)

    server = ScriptedServer()
    ill = account.dynamodb(batch_execute_statement=two_of_three)
    summary = run(account, server, dynamodb=ill)
    assert (summary.stopped, summary.received, summary.sent) == ("empty", 45, 10)
    assert len(recipients(server)) == 10


@pytest.mark.row(64)
def test_bad_input_and_redrives_need_no_ledger(account: Account) -> None:
    account.publish("not json", url=account.dead_url)
    account.publish('{"action": "redrive"}')
    account.publish("not json either")
    ill = account.dynamodb(batch_execute_statement=unreachable, batch_get_item=unreachable)
    summary = run(account, dynamodb=ill)
    assert (summary.redriven, summary.dead_lettered, summary.stopped) == (1, 2, "empty")
    assert ill.calls == []


@pytest.mark.row(66)
@pytest.mark.parametrize("answer", ILL_LEDGERS)
def test_what_can_not_be_recorded_is_deleted_all_the_same(
    account: Account, log: Log, answer: Answer
) -> None:
    for number in range(3):
        account.publish(email(number))
    server = ScriptedServer()
    ill = account.dynamodb(batch_execute_statement=only_updates(answer))
    summary = run(account, server, dynamodb=ill)
    assert (summary.sent, summary.stopped) == (3, "empty")
    assert recipients(server) == {f"to{number}@example.org": 1 for number in range(3)}
    assert (account.waiting(), account.dead()) == ([], [])
    assert "fates not recorded in the ledger" in [event["message"] for event in log.events]


def test_a_fault_before_the_claim_harms_one_message(
    account: Account, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    def faulty(send: Send, **rest: Any) -> Checked:  # noqa: ANN401
        if send.subject == "canary-subject":
            raise LookupError(send.subject)
        return check(send, **rest)

    monkeypatch.setattr("ion.drain.admission.check", faulty)
    account.publish(email(1, subject="canary-subject"))
    account.publish(email(2))
    server = ScriptedServer()
    summary = run(account, server)
    assert (summary.sent, summary.deferred, summary.stopped) == (1, 1, "empty")
    assert recipients(server) == {"to2@example.org": 1}
    assert [event["message"] for event in log.events].count("fault") == 1
    assert "canary" not in log.text


@pytest.mark.row(64)
def test_so_does_one_that_fails_when_emails_are_claimed_one_by_one(account: Account) -> None:
    for number in range(10):
        account.publish(email(number, in_doubt="park"))
    ill = account.dynamodb(batch_execute_statement=failing())
    summary = run(account, dynamodb=ill)
    assert (summary.stopped, summary.deferred, summary.released) == ("ledger", 3, 7)
    assert [held.visible for held in account.waiting()].count(True) == 7, "untouched"
