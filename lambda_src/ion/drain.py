"""Receive until empty or out of time; settle each message into exactly one verb of the queue.

Store the fate, then forget the message: the dead-letter queue or the requeue is written before
the delete, so that whatever dies in between leaves a message too many and never one too few.
"""

import asyncio
import math
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace

from ion.admit import Admission, Admitted, Job, Suspect, Wish, fault
from ion.aws.ledger import Ledger
from ion.aws.queue import Queue, QueueError
from ion.contract import Redrive
from ion.deadline import Deadline
from ion.deliver import Deliverer
from ion.message import Message
from ion.outcome import Delivery, Kind, Outcome, Reason, Scope, Stage, Status
from ion.pace import Limits, Pace
from ion.redrive import Redriving, resumption
from ion.retry import forgotten
from ion.scrub import scrub
from ion.settle import Settler
from ion.smtp.pool import Pool
from ion.telemetry import Telemetry
from ion.turnstile import Turnstile

VISIBILITY_MARGIN_SECONDS = 60
"""A received message stays hidden this much longer than the invocation can live."""
SETTLE_SECONDS = 10
"""Kept of every invocation for what follows the last reply: writing down what it was."""
_LEDGER_FAILURES = 3
"""Claims in a row without an answer, after which the run ends."""
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
        ledger: where fates are remembered.
        admission: says what may be done about a message.
        pool: connections to the mail server, entered by the caller.
        workers: emails under way at a time.
        deliverer: sends one.
        telemetry: told of everything.
        linger_seconds: how long to wait for more when the queue seems empty.
        deadline: of the invocation, less what the caller needs to end it.
        pace: how fast to send, on the event loop's clock; without one, as fast as the server lets
            us.
    """

    def __init__(  # noqa: PLR0913 - the parts of the relay meet here
        self,
        *,
        input_queue: Queue,
        dead_letters: Queue,
        ledger: Ledger,
        admission: Admission,
        pool: Pool,
        workers: int,
        deliverer: Deliverer,
        telemetry: Telemetry,
        linger_seconds: int,
        deadline: Deadline,
        pace: Pace | None = None,
    ) -> None:
        self._input_queue = input_queue
        self._pool = pool
        self._workers = workers
        self._deliverer = deliverer
        self._telemetry = telemetry
        self._linger_seconds = linger_seconds
        self._deadline = deadline
        self._work_deadline = deadline.earlier_by(SETTLE_SECONDS)
        self._summary = Summary()
        self._settler = Settler(input_queue, dead_letters, ledger, telemetry)
        self._admission = admission
        self._redriving = Redriving(dead_letters, input_queue, telemetry, self._work_deadline)
        self._now = asyncio.get_running_loop().time
        pace = pace or Pace(Limits(None, pool.size), self._now())
        self._turnstile = Turnstile(pace, pool)
        self._inbox: asyncio.Queue[Admitted] = asyncio.Queue(maxsize=workers)
        self._under_way = 0
        """Messages received and not settled yet."""
        self.held_by: Outcome | None = None
        """What ended the run, if the site did."""
        self._told: set[Outcome] = set()
        """Holds that the log has, so that it doesn't have them once a message."""
        self._refilled = False
        """A redrive may have put mail where an empty queue was seen."""

    async def run(self) -> Summary:
        """Drain until the queue is empty, the time is up, or the site is held."""
        session = await self._pool.acquire()
        if isinstance(session, Outcome):  # nothing was received, so no message pays for it
            self._turnstile.learn(session, 0, self._now())
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
            most = await self._turnstile.room()
            if not self._may_begin():
                continue
            try:
                messages = await self._input_queue.receive(
                    visibility_seconds=math.ceil(self._deadline.remaining())
                    + VISIBILITY_MARGIN_SECONDS,
                    wait_seconds=self._linger_seconds,
                    most=most,
                )
            except QueueError as error:
                self._telemetry.trouble("the input queue can't be read", code=str(error))
                self._stop("queue")
                return
            self._summary.received += len(messages)
            self._under_way += len(messages)
            await self._take(await self._admission.admit(messages))
            if self._admission.failures >= _LEDGER_FAILURES:
                self._hold(Outcome(Stage.CLAIM, Kind.UNAVAILABLE, Scope.SITE, Reason.LEDGER))
            if messages:
                continue
            if self._under_way:  # what is published meanwhile need not wait for a slow server
                await self._until_done()
            elif self._refilled:
                self._refilled = False
            else:
                self._stop("empty")

    async def _take(self, admitted: Sequence[Admitted]) -> None:
        """Hand over to the workers; suspects one by one, with nothing else under way.

        A process died with them, over one of them perhaps. Whichever it is, it must not take the
        others along a second time.
        """
        suspects = [one for one in admitted if isinstance(one.task, Suspect)]
        for one in admitted:
            if one not in suspects:
                await self._line_up(one)
        for suspect in suspects:
            await self._inbox.join()
            await self._settler.flush()
            if self._may_begin():
                await self._line_up(await self._admission.admit_alone(suspect))
            else:
                await self._line_up(replace(suspect, task=_put_back("not begun")))

    async def _line_up(self, one: Admitted) -> None:
        self._turnstile.line_up(_recipients(one))
        await self._inbox.put(one)

    async def _until_done(self) -> None:
        """Wait until all work is done, but not for long."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._inbox.join(), _LOOK_AGAIN_SECONDS)

    # -- working -------------------------------------------------------------------------

    async def _work(self) -> None:
        while True:
            one = await self._inbox.get()
            try:
                await self._turnstile.turn(_recipients(one), self._seconds_to_begin())
                await self._handle(one)
            finally:
                self._under_way -= 1
                self._inbox.task_done()

    async def _handle(self, one: Admitted) -> None:
        began = self._now()
        begun = isinstance(one.task, Delivery) or self._may_begin()
        if begun and isinstance(one.task, Wish):
            one = await self._admission.admit_alone(one)
        deliveries = await self._decide(one) if begun else [_put_back("not begun")]
        deliveries = [_unless_forgotten(delivery, one.message) for delivery in deliveries]
        for delivery in deliveries:
            self._summary.count(delivery.status)
            if begun and delivery.status is Status.HELD:
                self._hold(delivery.outcome)
        await self._settler.settle(one, deliveries)
        # The rest is last: what has been sent is settled, whatever becomes of it.
        for delivery in deliveries:
            self._turnstile.learn(delivery.outcome, len(delivery.recipients), began)
        if begun:
            self._telemetry.queue_age(time.time() - one.message.sent_at)
            for delivery in deliveries:
                self._telemetry.attempted(one.message.id, one.origin, one.row, delivery)
        await self._turnstile.resize_pool()

    async def _decide(self, one: Admitted) -> list[Delivery]:
        try:
            match one.task:
                case Delivery():
                    return [one.task]
                case Redrive():
                    return [await self._redrive(one, one.task)]
                case Wish() | Suspect():  # the ledger has still not said that it may be sent
                    return [_put_back("not claimed")]
                case Job():
                    return await self._deliverer.deliver(one.task, one.message, self._work_deadline)
        except Exception as error:  # noqa: BLE001 - the message's border: it harms no other
            self._telemetry.fault("fault", error, one.message.id)
            return [fault()]

    async def _redrive(self, one: Admitted, query: Redrive) -> Delivery:
        """A redrive that isn't through goes on with another message of the same body.

        Not with the same message: how many it has moved must not be forgotten.
        """
        asked_at = one.origin.first_queued_at.timestamp()
        report = await self._redriving.run(query, asked_at, one.origin.moved)
        self._summary.redriven += report.moved
        self._telemetry.redriven({"email_id": one.origin.email_id, **asdict(report)}, report.moved)
        self._refilled = self._refilled or report.moved > 0
        if report.error:
            self._telemetry.trouble("the dead-letter queue can't be read", code=report.error)
            self._stop("queue")
            if not report.moved:
                return _put_back(report.error)
        if report.complete or query.dry_run:
            return _done(f"{report.moved} messages moved")
        if all(await self._input_queue.send([resumption(one.message, one.origin, report)])):
            return _done("goes on in another message")
        return _put_back("goes on in the next run")

    def _hold(self, outcome: Outcome) -> None:
        if outcome.reason is Reason.DEADLINE:  # an end that was to be expected
            self._stop("deadline")
            return
        if outcome not in self._told:
            self._told.add(outcome)
            self._telemetry.held(outcome, self._pool.server)
        if outcome.scope is not Scope.SITE:  # others may have better luck
            return
        self.held_by = self.held_by or outcome
        self._stop(outcome.reason.lower(), scrub(str(outcome)))

    def _stop(self, why: str, error: str = "") -> None:
        """The first reason is the run's."""
        if not self._summary.stopped:
            self._summary.stopped, self._summary.error = why, error
            self._turnstile.open()

    def _may_begin(self) -> bool:
        return not self._summary.stopped and not self._out_of_time()

    def _out_of_time(self) -> bool:
        return self._seconds_to_begin() < 0

    def _seconds_to_begin(self) -> float:
        return self._work_deadline.remaining() - BEGIN_BUDGET_SECONDS


def _recipients(one: Admitted) -> int:
    """How many an email goes to; 0: it is none, or is decided already."""
    match one.task:
        case Job():
            return len(one.task.targets)
        case Wish():
            return len(one.task.email.envelope.recipients)
        case _:
            return 0


def _done(detail: str) -> Delivery:
    outcome = Outcome(Stage.PARSE, Kind.ACCEPTED, Scope.MESSAGE, Reason.ACCEPTED, detail=detail)
    return Delivery(Status.DONE, outcome)


def _unless_forgotten(delivery: Delivery, message: Message) -> Delivery:
    """What would wait longer than the queue remembers it waits in the dead-letter queue."""
    waits = delivery.status in (Status.DEFERRED, Status.HELD)
    if waits and forgotten(time.time() - message.sent_at, delivery.delay_seconds):
        outcome = replace(delivery.outcome, reason=Reason.EXPIRED)
        return replace(delivery, status=Status.DEAD, outcome=outcome)
    return delivery


def _put_back(detail: str) -> Delivery:
    outcome = Outcome(Stage.PARSE, Kind.UNAVAILABLE, Scope.SITE, Reason.DEADLINE, detail=detail)
    return Delivery(Status.HELD, outcome)
