"""A queue of the quick AWS: what can be received, what is hidden or delayed, who waits for more."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Reply = Callable[[Mapping[str, Any]], None]
"""Sends an answer, now or later."""


@dataclass(eq=False, slots=True)
class Held:
    """A message.

    Args:
        number: of it, in the whole account.
        body: None: it is made by `Queue.body` when it is received, so that many take little room.
        attributes: of the message.
        receives: how often it was received.
        sent_at: seconds since the epoch.
    """

    number: int
    body: str | None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    receives: int = 0
    sent_at: float = field(default_factory=time.time)

    @property
    def receipt(self) -> str:
        """The same for each receive, which SQS doesn't promise."""
        return f"receipt-{self.number}"


@dataclass(eq=False, slots=True)
class _Poll:
    """A receive that waits for the first message."""

    most: int
    hide_seconds: float
    reply: Reply
    timer: asyncio.TimerHandle | None = None


class Queue:
    """One queue, first in, first out.

    Args:
        body: makes the body of a message that has none, from its number.
    """

    def __init__(self, body: Callable[[int], str]) -> None:
        self._body = body
        self._visible: deque[Held] = deque()
        self._hidden: dict[str, tuple[Held, asyncio.TimerHandle]] = {}
        self._delayed: set[Held] = set()
        self._polls: deque[_Poll] = deque()

    def fill(self, messages: Iterable[Held]) -> None:
        """Put messages there before anything is asked."""
        self._visible.extend(messages)

    @property
    def left(self) -> int:
        """Messages that were not deleted."""
        return len(self._visible) + len(self._hidden) + len(self._delayed)

    @property
    def attributes(self) -> dict[str, str]:
        """As GetQueueAttributes has them; nothing here is approximate."""
        return {
            "ApproximateNumberOfMessages": str(len(self._visible)),
            "ApproximateNumberOfMessagesNotVisible": str(len(self._hidden)),
            "ApproximateNumberOfMessagesDelayed": str(len(self._delayed)),
        }

    def put(self, one: Held, delay_seconds: float = 0) -> None:
        """A message is sent."""
        if delay_seconds:
            self._delayed.add(one)
            asyncio.get_running_loop().call_later(delay_seconds, self._is_due, one)
        else:
            self._show(one)

    def receive(self, most: int, hide_seconds: float, wait_seconds: float, reply: Reply) -> None:
        """Answer with what is there, or wait for the first message."""
        poll = _Poll(most, hide_seconds, reply)
        if self._visible or not wait_seconds:
            self._give(poll)
            return
        poll.timer = asyncio.get_running_loop().call_later(wait_seconds, self._give, poll)
        self._polls.append(poll)

    def delete(self, receipt: str) -> None:
        """Forget a message that was received."""
        self._unhidden(receipt)

    def hide(self, receipt: str, seconds: float) -> None:
        """Hide a message for so many seconds from now; 0: not at all."""
        one = self._unhidden(receipt)
        if one is not None and seconds:
            self._hide(one, seconds)
        elif one is not None:
            self._show(one)

    def _unhidden(self, receipt: str) -> Held | None:
        """The message, out of what is hidden; None: it is deleted, or back already."""
        one, timer = self._hidden.pop(receipt, (None, None))
        if timer is not None:
            timer.cancel()
        return one

    def _show(self, one: Held) -> None:
        self._visible.append(one)
        if self._polls:
            self._give(self._polls.popleft())

    def _is_due(self, one: Held) -> None:
        self._delayed.discard(one)
        self._show(one)

    def _hide(self, one: Held, seconds: float) -> None:
        timer = asyncio.get_running_loop().call_later(seconds, self.hide, one.receipt, 0)
        self._hidden[one.receipt] = one, timer

    def _give(self, poll: _Poll) -> None:
        if poll.timer is not None:
            poll.timer.cancel()
        if poll in self._polls:
            self._polls.remove(poll)
        given = []
        for _ in range(min(poll.most, len(self._visible))):
            one = self._visible.popleft()
            one.receives += 1
            self._hide(one, poll.hide_seconds)
            given.append(self._as_received(one))
        poll.reply({"Messages": given} if given else {})

    def _as_received(self, one: Held) -> dict[str, Any]:
        return {
            "MessageId": f"00000000-0000-4000-8000-{one.number:012}",
            "ReceiptHandle": one.receipt,
            "Body": self._body(one.number) if one.body is None else one.body,
            "Attributes": {
                "SentTimestamp": str(int(1000 * one.sent_at)),
                "ApproximateReceiveCount": str(one.receives),
            },
            "MessageAttributes": one.attributes,
        }
