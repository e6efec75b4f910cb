"""Connections are opened as they are needed, lent to one borrower each, and kept while sound."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial

import pytest

from ion.outcome import Kind, Outcome, Reason, Scope, Stage
from ion.settings import Pipelining
from ion.smtp.connect import connect
from ion.smtp.logins import Logins
from ion.smtp.pool import Pool
from ion.smtp.session import DEEPEST, Session
from smtp.client import (
    FIRST,
    SECOND,
    WITH_LOGIN,
    context_for,
    email,
    pool_for,
    sent,
    settings_for,
    soon,
    until,
)
from smtp_server import (
    FAULTS,
    NORMAL,
    Action,
    Moment,
    Offer,
    ScriptedServer,
    Step,
    Tls,
    drop,
    glue,
    last_repeats,
    reply,
    trickle,
)

WORKERS = 10
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


async def session_of(pool: Pool, *, fresh: bool = False) -> Session:
    session = await pool.acquire(fresh=fresh)
    assert isinstance(session, Session), session
    return session


async def settle_down() -> None:
    """Everybody gets as far as possible without the network."""
    for _ in range(10):
        await asyncio.sleep(0)


def test_a_sound_connection_is_used_again() -> None:
    async def main() -> None:
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

    asyncio.run(main())


def test_there_are_never_more_connections_than_its_size() -> None:
    async def main() -> None:
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

    asyncio.run(main())


def test_the_first_connection_is_opened_alone_and_the_others_four_at_a_time() -> None:
    async def main() -> None:
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

    asyncio.run(main())


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
def test_a_wrong_password_is_tried_once_whoever_waits() -> None:
    async def main() -> None:
        async with ScriptedServer(tls=Tls.IMPLICIT, offer=WITH_LOGIN) as server:
            pool = pool_for(server, Tls.IMPLICIT, size=WORKERS, password="wrong")
            async with pool:
                came = await asyncio.gather(*(pool.acquire() for _ in range(WORKERS)))
                came.append(await pool.acquire(fresh=True))
            assert {getattr(outcome, "reason", None) for outcome in came} == {Reason.AUTH}
            assert server.auth_commands == 1
            assert len(server.sessions) == 1

    asyncio.run(main())


@pytest.mark.row(42)
def test_a_password_that_becomes_wrong_is_tried_once_more_at_most() -> None:
    async def main() -> None:
        script = {Step.AUTH: last_repeats(NORMAL, reply(535, "5.7.8 no"))}
        async with ScriptedServer(script, tls=Tls.IMPLICIT, offer=WITH_LOGIN) as server:
            async with pool_for(server, Tls.IMPLICIT, size=WORKERS) as pool:
                work = (sent(pool, email()) for _ in range(WORKERS))
                outcomes = await asyncio.gather(*work)
                assert {outcome.kind for (outcome,) in outcomes} == {Kind.ACCEPTED}
            assert server.auth_commands == 2

    asyncio.run(main())


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
def test_a_pool_that_shrank_and_lost_its_last_connection_tries_again(*, recovers: bool) -> None:
    async def main() -> None:
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

    asyncio.run(main())


def test_a_refusal_is_told_to_everybody_without_asking_again() -> None:
    async def main() -> None:
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

    asyncio.run(main())


def test_whoever_waits_goes_on_if_connecting_raises() -> None:
    async def main() -> None:
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

    asyncio.run(main())


def test_whoever_waits_goes_on_if_the_one_who_connects_is_cancelled() -> None:
    async def main() -> None:
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

    asyncio.run(main())


def test_whoever_is_cancelled_while_waiting_takes_nothing_along() -> None:
    async def main() -> None:
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

    asyncio.run(main())


def test_who_waits_longest_is_served_first() -> None:
    """Not who has just given a session back, and happens to be there."""

    async def main() -> None:
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

    asyncio.run(main())


def test_a_session_granted_to_somebody_who_is_cancelled_isnt_lost() -> None:
    async def main() -> None:
        async with ScriptedServer() as server, pool_for(server, size=1) as pool:
            session = await session_of(pool)
            waiting = [asyncio.ensure_future(pool.acquire()) for _ in range(2)]
            await settle_down()
            await pool.release(session)
            waiting[0].cancel()  # it has been granted, and doesn't know yet
            assert await waiting[1] is session
            await pool.release(session)
            assert repr(pool) == "<Pool 0 busy, 1 idle of 1>"

    asyncio.run(main())


@pytest.mark.parametrize("crash", [True, False])
def test_leave_to_connect_granted_to_somebody_who_is_cancelled_isnt_lost(*, crash: bool) -> None:
    async def main() -> None:
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

    asyncio.run(main())


# -- fresh ones ----------------------------------------------------------------------------


@pytest.mark.row(44)
def test_a_fresh_connection_is_one_that_hasnt_been_used() -> None:
    async def main() -> None:
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

    asyncio.run(main())


@pytest.mark.row(44)
def test_a_fresh_connection_costs_an_idle_one_only_if_there_is_no_room() -> None:
    async def main() -> None:
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

    asyncio.run(main())


@pytest.mark.row(44)
def test_a_fresh_connection_is_waited_for_when_all_are_busy() -> None:
    async def main() -> None:
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

    asyncio.run(main())


@pytest.mark.row(44)
def test_if_no_fresh_connection_is_to_be_had_there_are_the_others() -> None:
    async def main() -> None:
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

    asyncio.run(main())


# -- unsound ones --------------------------------------------------------------------------


@pytest.mark.row(35)
@pytest.mark.row(44)
@pytest.mark.parametrize(
    "said",
    [
        drop(after=NORMAL),
        drop(reset=True, after=NORMAL),
        trickle(0.01, glue(b"421 4.4.2 idle\r\n"), piece_bytes=len(b"250 2.0.0 Accepted\r\n")),
        trickle(0.01, glue(b"250 2.0.0 ok\r\n"), piece_bytes=len(b"250 2.0.0 Accepted\r\n")),
    ],
    ids=range(4),
)
def test_a_connection_that_the_server_gave_up_while_idle_isnt_lent(said: Action) -> None:
    async def main() -> None:
        async with ScriptedServer({Step.DOT: [said]}) as server:
            async with pool_for(server, size=1) as pool:
                session = await session_of(pool)
                (outcome,) = await session.send(email(), soon())
                assert outcome.kind is Kind.ACCEPTED
                if session.usable:
                    await pool.release(session)
                    await until(lambda: not session.usable)
                else:
                    await pool.release(session)
                (outcome,) = await sent(pool, email(sender=SECOND))
                assert outcome.kind is Kind.ACCEPTED
                assert repr(pool) == "<Pool 0 busy, 1 idle of 1>"
            await server.settled()
            assert [(t.sender, t.session) for t in server.accepted] == [(FIRST, 1), (SECOND, 2)]

    asyncio.run(main())


@pytest.mark.parametrize("tls", [Tls.NONE, Tls.IMPLICIT])
def test_faults_all_over_leave_nobody_waiting_and_nothing_unaccounted(tls: Tls) -> None:
    """Every fault but the slow ones, at every step in turn, under a crowd."""
    faults = [name for name in FAULTS if name not in {"delay", "trickle"}]
    steps = [Step.MAIL, Step.RCPT, Step.DATA, Step.BODY, Step.DOT, Step.RSET]
    emails = 20 * WORKERS

    async def main() -> None:
        def script(moment: Moment) -> Action:
            turn = moment.nth + 7 * steps.index(moment.step) if moment.step in steps else 0
            if not turn or turn % 5:
                return NORMAL
            name = faults[turn // 5 % len(faults)]
            if (name, moment.step) == ("glued", Step.BODY):
                return NORMAL  # a 250 ahead of its time can't be told from the one to the dot
            return FAULTS[name](moment.step)

        offer = WITH_LOGIN if tls is not Tls.NONE else None
        async with ScriptedServer(script, tls=tls, offer=offer) as server:
            outcomes: dict[str, Outcome] = {}
            senders = iter(f"s{i}@sender.example" for i in range(emails))
            async with pool_for(server, tls, size=4) as pool:

                async def work() -> None:
                    for sender in senders:
                        (outcomes[sender],) = await sent(pool, email(sender=sender))

                await asyncio.gather(*(work() for _ in range(WORKERS)))
            await server.settled()
            assert len(outcomes) == emails
            copies = Counter(taken.sender for taken in server.accepted)
            allowed = {Kind.ACCEPTED: {1}, Kind.IN_DOUBT: {0, 1}}
            for sender, outcome in outcomes.items():
                assert copies[sender] in allowed.get(outcome.kind, {0}), outcome
            seen = {outcome.kind for outcome in outcomes.values()}
            assert seen >= {Kind.ACCEPTED, Kind.TRANSIENT, Kind.PERMANENT, Kind.IN_DOUBT}

    asyncio.run(main())


# age, idleness, number


@pytest.mark.row(35)
@pytest.mark.parametrize("said", [drop(), reply(421, "4.4.2 idle", close=True), reply(500, "eh?")])
def test_a_connection_that_was_idle_is_asked_before_it_is_lent(
    said: Action, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ion.smtp.session.IDLE_SECONDS", 0)

    async def main() -> None:
        async with ScriptedServer({Step.NOOP: [said]}) as server:
            async with pool_for(server) as pool:
                for _ in range(3):
                    (outcome,) = await sent(pool, email())
                    assert outcome.kind is Kind.ACCEPTED
            await server.settled()
            assert len(server.sessions) == 2, "the first was given up, and no email paid for it"
            assert len(server.accepted) == 3

    asyncio.run(main())


def test_a_connection_in_use_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with ScriptedServer() as server:
            async with pool_for(server) as pool:
                for _ in range(3):
                    await sent(pool, email())
            await server.settled()
            assert "NOOP" not in server.sessions[0].verbs

    asyncio.run(main())


@pytest.mark.parametrize("pipelining", [False, True])
def test_a_connection_has_its_day(monkeypatch: pytest.MonkeyPatch, *, pipelining: bool) -> None:
    monkeypatch.setattr("ion.smtp.session.MOST_TRANSACTIONS", 3)

    async def main() -> None:
        async with ScriptedServer(offer=Offer(pipelining=pipelining)) as server:
            async with pool_for(server, size=2) as pool:
                mails = [email(f"to{n}@example.org") for n in range(20)]
                outcomes = await asyncio.gather(*(sent(pool, mail) for mail in mails))
                assert {one.kind for (one,) in outcomes} == {Kind.ACCEPTED}
            await server.settled()
            assert len(server.accepted) == 20
            counts = [session.verbs.count("MAIL") for session in server.sessions]
            assert max(counts) <= 4, "three, and one that was under way beside the third"
            assert all(session.verbs[-1] == "QUIT" for session in server.sessions)

    asyncio.run(main())


def test_an_old_connection_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ion.smtp.session.OLDEST_SECONDS", -1)

    async def main() -> None:
        async with ScriptedServer() as server:
            async with pool_for(server) as pool:
                for _ in range(3):
                    await sent(pool, email())
            await server.settled()
            assert [session.verbs.count("MAIL") for session in server.sessions] == [1, 1, 1]

    asyncio.run(main())


def test_a_pool_can_be_made_smaller_and_larger() -> None:
    async def main() -> None:
        async with ScriptedServer() as server:
            async with pool_for(server, size=3) as pool:
                lent = [await session_of(pool) for _ in range(3)]
                await pool.limit(1)
                for session in lent:
                    await pool.release(session)
                assert (pool.size, repr(pool)) == (1, "<Pool 0 busy, 1 idle of 1>")
                await pool.limit(0)
                assert pool.size == 1
                await pool.limit(2)
                lent = [await session_of(pool) for _ in range(2)]
                assert repr(pool) == "<Pool 2 busy, 0 idle of 2>"
                for session in lent:
                    await pool.release(session)
            await server.settled()
            assert len(server.sessions) == 4

    asyncio.run(main())


@pytest.mark.row(62)
def test_a_busy_pool_of_pipelining_connections_can_be_made_smaller() -> None:
    """A second email mustn't come to each before the first is through, and so on for ever."""

    async def main() -> None:
        async with ScriptedServer(offer=Offer(pipelining=True)) as server:
            async with pool_for(server, size=3, pipelining=Pipelining.DEEP) as pool:
                lent = [await session_of(pool) for _ in range(3 * DEEPEST)]
                last = lent[-1]
                await pool.limit(1)
                waiting = asyncio.ensure_future(session_of(pool))
                for session in [one for one in lent if one is not last]:
                    assert not waiting.done()
                    await pool.release(session)
                    await settle_down()
                await pool.release(last)
                assert await waiting is last
                for _ in range(DEEPEST):
                    await pool.release(last)
                assert repr(pool) == "<Pool 0 busy, 1 idle of 1>"
            await server.settled()
            assert all(session.verbs[-1] == "QUIT" for session in server.sessions)

    asyncio.run(main())


