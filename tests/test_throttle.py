"""A server that takes R emails a second: real drains and sockets, on a clock that only leaps."""

import asyncio
import json
import ssl
import time
from bisect import bisect
from collections import deque
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any
from unittest.mock import patch

import pytest

from at_length import only_at_length
from clock import Clock
from draining import drain, wide
from emulated import Account, Answer, Between, Request, as_strict_as_sqs, at_once
from ion.deadline import Deadline
from ion.drain.deliver import Deliverer
from ion.drain.progress import Summary
from ion.policy.rate import HEADROOM, Limits, Pace
from ion.report.telemetry import Telemetry
from machine.queues import on_clock
from machine.simulated_time import START, Later, Loop
from smtp_server import NORMAL, Action, Moment, Offer, ScriptedServer, Step, delay, reply

LIMIT = 20
"""Emails a second."""
SES = "Throttling failure: Maximum sending rate exceeded."
_TLS = ssl.create_default_context()
_AWS_SECONDS = 0.03
_SERVER_SECONDS = 0.02
_CONNECTIONS = 4


@pytest.fixture
def clock(account: Account, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    clock = Clock(START)
    on_clock(monkeypatch, clock)
    with patch.object(time, "time", clock):
        yield clock


class Window:
    """No second may see more than the limit: the strictest way to count."""

    def __init__(self) -> None:
        self._taken: deque[float] = deque()

    def takes(self, now: float) -> bool:
        while self._taken and self._taken[0] <= now - 1:
            self._taken.popleft()
        if len(self._taken) >= LIMIT:
            return False
        self._taken.append(now)
        return True


class Tokens:
    """A second's worth may come at once: the most lenient way."""

    def __init__(self) -> None:
        self._tokens = float(LIMIT)
        self._at = 0.0

    def takes(self, now: float) -> bool:
        self._tokens = min(LIMIT, self._tokens + LIMIT * (now - self._at))
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class Server:
    """Refuses what is too much, and has the times of what it took."""

    def __init__(self, clock: Clock, count: Window | Tokens, step: Step) -> None:
        self._clock = clock
        self._count = count
        self._step = step
        self.taken: list[float] = []
        self.throttled = 0

    def script(self, moment: Moment) -> Action:
        if moment.step is not self._step:
            return NORMAL
        if not self._count.takes(self._clock()):
            self.throttled += 1
            return delay(_SERVER_SECONDS, reply(454, SES))
        self.taken.append(self._clock())
        return delay(_SERVER_SECONDS)

    @property
    def rate(self) -> float:
        """Emails a second that it took, after the first, while there were enough for all drains."""
        first, last = bisect(self.taken, self.taken[0] + 1), len(self.taken) * 9 // 10
        return (last - first) / (self.taken[last] - self.taken[first])


def slow(usual: Callable[..., Any]) -> Answer:
    """A call to AWS takes its time."""

    def answer(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        raise Later(_AWS_SECONDS, lambda: usual(real, request))

    return answer


def as_it_is(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
    return real(**request)


def slow_sqs(account: Account) -> Between:
    return account.sqs(
        receive_message=slow(at_once),
        send_message_batch=slow(as_strict_as_sqs),
        delete_message_batch=slow(as_it_is),
        change_message_visibility_batch=slow(as_it_is),
    )


async def drained(
    account: Account,
    server: ScriptedServer,
    pace: Pace,
    sqs: Between | None = None,
    seconds: float = 900,
) -> Summary:
    telemetry = Telemetry()
    telemetry.level("ERROR")
    slow_rows = slow(as_it_is)
    return await drain(
        account,
        server,
        sqs=sqs or slow_sqs(account),
        dynamodb=account.dynamodb(batch_execute_statement=slow_rows, batch_get_item=slow_rows),
        deadline=Deadline.after(seconds, asyncio.get_running_loop().time),
        now=time.time,  # the patched one
        smtp=wide(_CONNECTIONS),
        relay=lambda pool: Deliverer(pool, 345_600, time.time, lambda: 0.5),
        telemetry=telemetry,
        pace=pace,
        workers=2 * _CONNECTIONS,
    )


def publish(account: Account, emails: int, **fields: object) -> None:
    for number in range(emails):
        body = {"action": "send", "recipient": f"to{number}@example.org", "body_text": "x"}
        account.publish(json.dumps(body | fields))


def run(
    account: Account,
    clock: Clock,
    script: Callable[[Moment], Action],
    *paces: Pace,
    pipelining: bool = True,
    **parts: Any,  # noqa: ANN401
) -> list[Summary]:
    """As many drains as there are paces, side by side."""

    async def main() -> list[Summary]:
        async with ScriptedServer(script, offer=Offer(pipelining=pipelining)) as server:
            return await asyncio.gather(
                *(drained(account, server, pace, **parts) for pace in paces)
            )

    loop = Loop(clock)
    try:
        return loop.run_until_complete(main())
    finally:
        loop.close()


def at_rate(rate: float | None, clock: Clock, connections: int = _CONNECTIONS) -> Pace:
    return Pace(Limits(rate, connections), clock())


# the rate


@pytest.mark.row(62)
@pytest.mark.parametrize(
    ("drains", "count", "step"),
    [
        pytest.param(1, Window, Step.DOT, marks=only_at_length),
        (3, Window, Step.DOT),
        (1, Tokens, Step.MAIL),
    ],
)
def test_a_limit_that_is_set_is_used_and_hardly_met(
    account: Account, clock: Clock, drains: int, count: type[Window | Tokens], step: Step
) -> None:
    """A second may begin just before an email of each, so now and then there is one too many."""
    server = Server(clock, count(), step)
    publish(account, 10 * LIMIT)
    share = LIMIT * HEADROOM / drains
    run(account, clock, server.script, *(at_rate(share, clock) for _ in range(drains)))
    assert 0.9 * LIMIT <= server.rate <= LIMIT
    assert server.throttled <= (drains > 1) * LIMIT / 4
    assert len(server.taken) + len(account.waiting()) == 10 * LIMIT
    assert account.dead() == []


@pytest.mark.row(62)
@pytest.mark.parametrize(
    ("drains", "count", "step"),
    [pytest.param(1, Window, Step.DOT, marks=only_at_length), (3, Tokens, Step.MAIL)],
)
def test_a_limit_that_nobody_told_is_found(
    account: Account, clock: Clock, drains: int, count: type[Window | Tokens], step: Step
) -> None:
    server = Server(clock, count(), step)
    emails = 15 * LIMIT
    publish(account, emails)
    paces = [at_rate(None, clock) for _ in range(drains)]
    run(account, clock, server.script, *paces)
    saved_up = 0.01 * LIMIT  # the server had some tokens left when the count began
    assert 0.9 * LIMIT <= server.rate <= LIMIT + saved_up
    assert 0 < server.throttled <= 2 * LIMIT
    assert account.dead() == []
    while account.waiting():
        clock.passes(5)
        run(account, clock, server.script, paces[0])
    assert (len(server.taken), account.dead()) == (emails, [])


class Dots:
    """When each email was taken."""

    def __init__(self, clock: Clock, *answers: Action) -> None:
        self._clock = clock
        self._answers = iter(answers)
        self.at: list[float] = []

    def script(self, moment: Moment) -> Action:
        if moment.step is not Step.DOT:
            return NORMAL
        self.at.append(self._clock())
        return next(self._answers, NORMAL)

    @property
    def gaps(self) -> list[float]:
        return [round(later - at, 2) for at, later in pairwise(self.at)]


@pytest.mark.parametrize(("rate", "most"), [(0.5, 1), (1, 1), (3.5, 3), (40, 10), (None, 10)])
def test_no_more_is_received_than_can_be_sent_soon(
    account: Account, clock: Clock, rate: float | None, most: int
) -> None:
    publish(account, 12)
    sqs = slow_sqs(account)
    run(account, clock, Dots(clock).script, at_rate(rate, clock), sqs=sqs)
    asked = [
        one["MaxNumberOfMessages"]
        for one in sqs.asked("receive_message")
        if one["QueueUrl"] == account.input_url
    ]
    assert set(asked) == {most}
    assert account.waiting() == []


def test_what_must_wait_for_its_turn_can_be_received_by_others(
    account: Account, clock: Clock
) -> None:
    publish(account, 12)
    taken: list[int] = []

    def script(moment: Moment) -> Action:
        if moment.step is Step.MAIL:
            taken.append(sum(not held.visible for held in account.waiting()))
        return NORMAL

    run(account, clock, script, at_rate(2, clock))
    assert max(taken) <= 5, "being sent or settled; the next ones"


def test_emails_leave_evenly(account: Account, clock: Clock) -> None:
    publish(account, 8)
    dots = Dots(clock)
    run(account, clock, dots.script, at_rate(2, clock))
    assert dots.gaps == [0.5] * 7


def test_each_recipient_counts(account: Account, clock: Clock) -> None:
    publish(account, 3, recipient=[f"to{number}@example.org" for number in range(10)])
    dots = Dots(clock)
    run(account, clock, dots.script, at_rate(2, clock))
    assert dots.gaps == [5.0, 5.0]


def test_copies_and_bad_input_wait_for_nothing(account: Account, clock: Clock) -> None:
    began = clock()
    publish(account, 1, email_id="order-17")
    run(account, clock, Dots(clock).script, at_rate(0.1, clock))
    publish(account, 20, email_id="order-17", recipient="to0@example.org")
    publish(account, 20, subject=["canary"])
    (summary,) = run(account, clock, Dots(clock).script, at_rate(0.1, clock))
    assert (summary.received, summary.dead_lettered, len(account.waiting())) == (40, 20, 0)
    assert clock() - began < 9


@pytest.mark.row(63)
def test_what_waits_for_its_turn_is_released_when_the_run_ends(
    account: Account, clock: Clock
) -> None:
    publish(account, 4)
    dots = Dots(clock, delay(0.5, reply(454, "Daily message quota exceeded")))
    began = clock()
    (summary,) = run(account, clock, dots.script, at_rate(1, clock))
    assert (summary.stopped, summary.sent, len(dots.at)) == ("quota", 0, 1)
    assert clock() - began < 1
    clock.passes(1)
    assert [held.visible for held in account.waiting()] == [True] * 4


@pytest.mark.row(27)
def test_nobody_waits_for_a_turn_that_comes_too_late(account: Account, clock: Clock) -> None:
    publish(account, 4)
    dots = Dots(clock)
    (summary,) = run(account, clock, dots.script, at_rate(0.01, clock), seconds=100)
    assert (summary.stopped, summary.sent) == ("deadline", 1)
    clock.passes(1)
    assert [held.visible for held in account.waiting()] == [True] * 3


# the connections

FULL = "Too many concurrent SMTP connections"


class Crowd:
    """Greets so many connections at a time, and sees how many there are."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.refused = 0

    def script(self, moment: Moment) -> Action:
        if moment.step is Step.CONNECT and moment.session > self._most:
            self.refused += 1
            return reply(421, FULL, close=True)
        return delay(_SERVER_SECONDS) if moment.step is Step.DOT else NORMAL


@pytest.mark.row(39)
@pytest.mark.row(62)
def test_a_connection_too_many_is_a_lesson_for_the_next_run(account: Account, clock: Clock) -> None:
    publish(account, 60)
    crowd, pace = Crowd(2), at_rate(None, clock)
    run(account, clock, crowd.script, pace)
    assert (crowd.refused, pace.connections(clock()), pace.changed) == (2, 2, True)
    assert (account.waiting(), account.dead()) == ([], [])
    publish(account, 60)
    run(account, clock, crowd.script, pace)
    assert crowd.refused == 2
    assert account.waiting() == []


@pytest.mark.row(39)
def test_a_first_connection_too_many_is_one_too(account: Account, clock: Clock) -> None:
    publish(account, 1)
    pace = at_rate(None, clock)
    (summary,) = run(account, clock, Crowd(0).script, pace)
    assert (summary.stopped, summary.received) == ("greeting", 0)
    assert pace.connections(clock()) == 2


@pytest.mark.row(62)
def test_too_many_connections_at_work_become_fewer(account: Account, clock: Clock) -> None:
    publish(account, 60)
    sessions: list[int] = []

    def script(moment: Moment) -> Action:
        if moment.step is Step.DOT:
            sessions.append(moment.session)
            return delay(_SERVER_SECONDS)
        if moment.step is Step.MAIL and moment.nth == 20:
            return reply(421, FULL, close=True)
        return NORMAL

    pace = at_rate(None, clock)
    run(account, clock, script, pace)
    assert pace.connections(clock()) == 2
    # One may take the place of the one that was closed, before its worker has told why.
    assert len(set(sessions)) in (4, 5)
    assert len(set(sessions[-20:])) == 2
    assert account.dead() == []
