"""A gate that lets emails through one by one, at the rate in force."""

import asyncio
from contextlib import suppress
from typing import Self

from ion.limits import BATCH
from ion.outcome import Outcome
from ion.policy.rate import Bucket, Pace
from ion.smtp.pool import Pool

_AHEAD_SECONDS = 0.5
"""Emails for this time are received ahead, so that no turn is missed while the queue is asked for
more. The others stay visible, for other runs to take."""


class Room:
    """Room in line for the messages that one receive may bring; it is free again at the end."""

    def __init__(self, gate: "SendGate", most: int) -> None:
        self.most = most
        self._gate = gate
        self._came = 0
        gate.expected += most

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._gate.expected -= self.most - self._came
        self._gate.moved.set()

    def shrink(self, most: int) -> None:
        """Fewer are asked for."""
        self._gate.expected -= self.most - most
        self.most = most

    def came(self, messages: int) -> None:
        """So many came, each to be lined up later."""
        self._came = messages


class SendGate:
    """Stands between the queue and the workers of a run.

    Args:
        pace: says how fast; is told what the server says.
        pool: is made smaller, and larger again.
    """

    def __init__(self, pace: Pace, pool: Pool) -> None:
        self._pace = pace
        self._pool = pool
        self._connections = pool.size
        self._bucket = Bucket()
        self._now = asyncio.get_running_loop().time
        self._first_in_line = asyncio.Lock()
        self._waiting = 0
        """Recipients of emails that stand in line."""
        self.expected = 0
        """Messages that are being received, or are received and don't stand in line yet."""
        self.moved = asyncio.Event()
        self._open = asyncio.Event()
        self._resizing = asyncio.Lock()

    async def room(self) -> Room:
        """Room for messages to be received, once the line is short."""
        most = BATCH
        while (rate := self._pace.rate(self._now())) is not None:
            if self._waiting + self.expected <= _AHEAD_SECONDS * rate or self._open.is_set():
                most = min(BATCH, max(1, int(rate)))
                break
            self.moved.clear()
            await self.moved.wait()
        return Room(self, most)

    def line_up(self, recipients: int) -> None:
        """An email will want to pass; of none, it is no email, or nothing to send."""
        self.expected -= 1
        self._waiting += recipients
        self.moved.set()

    async def further_turns(self, recipients: int, longest_seconds: float) -> None:
        """An email turns out to have so many recipients more than were lined up."""
        if recipients > 0:
            self._waiting += recipients
            await self.turn(recipients, longest_seconds)

    async def turn(self, recipients: int, longest_seconds: float) -> None:
        """Return when an email may be sent, or needn't wait any more.

        Args:
            recipients: of the email that was lined up; none: it isn't one, and needn't wait.
            longest_seconds: after which it is too late to send anything.
        """
        try:
            if recipients:
                async with self._first_in_line:
                    await self._wait(self._now() + longest_seconds)
                    self._bucket.spend(recipients, self._pace.rate(self._now()), self._now())
        finally:
            self._waiting -= recipients
            self.moved.set()

    async def _wait(self, until: float) -> None:
        while not self._open.is_set() and (now := self._now()) < until:
            wait = self._bucket.wait_seconds(self._pace.rate(now), now)
            if not wait:
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(self._open.wait(), min(wait, until - now))

    def open(self) -> None:
        """Let all pass: nothing will be sent any more."""
        self._open.set()
        self.moved.set()

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
