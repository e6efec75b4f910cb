"""Connections: opened as the backlog grows, shared where the server allows, kept while sound."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from ion.outcome import Outcome
from ion.settings import Pipelining
from ion.smtp.session import Session
from ion.smtp.transaction import Confusion

_CHANCE_BREAKS = 1
"""Connections that may break over an envelope in one flight before that speaks against it."""
_AT_ONCE = 4
"""Connections that are opened at a time: one takes seven round trips with STARTTLS and a login."""


class _Connect:
    """Granted instead of a session: there is room for one more."""


_Grant = Session | Outcome | _Connect


class _Waiter(asyncio.Future[_Grant]):
    """A borrower that waits for a session."""

    fresh = False


class Pool:
    """Lends sessions; in `deep`, one to several borrowers at a time.

    The first connection is opened alone: a server that turns us away is asked once, and not once a
    worker. When a further one is refused while others work, the pool makes do with those.

    Args:
        connect: opens a session, or tells why it can't.
        size: connections at most.
        server: whose they are: its section in the configuration.
        pipelining: at most this; it goes down when the server shows that it can't do it.
    """

    def __init__(
        self,
        connect: Callable[[], Awaitable[Session | Outcome]],
        size: int,
        server: str = "smtp",
        pipelining: Pipelining = Pipelining.DEEP,
    ) -> None:
        self.server = server
        self._connect = connect
        self._size = size
        self._borrowers: dict[Session, int] = {}
        self._probed: set[Session] = set()
        """Being asked whether the server is still there; until it says so, lent once only."""
        self.pipelining = pipelining
        self.learned: Pipelining | None = None
        """The mode to begin with next time, if the server has shown that it can't do more."""
        self._breaks = 0
        self._flew = False
        self._connecting = 0
        """Number of connections that are being opened."""
        self._refused: Outcome | None = None
        self._waiters: deque[_Waiter] = deque()

    def __repr__(self) -> str:
        busy = [borrowers for borrowers in self._borrowers.values() if borrowers]
        emails = f" with {sum(busy)} emails" if sum(busy) > len(busy) else ""
        idle = len(self._borrowers) - len(busy)
        limited = self.pipelining is not Pipelining.DEEP
        most = f", pipelining {self.pipelining}" if limited else ""
        return f"<Pool {len(busy)} busy{emails}, {idle} idle of {self._size}{most}>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        sessions, self._borrowers = list(self._borrowers), {}
        await asyncio.gather(*(session.quit() for session in sessions))

    @property
    def size(self) -> int:
        """Connections at most."""
        return self._size

    async def limit(self, size: int) -> None:
        """Change how many connections there may be; one is the least.

        Those that are too many are closed as they fall idle, and none is lent until they are.
        """
        self._size = max(1, size)
        idle = [session for session, borrowers in self._borrowers.items() if not borrowers]
        retired = idle[: max(0, len(self._borrowers) - self._size)]
        for session in retired:
            del self._borrowers[session]
        self._grant_all()
        await asyncio.gather(*(session.quit() for session in retired))

    async def acquire(self, *, fresh: bool = False) -> Session | Outcome:
        """A sound session to send on, or why there is none to be had at all.

        Args:
            fresh: not one that has been used: something went wrong on one of those.
        """
        while True:
            lent = await self._acquire(fresh=fresh)
            if isinstance(lent, Outcome):
                return lent
            if lent not in self._probed:
                return lent
            there = False
            try:
                if there := await lent.probe():
                    self._probed.discard(lent)
                    self._grant_all()  # in `deep` there is room for others
                    return lent
            finally:
                if not there:
                    await self.release(lent)

    async def _acquire(self, *, fresh: bool) -> Session | Outcome:
        granted = None if self._waiters else self._grant(fresh=fresh)
        if granted is None:
            granted = await self._wait(fresh=fresh)
        if not isinstance(granted, _Connect):
            return granted
        connected: Session | Outcome | None = None
        try:
            connected = await self._connect()
        finally:
            self._connecting -= 1
            self._count(connected)
            self._grant_all()
        if isinstance(connected, Session) or self._refused is not None:
            return connected
        return await self._acquire(fresh=False)  # then one of those that there are

    async def _wait(self, *, fresh: bool) -> _Grant:
        """Wait in line."""
        waiter = _Waiter()
        waiter.fresh = fresh
        self._waiters.append(waiter)
        self._grant_all()
        try:
            return await waiter
        except asyncio.CancelledError:
            if not waiter.cancelled():  # granted in the same moment
                await self._return(waiter.result())
            raise

    async def _return(self, granted: _Grant) -> None:
        """Take back what was granted to a borrower that has gone."""
        if isinstance(granted, Session):
            await self.release(granted)
        elif isinstance(granted, _Connect):
            self._connecting -= 1
            self._grant_all()

    def _grant_all(self) -> None:
        """Serve the borrowers that wait, in the order in which they came."""
        waiting, self._waiters = self._waiters, deque()
        while waiting:
            waiter = waiting.popleft()
            granted = None if waiter.done() else self._grant(fresh=waiter.fresh)
            if granted is not None:
                waiter.set_result(granted)
            elif not waiter.done():
                self._waiters.append(waiter)
                if not waiter.fresh:  # if there is none for this one, there is none at all
                    break
        self._waiters += waiting

    def _grant(self, *, fresh: bool) -> _Grant | None:
        """A session, the room for one, or a refusal; None: nothing yet."""
        if self._refused is not None:
            return self._refused
        if (session := self._take(fresh=fresh)) is not None:
            return session
        at_once = _AT_ONCE if self._borrowers else 1
        if self._connecting < at_once and self._make_room():
            self._connecting += 1
            return _Connect()
        return None

    def _count(self, connected: Session | Outcome | None) -> None:
        """Count the result of connecting; None: it raised, and the next borrower may try."""
        if isinstance(connected, Session):
            connected.pipelining = connected.pipelining.at_most(self.pipelining)
            self._borrowers[connected] = 1
        elif connected is not None:
            if self._connections:
                self._size = self._connections
            else:
                self._refused = connected

    async def release(self, session: Session) -> None:
        """Give a session back; one that isn't sound, or worn, is closed and forgotten."""
        retired = None
        self._probed.discard(session)
        self._learn(session)
        if session in self._borrowers:  # else another borrower has found it broken
            self._borrowers[session] = self._borrowers.pop(session) - 1  # now the last one
            if not session.usable:
                self._forget(session)
            elif not self._borrowers[session] and self._is_too_much(session):
                del self._borrowers[session]
                retired = session
        if self._waiters:
            self._grant_all()
        if retired is not None:
            await retired.quit()

    def _is_too_much(self, session: Session) -> bool:
        return session.worn or len(self._borrowers) > self._size

    def _learn(self, session: Session) -> None:
        """Learn from what went wrong with PIPELINING on a session.

        Where an envelope behind a dot went wrong, envelopes may still go out in one flight. A
        connection may break by chance, so that is nothing to remember; more than once, before any
        such envelope was taken, and the flight is the likely reason.
        """
        confusion, session.confusion = session.confusion, None
        self._flew |= session.flew
        if confusion is Confusion.BREAK and not self._flew:
            self._breaks += 1
            if self._breaks > _CHANCE_BREAKS:
                self._limit_pipelining(Pipelining.OFF)
        elif confusion in (Confusion.BEHIND_A_DOT, Confusion.IN_A_FLIGHT):
            behind = confusion is Confusion.BEHIND_A_DOT
            self._limit_pipelining(Pipelining.ENVELOPE if behind else Pipelining.OFF)
            self.learned = self.pipelining

    def _limit_pipelining(self, most: Pipelining) -> None:
        self.pipelining = self.pipelining.at_most(most)
        for session in self._borrowers:
            session.pipelining = session.pipelining.at_most(most)

    def _take(self, *, fresh: bool) -> Session | None:
        """A session that has room and that the server hasn't closed; if `fresh`, an unused one.

        Rather one that is idle; of those the one used last, since what lies idle for long is
        closed by the server. None while there are too many: they are to fall idle.
        """
        if len(self._borrowers) > self._size:
            return None
        lent = None
        for session, borrowers in reversed(self._borrowers.items()):
            if borrowers >= session.depth or session in self._probed:
                continue
            if lent is not None and borrowers >= self._borrowers[lent]:
                continue
            if session.usable and not session.worn and not (fresh and session.transactions):
                lent = session
                if not borrowers:
                    break
        if lent is not None:
            if not self._borrowers[lent] and lent.stale:
                self._probed.add(lent)
            self._borrowers[lent] += 1
        return lent

    def _make_room(self) -> bool:
        """True if a further connection may be opened, at the price of an idle one if need be."""
        for session in [session for session in self._borrowers if not session.usable]:
            self._forget(session)
        if self._connections >= self._size:
            for session, borrowers in self._borrowers.items():
                if not borrowers:
                    self._forget(session)
                    break
        return self._connections < self._size

    @property
    def _connections(self) -> int:
        return len(self._borrowers) + self._connecting

    def _forget(self, session: Session) -> None:
        session.close()
        del self._borrowers[session]
