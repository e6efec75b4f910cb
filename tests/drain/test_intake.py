"""What is received and claimed ahead of the workers: beside one another, and never too much."""

import asyncio
import itertools
import threading
from collections.abc import Callable
from typing import Any

import pytest

from at_length import few
from conftest import Log
from draining import Dying, drain, email, killed, later, recipients, run, wide
from emulated import Account, Request, at_once, failing
from ion.deadline import Deadline
from ion.delivery import Delivery, InDoubt
from ion.drain.admission import Admission
from ion.drain.deliver import Deliverer
from ion.drain.work_item import Job
from ion.limits import BATCH
from ion.message import Message
from ion.report.telemetry import Telemetry
from smtp_server import ScriptedServer, Step, reply

PATIENCE_SECONDS = 30
LONG_ENOUGH_SECONDS = 0.5
"""For whatever may be claimed to have been claimed."""


def is_claim(request: Request) -> bool:
    return any({"S": "sending"} in one["Parameters"] for one in request["Statements"])


def sending(account: Account) -> list[str | int]:
    return [row["email_id"] for row in account.rows() if row["status"] == "sending"]


class Slow(Deliverer):
    """Sends nothing until so many and no more are claimed, and counts what is claimed then."""

    def __init__(self, count: Callable[[], int], least: int, *parts: Any) -> None:  # noqa: ANN401
        super().__init__(*parts)
        self._count = count
        self._least = least
        self._counting = asyncio.Lock()
        self._counted = False
        self.claimed = 0

    async def deliver(self, job: Job, message: Message, deadline: Deadline) -> list[Delivery]:
        async with self._counting:
            while not self._counted:
                before, self.claimed = self.claimed, self._count()
                self._counted = before == self.claimed >= self._least
                await asyncio.sleep(LONG_ENOUGH_SECONDS)
        return await super().deliver(job, message, deadline)


