"""Each message's fate to the queue's verbs: what must be written first, then delete or postpone."""

import asyncio
import time
from contextlib import suppress
from datetime import UTC, datetime

import msgspec

from ion.aws.queue import BATCH, Queue
from ion.message import Draft, Message
from ion.outcome import Delivery, Status
from ion.provenance import IN_USE, Provenance, dead_letter_attributes, requeue_attributes
from ion.telemetry import Telemetry

_LINGER_SECONDS = 0.25
"""A verb waits this long for others to share its call with. Until the delete is done, a message
that was sent would be sent again if the process died, so not longer."""
_UNSETTLED_SECONDS = 60
"""A message whose fate could not be written is looked at again after this."""


class Settler:
    """Settles messages; deletes and postponements travel ten a call.

    Args:
        input_queue: where the messages are from.
        dead_letters: where the undeliverable goes.
        telemetry: told of what didn't work; nothing here raises for it, since a message that is
            not settled comes back by itself.
    """

    def __init__(self, input_queue: Queue, dead_letters: Queue, telemetry: Telemetry) -> None:
        self._input_queue = input_queue
        self._dead_letters = dead_letters
        self._telemetry = telemetry
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

    async def settle(
        self, message: Message, origin: Provenance, deliveries: list[Delivery]
    ) -> None:
        """Write what must outlive the message, then queue its delete; or queue its postponement.

        Args:
            message: as received.
            origin: its history, this attempt included.
            deliveries: one if all recipients fare alike; several split the message, and each
                part that isn't through goes on as a copy that knows which recipients are left.
        """
        copies = [d for d in deliveries if d.status is Status.DEAD or d.left]
        copies = [d for d in copies if d.status is not Status.SENT]
        for delivery in copies:
            if not await self._copy(message, origin, delivery):
                self._telemetry.trouble("fate not written, message kept", message_id=message.id)
                self._to_postpone.append((message, _UNSETTLED_SECONDS))
                return
        stays = [d for d in deliveries if d.status in (Status.DEFERRED, Status.HELD)]
        if stays and not copies:
            self._to_postpone.append((message, stays[0].delay_seconds))
        else:
            self._to_delete.append(message)
        if len(self._to_delete) >= BATCH or len(self._to_postpone) >= BATCH:
            await self.flush()

    async def flush(self) -> None:
        """Delete and postpone what has been settled."""
        to_delete, self._to_delete = self._to_delete, []
        to_postpone, self._to_postpone = self._to_postpone, []
        if to_delete and (kept := await self._input_queue.delete(to_delete)):
            self._telemetry.trouble("settled but not deleted", count=len(kept))
        if to_postpone and (hidden := await self._input_queue.postpone(to_postpone)):
            self._telemetry.trouble("not postponed, back when its time is up", count=len(hidden))

    async def _copy(self, message: Message, origin: Provenance, delivery: Delivery) -> bool:
        if delivery.status is Status.DEAD:
            now = datetime.fromtimestamp(time.time(), UTC)
            attributes = dead_letter_attributes(message, origin, delivery, now)
            if await self._sent(self._dead_letters, Draft(message.body, attributes)):
                return True
            # Perhaps there wasn't room: SQS counts attributes as part of the message.
            ours = {name: value for name, value in attributes.items() if name in IN_USE}
            return await self._sent(self._dead_letters, Draft(message.body, ours))
        part = msgspec.structs.replace(origin, left=delivery.left)
        attributes = requeue_attributes(message, part)
        draft = Draft(message.body, attributes, delay_seconds=delivery.delay_seconds)
        return await self._sent(self._input_queue, draft)

    async def _sent(self, queue: Queue, draft: Draft) -> bool:
        return all(await queue.send([draft]))
