"""While mail can't be sent: out of the queues that are about to forget it, with a reason."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from ion.aws.queue import Queue, QueueError
from ion.aws.schedule import Schedule
from ion.aws.table import TableError
from ion.contract import BadInput
from ion.deadline import Deadline
from ion.delivery import Delivery, Status
from ion.drain.queues import Queues
from ion.drain.settle import Settler
from ion.drain.work_item import WorkItem
from ion.history import History, named_history, resolve
from ion.limits import RETENTION_LOOK_SECONDS
from ion.message import Message
from ion.outcome import Kind, Outcome, Reason, Scope, Stage
from ion.policy.retry import forgotten
from ion.report.telemetry import Telemetry

_AGAIN_SECONDS = 3600
"""After a look that died, or didn't get through the queue."""
_WAIT_SECONDS = 1
_EMPTY_LOOKS = 2
"""SQS may answer an empty poll while messages are there; twice in a row is believed."""
_LONGEST_SECONDS = 600
"""For one look; what it has seen is hidden as long as it goes on."""
_MARGIN_SECONDS = 10
"""Of the invocation, for showing it again."""
_HIDDEN_LONGER_SECONDS = 60
_MOST_IN_HAND = 100_000
"""SQS gives out no more than about 120,000 messages of a queue at a time."""
_DAY_SECONDS, _HOUR_SECONDS = 24 * 3600, 3600


class Retention:
    """Dead-letters, as EXPIRED, what SQS would otherwise remove without a word.

    Args:
        schedule: when to look; it outlives this process.
        telemetry: told of each message that is moved, and of trouble.
        now: seconds since the epoch.
    """

    def __init__(
        self, schedule: Schedule, telemetry: Telemetry, now: Callable[[], float] = time.time
    ) -> None:
        self._schedule = schedule
        self._telemetry = telemetry
        self._now = now
        self._looked_at = float("-inf")

    async def run(self, queues: Queues, settler: Settler, deadline: Deadline) -> int:
        """Look through all that waits, if that is due.

        SQS promises no order, so only a look at every message shows that no old one is left.

        Args:
            queues: not being drained by this process meanwhile.
            settler: puts the messages where they belong.
            deadline: of the invocation.

        Returns:
            How many were moved.
        """
        seconds = min(deadline.remaining() - _MARGIN_SECONDS, _LONGEST_SECONDS)
        if seconds <= 0:
            return 0
        sources = (queues.input, queues.later, queues.bulk)
        looks = [_Look(queue, settler, self._telemetry, self._now) for queue in sources]
        until = deadline.earlier_by(deadline.remaining() - seconds)
        try:
            is_due = await self._schedule.take(self._now(), _AGAIN_SECONDS)
            if is_due and await _run_all(looks, until):
                await self._schedule.put_off(self._now(), RETENTION_LOOK_SECONDS)
        except TableError as error:
            self._telemetry.trouble("when a look is due can't be known", code=str(error))
            if self._is_the_hour():
                await _run_all(looks, until)
        return sum(look.moved for look in looks)

    def _is_the_hour(self) -> bool:
        """Without the table: each process once in the first hour of each day (UTC).

        More often, and SQS would bury by itself what was received a thousand times.
        """
        now = self._now()
        if now % _DAY_SECONDS >= _HOUR_SECONDS or now < self._looked_at + _HOUR_SECONDS:
            return False
        self._looked_at = now
        return True


async def _run_all(looks: Sequence["_Look"], deadline: Deadline) -> bool:
    """True if all of them got through their queues."""
    for look in looks:
        if not await look.run(deadline):
            return False
    return True


class _Look:
    """One look through a queue; what is young is hidden until its end, and so seen once."""

    def __init__(
        self, queue: Queue, settler: Settler, telemetry: Telemetry, now: Callable[[], float]
    ) -> None:
        self._queue = queue
        self._settler = settler
        self._telemetry = telemetry
        self._now = now
        self._young: list[Message] = []
        self._unwritten = False
        self.moved = 0

    async def run(self, deadline: Deadline) -> bool:
        """True if it got through the queue, and nothing old is left there."""
        empty = 0
        try:
            while empty < _EMPTY_LOOKS:
                if deadline.remaining() <= 0 or len(self._young) >= _MOST_IN_HAND:
                    return False
                messages = await self._queue.receive(
                    visibility_seconds=int(deadline.remaining()) + _HIDDEN_LONGER_SECONDS,
                    wait_seconds=_WAIT_SECONDS,
                )
                empty = 0 if messages else empty + 1
                for message in messages:
                    await self._see(message)
                await self._settler.flush()
        except QueueError as error:
            name = self._queue.source
            self._telemetry.trouble(f"the {name} queue can't be read", code=str(error))
            return False
        finally:
            await self._queue.postpone([(message, 0) for message in self._young])
        return not self._unwritten

    async def _see(self, message: Message) -> None:
        if not forgotten(self._now() - message.sent_at, 0):
            self._young.append(replace(message, body="", attributes={}))
            return
        outcome = Outcome(Stage.PARSE, Kind.UNAVAILABLE, Scope.SITE, Reason.EXPIRED)
        fate = Delivery(Status.DEAD, outcome)
        history = _history(message)
        if not await self._settler.settle(WorkItem(message, history, fate), [fate]):
            self._unwritten = True
            return
        self._telemetry.attempted(message.id, history, None, fate)
        self.moved += 1


def _history(message: Message) -> History:
    try:
        return resolve(message)[0]
    except BadInput:
        return named_history(message)
