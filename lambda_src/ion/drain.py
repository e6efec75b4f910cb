"""Receive until empty or out of time; settle each message into exactly one verb of the queue.

Store the fate, then forget the message: the dead-letter queue or the requeue is written before
the delete, so that whatever dies in between leaves a message too many and never one too few.
"""

import asyncio
import math
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from ion.aws.queue import Queue, QueueError
from ion.contract import BadInput, Redrive, parse
from ion.deadline import Deadline
from ion.deliver import Deliverer
from ion.message import Message
from ion.outcome import Delivery, Kind, Outcome, Reason, Scope, Stage, Status
from ion.provenance import Provenance, provenance_of
from ion.redrive import redrive
from ion.retry import delay_seconds
from ion.scrub import scrub
from ion.settle import Settler
from ion.smtp.pool import Pool
from ion.telemetry import Telemetry

VISIBILITY_MARGIN_SECONDS = 60
"""A received message stays hidden this much longer than the invocation can live."""
SETTLE_SECONDS = 10
"""Kept of every invocation for what follows the last reply: writing down what it was."""
_LOOK_AGAIN_SECONDS = 1
"""While the last messages are being sent, the queue is looked at so often."""
BEGIN_BUDGET_SECONDS = 45
"""No message is begun with less left: 30 s for the reply to its dot, the rest for its envelope."""


@dataclass(slots=True)
class Summary:
    """What a run came to."""

    received: int = 0
    sent: int = 0
    deferred: int = 0
    held: int = 0
    dead_lettered: int = 0
    redriven: int = 0
    seconds: float = 0.0
    stopped: str = ""
    """Why it ended: "empty", "deadline", "queue" (one can't be read), "settings", or a hold's
    reason in lower case ("auth", "connect" …)."""
    error: str = ""
    """For "settings" and holds: what is wrong, for the person who has to mend it."""

    def count(self, status: Status) -> None:
        """One more message, or part of one, with this fate."""
        if status is not Status.DONE:
            setattr(self, status.value, getattr(self, status.value) + 1)


