"""Each message's fate to the queue's verbs: what must be written first, then delete or postpone.

What waits for a minute or more is copied into the queue of what waits, and deleted then.
"""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import msgspec

from ion.aws.ledger import Ledger, Letter, Record, Result, Waiting
from ion.contract import Lane
from ion.deadletter.letter import IN_USE, dead_letter_attributes, requeue_attributes
from ion.delivery import Delivery, Status
from ion.drain.about import about_attempt, about_email, told_of
from ion.drain.queues import Queues
from ion.drain.work_item import Order, WorkItem
from ion.history import message_id, since
from ion.limits import (
    BATCH,
    COPIED_ANEW_SECONDS,
    LONGEST_VISIBILITY_SECONDS,
    MOST_MESSAGE_BYTES,
    STAYS_SECONDS,
)
from ion.message import Draft, Message, Source
from ion.outcome import Reason
from ion.policy.lease import attempts_after, conclude, queued
from ion.report.telemetry import Telemetry

_LINGER_SECONDS = 0.25
"""A verb waits this long for others to share its call with. Until the delete is done, a message
that was sent would be sent again if the process died, so not longer."""
_FLUSHES = 2
"""Side by side, if there is work for two full ones: a call costs CPU, full or not."""
_MOST_IN_A_FLUSH = 2 * BATCH
"""Two deletes, and one call for the records: BatchExecuteStatement takes 25 statements."""
_UNSETTLED_SECONDS = 60
"""A message whose fate could not be written is looked at again after this."""
_LARGE_BYTES = MOST_MESSAGE_BYTES // 4
"""A copy of this size doesn't wait for others: thirty may wait at a time."""


@dataclass(frozen=True, slots=True)
class _Copy:
    """A copy that goes into another queue, in the place of the message.

    Args:
        to: that queue.
        draft: the copy.
        delay_seconds: if it can't be put there, the message waits for so long where it is.
    """

    to: Source
    draft: Draft
    delay_seconds: int


@dataclass(frozen=True, slots=True)
class _Settled:
    """A message whose fate is known: what is to be recorded, and its verb.

    Args:
        message: as received.
        record: for the ledger, if there is anything to remember.
        delay_seconds: until it is to be received again; None: it is to be deleted.
        copy: to be sent before that delete, if there is one.
    """

    message: Message
    record: Record | None
    delay_seconds: int | None
    copy: _Copy | None = None

    @property
    def is_deleted_last(self) -> bool:
        """True for what is told of first: a letter without a row, of which nothing else tells."""
        return isinstance(self.record, Letter)


