"""A budget for the bytes of emails that a run holds, and the line that waits for room."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import NamedTuple

from ion.contract import OutboxClaim, claim_check
from ion.drain.allowance import (
    LARGEST_BYTES,
    MB,
    MOST_EMAIL_BYTES,
    MOST_GROWN_BYTES,
    Allowance,
)
from ion.limits import BATCH
from ion.message import Message

_WORST_TIMES = 65
"""Quarters: what an octet of a message may cost, if there is an emoji in it."""
_WORST_WEIGHT = _WORST_TIMES * LARGEST_BYTES // 4
_WORST_ITEM = 5 * 400 * 1024
"""Of an item of the outbox: DynamoDB takes 400 KB; five times that, if there is no emoji in it."""
MOST_CLAIMED_BYTES = 10 * MB
"""Of a message that lies in S3."""
_SIZE_ATTRIBUTES = ("ExtendedPayloadSize", "SQSLargePayloadSize")
"""Message attributes of AWS's extended clients."""
_is_number = re.compile(r"[0-9]{1,12}").fullmatch
_SPARE = 4
"""This part of the budget may be kept by shared objects that are out of use."""


class Weight(NamedTuple):
    """Cost of a message, in bytes."""

    held: int
    """From its receive on: its body and attributes, and the texts that are in the body."""
    work: int
    """Besides, while it is sent or dead-lettered: its content, a copy of that, and the text part
    that is made from HTML."""


def claimed_size(message: Message) -> int:
    """Octets that what a message points to in S3 may have: as the publisher's client says."""
    for name in _SIZE_ATTRIBUTES:
        announced = message.attributes.get(name)
        if announced and isinstance(announced.value, str) and _is_number(announced.value):
            return min(int(announced.value), MOST_CLAIMED_BYTES)
    return MOST_CLAIMED_BYTES


