"""Attachments that lie in S3: fetched by the worker that sends the email, once a run."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from ion.aws.objects import Fault, ObjectError, Objects, OpenObject
from ion.contract import S3Object
from ion.drain.memory import Memory
from ion.drain.shelf import AbandonedError, Pieces, Shelf
from ion.drain.unfetched import UnfetchedError
from ion.mail import Checked
from ion.mail.base64_lines import LINE_OCTETS, base64_lines, encoded_size
from ion.outcome import Reason

_READ_BYTES = LINE_OCTETS * 16 * 1024
"""At a time; encoded they are a piece of the email."""
_PATH = "$.attachments"
_REASONS = {
    Fault.MISSING: Reason.ATTACHMENT_MISSING,
    Fault.FORBIDDEN: Reason.ATTACHMENT_FORBIDDEN,
    Fault.MISMATCH: Reason.ATTACHMENT_MISMATCH,
    Fault.UNAVAILABLE: Reason.STORAGE,
}


class Attaching:
    """Fetches and encodes what is attached, for as many emails as share it.

    Args:
        objects: S3.
        memory: of the run; nothing is read before there is room for it.
    """

    def __init__(self, objects: Objects, memory: Memory) -> None:
        self._objects = objects
        self._memory = memory
        self._shelf = Shelf(memory)

    @asynccontextmanager
    async def fetched(
        self, email: Checked, timeout_seconds: float
    ) -> AsyncIterator[Mapping[S3Object, Pieces]]:
        """Inside, all objects that the email needs are there, encoded.

        Args:
            email: to be sent.
            timeout_seconds: for all of them.

        Raises:
            UnfetchedError: one of them can't be had.
        """
        async with AsyncExitStack() as stack:
            yield await self._fetch(email, timeout_seconds, stack) if email.objects else {}

    async def _fetch(
        self, email: Checked, timeout_seconds: float, stack: AsyncExitStack
    ) -> Mapping[S3Object, Pieces]:
        paths = {one: f"$.attachments[{i}].s3" for i, one in reversed(_in_s3(email))}
        try:
            async with asyncio.timeout(timeout_seconds):
                sizes = await self._sizes(email)
                load = partial(self._load, sizes)
                return await stack.enter_async_context(self._shelf.lend(sizes, load))
        except ObjectError as error:
            path, detail = paths.get(error.about, _PATH), f"S3: {error}"
            raise UnfetchedError(_REASONS[error.fault], path, detail) from error
        except (TimeoutError, AbandonedError):
            raise UnfetchedError(Reason.STORAGE, _PATH, "S3: timed out") from None

    async def _sizes(self, email: Checked) -> dict[S3Object, int]:
        """The octets of each object, encoded.

        Raises:
            UnfetchedError: TOO_LARGE.
        """
        sizes = {one: self._shelf.size(one) for one in email.objects}
        unknown = [one for one, size in sizes.items() if size is None]
        asked = await asyncio.gather(*map(self._objects.size, unknown))
        known = {one: size for one, size in sizes.items() if size is not None}
        known |= zip(unknown, map(encoded_size, asked), strict=True)
        octets = 0
        for number, one in _in_s3(email):
            octets += known[one]
            if octets > self._memory.largest:
                detail = f"an email may have {self._memory.largest} octets here"
                raise UnfetchedError(Reason.TOO_LARGE, f"$.attachments[{number}].s3", detail)
        return known

    async def _load(self, sizes: Mapping[S3Object, int], one: S3Object) -> Pieces:
        opened = await self._objects.open(one)
        try:
            if encoded_size(opened.size) != sizes[one]:  # there is room for the other one
                raise ObjectError(Fault.UNAVAILABLE, "changed meanwhile", one)
            pieces, count, sha256 = await _encoded(opened)
        finally:
            opened.close()
        if count != opened.size:
            raise ObjectError(Fault.UNAVAILABLE, "incomplete", one)
        if one.sha256 is not None and sha256 != one.sha256.lower():
            raise ObjectError(Fault.MISMATCH, "sha256 differs", one)
        return pieces


def _in_s3(email: Checked) -> list[tuple[int, S3Object]]:
    """Numbers of attachments, and their objects."""
    return [(number, one.s3) for number, one in enumerate(email.attached) if one.s3 is not None]


async def _encoded(opened: OpenObject) -> tuple[Pieces, int, str]:
    """Base64 in lines; how many octets there were, and their SHA-256.

    In pieces: the octets are never there as a whole.
    """
    pieces: list[bytes] = []
    rest, count, digest = b"", 0, hashlib.sha256()
    while octets := await opened.read(_READ_BYTES):
        count += len(octets)
        digest.update(octets)
        unencoded = rest + octets
        whole_lines = len(unencoded) // LINE_OCTETS * LINE_OCTETS
        pieces.append(base64_lines(unencoded[:whole_lines]))
        rest = unencoded[whole_lines:]
    return (*pieces, base64_lines(rest)), count, digest.hexdigest()
