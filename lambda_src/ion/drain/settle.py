"""Each message's fate to the queue's verbs: what must be written first, then delete or postpone."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import msgspec

from ion.aws.ledger import Ledger, Result
from ion.aws.queue import Queue
from ion.deadletter.letter import IN_USE, dead_letter_attributes
from ion.delivery import Delivery, Status
from ion.drain.admission import WorkItem
from ion.limits import BATCH, MOST_MESSAGE_BYTES
from ion.message import Draft, Message
from ion.policy.lease import conclude
from ion.report.telemetry import Telemetry

_LINGER_SECONDS = 0.25
"""A verb waits this long for others to share its call with. Until the delete is done, a message
that was sent would be sent again if the process died, so not longer."""
_FLUSHES = 2
"""Side by side, if there is work for two full ones: a call costs CPU, full or not."""
_MOST_IN_A_FLUSH = 2 * BATCH
"""Two deletes, and one call for the records: BatchExecuteStatement takes 25 statements."""
_BY_FATE = (Status.DONE, Status.SENT, Status.RELEASED, Status.DEFERRED, Status.DEAD)
"""From the best to the worst."""
_UNSETTLED_SECONDS = 60
"""A message whose fate could not be written is looked at again after this."""


@dataclass(frozen=True, slots=True)
class _Settled:
    """A message whose fate is known: what is to be recorded, and its verb.

    Args:
        message: as received.
        result: for the ledger, if it has a row.
        delay_seconds: until it is to be received again; None: it is to be deleted.
    """

    message: Message
    result: Result | None
    delay_seconds: int | None


class Settler:
    """Settles messages; records, deletes and postponements travel many a call.

    Args:
        input_queue: where the messages are from.
        dead_letters: where the undeliverable goes.
        ledger: where fates are remembered.
        telemetry: told of what didn't work; nothing here raises for it, since a message that is
            not settled comes back by itself.
        most: messages that may be unsettled before `settle` waits: if the process dies, those that
            were sent are in doubt. Ten at least.
    """

    def __init__(
        self,
        input_queue: Queue,
        dead_letters: Queue,
        ledger: Ledger,
        telemetry: Telemetry,
        most: int = BATCH,
    ) -> None:
        self._input_queue = input_queue
        self._dead_letters = dead_letters
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
        result = None
        if one.row is not None:
            # What could not be dead-lettered is still to be served; its doubts and its crashes are
            # remembered all the same, or it would be sent again.
            later = [replace(delivery, status=Status.DEFERRED) for delivery in unwritten]
            row = conclude(one.row, one.message.id, [*written, *later])
            if unwritten:
                row = replace(row, crashes=one.row.crashes)
            result = Result(one.history.email_id, row, _about(one, written), was=one.row)
        delays = [fate.delay_seconds for fate in written if fate.status.waits]
        if unwritten:
            self._telemetry.trouble("fate not written, message kept", message_id=one.message.id)
            delays.append(_UNSETTLED_SECONDS)
        bare = replace(one.message, body="", attributes={})  # thirty may wait, each of a megabyte
        self._waiting.append(_Settled(bare, result, min(delays, default=None)))
        self._flush(BATCH)
        while len(self._waiting) + sum(self._flushes.values()) >= self._most:
            await self._one_flushed()
        return not unwritten

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
        record: else it might come back to a lease that has no holder any more.
        """
        to_delete = [one.message for one in settled if one.delay_seconds is None]
        to_postpone = [
            (one.message, one.delay_seconds) for one in settled if one.delay_seconds is not None
        ]
        unwritten, kept = await asyncio.gather(
            self._ledger.record([one.result for one in settled if one.result], time.time()),
            asyncio.gather(
                *(
                    self._input_queue.delete(to_delete[start : start + BATCH])
                    for start in range(0, len(to_delete), BATCH)
                )
            ),
        )
        if unwritten:
            self._telemetry.trouble("fates not recorded in the ledger", count=len(unwritten))
        if still_there := sum(map(len, kept)):
            self._telemetry.trouble("settled but not deleted", count=still_there)
        if hidden := await self._input_queue.postpone(to_postpone):
            self._telemetry.trouble("not postponed, back when its time is up", count=len(hidden))

    async def _dead_letter(self, one: WorkItem, delivery: Delivery) -> bool:
        now = datetime.fromtimestamp(time.time(), UTC)
        left = one.history.left  # bad input has no recipients
        if one.row is not None:
            some = len(delivery.recipients) < len(one.row.fates)
            left = delivery.recipients if some else ()
        history = msgspec.structs.replace(
            one.history,
            attempts=conclude(one.row, one.message.id, [delivery]).attempts if one.row else 0,
            left=left,
        )
        attributes = dead_letter_attributes(one.message, history, delivery, now)
        letter = Draft(one.message.body, attributes)
        if await self._sent(letter):
            return True
        if letter.size <= MOST_MESSAGE_BYTES:
            return False
        # There wasn't room: SQS counts attributes as part of the message.
        ours = {name: value for name, value in attributes.items() if name in IN_USE}
        return await self._sent(Draft(one.message.body, ours))

    async def _sent(self, draft: Draft) -> bool:
        return all(await self._dead_letters.send([draft]))


def _about(one: WorkItem, deliveries: Sequence[Delivery]) -> dict[str, str | int]:
    """Attributes of the row for a person who looks the email up: no address.

    Where recipients fared differently, those of the worst fate are told of: they explain `status`.
    """
    about: dict[str, str | int] = {
        "original_message_id": one.history.original_message_id,
        "redrives": one.history.redrives,
    }
    for delivery in sorted(deliveries, key=lambda one: _BY_FATE.index(one.status)):
        outcome = delivery.outcome
        about |= {
            "stage": outcome.stage.value,
            "reason": outcome.reason.value,
            "reply": delivery.reply,
            "server": delivery.server,
        }
    return about
