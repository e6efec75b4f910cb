"""Connections are opened as they are needed, lent to one borrower each, and kept while sound."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import pytest

from ion.outcome import Kind, Outcome, Reason, Scope, Stage
from ion.smtp.connect import connect
from ion.smtp.logins import Logins
from ion.smtp.pool import Pool
from ion.smtp.session import Session
from smtp.client import (
    WITH_LOGIN,
    context_for,
    email,
    pool_for,
    sent,
    settings_for,
    soon,
    until,
)
from smtp.pooling import WORKERS, session_of, settle_down
from smtp_server import (
    NORMAL,
    Action,
    Moment,
    ScriptedServer,
    Step,
    Tls,
    last_repeats,
    reply,
)

REFUSED = Outcome(Stage.CONNECT, Kind.UNAVAILABLE, Scope.SITE, Reason.CONNECT)

Connect = Callable[[], Awaitable[Session | Outcome]]


class Door:
    """The connecting to a server, of which the test says how it goes."""

    def __init__(self, server: ScriptedServer) -> None:
        smtp = settings_for(server)
        self._connect: Connect = partial(connect, smtp, context_for(smtp), soon(), Logins())
        self.tries = 0
        self.at_once = 0
        self.most_at_once = 0
        self.closed = False
        self.broken = False
        self.waiting = asyncio.Event()
        self.open = asyncio.Event()
        self.open.set()

    async def __call__(self) -> Session | Outcome:
        self.tries += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            self.waiting.set()
            await self.open.wait()
            if self.broken:
                self.broken = False
                raise RuntimeError("a fault of ours")
            return REFUSED if self.closed else await self._connect()
        finally:
            self.at_once -= 1


async def test_a_sound_connection_is_used_again() -> None:
    async with ScriptedServer() as server:
        async with pool_for(server, size=4) as pool:
            for _ in range(5):
                (outcome,) = await sent(pool, email())
                assert outcome.kind is Kind.ACCEPTED
            assert repr(pool) == "<Pool 0 busy, 1 idle of 4>"
        await server.settled()
        (session,) = server.sessions
        assert session.verbs.count("QUIT") == 1
        assert len(server.accepted) == 5


async def test_there_are_never_more_connections_than_its_size() -> None:
    async with ScriptedServer() as server:
        door = Door(server)
        async with Pool(door, 3) as pool:

            async def work() -> None:
                for _ in range(5):
                    assert (await sent(pool, email()))[0].kind is Kind.ACCEPTED

            await asyncio.gather(*(work() for _ in range(WORKERS)))
            assert door.tries <= 3
        await server.settled()
        assert len(server.accepted) == 5 * WORKERS


async def test_the_first_connection_is_opened_alone_and_the_others_four_at_a_time() -> None:
    async with ScriptedServer() as server:
        door = Door(server)
        door.open.clear()
        async with Pool(door, 8) as pool:
            waiting = [asyncio.ensure_future(session_of(pool)) for _ in range(8)]
            await settle_down()
            assert door.at_once == 1
            door.open.set()
            await door.waiting.wait()
            sessions = await asyncio.gather(*waiting)
            assert (len(set(sessions)), door.most_at_once) == (8, 4)
            for session in sessions:
                await pool.release(session)


def test_logins_are_one_at_a_time_and_who_waits_takes_a_refusal_for_its_own() -> None:
    async def main() -> None:
        logins, at_once, tries = Logins(), [0], [0]

        async def log_in() -> Outcome | None:
            at_once[0] += 1
            tries[0] += 1
            assert at_once[0] == 1
            await asyncio.sleep(0)
            at_once[0] -= 1
            return REFUSED if tries[0] == 3 else None

        came = await asyncio.gather(*(logins.one(log_in) for _ in range(6)))
        assert came == [None, None, *[REFUSED] * 4]
        assert await logins.one(log_in) is None, "who comes later may try again"
        assert tries == [4]

    asyncio.run(main())


@pytest.mark.row(42)
async def test_a_wrong_password_is_tried_once_whoever_waits() -> None:
    async with ScriptedServer(tls=Tls.IMPLICIT, offer=WITH_LOGIN) as server:
        pool = pool_for(server, Tls.IMPLICIT, size=WORKERS, password="wrong")
        async with pool:
            came = await asyncio.gather(*(pool.acquire() for _ in range(WORKERS)))
            came.append(await pool.acquire(fresh=True))
        assert {getattr(outcome, "reason", None) for outcome in came} == {Reason.AUTH}
        assert server.auth_commands == 1
        assert len(server.sessions) == 1


@pytest.mark.row(42)
async def test_a_password_that_becomes_wrong_is_tried_once_more_at_most() -> None:
    script = {Step.AUTH: last_repeats(NORMAL, reply(535, "5.7.8 no"))}
    async with ScriptedServer(script, tls=Tls.IMPLICIT, offer=WITH_LOGIN) as server:
        async with pool_for(server, Tls.IMPLICIT, size=WORKERS) as pool:
            work = (sent(pool, email()) for _ in range(WORKERS))
            outcomes = await asyncio.gather(*work)
            assert {outcome.kind for (outcome,) in outcomes} == {Kind.ACCEPTED}
        assert server.auth_commands == 2


@pytest.mark.row(39)
def test_the_pool_makes_do_with_the_connections_that_it_gets() -> None:
    async def main() -> None:
        def two_at_most(moment: Moment) -> Action:
            too_many = moment.step is Step.CONNECT and moment.session > 2
            return reply(421, "4.3.2 Too many connections", close=True) if too_many else NORMAL

        async with ScriptedServer(two_at_most) as server:
            async with pool_for(server, size=WORKERS) as pool:
                work = (sent(pool, email()) for _ in range(3 * WORKERS))
                outcomes = await asyncio.gather(*work)
                assert {outcome.kind for (outcome,) in outcomes} == {Kind.ACCEPTED}
                assert repr(pool) == "<Pool 0 busy, 2 idle of 2>"
            await server.settled()
            assert 3 <= len(server.sessions) <= 1 + 4, "the first alone, then four at a time"
            assert len(server.accepted) == 3 * WORKERS

    asyncio.run(main())


@pytest.mark.parametrize("recovers", [True, False])
async def test_a_pool_that_shrank_and_lost_its_last_connection_tries_again(
    *, recovers: bool
) -> None:
    async with ScriptedServer() as server:
        door = Door(server)
        async with Pool(door, 3) as pool:
            only = await session_of(pool)
            door.closed = True
            others = [asyncio.ensure_future(pool.acquire()) for _ in range(4)]
            await settle_down()
            assert repr(pool) == "<Pool 1 busy, 0 idle of 1>"
            assert not any(other.done() for other in others)
            door.closed = not recovers
            only.close()
            await pool.release(only)
            for _ in others:
                done, _ = await asyncio.wait(others, return_when=asyncio.FIRST_COMPLETED)
                for other in done:
                    others.remove(other)
                    came = other.result()
                    assert isinstance(came, Session) == recovers
                    if isinstance(came, Session):
                        await pool.release(came)
                if not others:
                    break
            assert door.most_at_once == 1


async def test_a_refusal_is_told_to_everybody_without_asking_again() -> None:
    async with ScriptedServer() as server:
        door = Door(server)
        door.closed = True
        door.open.clear()
        async with Pool(door, 3) as pool:
            waiting = [asyncio.ensure_future(pool.acquire()) for _ in range(WORKERS)]
            await door.waiting.wait()
            door.open.set()
            assert await asyncio.gather(*waiting) == [REFUSED] * WORKERS
            assert await pool.acquire() == REFUSED
            assert await pool.acquire(fresh=True) == REFUSED
            assert door.tries == 1


async def test_whoever_waits_goes_on_if_connecting_raises() -> None:
    async with ScriptedServer() as server:
        door = Door(server)
        door.broken = True
        door.open.clear()
        async with Pool(door, 1) as pool:
            first = asyncio.ensure_future(pool.acquire())
            await door.waiting.wait()
            second = asyncio.ensure_future(pool.acquire())
            await settle_down()
            door.open.set()
            with pytest.raises(RuntimeError, match="a fault of ours"):
                await first
            came = await second
            assert isinstance(came, Session)
            await pool.release(came)


async def test_whoever_waits_goes_on_if_the_one_who_connects_is_cancelled() -> None:
    async with ScriptedServer() as server:
        door = Door(server)
        door.open.clear()
        async with Pool(door, 1) as pool:
            first = asyncio.ensure_future(pool.acquire())
            await door.waiting.wait()
            second = asyncio.ensure_future(pool.acquire())
            await settle_down()
            first.cancel()
            door.open.set()
            with pytest.raises(asyncio.CancelledError):
                await first
            came = await second
            assert isinstance(came, Session)
            await pool.release(came)
            assert repr(pool) == "<Pool 0 busy, 1 idle of 1>"


async def test_whoever_is_cancelled_while_waiting_takes_nothing_along() -> None:
    async with ScriptedServer() as server, pool_for(server, size=1) as pool:
        session = await session_of(pool)
        waiting = [asyncio.ensure_future(pool.acquire()) for _ in range(3)]
        await settle_down()
        for one in waiting[:2]:
            one.cancel()
        await pool.release(session)
        assert await waiting[2] is session
        await pool.release(session)
        assert repr(pool) == "<Pool 0 busy, 1 idle of 1>"


async def test_who_waits_longest_is_served_first() -> None:
    """Not who has just given a session back, and happens to be there."""
    async with ScriptedServer() as server, pool_for(server, size=1) as pool:
        session, served = await session_of(pool), []

        async def work(name: str, session: Session | None = None) -> None:
            for _ in range(2):
                mine = session or await session_of(pool)
                served.append(name)
                await pool.release(mine)
                session = None

        others = [asyncio.ensure_future(work(name)) for name in "bc"]
        await settle_down()
        await asyncio.gather(work("a", session), *others)
        assert served == list("abcabc")


async def test_a_session_granted_to_somebody_who_is_cancelled_isnt_lost() -> None:
    async with ScriptedServer() as server, pool_for(server, size=1) as pool:
        session = await session_of(pool)
        waiting = [asyncio.ensure_future(pool.acquire()) for _ in range(2)]
        await settle_down()
        await pool.release(session)
        waiting[0].cancel()  # it has been granted, and doesn't know yet
        assert await waiting[1] is session
        await pool.release(session)
        assert repr(pool) == "<Pool 0 busy, 1 idle of 1>"


@pytest.mark.parametrize("crash", [True, False])
async def test_leave_to_connect_granted_to_somebody_who_is_cancelled_isnt_lost(
    *, crash: bool
) -> None:
    async with ScriptedServer() as server:
        door = Door(server)
        door.broken = True
        door.open.clear()
        async with Pool(door, 1) as pool:
            first = asyncio.ensure_future(pool.acquire())
            await door.waiting.wait()
            waiting = [asyncio.ensure_future(pool.acquire()) for _ in range(2)]
            await settle_down()
            if crash:
                door.open.set()
            else:
                first.cancel()
                door.broken = False
                door.open.set()
            await until(first.done)
            waiting[0].cancel()
            came = await waiting[1]
            assert isinstance(came, Session)
            await pool.release(came)
            assert repr(pool) == "<Pool 0 busy, 1 idle of 1>"
            with pytest.raises((RuntimeError, asyncio.CancelledError)):
                await first


# -- fresh ones ----------------------------------------------------------------------------


@pytest.mark.row(44)
async def test_a_fresh_connection_is_one_that_hasnt_been_used() -> None:
    async with ScriptedServer() as server, pool_for(server, size=2) as pool:
        used, unused = await session_of(pool), await session_of(pool)
        await used.send(email(), soon())
        await pool.release(unused)
        await pool.release(used)
        assert await session_of(pool, fresh=True) is unused
        assert await session_of(pool) is used
        for session in (used, unused):
            await pool.release(session)
        assert len(server.sessions) == 2


@pytest.mark.row(44)
async def test_a_fresh_connection_costs_an_idle_one_only_if_there_is_no_room() -> None:
    async with ScriptedServer() as server:
        door = Door(server)
        async with Pool(door, 2) as pool:
            await sent(pool, email())
            second = await session_of(pool, fresh=True)
            assert repr(pool) == "<Pool 1 busy, 1 idle of 2>"
            third = await session_of(pool, fresh=True)
            assert repr(pool) == "<Pool 2 busy, 0 idle of 2>"
            assert door.tries == 3
            for session in (second, third):
                await pool.release(session)
        await server.settled()


@pytest.mark.row(44)
async def test_a_fresh_connection_is_waited_for_when_all_are_busy() -> None:
    async with ScriptedServer() as server:
        door = Door(server)
        async with Pool(door, 2) as pool:
            busy = [await session_of(pool) for _ in range(2)]
            for session in busy:
                await session.send(email(), soon())
            waiting = [asyncio.ensure_future(session_of(pool, fresh=True)) for _ in range(2)]
            await settle_down()
            assert not any(one.done() for one in waiting)
            for session in busy:
                await pool.release(session)
            fresh = await asyncio.gather(*waiting)
            assert [session.transactions for session in fresh] == [0, 0]
            assert door.tries == 4
            for session in fresh:
                await pool.release(session)


@pytest.mark.row(44)
async def test_if_no_fresh_connection_is_to_be_had_there_are_the_others() -> None:
    async with ScriptedServer() as server:
        door = Door(server)
        async with Pool(door, 3) as pool:
            used = await session_of(pool)
            await used.send(email(), soon())
            door.closed = True
            waiting = asyncio.ensure_future(session_of(pool, fresh=True))
            await settle_down()
            await pool.release(used)
            assert await waiting is used
            await pool.release(used)
