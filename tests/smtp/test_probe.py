"""An idle connection is asked with NOOP whether it is there, and by one borrower alone."""

import asyncio

import pytest

from ion.outcome import Kind
from ion.settings import Pipelining
from smtp.client import email, pool_for, sent, until
from smtp_server import (
    NORMAL,
    Action,
    Offer,
    ScriptedServer,
    Step,
    delay,
    drop,
    hang,
    once_behind,
    reply,
)

PIPELINING = Offer(pipelining=True)
pytestmark = pytest.mark.row(35)


@pytest.fixture(autouse=True)
def _always_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ion.smtp.session.IDLE_SECONDS", 0)


@pytest.mark.parametrize("size", [1, 3])
@pytest.mark.parametrize("pipelining", list(Pipelining))
async def test_no_command_goes_out_behind_an_unanswered_noop(
    pipelining: Pipelining, size: int
) -> None:
    """RFC 2920 section 3.1: NOOP is the last command of its group."""
    async with ScriptedServer({Step.NOOP: delay(0.02)}, offer=PIPELINING) as server:
        async with pool_for(server, size=size, pipelining=pipelining) as pool:
            await sent(pool, email())
            burst = [sent(pool, email(f"to{n}@example.org")) for n in range(20)]
            outcomes = await asyncio.gather(*burst)
            assert {one.kind for (one,) in outcomes} == {Kind.ACCEPTED}
        await server.settled()
        asked = [one for session in server.sessions for one in session.commands]
        probes = [one for one in asked if one.verb == "NOOP"]
        assert probes
        assert not any(one.pipelined for one in probes)
        assert len(server.accepted) == 21


@pytest.mark.parametrize("pipelining", list(Pipelining))
async def test_no_reply_goes_to_another_ones_command(pipelining: Pipelining) -> None:
    """Of a burst on one connection, exactly the one that the server refuses is refused."""
    bad = "to7@example.org"

    script = {Step.NOOP: delay(0.01)}
    recipients = {bad: reply(550, "5.1.1 no such user")}
    async with ScriptedServer(script, offer=PIPELINING, recipients=recipients) as server:
        async with pool_for(server, pipelining=pipelining) as pool:
            for _ in range(3):
                await sent(pool, email())
                to = [f"to{n}@example.org" for n in range(12)]
                found = await asyncio.gather(*(sent(pool, email(one)) for one in to))
                fates = {one: fate.kind for one, (fate,) in zip(to, found, strict=True)}
                assert fates == dict.fromkeys(to, Kind.ACCEPTED) | {bad: Kind.PERMANENT}
        await server.settled()


@pytest.mark.parametrize("said", [drop(), reply(421, "4.4.2 idle", close=True), hang()])
async def test_who_waited_for_a_probe_that_failed_gets_another_connection(
    said: Action, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ion.smtp.session.NOOP_SECONDS", 0.1)

    async with ScriptedServer({Step.NOOP: [said]}, offer=PIPELINING) as server:
        async with pool_for(server, pipelining=Pipelining.DEEP) as pool:
            await sent(pool, email())
            outcomes = await asyncio.gather(*(sent(pool, email()) for _ in range(4)))
            assert {one.kind for (one,) in outcomes} == {Kind.ACCEPTED}
        await server.settled()
        assert len(server.accepted) == 5


async def test_a_borrower_that_is_cancelled_while_it_probes_leaves_the_pool_sound() -> None:
    async with ScriptedServer({Step.NOOP: [hang()]}, offer=PIPELINING) as server:
        async with pool_for(server, pipelining=Pipelining.DEEP) as pool:
            await sent(pool, email())
            probing = asyncio.create_task(sent(pool, email()))
            await until(lambda: "NOOP" in server.sessions[0].verbs)
            waiting = asyncio.create_task(sent(pool, email()))
            probing.cancel()
            ((outcome,),) = await asyncio.gather(waiting)
            assert outcome.kind is Kind.ACCEPTED
        await server.settled()
        assert len(server.sessions) == 2


async def test_a_connection_is_nobody_elses_until_its_probe_is_answered() -> None:
    """In `deep` it would have room for two more."""
    async with ScriptedServer({Step.NOOP: [hang()]}, offer=PIPELINING) as server:
        async with pool_for(server, pipelining=Pipelining.DEEP) as pool:
            await sent(pool, email())
            tasks = [asyncio.create_task(sent(pool, email())) for _ in range(3)]
            await until(lambda: "NOOP" in server.sessions[0].verbs)
            assert repr(pool) == "<Pool 1 busy, 0 idle of 1>"
            tasks[0].cancel()
            for ((outcome,),) in [await asyncio.gather(task) for task in tasks[1:]]:
                assert outcome.kind is Kind.ACCEPTED
        await server.settled()


async def test_once_it_is_answered_others_share_the_connection_as_ever() -> None:
    """The first email's dot is answered only once the next one's envelope is behind it."""
    script = {Step.NOOP: [delay(0.02)], Step.DOT: [NORMAL, once_behind(b"MAIL")]}
    async with ScriptedServer(script, offer=PIPELINING) as server:
        async with pool_for(server, pipelining=Pipelining.DEEP) as pool:
            await sent(pool, email())
            for ((outcome,),) in [
                await asyncio.gather(task)
                for task in [asyncio.create_task(sent(pool, email())) for _ in range(2)]
            ]:
                assert outcome.kind is Kind.ACCEPTED
        await server.settled()
        assert len(server.accepted) == 3
