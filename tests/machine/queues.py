"""moto's queues, seen and touched from SQS's side, on a clock of ours."""

from copy import copy
from typing import TYPE_CHECKING, Any

import moto.sqs.models
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.sqs.exceptions import ReceiptHandleIsInvalid
from moto.sqs.models import Message, Queue, SQSBackend, sqs_backends

from emulated import REGION

if TYPE_CHECKING:
    import pytest

    from clock import Clock

RETENTION_SECONDS = 14 * 24 * 3600
"""As Terraform sets it for both queues."""


def on_clock(monkeypatch: "pytest.MonkeyPatch", clock: "Clock") -> None:
    """SQS lives on this clock from now on."""
    monkeypatch.setattr(moto.sqs.models, "unix_time", clock)
    monkeypatch.setattr(moto.sqs.models, "unix_time_millis", lambda: clock() * 1000)
    # moto counts SQS's 12 hours from when a message was sent; SQS does from the receive.
    monkeypatch.setattr(SQSBackend, "change_message_visibility", _change_visibility)


def _change_visibility(
    backend: SQSBackend, queue_name: str, receipt_handle: str, visibility_timeout: int
) -> None:
    for message in backend.get_queue(queue_name)._messages:  # noqa: SLF001 - moto's own code does
        if message.had_receipt_handle(receipt_handle) and not message.visible:
            message.change_visibility(visibility_timeout)
            return
    raise ReceiptHandleIsInvalid


class Backlog:
    """One queue's messages."""

    def __init__(self, name: str) -> None:
        self._queue: Queue = sqs_backends[DEFAULT_ACCOUNT_ID][REGION].queues[name]

    @property
    def _messages(self) -> list[Message]:
        return self._queue._messages  # noqa: SLF001 - moto has no other way to look

    @property
    def ids(self) -> list[str]:
        return [message.id for message in self._messages]

    @property
    def visible(self) -> bool:
        """True if there is a message that can be received now."""
        return any(message.visible and not message.delayed for message in self._messages)

    @property
    def in_flight(self) -> int:
        """How many have been received, and are hidden since."""
        return sum(not message.visible for message in self._messages)

    @property
    def messages(self) -> list[Message]:
        """All of them, hidden or not."""
        return [*self._messages]

    def begin(self) -> None:
        """Nothing is in it, and nothing is ever forgotten in the time that a story takes."""
        self._queue.message_retention_period = RETENTION_SECONDS  # type: ignore[attr-defined]
        self._messages.clear()
        self._queue.pending_messages.clear()

    def find(self, id_: str) -> Message:
        """A message that is in the queue."""
        return next(message for message in self._messages if message.id == id_)

    def take(self, id_: str) -> None:
        """Out of the queue, as SQS's own redrive does it."""
        self._messages.remove(self.find(id_))

    def put(self, message: Message) -> None:
        """Deliver once more what was deleted: SQS promises at least once."""
        again = copy(message)
        again.visible_at = 0
        self._messages.append(again)

    def show(self) -> list[str]:
        """Deliver to another what somebody has in hand; returns the bodies of those."""
        hidden = [message for message in self._messages if not message.visible]
        for message in hidden:
            message.visible_at = 0
        return [message.body for message in hidden]

    @property
    def all_visible_at(self) -> float:
        """When the last message can be received, seconds since the epoch."""
        times: list[Any] = [max(one.visible_at, one.delayed_until) for one in self._messages]
        return max(times, default=0.0) / 1000