def test_the_next_ten_are_received_while_ten_are_claimed(account: Account) -> None:
    for number in range(2 * BATCH):
        account.publish(email(number))
    receives = [0]
    both = threading.Event()
    in_time: list[bool] = []

    def receive(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        receives[0] += 1
        if receives[0] == 2:
            both.set()
        return at_once(real, request)

    def claim(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        if is_claim(request):
            in_time.append(both.wait(PATIENCE_SECONDS))
        return real(**request)

    server = ScriptedServer()
    summary = run(
        account,
        server,
        sqs=account.sqs(receive_message=receive),
        dynamodb=account.dynamodb(batch_execute_statement=claim),
    )
    assert summary.sent == 2 * BATCH
    assert all(in_time)
    assert set(recipients(server).values()) == {1}


def test_a_deep_queue_is_received_from_side_by_side(account: Account) -> None:
    for number in range(5 * BATCH):
        account.publish(email(number))
    calls = itertools.count()
    two = threading.Barrier(2)

    def receive(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        if next(calls) in (1, 2):  # once a full ten has come
            two.wait(PATIENCE_SECONDS)
        return at_once(real, request)

    server = ScriptedServer()
    summary = run(account, server, sqs=account.sqs(receive_message=receive), smtp=wide(30))
    assert (summary.sent, summary.stopped) == (5 * BATCH, "empty")
    assert set(recipients(server).values()) == {1}


def test_empty_queues_are_asked_side_by_side_and_once(account: Account) -> None:
    """Each long poll takes a second, for which the function is paid."""
    three = threading.Barrier(3)

    def receive(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        three.wait(PATIENCE_SECONDS)
        return at_once(real, request)

    sqs = account.sqs(receive_message=receive)
    assert run(account, sqs=sqs, linger_seconds=1).stopped == "empty"
    asked = [one["QueueUrl"] for one in sqs.asked("receive_message")]
    assert sorted(asked) == sorted({account.input_url, account.bulk_url, account.later_url})


def test_an_email_that_comes_alone_makes_one_more_look_at_its_queue_and_none_at_others(
    account: Account,
) -> None:
    """A long poll that ends when the email is through tells that no more has come."""
    account.publish(email(0))
    input_polls = itertools.count(1)
    through = threading.Event()

    def receive(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        if request["QueueUrl"] == account.input_url and next(input_polls) == 2:
            assert through.wait(PATIENCE_SECONDS)
        return at_once(real, request)

    def delete(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        through.set()
        return real(**request)

    sqs = account.sqs(receive_message=receive, delete_message_batch=delete)
    summary = run(account, sqs=sqs, linger_seconds=1)
    assert (summary.sent, summary.stopped) == (1, "empty")
    asked = [one["QueueUrl"] for one in sqs.asked("receive_message")]
    assert asked.count(account.input_url) == 2
    assert asked.count(account.bulk_url) == asked.count(account.later_url) == 1


@pytest.mark.row(29)
@pytest.mark.parametrize("workers", few([1, 4, 24], ["1", "24"]))
def test_no_more_is_claimed_than_workers_have_or_are_about_to_take(
    account: Account, workers: int
) -> None:
    """If the process died now, all of these would be in doubt."""
    for number in range(120):
        account.publish(email(number))
    relays: list[Slow] = []

    def slow(pool: Any) -> Slow:  # noqa: ANN401
        relays.append(Slow(lambda: len(sending(account)), workers + 1, pool, 345_600))
        return relays[0]

    assert run(account, relay=slow, smtp=wide(workers)).sent == 120
    assert relays[0].claimed <= workers + workers + BATCH


@pytest.mark.parametrize("workers", [1, 24])
def test_what_was_only_received_is_put_back_unclaimed(
    account: Account, log: Log, workers: int
) -> None:
    for number in range(100):
        account.publish(email(number))
    quota = ScriptedServer(
        {Step.DOT: reply(454, "Throttling failure: Daily message quota exceeded")}
    )
    summary = run(account, quota, smtp=wide(workers))
    assert summary.stopped == "quota"
    assert summary.released == summary.received > len(account.rows())
    waiting = account.waiting()
    assert [held.visible for held in waiting] == [True] * 100
    assert sum(held.receives for held in waiting) == summary.received
    told = [event for event in log.events if event.get("message_id")]
    assert len(told) <= workers, "nothing is said of what was not begun"

    server = ScriptedServer()
    assert run(account, server, smtp=wide(workers)).sent == 100
    assert set(recipients(server).values()) == {1}


@pytest.mark.row(31)
async def test_nothing_is_claimed_beside_a_suspect(account: Account) -> None:
    account.publish(email(0, email_id="suspect"))
    company: list[list[str | int]] = []
    came: list[int] = []
    server = ScriptedServer()

    class Alone(Deliverer):
        async def deliver(self, job: Job, message: Message, deadline: Deadline) -> list[Delivery]:
            if '"suspect"' in message.body:
                before = len(server.accepted)
                await asyncio.sleep(LONG_ENOUGH_SECONDS)
                company.append(sending(account))
                came.append(len(server.accepted) - before)
            return await super().deliver(job, message, deadline)

    async with server:
        await killed(account, server, Dying)
        for number in range(1, 40):
            account.publish(email(number, email_id=f"other-{number}"))
        summary = await drain(
            account,
            server,
            relay=lambda pool: Alone(pool, 345_600),
            now=later(1),
            smtp=wide(8),
        )
        assert summary.sent == 40
        assert set(recipients(server).values()) == {1}
    assert (company, came) == ([["suspect"]], [0])


@pytest.mark.row(31)
async def test_what_was_sent_before_a_suspect_is_settled_when_it_begins(account: Account) -> None:
    """Or a process that dies over it leaves that in doubt."""
    account.publish(email(0, email_id="suspect"))
    others: list[tuple[str | int, str | int]] = []
    left: list[str] = []

    class Looking(Deliverer):
        async def deliver(self, job: Job, message: Message, deadline: Deadline) -> list[Delivery]:
            if '"suspect"' in message.body:
                rows = [row for row in account.rows() if row["email_id"] != "suspect"]
                others.extend((row["email_id"], row["status"]) for row in rows)
                left.extend(held.body for held in account.waiting())
            return await super().deliver(job, message, deadline)

    async with ScriptedServer() as server:
        await killed(account, server, Dying)
        account.publish(email(1, email_id="other"))
        relay = lambda pool: Looking(pool, 345_600)  # noqa: E731 - as short as that
        assert (await drain(account, server, relay=relay, now=later(1))).sent == 2
    assert others == [("other", "sent")]
    assert left == [email(0, email_id="suspect")]


@pytest.mark.row(31)
async def test_a_suspect_whose_turn_does_not_come_is_put_back_as_it_was(account: Account) -> None:
    """Claimed and put back, it would pass for one that no process died over."""
    account.publish(email(0, email_id="suspect"))

    def suspects() -> list[dict[str, str | int]]:
        return [row for row in account.rows() if row["email_id"] == "suspect"]

    server = ScriptedServer({Step.DOT: reply(454, "Daily message quota exceeded")})
    async with server:
        await killed(account, server, Dying)
        before = suspects()
        account.publish(email(1, email_id="other"))
        summary = await drain(account, server, now=later(1))
        assert (summary.stopped, summary.released) == ("quota", 2)
        assert suspects() == before
        assert [row["status"] for row in before] == ["sending"]
    assert [held.visible for held in account.waiting()] == [True, True]


@pytest.mark.row(64)
@pytest.mark.parametrize("calls", [1, 3])
def test_claims_that_fail_side_by_side_are_one_failure(account: Account, calls: int) -> None:
    """Or a single bad moment of the ledger's would be three in a row."""
    for number in range(calls):
        account.publish(email(number))
    together = threading.Barrier(calls)

    def fail(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        together.wait(PATIENCE_SECONDS)
        return failing()(real, request)

    async def main() -> int:
        ledger = account.ledger(account.dynamodb(batch_execute_statement=fail))
        admission = Admission(
            ledger,
            Telemetry(),
            "ion@example.org",
            InDoubt.RESEND,
            0.0,
            address_key=account.address_key(),
        )
        messages = await account.input_queue().receive(visibility_seconds=60, wait_seconds=0)
        await asyncio.gather(*(admission.admit([message]) for message in messages))
        return admission.failures

    assert asyncio.run(main()) == 1
