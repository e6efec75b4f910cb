"""The dead-letter queue back onto the input queue, losing nothing however it is interrupted."""

import math

from ion.aws.queue import Queue
from ion.deadline import Deadline
from ion.message import Draft, Message
from ion.provenance import redriven, requeue_attributes
from ion.telemetry import Telemetry

MARGIN_SECONDS = 60
_EMPTY_LOOKS = 2
"""SQS may answer an empty poll while messages are there; twice in a row is believed."""
_LOOK_SECONDS = 1


async def redrive(
    dead_letters: Queue,
    input_queue: Queue,
    telemetry: Telemetry,
    began_at: float,
    deadline: Deadline,
) -> tuple[int, bool]:
    """Move what the dead-letter queue held at `began_at` back to the input queue.

    Sends before it deletes: killed in between, a message is in both queues, under one key. What
    dies again meanwhile is younger than `began_at` and stays where it is.

    Args:
        dead_letters: from there.
        input_queue: to here.
        telemetry: told of trouble.
        began_at: when the redrive was asked for, seconds since the epoch on SQS's clock; the
            same for every invocation that works on it.
        deadline: stop by then.

    Returns:
        How many were moved, and whether that was all.

    Raises:
        QueueError: the dead-letter queue can't be read just now.
    """
    moved, looks = 0, 0
    younger: list[Message] = []
    while looks < _EMPTY_LOOKS:
        if deadline.remaining() < MARGIN_SECONDS / 2:
            break
        found = await dead_letters.receive(
            visibility_seconds=math.ceil(deadline.remaining()) + MARGIN_SECONDS,
            wait_seconds=_LOOK_SECONDS,
        )
        looks = 0 if found else looks + 1
        younger += [message for message in found if message.sent_at > began_at]
        older = [message for message in found if message.sent_at <= began_at]
        moved += await _move(older, dead_letters, input_queue, telemetry)
    if younger:
        await dead_letters.postpone([(message, 0) for message in younger])
    return moved, looks >= _EMPTY_LOOKS


async def _move(
    messages: list[Message], dead_letters: Queue, input_queue: Queue, telemetry: Telemetry
) -> int:
    """Send, and delete what has been sent. What hasn't stays, and becomes visible again."""
    sent = await input_queue.send([_alive_again(message) for message in messages])
    moved = [message for message, ok in zip(messages, sent, strict=True) if ok]
    if len(moved) < len(messages):
        telemetry.trouble("redrive: not sent, stays dead", count=len(messages) - len(moved))
    kept = await dead_letters.delete(moved)
    if kept:
        telemetry.trouble("redrive: sent but not deleted", count=len(kept))
    return len(moved)


def _alive_again(message: Message) -> Draft:
    """The message as it was published, its key kept, its attempts forgotten."""
    return Draft(message.body, requeue_attributes(message, redriven(message)))
