"""How many bytes of emails a run holds at a time: bounded by the function's own memory size.

A function that Lambda kills for its memory leaves all that was under way in doubt. So emails share
a budget: as many are received as fit into it, whatever their size, and one that is larger than the
budget goes alone.
"""

import asyncio
import ctypes
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import NamedTuple

from ion.message import Message

MB = 1024 * 1024
_SIZE_VARIABLE = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"
"""Set by Lambda, in MB."""
DEFAULT_MB = 512
"""Elsewhere; as the Terraform module's."""

_SHARE = 0.55
"""Of the function's memory, for all that is planned for; 0.6 is promised. What is left is for what
can't be planned: how large the messages are that a receive brings."""
_PROCESS_BYTES = 80 * MB
"""Held without any email: Python and boto3 take 57 MB, the parser of HTML 10; the rest is for what
making one email's content takes meanwhile."""
_CONNECTION_BYTES = 400 * 1024
"""To a mail server, with TLS."""
_LEAST_BYTES = 8 * MB
"""The budget of a function of 128 MB, so that small emails flow in it as in any other."""

_BATCH = 10
"""Messages a receive (SQS)."""
_LARGEST_BYTES = 1 * MB
"""A message, as SQS allows it."""
_WORST_RECEIVE_BYTES = 9 * _LARGEST_BYTES
"""While a message is received: its octets in pieces and joined, then the text of the answer and the
text of the message, each of four bytes a character if there is an emoji in it."""
_WORST_WEIGHT = 43 * _LARGEST_BYTES // 4
"""`weight` of such a message, all in all."""

_M_MMAP_THRESHOLD = -3
_RETURNED_BYTES = 128 * 1024
"""What glibc begins with, before it learns to keep what was freed."""


class Weight(NamedTuple):
    """What a message costs, in bytes."""

    held: int
    """From its receive on: its body and attributes, and the texts that are in the body."""
    work: int
    """While it is sent, dead-lettered or put back, besides: its content, and a copy of that."""


def weight(message: Message) -> Weight:
    """What a message is going to cost. Estimated from above, but for a text made from HTML."""
    body = message.body
    characters, size = len(body), sys.getsizeof(body)
    texts = size
    if "\\u" in body:  # characters that were escaped take more once they are parsed
        texts = characters * (4 if "\\ud" in body or "\\uD" in body else 2)
    content = len(body.encode()) * 11 // 8  # base64 makes 11 octets of 8, line ends included
    attributes = sum(sys.getsizeof(one.value) for one in message.attributes.values())
    return Weight(size + max(size, texts) + attributes, 2 * content)


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a function's memory allows.

    Args:
        budget: bytes that emails may take.
        unseen: messages that may be being received at a time: even if all of them are as large
            as messages get, the function isn't killed for it.
    """

    budget: int
    unseen: int

    @classmethod
    def of(cls, function_bytes: int, connections: int) -> "Allowance":
        """That of a function of so many bytes, with so many connections to a mail server."""
        planned = int(_SHARE * function_bytes)
        process = _PROCESS_BYTES + connections * _CONNECTION_BYTES
        unseen = (function_bytes - planned) // _WORST_RECEIVE_BYTES
        return cls(max(planned - process, _LEAST_BYTES), max(unseen, 2))


class Memory:
    """The budget of one run: who may receive, and who may work, without anybody's waiting for ever.

    Messages are received only if there is room for all that they will cost. If they turn out to
    be larger than those before, there is less room for work: it waits its turn, first come, first
    served, and goes on as long as there is any.

    Args:
        allowance: of the function.
    """

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance
        self._weights: dict[int, Weight] = {}
        """Of messages received and not done with, by `id`: one may come twice in an answer."""
        self._held = self._planned = self._working = 0
        """Bytes: held now; with what the work will take; that the work under way takes."""
        self._receiving = self._redriving = 0
        """Messages that calls under way may bring."""
        self._likely = _WORST_WEIGHT
        """What a message costs, going by the largest of those that came lately."""
        self._line = asyncio.Lock()
        self._freed = asyncio.Event()

    # -- receiving -----------------------------------------------------------------------

    def room(self) -> int:
        """How many messages may be received now: none, or enough to be worth a call.

        Beside another receive that is a full batch; and one at least if nothing is held.
        """
        most = max(1, min(_BATCH, self._allowance.unseen - self._redriving))
        unseen = self._allowance.unseen - self._redriving - self._receiving
        free = (self._allowance.budget - self._planned) // self._likely
        fit = min(unseen, free - self._redriving - self._receiving)
        if self._receiving:
            return most if fit >= most else 0
        if not self._weights:
            return max(1, min(most, fit))
        least = max(1, min(most, self._allowance.budget // (4 * self._likely)))
        return min(most, fit) if fit >= least else 0

    def expect(self, messages: int) -> None:
        """So many may come. `came` must follow."""
        self._receiving += messages

    def came(self, messages: Sequence[Message], expected: int) -> None:
        """These came where so many were expected. `done` must follow for each."""
        self._receiving -= expected
        weights = {id(message): weight(message) for message in messages}
        self._weights |= weights
        self._held += sum(one.held for one in weights.values())
        self._planned += sum(map(sum, weights.values()))
        if weights:
            self._likely = max(self._likely // 2, *map(sum, weights.values()))

    def done(self, message: Message) -> None:
        """Nothing refers to the message any more."""
        gone = self._weights.pop(id(message))
        self._held -= gone.held
        self._planned -= sum(gone)
        self._freed.set()

    @contextmanager
    def redrive(self) -> Iterator[int]:
        """Inside, a redrive may receive so many messages at a time, beside those to be sent."""
        most = max(1, min(_BATCH, self._allowance.unseen // 2))
        self._redriving += most
        try:
            yield most
        finally:
            self._redriving -= most

    # -- working -------------------------------------------------------------------------

    @asynccontextmanager
    async def work(self, message: Message) -> AsyncIterator[None]:
        """Inside, there is memory for the message to be worked on, or nobody else works."""
        needed = self._weights[id(message)].work
        async with self._line:
            while self._working and self._held + self._working + needed > self._allowance.budget:
                self._freed.clear()
                await self._freed.wait()
            self._working += needed
        try:
            yield
        finally:
            self._working -= needed
            self._freed.set()


def function_bytes(environment: Mapping[str, str]) -> int:
    """The memory that the function has."""
    text = environment.get(_SIZE_VARIABLE, "")
    return MB * (int(text) if text.isascii() and text.isdigit() else DEFAULT_MB)


def return_what_is_freed() -> None:
    """Have the allocator give large blocks back to the system as soon as they are freed.

    glibc keeps them, the more and the larger, the larger those are that it has seen, and for each
    thread of its own: a hundred megabytes after some receives. Elsewhere than on glibc it is left.
    """
    try:
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _RETURNED_BYTES)
    except (AttributeError, OSError):
        return