class Settler:
    """Settles messages; records, deletes and postponements travel many a call.

    Args:
        queues: where the messages are from, and where they go.
        ledger: where fates are remembered.
        telemetry: told of what didn't work; nothing here raises for it, since a message that is
            not settled comes back by itself.
        most: messages that may be unsettled before `settle` waits: if the process dies, those that
            were sent are in doubt. Ten at least.
        events: dead letters that have no row of their own get one, for the table's stream.
    """

    def __init__(
        self,
        queues: Queues,
        ledger: Ledger,
        telemetry: Telemetry,
        most: int = BATCH,
        *,
        events: bool = False,
    ) -> None:
        self._queues = queues
        self._events = events
        self._ledger = ledger
        self._telemetry = telemetry
        self._most = most
        self._waiting: list[_Settled] = []
        self._flushes: dict[asyncio.Task[None], int] = {}
        """Flushes under way, and how many messages each has."""
        self._stopped = asyncio.Event()

    async def run(self) -> None:
        """Flush now and then, until `stop`."""
        while not self._stopped.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), _LINGER_SECONDS)
            self._flush(1)
        await self.flush()

    def stop(self) -> None:
        """End `run`, but not in the middle of a flush: what it holds would not be settled."""
        self._stopped.set()

    async def settle(self, one: WorkItem, deliveries: Sequence[Delivery]) -> bool:
        """Write what must outlive the message, then queue its delete; or queue its postponement.

        Args:
            one: the message, and the row that we hold the lease of, if any.
            deliveries: how its recipients fared; one without recipients is about the message.

        Returns:
            False if a dead letter could not be written: the message stays, and comes back.
        """
        written = [
            delivery
            for delivery in deliveries
            if delivery.status is not Status.DEAD or await self._dead_letter(one, delivery)
        ]
        unwritten = [delivery for delivery in deliveries if delivery not in written]
        now = time.time()
        record: Record | None = None
        if one.row is not None:
            # What could not be dead-lettered is still to be served; its doubts and its crashes are
            # remembered all the same, or it would be sent again.
            later = [replace(delivery, status=Status.DEFERRED) for delivery in unwritten]
            fates = [*written, *later]
            row = conclude(one.row, message_id(one.message, one.history), fates, now)
            if unwritten:
                row = replace(row, crashes=one.row.crashes)
            record = Result(one.history.email_id, row, about_attempt(written), was=one.row)
        delays = [fate.delay_seconds for fate in written if fate.status.waits]
        if unwritten:
            self._telemetry.trouble("fate not written, message kept", message_id=one.message.id)
            delays.append(_UNSETTLED_SECONDS)
        bare = replace(one.message, body="", attributes={})  # thirty may wait, each of a megabyte
        delay = min(delays, default=None)
        to_bulk = Status.TO_BULK in {delivery.status for delivery in written}
        stays = unwritten or any(fate.outcome.reason is Reason.LEASED for fate in written)
        goes = to_bulk or (delay or 0) > STAYS_SECONDS
        copy = self._copy(one, delay or 0, to_bulk=to_bulk) if goes and not stays else None
        if one.row is None and written:
            waits = copy is not None and copy.to is Source.LATER
            record = _waiting(one, written[0], now) if waits else self._letter(one, written[0], now)
        self._waiting.append(_Settled(bare, record, None if copy else delay, copy))
        self._flush(1 if copy is not None and copy.draft.size > _LARGE_BYTES else BATCH)
        while len(self._waiting) + sum(self._flushes.values()) >= self._most:
            await self._one_flushed()
        return not unwritten

    def _letter(self, one: WorkItem, delivery: Delivery, now: float) -> Letter | None:
        """What the ledger should know of a dead letter that no run had claimed; None: nothing."""
        is_of_interest = self._events or one.message.source is Source.LATER  # as a queued row
        is_email = not isinstance(one.task, Order)
        if delivery.status is not Status.DEAD or not (is_of_interest and is_email):
            return None
        return Letter(
            one.history.email_id,
            message_id(one.message, one.history),
            delivery,
            one.message.id,
            told_of(one, delivery, datetime.fromtimestamp(now, UTC)),
        )

    def _copy(self, one: WorkItem, delay_seconds: int, *, to_bulk: bool) -> _Copy | None:
        """The copy that takes the message's place in another queue; None: it stays."""
        message, now = one.message, self._queues.now()
        is_young = now - message.sent_at < COPIED_ANEW_SECONDS
        if message.source is Source.LATER and is_young:
            return None
        due = datetime.fromtimestamp(now, UTC) + timedelta(seconds=delay_seconds)
        carried = msgspec.structs.replace(
            one.history,
            since=datetime.fromtimestamp(since(message, one.history), UTC),
            message_id=message_id(message, one.history),
            receives=one.history.receives + message.receives,
            due=None if to_bulk else due,
            lane=Lane.BULK if to_bulk else _lane(one),
        )
        attributes = requeue_attributes(message, carried)
        draft = Draft(message.body, attributes, delay_seconds, message.group)
        if to_bulk:
            return _Copy(Source.BULK, draft, _UNSETTLED_SECONDS)
        return _Copy(Source.LATER, draft, min(delay_seconds, LONGEST_VISIBILITY_SECONDS))

    async def flush(self) -> None:
        """Return when nothing is left to record, delete or postpone."""
        while self._waiting or self._flushes:
            self._flush(1)
            await self._one_flushed()

    def _flush(self, least: int) -> None:
        """Begin to flush what waits, if it is so much at least; beyond ten, whole tens."""
        while len(self._flushes) < _FLUSHES:
            waiting = len(self._waiting)
            if not waiting or waiting < (_MOST_IN_A_FLUSH if self._flushes else least):
                break
            count = min(waiting if waiting < BATCH else waiting // BATCH * BATCH, _MOST_IN_A_FLUSH)
            now, self._waiting = self._waiting[:count], self._waiting[count:]
            flush = asyncio.create_task(self._write(now))
            self._flushes[flush] = count
            flush.add_done_callback(self._flushed)

    def _flushed(self, flush: asyncio.Task[None]) -> None:
        if not flush.cancelled() and flush.exception() is None:  # else those that wait are told
            self._flushes.pop(flush, None)
            self._flush(BATCH)

    async def _one_flushed(self) -> None:
        done, _ = await asyncio.wait(self._flushes, return_when=asyncio.FIRST_COMPLETED)
        for flush in done:
            self._flushes.pop(flush, None)
            flush.result()

    async def _write(self, settled: Sequence[_Settled]) -> None:
        """Record, delete and postpone.

        A second copy goes out only if neither the record nor the delete of the first succeeds, so
        the one doesn't wait for the other. A message that is to be tried again does wait for its
        record: else it might come back to a lease that has no holder any more. So does one that
        only its record tells of.
        """
        over = [one for one in settled if one.delay_seconds is None and not one.copy]
        records = [one.record for one in settled if one.record and not one.is_deleted_last]
        unwritten, _ = await asyncio.gather(
            self._ledger.record([*records, *await self._untold(settled)], time.time()),
            self._delete([one.message for one in over if not one.is_deleted_last]),
        )
        if unwritten:
            self._telemetry.trouble("fates not recorded in the ledger", count=len(unwritten))
        to_postpone = [
            (one.message, one.delay_seconds) for one in settled if one.delay_seconds is not None
        ]
        to_postpone += await self._move(settled)
        await self._delete([one.message for one in over if one.is_deleted_last])
        hidden = 0
        for source in Source:
            some = [(one, delay) for one, delay in to_postpone if one.source is source]
            hidden += len(await self._queues.of(source).postpone(some))
        if hidden:
            self._telemetry.trouble("not postponed, back when its time is up", count=hidden)

    async def _untold(self, settled: Sequence[_Settled]) -> list[Letter]:
        """Let queued rows tell of letters; returns those that need a row of their own for that."""
        letters = [(one.message, one.record) for one in settled if isinstance(one.record, Letter)]
        waited = [letter for message, letter in letters if message.source is Source.LATER]
        untold = [letter for message, letter in letters if message.source is not Source.LATER]
        if waited:
            untold += await self._ledger.bury(waited, time.time())
        return untold if self._events else []

    async def _move(self, settled: Sequence[_Settled]) -> list[tuple[Message, int]]:
        """Send copies, and delete what has one. Returns what has none, and its delay."""
        moved: list[Message] = []
        stays: list[tuple[Message, int]] = []
        for target in (Source.LATER, Source.BULK):
            copies = [
                (one.message, one.copy) for one in settled if one.copy and one.copy.to is target
            ]
            sent = await self._queues.of(target).send([copy.draft for _, copy in copies])
            for (message, copy), ok in zip(copies, sent, strict=True):
                if ok:
                    moved.append(message)
                else:
                    stays.append((message, copy.delay_seconds))
        if stays:
            self._telemetry.trouble("not moved, waits where it is", count=len(stays))
        await self._delete(moved)
        return stays

    async def _delete(self, messages: Sequence[Message]) -> None:
        calls = []
        for source in Source:
            some = [one for one in messages if one.source is source]
            queue = self._queues.of(source)
            calls += [queue.delete(some[i : i + BATCH]) for i in range(0, len(some), BATCH)]
        if still_there := sum(map(len, await asyncio.gather(*calls))):
            self._telemetry.trouble("settled but not deleted", count=still_there)

    async def _dead_letter(self, one: WorkItem, delivery: Delivery) -> bool:
        now = datetime.fromtimestamp(time.time(), UTC)
        left = one.history.left  # bad input has no recipients
        if one.row is not None:
            some = len(delivery.recipients) < len(one.row.fates)
            left = delivery.recipients if some else ()
        history = msgspec.structs.replace(
            one.history,
            attempts=attempts_after(one.row, [delivery]) if one.row else 0,
            lane=_lane(one),
            left=left,
        )
        attributes = dead_letter_attributes(one.message, history, delivery, now)
        letter = Draft(one.message.body, attributes, group=one.message.group)
        if await self._sent(letter):
            return True
        if letter.size <= MOST_MESSAGE_BYTES:
            return False
        # There wasn't room: SQS counts attributes as part of the message.
        ours = {name: value for name, value in attributes.items() if name in IN_USE}
        return await self._sent(replace(letter, attributes=ours))

    async def _sent(self, draft: Draft) -> bool:
        return all(await self._queues.dead_letters.send([draft]))


def _lane(one: WorkItem) -> str | None:
    """The door that a message came by, for its copies and dead letters."""
    return Lane.BULK if one.message.source is Source.BULK else one.history.lane


def _waiting(one: WorkItem, delivery: Delivery, now: float) -> Waiting | None:
    """The row of an email that waits and was never claimed; None: it isn't known to be one."""
    identity, history = one.identity, one.history
    if identity is None:
        return None
    row = queued(
        identity.content_hash,
        len(identity.addresses),
        history.first_queued_at.isoformat(timespec="milliseconds"),
        delivery,
        uuid4().hex,
        now,
    )
    return Waiting(history.email_id, row, about_email(one))
