"""Whose turn it is: a fair lock, for strands and tasks alike."""

import asyncio
from collections import deque
from collections.abc import Callable
from types import TracebackType

from ion.smtp.strand import Pause


class Turn:
    """A lock that goes from hand to hand, in the order in which it was asked for.

    Args:
        broken_off: called if somebody is thrown out in the middle, before the next one can act.
    """

    def __init__(self, broken_off: Callable[[], None]) -> None:
        self._broken_off = broken_off
        self._taken = False
        self._waiting: deque[Pause] = deque()

    async def take(self) -> None:
        """Wait for it."""
        if not self._taken:
            self._taken = True
            return
        pause = Pause()
        self._waiting.append(pause)
        try:
            await pause
        except asyncio.CancelledError:
            if not pause.cancelled():  # handed over in the same moment
                self.pass_on()
            raise

    def pass_on(self) -> None:
        """Hand it to whoever comes next."""
        while self._waiting:
            pause = self._waiting.popleft()
            if not pause.done():
                pause.over()
                return
        self._taken = False

    async def __aenter__(self) -> None:
        await self.take()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if exc is not None:
            self._broken_off()
        self.pass_on()
