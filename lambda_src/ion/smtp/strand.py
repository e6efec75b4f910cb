"""Coroutines that go on in the very moment that what they wait for has come.

A task goes on one turn of the event loop later, or several if another task wakes it: each costs
a system call, and whatever else is ready comes first. In a conversation nothing is more urgent
than to answer what has just been heard.
"""

import asyncio
from collections import deque
from collections.abc import Coroutine
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Pause(asyncio.Future[None]):
    """Awaited until it is `over`: by a strand, which then goes on at once, or by any task."""

    strand: "Strand[Any] | None" = None

    def over(self) -> None:
        """Whoever waits may go on; nothing happens if nobody does any more."""
        if not self.done():
            self.set_result(None)
            strand, self.strand = self.strand, None  # no circle for the collector to find
            if strand is not None:
                strand.go_on()


Line = deque["Strand[Any]"]
"""The strands of a connection that can go on. The first is at it: as with tasks, one at a time."""


class Strand(Generic[T]):
    """A coroutine that a task begins, and that the events of a connection drive to its end.

    Args:
        coroutine: awaits a `Pause` and nothing else; has no current task while it runs.
        line: the connection's.
    """

    def __init__(self, coroutine: Coroutine[Any, None, T], line: Line) -> None:
        self._coroutine = coroutine
        self._line = line
        self._pause: Pause | None = None
        self._thrown: BaseException | None = None
        self._came_to: tuple[T] | BaseException | None = None
        self._awaited: asyncio.Future[None] | None = None

    async def result(self) -> T:
        """Begin; give what it comes to. Who cancels this cancels the coroutine."""
        self.go_on()
        while self._came_to is None:
            self._awaited = asyncio.get_running_loop().create_future()
            try:
                await self._awaited
            except asyncio.CancelledError as cancelled:
                if self._came_to is not None:  # both in the same moment
                    raise
                self._throw(cancelled)
        if isinstance(self._came_to, BaseException):
            raise self._came_to
        return self._came_to[0]

    def go_on(self) -> None:
        """Go on until the next pause; if another strand is at it, when that one pauses."""
        self._line.append(self)
        if self._line[0] is self:
            while self._line:
                self._line[0].step()
                self._line.popleft()

    def _throw(self, error: BaseException) -> None:
        if self._pause is not None:
            self._pause.cancel()  # nobody waits there any more
        self._thrown = error
        self.go_on()

    def step(self) -> None:
        """Go on until the next pause: of whoever is first in line."""
        thrown, self._thrown = self._thrown, None
        try:
            awaited = self._coroutine.throw(thrown) if thrown else self._coroutine.send(None)
        except StopIteration as ended:
            self._came_to = (ended.value,)
        except BaseException as error:  # noqa: BLE001 - raised in the task
            self._came_to = error
        else:
            assert isinstance(awaited, Pause), "a strand waits for its connection only"
            self._pause = awaited
            awaited.strand = self
            return
        if self._awaited is not None and not self._awaited.done():
            self._awaited.set_result(None)
