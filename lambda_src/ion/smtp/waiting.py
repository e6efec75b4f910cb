"""Waits on one connection: for the next thing that happens there, or for a deadline."""

import asyncio


class Waiting:
    """One timer shared by all waiters; a waiter re-checks its condition when woken.

    A timer for each reply would cost more than the reply, since nearly all are cancelled. This one
    is set anew only for an earlier deadline, so it may wake a waiter too early.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiters: list[asyncio.Future[None]] = []
        self._timer: asyncio.TimerHandle | None = None

    def now(self) -> float:
        """Seconds on the clock of `wait`."""
        return self._loop.time()

    def wake(self) -> None:
        """Wake all waiters: something has happened."""
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def wait(self, until: float) -> None:
        """Return when woken, at `until` at the latest."""
        if self._timer is None or until < self._timer.when():
            self.stop()
            self._timer = self._loop.call_at(until, self._time_is_up)
        waiter = self._loop.create_future()
        self._waiters.append(waiter)
        await waiter

    def stop(self) -> None:
        """Cancel the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _time_is_up(self) -> None:
        self._timer = None
        self.wake()
