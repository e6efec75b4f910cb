"""One login at a time, however many connections are being opened."""

import asyncio
from collections.abc import Awaitable, Callable

from ion.outcome import Outcome


class Logins:
    """The logins to one server in one run.

    Providers count refused logins, and lock accounts: who waits for its turn while another is
    refused takes that for its own answer.
    """

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._refused: list[Outcome] = []

    async def one(self, log_in: Callable[[], Awaitable[Outcome | None]]) -> Outcome | None:
        """Log in when it is our turn; None: we are in, else why not."""
        before = len(self._refused)
        async with self._turn:
            if len(self._refused) > before:
                return self._refused[-1]
            refused = await log_in()
            if refused is not None:
                self._refused.append(refused)
            return refused
