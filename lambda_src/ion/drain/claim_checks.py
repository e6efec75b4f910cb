"""Messages that only say where the message is: fetched before they are read.

Items of the outbox are small, and come many a call, as messages do. An object in S3 may be as large
as forty messages: the worker that sends it fetches it, when there is room.
"""

import asyncio
from collections.abc import Sequence

from ion.aws.objects import Fault, ObjectError, Objects
from ion.aws.outbox import Outbox
from ion.aws.table import TableError
from ion.contract import BadInput, OutboxClaim, S3Object, claim_check
from ion.drain.memory import Memory, claimed_size
from ion.drain.unfetched import UnfetchedError
from ion.history import Fetched
from ion.message import Message
from ion.outcome import Reason

_REASONS = {
    Fault.MISSING: Reason.CLAIM_MISSING,
    Fault.FORBIDDEN: Reason.CLAIM_FORBIDDEN,
}


class ClaimChecks:
    """Fetches what messages are about.

    Args:
        objects: S3.
        outbox: the publishers' table.
        memory: of the run.
    """

    def __init__(self, objects: Objects, outbox: Outbox, memory: Memory) -> None:
        self._objects = objects
        self._outbox = outbox
        self._memory = memory

    async def from_outbox(self, messages: Sequence[Message]) -> dict[int, Fetched | UnfetchedError]:
        """For each message that claims an item, by its number: the item, or why it isn't there."""
        claims: dict[int, str] = {}
        if self._outbox.exists:
            found = ((number, claim_check(one.body)) for number, one in enumerate(messages))
            claims = {n: claim.email_id for n, claim in found if isinstance(claim, OutboxClaim)}
        if not claims:
            return {}
        try:
            items = await self._outbox.read(list(claims.values()))
        except TableError as error:
            return dict.fromkeys(claims, UnfetchedError(Reason.STORAGE, "$", f"DynamoDB: {error}"))
        missing = UnfetchedError(Reason.CLAIM_MISSING, "$", "no such item in the outbox")
        return {
            number: Fetched(items[key], key) if key in items else missing
            for number, key in claims.items()
        }

    async def from_s3(self, message: Message, pointer: S3Object, timeout_seconds: float) -> Fetched:
        """What a message points to. There must be room for it.

        Args:
            message: as received.
            pointer: what it says.
            timeout_seconds: for all of it.

        Raises:
            UnfetchedError: it can't be had.
            BadInput: TOO_LARGE; BAD_JSON, if it is no UTF-8.
        """
        most = min(claimed_size(message), self._memory.largest_claim)
        try:
            async with asyncio.timeout(timeout_seconds):
                octets = await self._read(pointer, most)
        except ObjectError as error:
            reason = _REASONS.get(error.fault, Reason.STORAGE)
            raise UnfetchedError(reason, "$", f"S3: {error}") from error
        except TimeoutError:
            raise UnfetchedError(Reason.STORAGE, "$", "S3: timed out") from None
        try:
            return Fetched(octets.decode())
        except UnicodeDecodeError as error:
            place = f"octet {error.start + 1} isn't UTF-8"
            raise BadInput(Reason.BAD_JSON, "$", detail=place) from None

    async def _read(self, pointer: S3Object, most: int) -> bytes:
        opened = await self._objects.open(pointer)
        try:
            if opened.size > most:
                raise BadInput(Reason.TOO_LARGE, "$")
            octets = await opened.read(opened.size)
        finally:
            opened.close()
        if len(octets) != opened.size:
            raise ObjectError(Fault.UNAVAILABLE, "incomplete", pointer)
        return octets