def weight(message: Message) -> Weight:
    """Cost of a message to come: an upper bound."""
    body = message.body
    claim = claim_check(body)
    if isinstance(claim, OutboxClaim):
        return Weight(_WORST_ITEM // 2, _WORST_ITEM // 2)
    if claim is not None:
        return Weight(sys.getsizeof(body), _WORST_TIMES * claimed_size(message) // 4)
    size = sys.getsizeof(body)
    # An emoji that is escaped makes four bytes of each character of its text, once it is parsed.
    texts = 4 * len(body) if "\\u" in body else size
    content = len(body.encode()) * 11 // 8  # base64 makes 11 octets of 8, line ends included
    attributes = sum(sys.getsizeof(one.value) for one in message.attributes.values())
    made = max(size, texts) + content if "body_html" in body else 0
    return Weight(size + max(size, texts) + attributes, 2 * content + made)


class Memory:
    """The budget of one run.

    Messages are received if there is room for all that they will cost, going by those before. If
    they turn out to be larger, work waits for room, first come, first served. It can't wait for
    ever: one message at a time is always worked on, and one may be received when none is held.
    What work turns out to need besides, an object in S3, it waits for as well (`grow`), before
    other work begins; and the first in that line goes on if all others under way wait, too.

    Args:
        allowance: of the function.
    """

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance
        self._weights: dict[int, Weight] = {}
        """Of messages received and not done with, by `id`: one may come twice in an answer."""
        self._held = self._working = 0
        """Bytes: of all those messages, and of the work under way."""
        self._planned = 0
        """Bytes: of all those messages, with all the work on them."""
        self._receiving = self._redriving = 0
        """Messages that calls under way may bring."""
        self._likely = _WORST_WEIGHT
        """Bytes that the next message costs, going by the largest that came lately."""
        self._kept = 0
        """Bytes: of what work shares."""
        self._works = self._waiting = self._growing = 0
        """Messages worked on; those of them that wait for what they share; and of these, those that
        wait for room for it."""
        self.drop: Callable[[], bool] = lambda: False
        """Gives up one shared object that is out of use; False: there is none."""
        self._line = asyncio.Lock()
        self._growth = asyncio.Lock()
        self._freed = asyncio.Event()

    # -- receiving -----------------------------------------------------------------------

    def room(self, *, first: bool = False, kept: int = 0) -> int:
        """Number of messages that may be received now: none, or enough to be worth a call.

        Beside another receive that is a full batch, or one if it is the first call to a queue: a
        long poll of an empty queue must not keep the others waiting. With nothing held it is one
        at least.

        Args:
            first: the queue hasn't been asked yet.
            kept: for so many messages room is kept, for the first calls to others.
        """
        most = max(1, min(BATCH, self._allowance.unseen - self._redriving))
        unseen = self._allowance.unseen - self._redriving - self._receiving
        free = (self._allowance.budget - self._planned - self._kept) // self._likely
        fit = min(unseen, free - self._redriving - self._receiving) - kept
        if self._receiving:
            return max(0, min(most, fit)) if first or fit >= most else 0
        if not self._weights:
            return max(1, min(most, fit))
        least = max(1, min(most, self._allowance.budget // (4 * self._likely)))
        return min(most, fit) if fit >= least else 0

    def expect(self, messages: int) -> None:
        """A call may bring so many. `came` must follow."""
        self._receiving += messages

    def came(self, messages: Sequence[Message], expected: int) -> None:
        """A call brought these where so many were expected. `done` must follow for each."""
        self._receiving -= expected
        weights = {id(message): weight(message) for message in messages}
        self._weights |= weights
        self._held += sum(one.held for one in weights.values())
        self._planned += sum(map(sum, weights.values()))
        if weights:
            self._likely = max(self._likely // 2, *map(sum, weights.values()))

    def grows(self, message: Message, work: int) -> None:
        """A message that was received will cost so much more work: it has a template."""
        known = self._weights[id(message)]
        grown = self._weights[id(message)] = Weight(known.held, known.work + work)
        self._planned += work
        self._likely = max(self._likely, sum(grown))

    def done(self, message: Message) -> None:
        """The message is about to be forgotten."""
        gone = self._weights.pop(id(message))
        self._held -= gone.held
        self._planned -= sum(gone)
        self._freed.set()

    @contextmanager
    def redrive(self) -> Iterator[int]:
        """Inside, a redrive may receive so many dead letters at a time, beside what is sent."""
        most = max(1, min(BATCH, self._allowance.unseen // 2))
        self._redriving += most
        try:
            yield most
        finally:
            self._redriving -= most

    # -- working -------------------------------------------------------------------------

    @asynccontextmanager
    async def work(self, message: Message) -> AsyncIterator[None]:
        """Inside, there is room for the work on the message, or it is the only one worked on."""
        needed = self._weights[id(message)].work
        async with self._line:
            while (not self._fits(needed, self._allowance.budget) or self._growing) and self._works:
                await self._change()
            self._works += 1
            self._working += needed
        try:
            yield
        finally:
            self._works -= 1
            self._working -= needed
            self._freed.set()

    # -- what work shares ----------------------------------------------------------------

    @property
    def largest(self) -> int:
        """Bytes that the content of one email may have."""
        return min(self._allowance.budget, MOST_EMAIL_BYTES)

    @property
    def largest_claim(self) -> int:
        """Octets that a message in S3 may have."""
        return min(4 * self._allowance.budget // _WORST_TIMES, MOST_CLAIMED_BYTES)

    @property
    def spare(self) -> int:
        """Bytes that shared objects out of use may keep."""
        return self._grown // _SPARE

    async def grow(self, octets: int) -> None:
        """Return when there is room for something more, or all that is worked on waits for such.

        To be called by work; `shrink` must follow.
        """
        self._growing += 1
        try:
            with self.waits():
                async with self._growth:
                    while not self._fits(octets, self._grown) and self._works > self._waiting:
                        await self._change()
                    self._kept += octets
        finally:
            self._growing -= 1
            self._freed.set()

    @asynccontextmanager
    async def more(self, octets: int) -> AsyncIterator[None]:
        """Inside, work that turned out to be larger has room for so much besides."""
        await self.grow(octets)
        try:
            yield
        finally:
            self.shrink(octets)

    def shrink(self, octets: int) -> None:
        """What was given room for is forgotten."""
        self._kept -= octets
        self._freed.set()

    @contextmanager
    def waits(self) -> Iterator[None]:
        """Inside, a message that is worked on waits for something that it shares with others."""
        self._waiting += 1
        self._freed.set()
        try:
            yield
        finally:
            self._waiting -= 1

    @property
    def _grown(self) -> int:
        """Bytes up to which work may grow."""
        return min(self._allowance.budget, MOST_GROWN_BYTES)

    def _fits(self, octets: int, budget: int) -> bool:
        """True if there is room, after giving up shared objects that are out of use."""
        while self._held + self._working + self._kept + octets > budget:
            if not self.drop():
                return False
        return True

    async def _change(self) -> None:
        """Something may fit now that didn't before."""
        self._freed.clear()
        await self._freed.wait()
