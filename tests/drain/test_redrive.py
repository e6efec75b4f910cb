"""Redrives as a run does them."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from clock import Clock
from conftest import Log
from draining import (
    ONCE,
    drain,
    email,
    ion_of,
    reasons,
    recipients,
    run,
)
from emulated import (
    Account,
    Answer,
    Request,
    as_strict_as_sqs,
    at_once,
    failing,
    only_for,
    unreachable,
)
from ion.deadline import Deadline
from ion.drain.progress import Summary
from smtp_server import (
    ScriptedServer,
    Step,
    reply,
)


@pytest.mark.row(69)
def test_a_redrive_sends_what_was_dead_in_the_same_run(account: Account) -> None:
    ids = [account.publish(email(number)) for number in range(3)]
    server = ScriptedServer({Step.RCPT: [reply(550, "5.1.1 not yet")] * 3})

    async def main() -> tuple[Summary, Summary]:
        async with server:
            first = await drain(account, server)
            assert [ion_of(held)["email_id"] for held in account.dead()] == ids
            account.publish('{"action": "redrive"}')
            return first, await drain(account, server)

    first, second = asyncio.run(main())
    assert (first.dead_lettered, second.redriven, second.sent) == (3, 3, 3)
    assert recipients(server) == {f"to{n}@example.org": 1 for n in range(3)}
    assert (account.waiting(), account.dead()) == ([], [])


@pytest.mark.row(69)
async def test_what_names_no_sender_is_asked_for_by_the_relays(account: Account) -> None:
    account.publish(email(1))
    account.publish(email(2, sender="news@example.org"))
    server = ScriptedServer({Step.RCPT: [reply(550, "5.1.1 not yet")] * 2})

    async with server:
        await drain(account, server)
        account.publish('{"action": "redrive", "where": {"sender": "ion@example.org"}}')
        second = await drain(account, server)
    assert (second.redriven, recipients(server)) == (1, {"to1@example.org": 1})
    assert len(account.dead()) == 1


@pytest.mark.row(69)
@pytest.mark.parametrize("copies", [1, 2])
async def test_a_dead_letter_that_sqs_itself_moves_is_sent_once(
    account: Account, log: Log, copies: int
) -> None:
    """And so is one that was moved, and not deleted, and moved again."""
    account.publish(email(1, email_id="order-17"))
    server = ScriptedServer({Step.RCPT: [reply(550, "5.1.1 not yet")]})

    async with server:
        await drain(account, server)
        (letter,) = account.dead()
        for _ in range(copies):
            account.publish(letter.body, letter.attributes)
        for _ in range(2):
            await drain(account, server)
            account.time_passes(60)
    assert recipients(server) == ONCE
    assert account.waiting() == []
    sent = [event for event in log.events if event["message"] == "sent"]
    assert [(event["redrives"], event["attempt"]) for event in sent] == [(1, 1)]


@pytest.mark.row(69)
def test_what_was_buried_and_not_deleted_is_not_tried_again(account: Account) -> None:
    account.publish(email(1))
    server = ScriptedServer({Step.RCPT: [reply(550, "5.1.1 no")]})

    async def main() -> Summary:
        async with server:
            await drain(account, server, sqs=account.sqs(delete_message_batch=failing()))
            account.time_passes(3600)
            return await drain(account, server)

    assert asyncio.run(main()).received == 1
    assert server.accepted == []
    assert (account.waiting(), reasons(account)) == ([], ["RCPT_REJECTED"])


def test_an_empty_poll_that_a_redrive_overtook_is_not_the_end(account: Account) -> None:
    """It looked before the redrive had moved anything, and answers when all is done."""
    account.publish(email(1), url=account.dead_url)
    account.publish('{"action": "redrive"}')
    looked, settled = threading.Event(), threading.Event()

    def poll(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        answer = at_once(real, request)
        if not answer.get("Messages"):
            looked.set()
            settled.wait()
        return answer

    def move(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        looked.wait()
        return as_strict_as_sqs(real, request)

    def forget(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        answer = real(**request)
        settled.set()
        return answer

    sqs = account.sqs(
        receive_message=only_for(account.input_url, poll, otherwise=at_once),
        send_message_batch=move,
        delete_message_batch=only_for(
            account.input_url, forget, otherwise=lambda real, request: real(**request)
        ),
    )
    summary = run(account, sqs=sqs)
    assert (summary.redriven, summary.sent, summary.stopped) == (1, 1, "empty")


@pytest.mark.row(70)
def test_what_dies_again_stays_dead_and_says_how_often(account: Account) -> None:
    id_ = account.publish("not json")
    run(account)
    account.publish('{"action": "redrive"}')
    summary = run(account)
    assert (summary.redriven, summary.dead_lettered, summary.stopped) == (1, 1, "empty")
    (letter,) = account.dead()
    assert letter.body == "not json"
    record = ion_of(letter)
    assert (record["email_id"], record["redrives"], record["attempts"]) == (id_, 1, 0)
    assert record["original_message_id"] == id_


@pytest.mark.row(23)
@pytest.mark.parametrize("answer", [failing("AccessDenied"), unreachable])
def test_a_dead_letter_queue_that_can_not_be_read_ends_the_run_and_keeps_the_redrive(
    account: Account, answer: Answer
) -> None:
    account.publish('{"action": "redrive"}')
    sqs = account.sqs(receive_message=only_for(account.dead_url, answer, otherwise=at_once))
    summary = run(account, sqs=sqs)
    assert (summary.stopped, summary.redriven) == ("queue", 0)
    assert summary.error.startswith("the dead-letter queue can't be read: receive: ")
    assert [(held.visible, held.receives) for held in account.waiting()] == [(True, 1)]


@pytest.mark.row(69)
def test_a_redrive_with_a_maximum_moves_no_more_in_several_runs(account: Account, log: Log) -> None:
    """At so low a rate only nine fit into the longest delay that SQS has."""
    for number in range(25):
        account.publish(email(number), url=account.dead_url)
    account.publish('{"action": "redrive", "max": 12, "rate": 0.01}')
    runs = []
    for _ in range(4):
        runs.append(run(account))
        account.time_passes(900)
    assert [one.redriven for one in runs] == [9, 3, 0, 0]
    assert sum(one.sent for one in runs) == 12
    assert (len(account.dead()), account.waiting()) == (13, [])
    reports = [event for event in log.events if event["message"] == "redrive"]
    assert [(one["moved"], one["complete"]) for one in reports] == [(9, False), (3, True)]


@pytest.mark.row(69)
def test_a_redrive_comes_back_for_what_someone_was_looking_at(account: Account, log: Log) -> None:
    for number in range(3):
        account.publish(email(number), url=account.dead_url)
    asyncio.run(account.dead_letters().receive(visibility_seconds=30, wait_seconds=0, most=2))
    account.publish('{"action": "redrive"}')
    sqs = account.sqs()
    first = run(account, sqs=sqs)
    sent = [one for call in sqs.asked("send_message_batch") for one in call["Entries"]]
    assert [one["DelaySeconds"] for one in sent] == [0, 120], "the letter, and the redrive itself"
    account.time_passes(120)
    second = run(account)
    assert (first.redriven, second.redriven, second.sent) == (1, 2, 2)
    assert (account.waiting(), account.dead()) == ([], [])
    reports = [event for event in log.events if event["message"] == "redrive"]
    told = [(one["moved"], one["hidden"], one["complete"], one["goes_on"]) for one in reports]
    assert told == [(1, 2, False, True), (2, 0, True, False)]


def test_a_dry_run_tells_and_goes(account: Account, log: Log) -> None:
    account.publish("{broken")
    run(account)
    account.publish('{"action": "redrive", "dry_run": true}')
    assert run(account).redriven == 0
    assert (len(account.dead()), account.waiting()) == (1, [])
    (report,) = [event for event in log.events if event["message"] == "redrive"]
    assert (report["meant"], report["reasons"]) == (1, {"BAD_JSON": 1})


@pytest.mark.row(27)
def test_a_redrive_that_is_not_through_goes_on_in_the_next_run(account: Account) -> None:
    for number in range(25):
        account.publish(email(number), url=account.dead_url)
    account.publish('{"action": "redrive"}')
    clock = Clock()

    def slowly(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        clock.passes(40)
        return as_strict_as_sqs(real, request)

    server = ScriptedServer()
    sqs = account.sqs(send_message_batch=slowly)
    summary = run(account, sqs=sqs, deadline=Deadline.after(110, clock))
    assert (summary.redriven, summary.stopped, summary.error) == (20, "deadline", "")
    assert len(account.dead()) == 5
    assert sum(held.body == '{"action": "redrive"}' for held in account.waiting()) == 1
    summary = run(account, server)
    assert (summary.redriven, summary.sent) == (5, 25)
    assert recipients(server) == {f"to{n}@example.org": 1 for n in range(25)}
    assert (account.waiting(), account.dead()) == ([], [])


@pytest.mark.row(23)
@pytest.mark.row(69)
def test_a_redrive_that_breaks_off_does_not_forget_how_many_it_has_moved(account: Account) -> None:
    for number in range(25):
        account.publish(email(number), url=account.dead_url)
    account.publish('{"action": "redrive", "max": 12}')
    looks = iter([at_once])

    def once(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        return next(looks, failing("InternalError"))(real, request)

    ill = account.sqs(receive_message=only_for(account.dead_url, once, otherwise=at_once))
    runs = [run(account, sqs=ill), run(account), run(account)]
    assert [(one.redriven, one.stopped) for one in runs] == [
        (10, "queue"),
        (2, "empty"),
        (0, "empty"),
    ]
    assert sum(one.sent for one in runs) == 12
    assert (len(account.dead()), account.waiting()) == (13, [])
