"""The sender that is measured: the figure of a mode is of that mode."""

import asyncio

import pytest

from bench.engine import ion
from bench.task import Task
from ion.settings import Pipelining
from smtp_server import NORMAL, Offer, ScriptedServer, Step, once_behind

EMAILS = 6
PIPELINING = Offer(pipelining=True)


async def measure(server: ScriptedServer, mode: Pipelining, *, prebuilt: bool = False) -> None:
    task = Task(
        sender="ion",
        port=server.port,
        connections=1,
        emails=EMAILS,
        prebuilt=prebuilt,
        pipelining=mode,
    )
    sample = await asyncio.to_thread(ion, task)
    assert sample.emails == EMAILS
    await server.settled()


def envelopes(server: ScriptedServer) -> set[tuple[str, bool]]:
    """Commands of an email, and whether more had come behind them."""
    (session,) = server.sessions
    return {
        (command.verb, command.pipelined)
        for command in session.commands
        if command.verb in ("MAIL", "RCPT", "DATA")
    }


async def test_off_awaits_every_reply() -> None:
    async with ScriptedServer(offer=PIPELINING) as server:
        await measure(server, Pipelining.OFF)
        assert envelopes(server) == {("MAIL", False), ("RCPT", False), ("DATA", False)}


@pytest.mark.parametrize("prebuilt", [False, True])
async def test_envelope_sends_each_in_one_flight_and_awaits_its_dot(prebuilt: bool) -> None:
    async with ScriptedServer(offer=PIPELINING) as server:
        await measure(server, Pipelining.ENVELOPE, prebuilt=prebuilt)
        assert envelopes(server) == {("MAIL", True), ("RCPT", True), ("DATA", False)}
        assert not any(one.more_behind for one in server.accepted)


async def test_deep_sends_the_next_envelope_behind_the_dot() -> None:
    dots = [once_behind(b"DATA"), NORMAL]  # the first is answered once an envelope is there
    async with ScriptedServer({Step.DOT: dots}, offer=PIPELINING) as server:
        await measure(server, Pipelining.DEEP)


async def test_a_server_that_can_not_do_what_is_measured_gives_no_figure() -> None:
    async with ScriptedServer(offer=Offer(pipelining=False)) as server:
        with pytest.raises(RuntimeError, match="pipelining is off, not deep"):
            await measure(server, Pipelining.DEEP)
        await server.settled()
