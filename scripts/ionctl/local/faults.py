"""What the local mail server does wrong in each mode, whomever an email is for."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from ionctl.local.mode import Mode

SLOW_SECONDS = 1.0
THROTTLED_TO_A_SECOND = 1.0
"""Emails; SES's sandbox takes so many."""

DISK_FULL = "452 4.3.1 Insufficient system storage"
QUOTA_EXCEEDED = "454 Throttling failure: Daily message quota exceeded."
RATE_EXCEEDED = "454 Throttling failure: Maximum sending rate exceeded"

_AT_MAIL = {Mode.FULL: DISK_FULL, Mode.QUOTA: QUOTA_EXCEEDED}


class Faults:
    """Of one server. `mode` may be set from any thread.

    Args:
        clock: seconds, monotonic.
        sleep: waits for so many seconds.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.mode = Mode.WELL
        self._clock = clock
        self._sleep = sleep
        self._free_at = 0.0
        """When the next email is taken, while the rate is limited."""

    async def before_reply(self) -> None:
        """Take the time that a slow server takes."""
        if self.mode is Mode.SLOW:
            await self._sleep(SLOW_SECONDS)

    def at_mail(self) -> str | None:
        """Give the refusal of an email before any of it has come, or None."""
        return _AT_MAIL.get(self.mode)

    def after_data(self) -> str | None:
        """Give the refusal of an email that has come whole, or None."""
        if self.mode is Mode.THROTTLE:
            now = self._clock()
            if now < self._free_at:
                return RATE_EXCEEDED
            self._free_at = now + 1 / THROTTLED_TO_A_SECOND
        return None
