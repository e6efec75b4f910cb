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
                if (session := self._take_idle(fresh=fresh)) is not None:
                    return session
                if not self._connecting and self._make_room():
                    break
                await self._changed.wait()
            self._connecting = True
        connected: Session | Outcome | None = None
        try:
            connected = await self._connect()
        finally:
            async with self._changed:
                self._connecting = False
                self._count(connected)
                self._changed.notify_all()
        if isinstance(connected, Session) or self._refused is not None:
            return connected
        return await self.acquire()  # somebody else's, then: there are some

    def _count(self, connected: Session | Outcome | None) -> None:
        """What came of connecting; None: it raised, and the next borrower may try."""
        if isinstance(connected, Session):
            self._open += 1
        elif connected is not None and self._open == 0:
            self._refused = connected
        elif connected is not None:
            self._size = self._open

    async def release(self, session: Session) -> None:
        """Give a session back; one that isn't sound is closed and forgotten."""
        async with self._changed:
            if session.usable:
                self._idle.append(session)
            else:
                self._forget(session)
            self._changed.notify_all()

    def _take_idle(self, *, fresh: bool) -> Session | None:
        """An idle session that the server hasn't closed meanwhile; if `fresh`, an unused one."""
        for session in [session for session in self._idle if not session.usable]:
            self._idle.remove(session)
            self._forget(session)
        for session in reversed(self._idle):
            if not fresh or session.transactions == 0:
                self._idle.remove(session)
                return session
        return None

    def _make_room(self) -> bool:
        """True if a further connection may be opened, at the price of an idle one if need be."""
        if self._open == self._size and self._idle:
            self._forget(self._idle.pop(0))
        return self._open < self._size

    def _forget(self, session: Session) -> None:
        session.close()
        self._open -= 1
