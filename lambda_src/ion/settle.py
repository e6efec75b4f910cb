"""Each message's fate to the queue's verbs: what must be written first, then delete or postpone."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

import msgspec

from ion.admit import Admitted
from ion.aws.ledger import Ledger, Result
from ion.aws.queue import BATCH, MOST_BYTES, Queue
from ion.claims import RowStatus, conclude
from ion.message import Draft, Message
from ion.outcome import Delivery, Kind, Status
from ion.provenance import IN_USE, dead_letter_attributes
from ion.scrub import scrub
from ion.telemetry import Telemetry

_LINGER_SECONDS = 0.25
"""A verb waits this long for others to share its call with. Until the delete is done, a message
that was sent would be sent again if the process died, so not longer."""
_UNSETTLED_SECONDS = 60
"""A message whose fate could not be written is looked at again after this."""


class Settler:
    """Settles messages; records, deletes and postponements travel many a call.

    Args:
        input_queue: where the messages are from.
        dead_letters: where the undeliverable goes.
        ledger: where fates are remembered.
        telemetry: told of what didn't work; nothing here raises for it, since a message that is
            not settled comes back by itself.
    """

    def __init__(
        self, input_queue: Queue, dead_letters: Queue, ledger: Ledger, telemetry: Telemetry
    ) -> None:
        self._input_queue = input_queue
        self._dead_letters = dead_letters
        self._ledger = ledger
        self._telemetry = telemetry
        self._to_record: list[Result] = []
        self._to_delete: list[Message] = []
        self._to_postpone: list[tuple[Message, int]] = []
        self._stopped = asyncio.Event()

    async def run(self) -> None:
        """Flush now and then, until `stop`."""
        while not self._stopped.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), _LINGER_SECONDS)
            await self.flush()

    def stop(self) -> None:
        """End `run`, but not in the middle of a flush: what it holds would not be settled."""
        self._stopped.set()

    async def settle(self, one: Admitted, deliveries: Sequence[Delivery]) -> None:
        """Write what must outlive the message, then queue its delete; or queue its postponement.

        Args:
            one: the message, and the row that we hold the lease of, if any.
            deliveries: how its recipients fared; one without recipients is about the message.
        """
        written = [
            delivery
            for delivery in deliveries
            if delivery.status is not Status.DEAD or await self._dead_letter(one, delivery)
        ]
        unwritten = [delivery for delivery in deliveries if delivery not in written]
        if one.row is not None:
            row = conclude(one.row, one.message.id, written)
            if any(delivery.outcome.kind is Kind.IN_DOUBT for delivery in unwritten):
                # The doubt must not be forgotten with the dead letter: as after a crash.
                row = replace(row, status=RowStatus.SENDING, crashes=one.row.crashes)
            self._to_record.append(Result(one.origin.email_id, row, _about(one, written)))
        delays = [d.delay_seconds for d in written if d.status in (Status.DEFERRED, Status.HELD)]
        if unwritten:
            self._telemetry.trouble("fate not written, message kept", message_id=one.message.id)
            delays.append(_UNSETTLED_SECONDS)
        if delays:
            self._to_postpone.append((one.message, min(delays)))
        else:
            self._to_delete.append(one.message)
        if len(self._to_delete) + len(self._to_postpone) >= BATCH:
            await self.flush()

    async def flush(self) -> None:
        """Record, delete and postpone what has been settled.

        A second copy goes out only if neither the record nor the delete of the first succeeds, so
        the one doesn't wait for the other. A message that is to be tried again does wait for its
        record: else it might come back to a lease that nobody holds any more.
        """
        to_record, self._to_record = self._to_record, []
        to_delete, self._to_delete = self._to_delete, []
        to_postpone, self._to_postpone = self._to_postpone, []
        unwritten, kept = await asyncio.gather(
            self._ledger.record(to_record, time.time()), self._input_queue.delete(to_delete)
        )
        if unwritten:
            self._telemetry.trouble("fates not recorded in the ledger", count=len(unwritten))
        if kept:
            self._telemetry.trouble("settled but not deleted", count=len(kept))
        if hidden := await self._input_queue.postpone(to_postpone):
            self._telemetry.trouble("not postponed, back when its time is up", count=len(hidden))

    async def _dead_letter(self, one: Admitted, delivery: Delivery) -> bool:
        now = datetime.fromtimestamp(time.time(), UTC)
        left = one.origin.left  # bad input has no recipients
        if one.row is not None:
            some = len(delivery.recipients) < len(one.row.fates)
            left = delivery.recipients if some else ()
        origin = msgspec.structs.replace(
            one.origin,
            attempts=conclude(one.row, one.message.id, [delivery]).attempts if one.row else 0,
            left=left,
        )
        attributes = dead_letter_attributes(one.message, origin, delivery, now)
        letter = Draft(one.message.body, attributes)
        if await self._sent(letter):
            return True
        if letter.size <= MOST_BYTES:
            return False
        # There wasn't room: SQS counts attributes as part of the message.
        ours = {name: value for name, value in attributes.items() if name in IN_USE}
        return await self._sent(Draft(one.message.body, ours))

    async def _sent(self, draft: Draft) -> bool:
        return all(await self._dead_letters.send([draft]))


def _about(one: Admitted, deliveries: Sequence[Delivery]) -> dict[str, str | int]:
    """What a person wants to know who looks the email up: no address."""
    about: dict[str, str | int] = {
        "original_message_id": one.origin.original_message_id,
        "redrives": one.origin.redrives,
    }
    for delivery in deliveries:
        outcome = delivery.outcome
        about |= {
            "stage": outcome.stage.value,
            "reason": outcome.reason.value,
            "reply": scrub(outcome.said, delivery.addresses),
            "server": delivery.server,
        }
    return about