class Drain:
    """One run over the queue.

    Args:
        input_queue: what is to be sent.
        dead_letters: where the undeliverable goes.
        pool: connections to the mail server, entered by the caller.
        workers: emails under way at a time.
        deliverer: sends one.
        telemetry: told of everything.
        linger_seconds: how long to wait for more when the queue seems empty.
        deadline: of the invocation, less what the caller needs to end it.
    """

    def __init__(  # noqa: PLR0913 - the parts of the relay meet here
        self,
        *,
        input_queue: Queue,
        dead_letters: Queue,
        pool: Pool,
        workers: int,
        deliverer: Deliverer,
        telemetry: Telemetry,
        linger_seconds: int,
        deadline: Deadline,
    ) -> None:
        self._input_queue = input_queue
        self._dead_letters = dead_letters
        self._pool = pool
        self._workers = workers
        self._deliverer = deliverer
        self._telemetry = telemetry
        self._linger_seconds = linger_seconds
        self._deadline = deadline
        self._work_deadline = deadline.earlier_by(SETTLE_SECONDS)
        self._summary = Summary()
        self._settler = Settler(input_queue, dead_letters, telemetry)
        self._inbox: asyncio.Queue[Message] = asyncio.Queue(maxsize=workers)
        self._under_way = 0
        """Messages received and not settled yet."""
        self._refilled = False
        """A redrive may have put mail where an empty queue was seen."""

    async def run(self) -> Summary:
        """Drain until the queue is empty, the time is up, or the site is held."""
        session = await self._pool.acquire()
        if isinstance(session, Outcome):  # nothing was received, so no message pays for it
            self._hold(session)
            return self._summary
        await self._pool.release(session)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._settler.run())
                workers = [group.create_task(self._work()) for _ in range(self._workers)]
                await self._receive()
                await self._inbox.join()
                self._settler.stop()
                for worker in workers:
                    worker.cancel()
        finally:  # what was sent must be deleted, whatever else went wrong
            await self._settler.flush()
        return self._summary

    # -- receiving -----------------------------------------------------------------------

    async def _receive(self) -> None:
        while not self._summary.stopped:
            if self._out_of_time():
                self._stop("deadline")
                return
            try:
                messages = await self._input_queue.receive(
                    visibility_seconds=math.ceil(self._deadline.remaining())
                    + VISIBILITY_MARGIN_SECONDS,
                    wait_seconds=self._linger_seconds,
                )
            except QueueError as error:
                self._telemetry.trouble("the input queue can't be read", code=str(error))
                self._stop("queue")
                return
            self._summary.received += len(messages)
            for message in messages:
                self._under_way += 1
                await self._inbox.put(message)
            if messages:
                continue
            if self._under_way:  # what is published meanwhile need not wait for a slow server
                await self._until_done()
            elif self._refilled:
                self._refilled = False
            else:
                self._stop("empty")

    async def _until_done(self) -> None:
        """Wait until all work is done, but not for long."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._inbox.join(), _LOOK_AGAIN_SECONDS)

    # -- working -------------------------------------------------------------------------

    async def _work(self) -> None:
        while True:
            message = await self._inbox.get()
            try:
                await self._handle(message)
            finally:
                self._under_way -= 1
                self._inbox.task_done()

    async def _handle(self, message: Message) -> None:
        origin = _this_attempt(message)
        if self._summary.stopped or self._out_of_time():
            await self._finish(message, origin, [_put_back("not begun")])
            return
        self._telemetry.queue_age(time.time() - message.sent_at)
        origin, deliveries = await self._decide(message, origin)
        for delivery in deliveries:
            if delivery.status is Status.HELD:
                self._hold(delivery.outcome)
        await self._finish(message, origin, deliveries)
        for delivery in deliveries:  # last: what has been sent is settled, whatever becomes of logs
            self._telemetry.attempted(message.id, origin, delivery)

    async def _finish(
        self, message: Message, origin: Provenance, deliveries: list[Delivery]
    ) -> None:
        for delivery in deliveries:
            self._summary.count(delivery.status)
        await self._settler.settle(message, origin, deliveries)

    async def _decide(
        self, message: Message, origin: Provenance
    ) -> tuple[Provenance, list[Delivery]]:
        try:
            action = parse(message.body)
            if isinstance(action, Redrive):
                return origin, [await self._redrive(message)]
            if action.email_id is not None:
                origin = msgspec.structs.replace(origin, email_id=action.email_id)
            return origin, await self._deliverer.deliver(action, origin, self._work_deadline)
        except BadInput as bad:
            outcome = Outcome(Stage.PARSE, Kind.PERMANENT, Scope.MESSAGE, bad.reason)
            return origin, [Delivery(Status.DEAD, outcome, path=bad.path)]
        except Exception as error:  # noqa: BLE001 - the message's border: a fault of ours harms no other
            self._telemetry.fault("fault", error, message.id)
            outcome = Outcome(Stage.PARSE, Kind.TRANSIENT, Scope.MESSAGE, Reason.ERROR)
            delay = delay_seconds(outcome, origin.attempts, jitter=0.5)
            return origin, [Delivery(Status.DEFERRED, outcome, delay_seconds=delay)]

    async def _redrive(self, message: Message) -> Delivery:
        """A redrive that isn't through when the time is up goes on in the next run."""
        try:
            moved, complete = await redrive(
                self._dead_letters,
                self._input_queue,
                self._telemetry,
                message.sent_at,
                self._work_deadline,
            )
        except QueueError as error:
            self._telemetry.trouble("the dead-letter queue can't be read", code=str(error))
            self._stop("queue")
            return _put_back(str(error))
        self._summary.redriven += moved
        self._telemetry.redriven(moved)
        self._refilled = self._refilled or moved > 0
        if not complete:
            return _put_back("goes on in the next run")
        detail = f"{moved} messages moved"
        outcome = Outcome(Stage.PARSE, Kind.ACCEPTED, Scope.MESSAGE, Reason.ACCEPTED, detail=detail)
        return Delivery(Status.DONE, outcome)

    def _hold(self, outcome: Outcome) -> None:
        if outcome.reason is Reason.DEADLINE:  # an end that was to be expected
            self._stop("deadline")
            return
        self._telemetry.held(outcome)
        self._stop(outcome.reason.lower(), scrub(str(outcome)))

    def _stop(self, why: str, error: str = "") -> None:
        """The first reason is the run's."""
        if not self._summary.stopped:
            self._summary.stopped, self._summary.error = why, error

    def _out_of_time(self) -> bool:
        return self._work_deadline.remaining() < BEGIN_BUDGET_SECONDS


def _this_attempt(message: Message) -> Provenance:
    """The message's history with this attempt in it.

    SQS's receive count stands in for a count of attempts, so an outage that lets messages be
    received and put back is counted too. It only lengthens the next delay.
    """
    origin = provenance_of(message)
    return msgspec.structs.replace(
        origin,
        attempts=origin.attempts + message.receives,
        since=origin.since or datetime.fromtimestamp(message.sent_at, UTC),
    )


def _put_back(detail: str) -> Delivery:
    outcome = Outcome(Stage.PARSE, Kind.UNAVAILABLE, Scope.SITE, Reason.DEADLINE, detail=detail)
    return Delivery(Status.HELD, outcome)
