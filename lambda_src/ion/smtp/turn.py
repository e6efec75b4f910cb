"""Whose turn it is: a fair lock, for strands and tasks alike."""

import asyncio
from collections import deque

from ion.smtp.strand import Pause


class Turn:
    """A lock that goes from hand to hand, in the order in which it was asked for."""

    def __init__(self) -> None:
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

    async def __aexit__(self, *_: object) -> None:
        self.pass_on()