def test_idle_connections_that_are_too_many_are_closed_at_once() -> None:
    async def main() -> None:
        async with ScriptedServer() as server:
            async with pool_for(server, size=3) as pool:
                lent = [await session_of(pool) for _ in range(3)]
                for session in lent[:2]:
                    await pool.release(session)
                await pool.limit(1)
                assert repr(pool) == "<Pool 1 busy, 0 idle of 1>"
                await pool.release(lent[2])
            await server.settled()

    asyncio.run(main())


def test_a_pool_of_pipelining_connections_grows_with_the_backlog() -> None:
    async def main() -> None:
        async with ScriptedServer(offer=Offer(pipelining=True)) as server:
            async with pool_for(server, size=4, pipelining=Pipelining.DEEP) as pool:
                lent = [await session_of(pool) for _ in range(DEEPEST + 1)]
                assert repr(pool) == f"<Pool 2 busy with {DEEPEST + 1} emails, 0 idle of 4>"
                for session in lent:
                    await pool.release(session)
                assert repr(pool) == "<Pool 0 busy, 2 idle of 4>"
            await server.settled()

    asyncio.run(main())


@pytest.mark.row(62)
def test_a_session_that_was_retired_is_not_lent_again() -> None:
    """Though there would be room for it."""

    async def main() -> None:
        async with ScriptedServer() as server:
            async with pool_for(server, size=2) as pool:
                first = await session_of(pool)
                first.retire()
                await pool.release(first)
                second = await session_of(pool)
                assert second is not first
                await pool.release(second)
            await server.settled()
            assert server.sessions[0].verbs[-1] == "QUIT"

    asyncio.run(main())
