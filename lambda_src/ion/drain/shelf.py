"""What several emails of a run share: loaded once, kept while it is used, and a while longer."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from ion.contract import S3Object
from ion.drain.memory import Memory

Pieces = tuple[bytes, ...]
Load = Callable[[S3Object], Awaitable[Pieces]]


class AbandonedError(Exception):
    """Who was loading an object had to stop."""


@dataclass(eq=False, slots=True)
class _Entry:
    """An object, or the wait for it.

    Args:
        octets: that it has of the budget.
        users: emails that have it or wait for it.
        pieces: its content, once it is loaded.
        fault: why it couldn't be.
        ready: one of the two is there.
    """

    octets: int
    users: int = 0
    pieces: Pieces = ()
    fault: Exception | None = None
    ready: asyncio.Event = field(default_factory=asyncio.Event)


class Shelf:
    """Objects by name.

    An object out of use stays as long as a quarter of the budget holds it, and nothing else
    needs the room. A fault isn't kept: the next email asks again.

    Args:
        memory: of the run.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._entries: dict[S3Object, _Entry] = {}
        """Those that were used last are last."""
        memory.drop = self._drop

    def size(self, one: S3Object) -> int | None:
        """Octets of an object that is there, or is being loaded; None: it isn't."""
        entry = self._entries.get(one)
        return None if entry is None else entry.octets

    @asynccontextmanager
    async def lend(
        self, sizes: Mapping[S3Object, int], load: Load
    ) -> AsyncIterator[dict[S3Object, Pieces]]:
        """Inside, the objects are there. Where several want one at a time, the first loads it.

        Room is waited for once, for all that isn't there yet: who had some of its objects and
        waited for more would be in the way of another who does the same.

        Args:
            sizes: the objects, and the octets that each will have.
            load: gets one.

        Raises:
            AbandonedError: another email's worker had to stop loading.
            Exception: what `load` raises.
        """
        fresh = [one for one in sizes if one not in self._entries]
        self._entries |= {one: _Entry(sizes[one]) for one in fresh}
        entries = {one: self._entries[one] for one in sizes}
        for entry in entries.values():
            entry.users += 1
        try:
            if fresh:
                await self._load(fresh, load)
            yield {one: await self._pieces(entry) for one, entry in entries.items()}
        finally:
            for one, entry in entries.items():
                self._give_back(one, entry)

    async def _load(self, fresh: Sequence[S3Object], load: Load) -> None:
        entries = [self._entries[one] for one in fresh]
        granted = False
        try:
            await self._memory.grow(sum(entry.octets for entry in entries))
            granted = True
            for one, entry in zip(fresh, entries, strict=True):
                entry.pieces = await load(one)
                entry.ready.set()
        except BaseException as error:
            for one, entry in zip(fresh, entries, strict=True):
                if not entry.ready.is_set():
                    entry.fault = error if isinstance(error, Exception) else AbandonedError()
                    del self._entries[one]
                    self._memory.shrink(entry.octets if granted else 0)
                    entry.ready.set()
            raise

    async def _pieces(self, entry: _Entry) -> Pieces:
        if not entry.ready.is_set():
            with self._memory.waits():
                await entry.ready.wait()
        if entry.fault is not None:
            raise entry.fault
        return entry.pieces

    def _give_back(self, one: S3Object, entry: _Entry) -> None:
        entry.users -= 1
        if self._entries.get(one) is entry:
            self._entries[one] = self._entries.pop(one)
        while sum(e.octets for e in self._entries.values() if not e.users) > self._memory.spare:
            self._drop()

    def _drop(self) -> bool:
        """Forget what hasn't been used for longest; False: all is in use."""
        for one, entry in self._entries.items():
            if not entry.users:
                del self._entries[one]
                self._memory.shrink(entry.octets)
                return True
        return False
