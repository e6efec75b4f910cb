"""Receive until empty or out of time; settle each message into exactly one verb of the queue.

Store the fate, then forget the message: the dead-letter queue or the requeue is written before
the delete, so that whatever dies in between leaves a message too many and never one too few.
"""

import asyncio
import time
from contextlib import nullcontext
from dataclasses import asdict, replace

from ion.admit import Admission, Admitted, Claimed, Suspect, Unread, Wish, fault
from ion.allowance import Allowance, function_bytes
from ion.aws.ledger import Ledger
from ion.aws.queue import BATCH, Queue
from ion.contract import Redrive
from ion.course import Course, Summary
from ion.deadline import Deadline
from ion.deliver import Deliverer
from ion.intake import Intake, recipients_of
from ion.memory import Memory
from ion.message import Message
from ion.outcome import Delivery, Kind, Outcome, Reason, Scope, Stage, Status
from ion.pace import Limits, Pace
from ion.redrive import Redriving, resumption
from ion.retry import forgotten
from ion.settle import Settler
from ion.smtp.pool import Pool
from ion.telemetry import Telemetry
from ion.turnstile import Turnstile

SETTLE_SECONDS = 10
"""Kept of every invocation for what follows the last reply: writing down what it was."""
_UNSETTLED_TENS = 3
"""So many tens of messages may wait for their records and deletes while others are sent."""


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
        memory: how much of the queue to hold at a time; without one, as in a function of 512 MB.
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
        memory: Memory | None = None,
    ) -> None:
        self._input_queue = input_queue
        self._pool = pool
        self._workers = workers
        self._deliverer = deliverer
        self._telemetry = telemetry
        self._work_deadline = deadline.earlier_by(SETTLE_SECONDS)
        self._course = Course(self._work_deadline, telemetry, pool.server)
        self._summary = self._course.summary
        unsettled = BATCH * min(workers, _UNSETTLED_TENS)
        self._settler = Settler(input_queue, dead_letters, ledger, telemetry, unsettled)
        self._admission = admission
        self._redriving = Redriving(dead_letters, input_queue, telemetry, self._work_deadline)
        self._now = asyncio.get_running_loop().time
        self._turnstile = Turnstile(pace or Pace(Limits(None, pool.size), self._now()), pool)
        self._course.when_stopped.append(self._turnstile.open)
        self._memory = memory or Memory(Allowance.of(function_bytes({}), pool.size))
        self._intake = Intake(
            input_queue=input_queue,
            admission=admission,
            turnstile=self._turnstile,
            memory=self._memory,
            course=self._course,
            telemetry=telemetry,
            workers=workers,
            linger_seconds=linger_seconds,
            deadline=deadline,
            settled=self._settler.flush,
        )

    @property
    def held_by(self) -> Outcome | None:
        """What ended the run, if the site did."""
        return self._course.held_by

    async def run(self) -> Summary:
        """Drain until the queue is empty, the time is up, or the site is held."""
        session = await self._pool.acquire()
        if isinstance(session, Outcome):  # nothing was received, so no message pays for it
            self._turnstile.learn(session, 0, self._now())
            self._course.hold(session)
            return self._summary
        await self._pool.release(session)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._settler.run())
                workers = [group.create_task(self._work()) for _ in range(self._workers)]
                await self._intake.run()
                self._settler.stop()
                for worker in workers:
                    worker.cancel()
        finally:  # what was sent must be deleted, whatever else went wrong
            await self._settler.flush()
        return self._summary

    # -- working -------------------------------------------------------------------------

    async def _work(self) -> None:
        while True:
            await self._next()

    async def _next(self) -> None:
        """Work on the next message, and leave nothing that refers to it."""
        one = await self._intake.take()
        # A redrive works on other messages, and may take as long as the run.
        work = nullcontext() if isinstance(one.task, Redrive) else self._memory.work(one.message)
        try:
            await self._turnstile.turn(recipients_of(one), self._course.seconds_to_begin)
            async with work:
                await self._handle(one)
        finally:
            self._intake.done(one.message)

    async def _handle(self, one: Admitted) -> None:
        began = self._now()
        begun = isinstance(one.task, Delivery) or self._course.may_begin
        if begun and isinstance(one.task, Wish):
            one = await self._admission.admit_alone(one)
        deliveries = await self._decide(one) if begun else [_put_back("not begun")]
        if one.parked is not None:
            deliveries = [*deliveries, one.parked]
        deliveries = [_unless_forgotten(delivery, one.message) for delivery in deliveries]
        for delivery in deliveries:
            self._summary.count(delivery)
            if begun and delivery.status is Status.HELD:
                self._course.hold(delivery.outcome)
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
                case Wish() | Suspect() | Unread():  # the ledger hasn't said that it may be sent
                    return [_put_back("not claimed")]
                case Claimed():
                    job = one.task.job()
                    return await self._deliverer.deliver(job, one.message, self._work_deadline)
        except Exception as error:  # noqa: BLE001 - the message's border: it harms no other
            self._telemetry.fault("fault", error, one.message.id)
            return [fault()]

    async def _redrive(self, one: Admitted, query: Redrive) -> Delivery:
        """A redrive that isn't through goes on with another message of the same body.

        Not with the same message: how many it has moved must not be forgotten.
        """
        asked_at = one.origin.first_queued_at.timestamp()
        with self._memory.redrive() as most:
            report = await self._redriving.run(query, asked_at, one.origin.moved, most)
        self._summary.redriven += report.moved
        self._telemetry.redriven({"email_id": one.origin.email_id, **asdict(report)}, report.moved)
        if report.moved:
            self._intake.refilled()
        if report.error:
            self._telemetry.trouble("the dead-letter queue can't be read", code=report.error)
            self._course.stop("queue")
            if not report.moved:
                return _put_back(report.error)
        if not report.goes_on:
            return _done(f"{report.moved} messages moved")
        if all(await self._input_queue.send([resumption(one.message, one.origin, report)])):
            return _done("goes on in another message")
        return _put_back("goes on in the next run")


def _done(detail: str) -> Delivery:
    outcome = Outcome(Stage.PARSE, Kind.ACCEPTED, Scope.MESSAGE, Reason.ACCEPTED, detail=detail)
    return Delivery(Status.DONE, outcome)


def _unless_forgotten(delivery: Delivery, message: Message) -> Delivery:
    """What would wait longer than the queue remembers it waits in the dead-letter queue."""
    waits = delivery.status in (Status.DEFERRED, Status.HELD)
    if waits and forgotten(time.time() - message.sent_at, delivery.delay_seconds):
        return replace(delivery, status=Status.DEAD, outcome=delivery.outcome.too_late)
    return delivery


def _put_back(detail: str) -> Delivery:
    outcome = Outcome(Stage.PARSE, Kind.UNAVAILABLE, Scope.SITE, Reason.DEADLINE, detail=detail)
    return Delivery(Status.HELD, outcome)
