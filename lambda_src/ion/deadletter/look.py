"""A look at the dead letters that hides none of them for longer than it lasts."""

import asyncio
import time
from collections.abc import Coroutine, Iterable
from dataclasses import replace
from typing import Any, Self, TypeVar

from ion.aws.queue import Queue
from ion.limits import BATCH
from ion.message import Message

_EMPTY_LOOKS = 2
"""SQS may answer an empty poll while messages are there; twice in a row is believed."""
_WAIT_SECONDS = 1

Done = TypeVar("Done")


class Look:
    """Receives each dead letter once, and puts it back when the `async with` block is left.

    To receive a letter hides it from everybody else, and the next one can only be received while
    it is hidden: so all are put back together, at the end. That happens on an error, too, and when
    the task is cancelled, as Ctrl-C does.

    Args:
        dead_letters: the queue.
        hides_seconds: for which a letter stays hidden if the process is killed. If the look takes
            longer, letters come back during it, and are known by their ids.
    """

    def __init__(self, dead_letters: Queue, hides_seconds: int) -> None:
        self._dead_letters = dead_letters
        self._hides_seconds = hides_seconds
        self._held: dict[str, tuple[Message, float]] = {}
        """By id: as received last, and until when it is hidden."""
        self._empty_looks = 0
        self.seen: dict[str, float] = {}
        """When each letter was put into the queue, by its id; seconds since the epoch."""

    async def __aenter__(self) -> Self:
        """Nothing is received yet."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Let everybody have the letters."""
        await unbroken(self._put_back())

    @property
    def is_through(self) -> bool:
        """True once all has been received that isn't hidden by others."""
        return self._empty_looks >= _EMPTY_LOOKS

    async def more(self, most: int = BATCH, wait_seconds: int = _WAIT_SECONDS) -> list[Message]:
        """Letters that this look hasn't received yet.

        Args:
            most: 1-10.
            wait_seconds: for the first; 0: SQS asks some of its servers only.

        Raises:
            QueueError: nothing was received.
        """
        return await unbroken(self._more(most, wait_seconds))

    def moved(self, letters: Iterable[Message]) -> None:
        """These are in the queue no longer."""
        for letter in letters:
            self._held.pop(letter.id, None)

    async def _more(self, most: int, wait_seconds: int) -> list[Message]:
        until = time.monotonic() + self._hides_seconds
        received = await self._dead_letters.receive(
            most=most, visibility_seconds=self._hides_seconds, wait_seconds=wait_seconds
        )
        for letter in received:  # there may be many, so only what it takes to put them back
            self._held[letter.id] = replace(letter, body="", attributes={}), until
        found = [letter for letter in received if letter.id not in self.seen]
        self._empty_looks = 0 if found else self._empty_looks + 1
        self.seen |= {letter.id: letter.sent_at for letter in found}
        return found

    async def _put_back(self) -> None:
        """Those that are hidden still: one that came back by itself may be in others' hands."""
        now = time.monotonic()
        hidden = [(letter, 0) for letter, until in self._held.values() if until > now]
        await self._dead_letters.postpone(hidden)


async def unbroken(work: Coroutine[Any, Any, Done]) -> Done:
    """Do a piece of work to its end, even if the task is cancelled meanwhile; then it is."""
    doing = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(doing)
    except asyncio.CancelledError:
        await asyncio.wait([doing])
        raise
