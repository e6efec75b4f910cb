"""The queues of a run: where mail comes from, where it waits, and where it ends."""

import math
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from ion.aws.queue import Queue
from ion.contract import Lane
from ion.history import History, carried_history
from ion.limits import LONGEST_VISIBILITY_SECONDS
from ion.message import Message, Source
from ion.policy.retry import forgotten
from ion.report.telemetry import Telemetry

PAUSED_SECONDS = 900
"""Mail that waits is looked at so often while its lane is paused."""
_MANY_RECEIVES = 500
"""Each look is a receive, and SQS buries what was received a thousand times. So after five days of
a pause mail is looked at twice a day."""


@dataclass(frozen=True, slots=True)
class Queues:
    """All of them.

    Args:
        input: normal mail that may go now.
        bulk: bulk mail that may go now.
        later: what waits.
        dead_letters: what was given up.
        telemetry: told of what couldn't be done.
        now: seconds since the epoch.
    """

    input: Queue
    bulk: Queue
    later: Queue
    dead_letters: Queue
    telemetry: Telemetry
    now: Callable[[], float] = time.time

    def of(self, source: Source) -> Queue:
        """The queue of that name."""
        match source:
            case Source.INPUT:
                return self.input
            case Source.BULK:
                return self.bulk
            case Source.LATER:
                return self.later
            case Source.DEAD_LETTERS:
                return self.dead_letters

    async def due(
        self, messages: Sequence[Message], paused: Collection[Lane] = ()
    ) -> list[Message]:
        """Those of the received messages that are due; the others are hidden until they are.

        The longest that SQS hides a message is 12 hours: then it is looked at again. One of a lane
        that is paused is hidden for a while: this queue has mail of both lanes. One that SQS is
        about to forget is given to the run once it is due, to be given up: nothing else sees what
        is hidden.
        """
        due, waits = [], []
        for message in messages:
            history = carried_history(message)
            seconds, age = _seconds_left(history, self.now()), self.now() - message.sent_at
            is_paused = (Lane.BULK if history.lane == Lane.BULK else Lane.NORMAL) in paused
            if is_paused and not forgotten(age, 0):
                many = message.receives > _MANY_RECEIVES
                seconds = max(seconds, LONGEST_VISIBILITY_SECONDS if many else PAUSED_SECONDS)
            if seconds > 0:
                waits.append((message, min(seconds, LONGEST_VISIBILITY_SECONDS)))
            else:
                due.append(message)
        if hidden := await self.later.postpone(waits):
            self.telemetry.trouble("not hidden until due", count=len(hidden))
        return due


def _seconds_left(history: History, now: float) -> int:
    due = history.due
    return 0 if due is None else math.ceil(due.timestamp() - now)
