"""Rings when something has happened, or when it is time to look at the clock."""

import asyncio

from ion.smtp.strand import Pause


class Bell:
    """Has one timer however many wait for however many things, and sets it anew but rarely.

    A timer for each reply would cost more than the reply: nearly all are cancelled. This one
    may ring for a wait that is over, so whoever hears it looks again.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiting: list[Pause] = []
        self._timer: asyncio.TimerHandle | None = None

    def now(self) -> float:
        """Seconds on the clock of `heard`."""
        return self._loop.time()

    def ring(self) -> None:
        """Something has happened."""
        waiting, self._waiting = self._waiting, []
        for pause in waiting:
            pause.over()

    async def heard(self, until: float) -> None:
        """Wait until it rings, which it does at `until` at the latest."""
        if self._timer is None or until < self._timer.when():
            self.stop()
            self._timer = self._loop.call_at(until, self._time)
        pause = Pause(loop=self._loop)
        self._waiting.append(pause)
        await pause

    def stop(self) -> None:
        """Forget the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _time(self) -> None:
        self._timer = None
        self.ring()
