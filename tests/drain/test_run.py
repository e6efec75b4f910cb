"""Whole runs over the queue: moto's SQS on one side, a scripted SMTP server on the other."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from clock import Clock
from conftest import Log
from draining import (
    drain,
    email,
    reasons,
    recipients,
    run,
    wide,
)
from emulated import (
    Account,
    Answer,
    Request,
    failing,
    unreachable,
)
from ion.deadline import Deadline
from ion.drain.progress import Summary
from smtp_server import (
    NORMAL,
    Action,
    Moment,
    ScriptedServer,
    Step,
    reply,
)


@pytest.mark.parametrize("connections", [1, 4])
def test_everything_in_the_queue_is_sent_once_and_deleted(
    account: Account, connections: int
) -> None:
    for number in range(25):
        account.publish(email(number))
    server = ScriptedServer()
    summary = run(account, server, smtp=wide(connections))
    assert recipients(server) == {f"to{number}@example.org": 1 for number in range(25)}
    assert (account.waiting(), account.dead()) == ([], [])
    assert summary == Summary(received=25, sent=25, stopped="empty")
    assert len(server.sessions) <= connections


def test_a_run_ends_when_the_queue_is_empty(account: Account) -> None:
    sqs = account.sqs()
    assert run(account, sqs=sqs, linger_seconds=7) == Summary(stopped="empty")
    asked, *_ = sqs.asked("receive_message")
    assert asked["WaitTimeSeconds"] == 7


def test_mail_that_comes_while_the_last_is_sent_belongs_to_the_run(account: Account) -> None:
    account.publish(email(1))

    def script(moment: Moment) -> Action:
        if moment.step is Step.DOT and moment.nth == 1:
            account.publish(email(2))
        return NORMAL

    server = ScriptedServer(script)
    assert run(account, server).sent == 2
    assert recipients(server).keys() == {"to1@example.org", "to2@example.org"}


@pytest.mark.row(19)
@pytest.mark.parametrize(("seconds", "visibility"), [(300, 360), (300.2, 361), (900, 960)])
def test_a_message_stays_hidden_longer_than_the_invocation_can_live(
    account: Account, seconds: float, visibility: int
) -> None:
    sqs = account.sqs()
    run(account, sqs=sqs, deadline=Deadline.after(seconds, Clock()))
    assert {one["VisibilityTimeout"] for one in sqs.asked("receive_message")} == {visibility}


@pytest.mark.row(54)
async def test_a_server_that_loses_the_thread_over_a_message_is_given_up_at_the_third_try(
    account: Account,
) -> None:
    account.publish(email())
    server = ScriptedServer({Step.MAIL: reply(503, "5.5.1 what?")})
    fates = []

    async with server:
        for _ in range(3):
            summary = await drain(account, server)
            fates.append((summary.deferred, summary.dead_lettered))
            account.time_passes(3600)
    assert fates == [(1, 0), (1, 0), (0, 1)]
    assert (reasons(account), account.waiting()) == (["PROTOCOL"], [])


@pytest.mark.row(27)
def test_near_the_deadline_nothing_is_received(account: Account) -> None:
    account.publish(email())
    sqs = account.sqs()
    summary = run(account, sqs=sqs, deadline=Deadline.after(54, Clock()))
    assert (summary.stopped, sqs.calls) == ("deadline", [])


@pytest.mark.row(27)
def test_when_the_time_is_up_the_rest_is_released(account: Account) -> None:
    for number in range(8):
        account.publish(email(number))
    clock = Clock()

    def script(moment: Moment) -> Action:
        if moment.step is Step.DOT:
            clock.passes(10)
        return NORMAL

    slow = ScriptedServer(script)
    summary = run(account, slow, deadline=Deadline.after(75, clock))
    assert (summary.received, summary.sent, summary.released, summary.stopped) == (
        8,
        3,
        5,
        "deadline",
    )
    assert [held.visible for held in account.waiting()] == [True] * 5

    quick = ScriptedServer()
    assert run(account, quick).sent == 5
    assert recipients(slow) + recipients(quick) == {f"to{n}@example.org": 1 for n in range(8)}


@pytest.mark.row(27)
def test_no_data_is_begun_without_time_for_its_dot(account: Account) -> None:
    account.publish(email())
    clock = Clock()

    def script(moment: Moment) -> Action:
        if moment.step is Step.RCPT:
            clock.passes(60)
        return NORMAL

    server = ScriptedServer(script)
    summary = run(account, server, deadline=Deadline.after(95, clock))
    assert (summary.sent, summary.stopped) == (0, "deadline")
    assert server.submissions == []
    assert [held.visible for held in account.waiting()] == [True]


@pytest.mark.row(23)
@pytest.mark.parametrize("answer", [failing("AWS.SimpleQueueService.OverLimit"), unreachable])
def test_a_queue_that_can_not_be_read_ends_the_run(
    account: Account, log: Log, answer: Answer
) -> None:
    account.publish(email())
    summary = run(account, sqs=account.sqs(receive_message=answer))
    assert (summary.stopped, summary.received) == ("queue", 0)
    assert re.match(r"the \w+ queue can't be read: receive: \w", summary.error)
    assert [held.receives for held in account.waiting()] == [0]
    told = {event["message"] for event in log.events}
    assert told == {f"the {name} queue can't be read" for name in ("input", "bulk", "later")}
    assert "canary" not in log.text


@pytest.mark.row(20)
def test_a_delete_that_is_refused_twice_is_done_the_third_time(account: Account) -> None:
    for number in range(3):
        account.publish(email(number))
    left = [2]

    def refuse(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        left[0] -= 1
        bad = [entry for entry in request["Entries"] if left[0] >= 0 and entry["Id"] == "1"]
        good = [entry for entry in request["Entries"] if entry not in bad]
        answer = real(**request | {"Entries": good}) if good else {}
        return {**answer, "Failed": [{"Id": one["Id"], "Code": "InternalError"} for one in bad]}

    run(account, sqs=account.sqs(delete_message_batch=refuse))
    assert account.waiting() == []


@pytest.mark.row(18)
def test_what_was_sent_but_not_deleted_is_said(account: Account, log: Log) -> None:
    account.publish(email())
    summary = run(account, sqs=account.sqs(delete_message_batch=failing()))
    assert summary.sent == 1
    assert [event["message"] for event in log.events][-1] == "settled but not deleted"


async def test_attempts_count_on_over_receives(account: Account, log: Log) -> None:
    account.publish(email(recipient=["ok@example.org", "later@example.org"], email_id="order-17"))
    busy = reply(450, "4.2.1 busy")
    server = ScriptedServer(recipients={"later@example.org": [busy, busy, busy]})

    async with server:
        for _ in range(4):
            await drain(account, server)
            account.time_passes(60)
    events = [event for event in log.events if event.get("email_id") == "order-17"]
    deferred = [event["attempt"] for event in events if event["message"] == "deferred"]
    sent = [event["attempt"] for event in events if event["message"] == "sent"]
    assert (deferred, sent) == ([1, 2, 3], [1, 4])


@pytest.mark.row(62)
async def test_throttled_attempts_do_not_count(account: Account, log: Log) -> None:
    account.publish(email(1))
    slower = reply(454, "Throttling failure: Maximum sending rate exceeded")
    server = ScriptedServer({Step.DOT: [slower, slower, slower]})

    async with server:
        for _ in range(4):
            await drain(account, server)
            account.time_passes(600)
    events = [event for event in log.events if event["message"] in ("deferred", "sent")]
    assert [event["attempt"] for event in events] == [1, 1, 1, 1]
    assert [(row["status"], row["attempts"]) for row in account.rows()] == [("sent", 1)]


async def test_a_redriven_emails_attempts_count_from_one(account: Account, log: Log) -> None:
    account.publish(email(1))
    busy = reply(450, "4.2.1 busy")
    server = ScriptedServer({Step.RCPT: [busy, reply(550, "5.1.1 no"), busy, busy]})

    async with server:
        for number in range(5):
            if number == 2:
                account.publish('{"action": "redrive"}')
            await drain(account, server)
            account.time_passes(3600)
    events = [event for event in log.events if event.get("recipients")]
    assert [(event["message"], event["attempt"]) for event in events] == [
        ("deferred", 1),
        ("dead_lettered", 2),
        ("deferred", 1),
        ("deferred", 2),
        ("sent", 3),
    ]


def sizes(calls: Sequence[Request]) -> list[int]:
    return [len(call["Entries"]) for call in calls]


def test_deletes_travel_in_batches(account: Account) -> None:
    for number in range(30):
        account.publish(email(number))
    sqs = account.sqs()
    run(account, sqs=sqs)
    assert sum(sizes(sqs.asked("delete_message_batch"))) == 30
    assert max(sizes(sqs.asked("delete_message_batch"))) <= 10
