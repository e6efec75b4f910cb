"""Each email goes out once, whatever comes twice."""

import asyncio
import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from conftest import Log
from draining import (
    ONCE,
    drain,
    email,
    ion_of,
    later,
    only_updates,
    reasons,
    recipients,
    run,
    wide,
)
from emulated import (
    Account,
    Answer,
    Request,
    at_once,
    failing,
)
from ion.drain.progress import Summary
from smtp_server import (
    ScriptedServer,
    Step,
    drop,
)


@pytest.mark.row(11)
@pytest.mark.row(12)
def test_a_twin_goes_out_with_the_date_of_the_first(account: Account) -> None:
    """So that copies are equal, whichever message they are sent for."""
    account.publish(email(1, email_id="order-17"))
    account.time_passes(3600)
    first, second = ScriptedServer({Step.DOT: [drop()]}), ScriptedServer()
    assert run(account, first).deferred == 1
    account.publish(email(1, email_id="order-17"))  # the other one is still hidden
    assert run(account, second).sent == 1
    copies = [one.content for server in (first, second) for one in server.accepted]
    assert len(copies) == 2
    assert copies[0] == copies[1]


@pytest.mark.row(12)
@pytest.mark.row(17)
@pytest.mark.parametrize("side_by_side", [True, False])
def test_an_email_that_is_published_twice_is_sent_once(
    account: Account, log: Log, side_by_side: bool
) -> None:
    server = ScriptedServer()

    async def main() -> list[Summary]:
        async with server:
            account.publish(email(1, email_id="order-17"))
            summaries = [] if side_by_side else [await drain(account, server)]
            spelt_otherwise = dict(reversed(json.loads(email(1, email_id="order-17")).items()))
            account.publish(json.dumps(spelt_otherwise, indent=2))
            for _ in range(2):
                summaries.append(await drain(account, server))
                account.time_passes(60)
            return summaries

    assert sum(summary.sent for summary in asyncio.run(main())) == 1
    assert recipients(server) == ONCE
    assert (account.waiting(), account.dead()) == ([], [])
    last = [event for event in log.events if event.get("email_id") == "order-17"][-1]
    assert (last["message"], last["stage"], last["reason"]) == ("done", "claim", "DUPLICATE")
    assert log.text.count('"message":"sent"') == 1


@pytest.mark.row(11)
def test_a_message_that_is_received_twice_in_one_answer_is_sent_once(account: Account) -> None:
    account.publish(email(1))

    def twice(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        answer = at_once(real, request)
        return answer | {"Messages": answer.get("Messages", []) * 2}

    server = ScriptedServer()
    run(account, server, sqs=account.sqs(receive_message=twice), smtp=wide(2))
    assert recipients(server) == ONCE


@pytest.mark.row(12)
async def test_another_email_under_the_same_key_is_refused(account: Account) -> None:
    server = ScriptedServer()

    async with server:
        account.publish(email(1, email_id="order-17"))
        await drain(account, server)
        account.publish(email(2, email_id="order-17"))
        await drain(account, server)
    assert recipients(server) == ONCE
    (letter,) = account.dead()
    assert (letter.body, reasons(account)) == (email(2, email_id="order-17"), ["ID_REUSED"])
    record = ion_of(letter)
    assert (record["email_id"], record["attempts"], record["path"]) == ("order-17", 0, "$.email_id")
    assert [(row["status"], row["fates"]) for row in account.rows()] == [("sent", "s")]
    assert account.waiting() == []


@pytest.mark.row(18)
@pytest.mark.row(20)
@pytest.mark.row(66)
@pytest.mark.parametrize(
    ("delete_works", "record_works", "copies"),
    [(False, True, 1), (True, False, 1), (False, False, 2)],
)
async def test_only_if_neither_delete_nor_record_works_a_second_copy_goes_out(
    account: Account, delete_works: bool, record_works: bool, copies: int
) -> None:
    account.publish(email(1))
    server = ScriptedServer()
    sqs = account.sqs() if delete_works else account.sqs(delete_message_batch=failing())
    ill = account.dynamodb(batch_execute_statement=only_updates(failing()))

    async with server:
        first = await drain(
            account, server, sqs=sqs, dynamodb=account.dynamodb() if record_works else ill
        )
        assert first.sent == 1
        assert len(account.waiting()) == int(not delete_works)
        for hours in (1, 2):
            account.time_passes(0)
            await drain(account, server, now=later(hours))
    assert recipients(server) == {"to1@example.org": copies}
    assert len({one.content for one in server.accepted}) == 1, "receivers can collapse them"
    assert (account.waiting(), account.dead()) == ([], [])


@pytest.mark.row(66)
@pytest.mark.parametrize("rounds", [2, 5])
async def test_however_long_both_fail_no_third_copy_goes_out(account: Account, rounds: int) -> None:
    """Results can't be written, and nothing can be deleted: not even the dead letter's original."""
    account.publish(email(1))
    server = ScriptedServer()

    def no_results(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        results = any('"stage"' in one["Statement"] for one in request["Statements"])
        return failing()(real, request) if results else real(**request)

    async with server:
        for hours in range(rounds):
            await drain(
                account,
                server,
                now=later(hours),
                sqs=account.sqs(delete_message_batch=failing()),
                dynamodb=account.dynamodb(batch_execute_statement=no_results),
            )
            account.time_passes(3600)
    assert recipients(server) == {"to1@example.org": 2}
    assert set(reasons(account)) <= {"IN_DOUBT", "CRASH_LOOP"}


@pytest.mark.row(16)
def test_two_runs_side_by_side_send_each_email_once(account: Account) -> None:
    """Though each gets every message, since nothing hides them."""
    for number in range(40):
        account.publish(email(number))

    both = threading.Barrier(2)

    def nothing_hides() -> Answer:
        first = iter([True])

        def answer(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
            if next(first, False):
                both.wait()
            return at_once(real, request | {"VisibilityTimeout": 0})

        return answer

    server = ScriptedServer()

    async def main() -> list[Summary]:
        async with server:
            return await asyncio.gather(
                *(
                    drain(
                        account,
                        server,
                        smtp=wide(2),
                        sqs=account.sqs(receive_message=nothing_hides()),
                    )
                    for _ in range(2)
                )
            )

    summaries = asyncio.run(main())
    assert recipients(server) == {f"to{number}@example.org": 1 for number in range(40)}
    assert sum(summary.sent for summary in summaries) == 40
    assert sum(summary.received for summary in summaries) > 40, "they did get in each other's way"
    assert (account.waiting(), account.dead()) == ([], [])
    assert {(row["status"], row["attempts"]) for row in account.rows()} == {("sent", 1)}
