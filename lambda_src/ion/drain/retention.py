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
from ion.limits import RETENTION_RETRY_SECONDS
from ion.message import Message
from ion.outcome import Kind, Outcome, Reason, Scope, Stage
from ion.policy.rescue import Seen, next_look
from ion.policy.retry import forgotten
from ion.report.telemetry import Telemetry

_WAIT_SECONDS = 1
_EMPTY_LOOKS = 2
"""SQS may answer an empty poll while messages are there; two in a row are believed, as far as the
queue's own count bears them out. One that gives only what came since the look began is as good."""
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
            turn = await self._schedule.take(self._now(), RETENTION_RETRY_SECONDS)
            if turn is not None:
                seen = await _run_all(looks, until)
                now = self._now()
                await self._schedule.put_off(now, *next_look(now, seen, turn.known))
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


async def _run_all(looks: Sequence["_Look"], deadline: Deadline) -> Seen:
    """What all of them saw. Each has its share of the time: one queue may be too long for it."""
    seen = []
    for left in range(len(looks), 0, -1):
        others = deadline.remaining() * (left - 1) / left
        seen.append(await looks[-left].run(deadline.earlier_by(others)))
    return Seen(
        through=all(one.through for one in seen),
        all=all(one.all for one in seen),
        oldest=min(one.oldest for one in seen),
        moved=sum(one.moved for one in seen),
    )


class _Look:
    """One look through a queue; what is young is hidden until its end, and so seen once."""

    def __init__(
        self, queue: Queue, settler: Settler, telemetry: Telemetry, now: Callable[[], float]
    ) -> None:
        self._queue = queue
        self._settler = settler
        self._telemetry = telemetry
        self._now = now
        self._began = now()
        self._young: list[Message] = []
        self._unwritten = False
        self.moved = 0

    async def run(self, deadline: Deadline) -> Seen:
        """What it saw of the queue."""
        self._began, empty, received = self._now(), 0, 0
        try:
            visible, hidden = await self._queue.depth()
            while empty < _EMPTY_LOOKS:
                if deadline.remaining() <= 0 or len(self._young) >= _MOST_IN_HAND:
                    return self._seen(through=False)
                messages = await self._queue.receive(
                    visibility_seconds=int(deadline.remaining()) + _HIDDEN_LONGER_SECONDS,
                    wait_seconds=_WAIT_SECONDS,
                )
                received += len(messages)
                is_news = all(message.sent_at >= self._began for message in messages)
                gave_all = not messages or (is_news and received >= visible)
                empty = empty + 1 if gave_all else 0
                for message in messages:
                    await self._see(message)
                await self._settler.flush()
        except QueueError as error:
            name = self._queue.source
            self._telemetry.trouble(f"the {name} queue can't be read", code=str(error))
            return self._seen(through=False)
        finally:
            await self._queue.postpone([(message, 0) for message in self._young])
        return self._seen(through=not self._unwritten, is_all=not hidden and received >= visible)

    def _seen(self, *, through: bool, is_all: bool = False) -> Seen:
        oldest = min((message.sent_at for message in self._young), default=self._began)
        return Seen(through, is_all, min(oldest, self._began), self.moved)

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
