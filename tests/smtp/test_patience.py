"""How long a silent server is waited for: to the second, on a clock that only waiting moves."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from clock import Clock
from ion.deadline import Deadline
from ion.outcome import Outcome, Stage
from ion.smtp.connect import CONNECT_SECONDS, connect
from ion.smtp.logins import Logins
from ion.smtp.session import NOOP_SECONDS, QUIT_SECONDS
from ion.smtp.transaction import (
    COMMAND_SECONDS,
    DATA_SECONDS,
    DOT_SECONDS,
    RSET_SECONDS,
    Confusion,
)
from machine.simulated_time import START, Loop
from smtp.client import connected, context_for, email, settings_for
from smtp_server import Offer, ScriptedServer, Step, Tls, hang, reply

FAR = 100_000.0
NEAR = 40.0
"""Enough for a dot's budget, and less than any time-out of a transaction."""


def waited(main: Callable[[Clock], Awaitable[float]]) -> float:
    """Seconds that passed in `main`, from the moment that it returns."""
    clock = Clock(START)

    async def timed() -> float:
        began = await main(clock)
        return clock() - began

    with asyncio.Runner(loop_factory=lambda: Loop(clock)) as runner:
        return runner.run(timed())


@pytest.mark.row(38)
@pytest.mark.parametrize(("left", "patience"), [(FAR, CONNECT_SECONDS), (7.0, 7.0)])
@pytest.mark.parametrize("tls", [Tls.NONE, Tls.STARTTLS, Tls.IMPLICIT])
def test_a_connection_is_waited_for_no_longer_than_the_invocation_lasts(
    tls: Tls, left: float, patience: float
) -> None:
    async def main(clock: Clock) -> float:
        async with ScriptedServer({Step.EHLO: hang()}, tls=tls) as server:
            smtp, began = settings_for(server, tls), clock()
            outcome = await connect(
                smtp, context_for(smtp), Deadline(began + left, clock), Logins()
            )
            assert isinstance(outcome, Outcome)
            assert outcome.detail == "timed out"
            return began

    assert waited(main) == pytest.approx(patience, abs=0.1)


@pytest.mark.row(58)
@pytest.mark.parametrize("pipelining", [True, False])
@pytest.mark.parametrize(
    ("step", "patience"),
    [
        (Step.MAIL, COMMAND_SECONDS),
        (Step.RCPT, COMMAND_SECONDS),
        (Step.DATA, DATA_SECONDS),
        (Step.DOT, DOT_SECONDS),
    ],
)
@pytest.mark.parametrize("left", [FAR, NEAR])
def test_a_reply_is_waited_for_no_longer_than_the_invocation_lasts(
    step: Step, patience: float, left: float, *, pipelining: bool
) -> None:
    async def main(clock: Clock) -> float:
        async with ScriptedServer({step: hang()}, offer=Offer(pipelining=pipelining)) as server:
            session, began = await connected(server), clock()
            (outcome,) = await session.send(email(), Deadline(began + left, clock))
            assert outcome.stage is Stage(step.value)
            assert not session.usable
            in_a_flight = pipelining and step is not Step.DOT
            # our own impatience says nothing against the server
            said = Confusion.BREAK if in_a_flight and left == FAR else None
            assert session.confusion is said
            return began

    assert waited(main) == pytest.approx(min(patience, left), abs=0.1)


@pytest.mark.row(57)
def test_a_transaction_that_came_to_nothing_is_cleared_in_seconds() -> None:
    async def main(clock: Clock) -> float:
        async with ScriptedServer({Step.RCPT: reply(550, "5.1.1"), Step.RSET: hang()}) as server:
            session, began = await connected(server), clock()
            await session.send(email(), Deadline(began + FAR, clock))
            return began

    assert waited(main) == pytest.approx(RSET_SECONDS, abs=0.1)


@pytest.mark.row(35)
def test_a_probe_and_a_goodbye_take_seconds() -> None:
    async def main(clock: Clock) -> float:
        async with ScriptedServer({Step.NOOP: hang(), Step.QUIT: hang()}) as server:
            probed, left = await connected(server), await connected(server)
            began = clock()
            assert not await probed.probe()
            await left.quit()
            return began

    assert waited(main) == pytest.approx(NOOP_SECONDS + QUIT_SECONDS, abs=0.1)
