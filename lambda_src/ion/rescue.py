"""While the mail server can't be used: out of a queue that is about to forget, with a reason."""

import time

from ion.admit import Admitted
from ion.aws.queue import Queue, QueueError
from ion.contract import BadInput, parse
from ion.deadline import Deadline
from ion.message import Message
from ion.outcome import Delivery, Kind, Outcome, Reason, Scope, Stage, Status
from ion.provenance import Provenance, named, provenance_of
from ion.retry import forgotten
from ion.settle import Settler

EVERY_SECONDS = 3600
"""A look counts as a receive of what it finds, so not at each wake-up."""
_LOOK_SECONDS = 1
_HIDDEN_SECONDS = 60


async def rescue(input_queue: Queue, settler: Settler, deadline: Deadline) -> int:
    """Dead-letter, as EXPIRED, what SQS would otherwise remove without a word in a few hours.

    It looks at ten messages, and goes on as long as it finds old ones among them: a queue gives
    out its oldest messages first, more or less.

    Args:
        input_queue: nobody drains it just now.
        settler: puts the messages where they belong.
        deadline: stop by then.

    Returns:
        How many were rescued.
    """
    rescued = 0
    while deadline.remaining() > _HIDDEN_SECONDS:
        try:
            messages = await input_queue.receive(
                visibility_seconds=_HIDDEN_SECONDS, wait_seconds=_LOOK_SECONDS
            )
        except QueueError:  # the next hour will do
            break
        fates = [_fate(message) for message in messages]
        for message, fate in zip(messages, fates, strict=True):
            await settler.settle(Admitted(message, _origin(message), fate), [fate])
        await settler.flush()
        old = sum(fate.status is Status.DEAD for fate in fates)
        rescued += old
        if not old:
            break
    return rescued


def _fate(message: Message) -> Delivery:
    old = forgotten(time.time() - message.sent_at, 0)
    outcome = Outcome(Stage.PARSE, Kind.UNAVAILABLE, Scope.SITE, Reason.EXPIRED)
    return Delivery(Status.DEAD if old else Status.HELD, outcome)


def _origin(message: Message) -> Provenance:
    origin = provenance_of(message)
    try:
        return named(origin, parse(message.body))
    except BadInput:
        return origin
