"""Connections of the pool that are unsound, old, idle or used up."""

import asyncio
from collections import Counter

import pytest

from ion.outcome import Kind, Outcome
from ion.settings import Pipelining
from ion.smtp.session import DEEPEST
from smtp.client import (
    FIRST,
    SECOND,
    WITH_LOGIN,
    email,
    pool_for,
    sent,
    soon,
    until,
)
from smtp.pooling import WORKERS, session_of, settle_down
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
    reply,
    trickle,
)

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
async def test_a_connection_that_the_server_gave_up_while_idle_isnt_lent(said: Action) -> None:
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
async def test_a_connection_that_was_idle_is_asked_before_it_is_lent(
    said: Action, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ion.smtp.session.IDLE_SECONDS", 0)

    async with ScriptedServer({Step.NOOP: [said]}) as server:
        async with pool_for(server) as pool:
            for _ in range(3):
                (outcome,) = await sent(pool, email())
                assert outcome.kind is Kind.ACCEPTED
        await server.settled()
        assert len(server.sessions) == 2, "the first was given up, and no email paid for it"
        assert len(server.accepted) == 3


async def test_a_connection_in_use_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async with ScriptedServer() as server:
        async with pool_for(server) as pool:
            for _ in range(3):
                await sent(pool, email())
        await server.settled()
        assert "NOOP" not in server.sessions[0].verbs


@pytest.mark.parametrize("pipelining", [False, True])
async def test_a_connection_has_its_day(
    monkeypatch: pytest.MonkeyPatch, *, pipelining: bool
) -> None:
    monkeypatch.setattr("ion.smtp.session.MOST_TRANSACTIONS", 3)

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


async def test_an_old_connection_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ion.smtp.session.OLDEST_SECONDS", -1)

    async with ScriptedServer() as server:
        async with pool_for(server) as pool:
            for _ in range(3):
                await sent(pool, email())
        await server.settled()
        assert [session.verbs.count("MAIL") for session in server.sessions] == [1, 1, 1]


async def test_a_pool_can_be_made_smaller_and_larger() -> None:
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


@pytest.mark.row(62)
async def test_a_busy_pool_of_pipelining_connections_can_be_made_smaller() -> None:
    """A second email mustn't come to each before the first is through, and so on for ever."""
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


async def test_idle_connections_that_are_too_many_are_closed_at_once() -> None:
    async with ScriptedServer() as server:
        async with pool_for(server, size=3) as pool:
            lent = [await session_of(pool) for _ in range(3)]
            for session in lent[:2]:
                await pool.release(session)
            await pool.limit(1)
            assert repr(pool) == "<Pool 1 busy, 0 idle of 1>"
            await pool.release(lent[2])
        await server.settled()


async def test_a_pool_of_pipelining_connections_grows_with_the_backlog() -> None:
    async with ScriptedServer(offer=Offer(pipelining=True)) as server:
        async with pool_for(server, size=4, pipelining=Pipelining.DEEP) as pool:
            lent = [await session_of(pool) for _ in range(DEEPEST + 1)]
            assert repr(pool) == f"<Pool 2 busy with {DEEPEST + 1} emails, 0 idle of 4>"
            for session in lent:
                await pool.release(session)
            assert repr(pool) == "<Pool 0 busy, 2 idle of 4>"
        await server.settled()


@pytest.mark.row(62)
async def test_a_session_that_was_retired_is_not_lent_again() -> None:
    """Though there would be room for it."""
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
