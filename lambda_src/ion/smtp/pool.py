"""A fixed number of connections, opened when needed, kept while they are sound."""

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from ion.outcome import Outcome
from ion.smtp.session import Session


class Pool:
    """Hands out sessions, one borrower each.

    Connects one at a time, so that a refused login is one refused login and not one a worker.
    When a further connection is refused while others work, the pool makes do with those.

    Args:
        connect: opens a session, or tells why it can't.
        size: connections at most.
    """

    def __init__(self, connect: Callable[[], Awaitable[Session | Outcome]], size: int) -> None:
        self._connect = connect
        self._size = size
        self._idle: list[Session] = []
        self._open = 0
        self._connecting = False
        self._refused: Outcome | None = None
        self._changed = asyncio.Condition()

    def __repr__(self) -> str:
        return f"<Pool {self._open - len(self._idle)} busy, {len(self._idle)} idle of {self._size}>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        idle, self._idle = self._idle, []
        await asyncio.gather(*(session.quit() for session in idle))

    async def acquire(self, *, fresh: bool = False) -> Session | Outcome:
        """A sound session to send on, or why there is none to be had at all.

        Args:
            fresh: not one that has been used: something went wrong on one of those.
        """
        async with self._changed:
            while True:
                if self._refused is not None:
                    return self._refused
                if (session := self._take_idle()) is not None:
                    if not fresh:
                        return session
                    self._forget(session)
                if self._open < self._size and not self._connecting:
                    break
                await self._changed.wait()
            self._connecting = True
        try:
            connected = await self._connect()
        finally:
            self._connecting = False
        async with self._changed:
            self._changed.notify_all()
            if isinstance(connected, Session):
                self._open += 1
                return connected
            if self._open == 0:
                self._refused = connected
                return connected
            self._size = self._open
        return await self.acquire()  # somebody else's, then: there are some

    async def release(self, session: Session) -> None:
        """Give a session back; one that isn't sound is closed and forgotten."""
        async with self._changed:
            if session.usable:
                self._idle.append(session)
            else:
                self._forget(session)
            self._changed.notify_all()

    def _take_idle(self) -> Session | None:
        """An idle session that the server hasn't closed meanwhile."""
        while self._idle:
            session = self._idle.pop()
            if session.usable:
                return session
            self._forget(session)
        return None

    def _forget(self, session: Session) -> None:
        session.close()
        self._open -= 1
