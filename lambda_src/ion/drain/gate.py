"""A gate that lets emails through one by one, at the rate in force."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Self

from ion.drain.line import Line, Rank
from ion.drain.work_item import WorkItem
from ion.limits import BATCH
from ion.outcome import Outcome
from ion.policy.rate import Bucket, Pace
from ion.smtp.pool import Pool

_AHEAD_SECONDS = 0.5
"""Emails for this time are received ahead, so that no turn is missed while the queue is asked for
more. The others stay visible, for other runs to take."""


class Room:
    """Room in line for the messages that one receive may bring; it is free again at the end."""

    def __init__(self, gate: "SendGate", most: int, rank: Rank) -> None:
        self.most = most
        self._gate = gate
        self._rank = rank
        self._came = 0
        gate.expected[rank] += most

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._gate.expected[self._rank] -= self.most - self._came
        self._gate.when_moved()

    def came(self, messages: int) -> None:
        """So many came, each to be lined up later."""
        self._came = messages


class SendGate:
    """Stands between the queues and the workers of a run.

    A worker waits for a token first and takes a message then, so that the next token is always the
    best message's, in the place of one that had stood in line for longer.

    Args:
        pace: says how fast; is told what the server says.
        pool: is made smaller, and larger again.
        seconds_to_begin: seconds in which a message may still be begun.
    """

    def __init__(self, pace: Pace, pool: Pool, seconds_to_begin: Callable[[], float]) -> None:
        self._pace = pace
        self._pool = pool
        self._seconds_to_begin = seconds_to_begin
        self._connections = pool.size
        self._bucket = Bucket()
        self._loop = asyncio.get_running_loop()
        self._now = self._loop.time
        self._turns: deque[tuple[asyncio.Future[WorkItem | None], int]] = deque()
        """Workers in the order in which they came, each with the recipients that it waits for; 0:
        for the next message."""
        self._next_token: asyncio.TimerHandle | None = None
        self._line = Line()
        self._passing = 0
        """Recipients that turned out to be more than were lined up, and wait for their turn."""
        self.expected = dict.fromkeys(Rank, 0)
        """Messages that are being received, or are received and don't stand in line yet."""
        self.when_moved: Callable[[], None] = lambda: None
        """Called when there may be room in line."""
        self._open = False
        self._resizing = asyncio.Lock()

    # -- lining up -----------------------------------------------------------------------

    def most(self, rank: Rank) -> int:
        """Number of messages of a rank that may be received now; none while the line is long.

        Normal mail finds room however much bulk is in line: it goes before that.
        """
        rate = self._pace.rate(self._now())
        if rate is None:
            return BATCH
        in_line = self._line.recipients(rank) + self.expected[rank] + self._passing
        is_short = in_line <= _AHEAD_SECONDS * rate
        return min(BATCH, max(1, int(rate))) if is_short else 0

    def expect(self, most: int, rank: Rank) -> Room:
        """Room for so many messages that are about to be received."""
        return Room(self, most, rank)

    def line_up(self, one: WorkItem, recipients: int, rank: Rank) -> None:
        """A message will want to pass; of no recipients, it needn't wait.

        Args:
            one: the message.
            recipients: whom it is to be sent to now.
            rank: under which it was expected.
        """
        self.expected[rank] -= 1
        self._line.add(one, recipients)
        self._serve()
        self.when_moved()

    # -- passing -------------------------------------------------------------------------

    async def take(self) -> WorkItem:
        """The next message to work on, once there is a token for it, or none is needed any more."""
        one = await self._turn(0)
        assert one is not None
        return one

    async def further_turns(self, recipients: int) -> None:
        """An email turns out to have so many recipients more than were lined up."""
        if recipients <= 0:
            return
        self._passing += recipients
        try:
            await self._turn(recipients)
        finally:
            self._passing -= recipients
            self.when_moved()

    async def _turn(self, recipients: int) -> WorkItem | None:
        turn: asyncio.Future[WorkItem | None] = self._loop.create_future()
        self._turns.append((turn, recipients))
        self._serve()
        return await turn

    def _serve(self) -> None:
        """Serve all workers that can be served now, so that they go on together.

        What they send together is settled together: fewer calls, and fuller ones.
        """
        if self._next_token is not None:
            self._next_token.cancel()
            self._next_token = None
        moved = False
        while self._turns:
            turn, recipients = self._turns[0]
            if not turn.done():  # else its worker was cancelled
                wait = self._wait_seconds()
                if recipients and not wait:
                    self._spend(recipients)
                    turn.set_result(None)
                elif not recipients and (one := self._next(wait)) is not None:
                    turn.set_result(one)
                    moved = True
                else:
                    if wait:
                        self._next_token = self._loop.call_later(wait, self._serve)
                    break
            self._turns.popleft()
        if moved:
            self.when_moved()

    def _next(self, wait_seconds: float) -> WorkItem | None:
        if (free := self._line.take_free()) is not None:
            return free
        if wait_seconds or (taken := self._line.take()) is None:
            return None
        one, recipients = taken
        self._spend(recipients)
        return one

    def _wait_seconds(self) -> float:
        """Seconds until there is a token; 0: there is one, or nothing will be sent any more."""
        left = self._seconds_to_begin()
        if self._open or left <= 0:
            return 0.0
        now = self._now()
        return min(left, self._bucket.wait_seconds(self._pace.rate(now), now))

    def _spend(self, recipients: int) -> None:
        now = self._now()
        self._bucket.spend(recipients, self._pace.rate(now), now)

    def open(self) -> None:
        """Let all pass: nothing will be sent any more."""
        self._open = True
        self._serve()

    # -- learning ------------------------------------------------------------------------

    def learn(self, outcome: Outcome, recipients: int, began: float) -> None:
        """Learn from what the server said about so many recipients of an email begun then."""
        self._pace.observe(outcome, recipients, began, self._now())

    async def resize_pool(self) -> None:
        """Keep the pool to what has been learned."""
        async with self._resizing:
            if self._pool.size != self._connections:  # it was refused a further one
                self._pace.cap_connections(self._pool.size, self._now())
            self._connections = self._pace.connections(self._now())
            if self._pool.size != self._connections:
                await self._pool.limit(self._connections)
