"""Receive until empty or out of time; settle each message into exactly one verb of the queue.

Store the fate, then forget the message: the dead-letter queue or the requeue is written before
the delete, so that a death in between leaves a message too many and never one too few.
"""

import asyncio
import time
from contextlib import nullcontext
from dataclasses import asdict, replace

from ion.aws.control import ControlRow
from ion.aws.ledger import Ledger
from ion.aws.objects import Objects
from ion.aws.table import TableError
from ion.contract import Cancel, Lane, Pause, Redrive, Resume, Stop
from ion.deadletter.redrive import Redriving, resumption
from ion.deadline import Deadline
from ion.delivery import Delivery, Status, done, fault, put_back, stopped
from ion.drain.admission import Admission
from ion.drain.allowance import Allowance, function_bytes
from ion.drain.attaching import Attaching
from ion.drain.deliver import Deliverer
from ion.drain.gate import SendGate
from ion.drain.intake import Intake
from ion.drain.memory import Memory
from ion.drain.progress import Progress, Summary
from ion.drain.queues import Queues
from ion.drain.settle import Settler
from ion.drain.steering import Steering
from ion.drain.unfetched import UnfetchedError
from ion.drain.work_item import Claimed, Pointer, PutBack, Suspect, Unclaimed, WorkItem
from ion.history import since
from ion.limits import BATCH, DOT_BUDGET_SECONDS, SETTLE_SECONDS
from ion.outcome import Kind, Outcome, Reason, Scope, Stage
from ion.policy.rate import Limits, Pace
from ion.policy.retry import forgotten
from ion.report.telemetry import Telemetry
from ion.smtp.pool import Pool

_UNSETTLED_TENS = 3
"""Tens of messages that may wait for their records and deletes while others are sent."""


