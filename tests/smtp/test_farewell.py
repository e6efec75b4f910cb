"""A server that answers, and says in the same packet that it closes the connection."""

import pytest

from ion.outcome import Kind, Reason
from ion.settings import Pipelining
from smtp.client import connected, email, kinds, pool_for, sent, soon
from smtp_server import NORMAL, Offer, ScriptedServer, Step, drop, glue, reply

FAREWELL = b"421 4.7.0 enough for now\r\n"
OFFER = Offer(pipelining=True)
MODES = pytest.mark.parametrize("mode", list(Pipelining))
WORDS = pytest.mark.parametrize(
    "words", [FAREWELL, b"421-4.7.0 enough\r\n421 4.7.0 for now\r\n", b"221 2.0.0 bye\r\n"], ids=str
)


@MODES
@WORDS
@pytest.mark.parametrize("closes", [True, False], ids=["at once", "later"])
async def test_an_email_that_was_taken_is_sent(
    mode: Pipelining, words: bytes, *, closes: bool
) -> None:
    """Twice as many emails as connections: the next one goes out on a fresh one."""
    farewell = glue(words)
    script = {Step.DOT: drop(after=farewell) if closes else farewell}

    async with (
        ScriptedServer(script, offer=OFFER) as server,
        pool_for(server, pipelining=mode) as pool,
    ):
        outcomes = [await sent(pool, email(sender=f"{n}@x.example")) for n in range(3)]
        assert [kinds(each) for each in outcomes] == [[Kind.ACCEPTED]] * 3
        assert (len(server.accepted), len(server.sessions)) == (3, 3)
        assert pool.learned is None, "it says nothing against PIPELINING"


@MODES
async def test_a_refusal_is_one_too(mode: Pipelining) -> None:
    refused = glue(FAREWELL, reply(554, "5.7.1 looks like spam"))

    async with ScriptedServer({Step.DOT: refused}, offer=OFFER) as server:
        session = await connected(server, pipelining=mode)
        (outcome,) = await session.send(email(), soon())
        assert (outcome.kind, outcome.reason) == (Kind.PERMANENT, Reason.CONTENT_REJECTED)
        assert not session.usable


@pytest.mark.parametrize("step", [Step.MAIL, Step.RCPT, Step.DATA])
@pytest.mark.parametrize("mode", [Pipelining.OFF, Pipelining.ENVELOPE])
async def test_before_the_dot_it_costs_a_connection(step: Step, mode: Pipelining) -> None:
    async with ScriptedServer({step: [glue(FAREWELL), NORMAL]}, offer=OFFER) as server:
        session = await connected(server, pipelining=mode)
        (outcome,) = await session.send(email(), soon())
        assert outcome.kind not in (Kind.ACCEPTED, Kind.PERMANENT, Kind.IN_DOUBT)
        assert not session.usable
        await server.settled()
        assert server.accepted == []


@pytest.mark.row(45)
@pytest.mark.parametrize("extra", [b"250 2.0.0 ok\r\n", b"451 4.3.0 no\r\n", b"42"], ids=str)
async def test_two_verdicts_are_none(extra: bytes) -> None:
    async with ScriptedServer({Step.DOT: glue(extra)}) as server:
        session = await connected(server)
        (outcome,) = await session.send(email(), soon())
        assert outcome.kind is Kind.IN_DOUBT
        assert not session.usable