class Drain:
    """One run over the queues.

    Args:
        queues: what is to be sent, what waits, and where the undeliverable goes.
        ledger: where fates are remembered.
        control: what operators have asked for.
        objects: where attachments are.
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
        events: dead letters that have no row of their own get one, to be told of.
    """

    def __init__(  # noqa: PLR0913 - the parts of the relay meet here
        self,
        *,
        queues: Queues,
        ledger: Ledger,
        control: ControlRow,
        objects: Objects,
        admission: Admission,
        pool: Pool,
        workers: int,
        deliverer: Deliverer,
        telemetry: Telemetry,
        linger_seconds: int,
        deadline: Deadline,
        pace: Pace | None = None,
        memory: Memory | None = None,
        events: bool = False,
    ) -> None:
        self._queues = queues
        self._pool = pool
        self._workers = workers
        self._deliverer = deliverer
        self._telemetry = telemetry
        self.let_in = False
        """The server has given a session."""
        self._work_deadline = deadline.earlier_by(SETTLE_SECONDS)
        self._progress = Progress(self._work_deadline, telemetry, pool.server)
        self._summary = self._progress.summary
        unsettled = BATCH * min(workers, _UNSETTLED_TENS)
        self._settler = Settler(queues, ledger, telemetry, unsettled, events=events)
        self._admission = admission
        self._redriving = Redriving(
            queues.dead_letters,
            queues.input,
            telemetry,
            self._work_deadline,
            admission.default_sender,
            is_paused=lambda: Lane.NORMAL in self._steering.paused,
        )
        self._now = asyncio.get_running_loop().time
        pace = pace or Pace(Limits(None, pool.size), self._now())
        self._gate = SendGate(pace, pool, lambda: self._progress.seconds_to_begin)
        self._progress.when_stopped.append(self._gate.open)
        self._memory = memory or Memory(Allowance.of(function_bytes({}), pool.size))
        self._attaching = Attaching(objects, self._memory)
        self._steering = Steering(
            control, ledger, self._progress, telemetry, admission.default_sender, queues.now
        )
        if admission.suppression_list is not None:
            admission.suppression_list.has_erasures = lambda: self._steering.has_erasures
        self._intake = Intake(
            queues=queues,
            admission=admission,
            gate=self._gate,
            memory=self._memory,
            progress=self._progress,
            steering=self._steering,
            telemetry=telemetry,
            workers=workers,
            linger_seconds=linger_seconds,
            deadline=deadline,
            settled=self._settler.flush,
        )

    @property
    def suspended_by(self) -> Outcome | None:
        """The outcome that ended the run, if the site did."""
        return self._progress.suspended_by

    async def run(self) -> Summary:
        """Drain until the queue is empty, the time is up, the site is ill, or all is paused."""
        await asyncio.gather(self._steering.look(), self._begin_admission())
        if self._progress.stopped:
            return self._summary
        session = await self._pool.acquire()
        if isinstance(session, Outcome):  # nothing was received, so no message pays for it
            self._gate.learn(session, 0, self._now())
            self._progress.suspend(session)
            return self._summary
        self.let_in = True
        await self._pool.release(session)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._settler.run())
                looks = group.create_task(self._steering.run())
                workers = [group.create_task(self._work()) for _ in range(self._workers)]
                await self._intake.run()
                self._settler.stop()
                for task in (looks, *workers):
                    task.cancel()
        finally:  # what was sent must be deleted, even after a fault
            await self._settler.flush()
        await self._steering.end()
        return self._summary

    async def _begin_admission(self) -> None:
        try:
            await self._admission.begin()
        except TableError as error:
            self._telemetry.trouble("the key of address hashes can't be read", code=str(error))
            ill = (Stage.CLAIM, Kind.UNAVAILABLE, Scope.SITE, Reason.LEDGER)
            self._progress.suspend(Outcome(*ill, detail=str(error)))

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
            async with work:
                await self._begin(one)
        finally:
            self._intake.done(one.message)

    async def _begin(self, one: WorkItem) -> None:
        """Handle a message; one that lies in S3 says only then how large it is."""
        began = self._now()
        if not (isinstance(one.task, Pointer) and self._may_begin(one)):
            await self._handle(one, began)
            return
        one = await self._admission.fetch(one, self._progress.seconds_to_begin)
        await self._gate.further_turns(one.recipients - 1)
        async with self._memory.more(one.bodies.work_bytes) if one.bodies else nullcontext():
            await self._handle(one, began)

    def _may_begin(self, one: WorkItem) -> bool:
        return self._progress.may_begin and not self._steering.is_paused(one)

    async def _handle(self, one: WorkItem, began: float) -> None:
        begun = isinstance(one.task, Delivery) or self._may_begin(one)
        if begun and isinstance(one.task, Unclaimed):
            one = await self._admission.admit_alone(one)
            begun = isinstance(one.task, Delivery) or self._may_begin(one)
        deliveries = await self._decide(one) if begun else [put_back("not begun")]
        decided_at = time.time()
        deliveries = [_unless_forgotten(delivery, one) for delivery in (*deliveries, *one.apart)]
        for delivery in deliveries:
            self._count(delivery, begun=begun)
        if await self._settler.settle(one, deliveries):
            self._steering.count(deliveries)
        # The rest is last: what has been sent is settled before anything else can fail.
        for delivery in deliveries:
            self._gate.learn(delivery.outcome, len(delivery.recipients), began)
        if begun:
            for delivery in deliveries:
                if delivery.status is Status.SENT:
                    self._telemetry.accepted(decided_at - since(one.message, one.history))
                self._telemetry.attempted(
                    one.message.id, one.history, one.row, delivery, one.identity
                )
        await self._gate.resize_pool()

    def _count(self, delivery: Delivery, *, begun: bool) -> None:
        """Count a fate, and heed what it says of the site."""
        self._summary.count(delivery)
        if begun and delivery.status is Status.RELEASED:
            self._progress.suspend(delivery.outcome)
        elif delivery.waits_for_repair:
            self._progress.hold(delivery.outcome)

    async def _decide(self, one: WorkItem) -> list[Delivery]:
        try:
            match one.task:
                case Delivery():
                    return [one.task]
                case Redrive():
                    return [await self._redrive(one, one.task)]
                case Cancel() | Stop() | Pause() | Resume():
                    published_at = since(one.message, one.history)
                    return [await self._steering.carry_out(one.task, one.history, published_at)]
                case (
                    Unclaimed() | Pointer() | Suspect() | PutBack()
                ):  # the ledger hasn't said that it may be sent
                    return [put_back("not claimed")]
                case Claimed():
                    if (stop := await self._steering.stop_in_force(one)) is not None:
                        return [stopped(one.task.targets, stop.id, stop.said)]
                    return await self._send(one.task, one)
        except Exception as error:  # noqa: BLE001 - the message's border: it harms no other
            self._telemetry.fault("fault", error, one.message.id)
            return [fault()]

    async def _send(self, claimed: Claimed, one: WorkItem) -> list[Delivery]:
        seconds = self._work_deadline.remaining() - DOT_BUDGET_SECONDS
        try:
            async with self._attaching.fetched(claimed.email, seconds) as objects:
                job = await claimed.job(objects)
                return await self._deliverer.deliver(job, one.message, self._work_deadline)
        except UnfetchedError as error:
            age = time.time() - since(one.message, one.history)
            return [error.fate(age, claimed.targets)]

    async def _redrive(self, one: WorkItem, query: Redrive) -> Delivery:
        """A redrive that isn't through goes on with another message of the same body.

        Not with the same message: how many it has moved must not be forgotten.
        """
        asked_at = one.history.first_queued_at.timestamp()
        with self._memory.redrive() as most:
            report = await self._redriving.run(query, asked_at, one.history.moved, most)
        self._summary.redriven += report.moved
        self._telemetry.redriven({"email_id": one.history.email_id, **asdict(report)}, report.moved)
        if report.error:
            self._progress.unreadable("dead-letter", report.error)
            if not report.moved:
                return put_back(report.error)
        if not report.goes_on:
            return done(f"{report.moved} messages moved")
        if all(await self._queues.input.send([resumption(one.message, one.history, report)])):
            return done("goes on in another message")
        return put_back("goes on in the next run")


def _unless_forgotten(delivery: Delivery, one: WorkItem) -> Delivery:
    """The delivery; dead if the message would wait longer than a queue keeps it.

    What is released stays in its queue, and may have been there for longer than since it was due.
    """
    began = since(one.message, one.history)
    if delivery.status is Status.RELEASED:
        began = min(began, one.message.sent_at)
    age = time.time() - began
    if delivery.status.waits and forgotten(age, delivery.delay_seconds):
        return replace(delivery, status=Status.DEAD, outcome=delivery.outcome.too_late)
    return delivery
