"""Several commands in a flight (RFC 2920), and what becomes of it if the server can't."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from functools import partial

import pytest

from ion.outcome import Kind, Reason, Stage
from ion.settings import Pipelining, Security, Smtp
from ion.smtp.connect import connect
from ion.smtp.logins import Logins
from ion.smtp.pool import Pool
from ion.smtp.session import Session
from smtp.client import (
    ANN,
    BOB,
    CYD,
    FIRST,
    SECOND,
    WITH_LOGIN,
    closed,
    connected,
    content_of,
    email,
    kinds,
    pool_for,
    sent,
    soon,
    until,
)
from smtp_server import (
    NORMAL,
    Offer,
    ScriptedServer,
    Step,
    Tls,
    delay,
    drop,
    hang,
    reply,
)

NO_TLS = ssl.create_default_context()
PIPELINING = Offer(pipelining=True)
DEEP, ENVELOPE, OFF = Pipelining.DEEP, Pipelining.ENVELOPE, Pipelining.OFF
POLITE = replace(WITH_LOGIN, pipelining=True)


def verbs(server: ScriptedServer) -> list[list[str]]:
    return [
        [verb for verb in session.verbs if verb not in ("EHLO", "QUIT")]
        for session in server.sessions
    ]


@pytest.mark.parametrize("tls", [Tls.NONE, Tls.STARTTLS])
@pytest.mark.parametrize("octets", [100, 300_000])
@pytest.mark.parametrize("pipelining", list(Pipelining))
async def test_many_side_by_side_arrive_whole_and_once(
    tls: Tls, octets: int, pipelining: Pipelining
) -> None:
    content = content_of(octets)
    offer = PIPELINING if tls is Tls.NONE else POLITE
    async with ScriptedServer(tls=tls, offer=offer) as server:
        async with pool_for(server, tls, size=2, pipelining=pipelining) as pool:
            mails = [email(f"to{n}@example.org", content=content) for n in range(30)]
            outcomes = await asyncio.gather(*(sent(pool, mail) for mail in mails))
        await server.settled()
        assert {outcome.kind for (outcome,) in outcomes} == {Kind.ACCEPTED}
        assert sorted(one.recipients for one in server.accepted) == sorted(
            mail.envelope.recipients for mail in mails
        )
        assert {one.content for one in server.accepted} == {content}
        assert len(server.sessions) == 2


async def test_the_envelope_goes_out_in_one_flight() -> None:
    async with ScriptedServer(offer=PIPELINING) as server:
        session = await connected(server)
        await session.send(email(ANN, BOB), soon())
        await closed(session, server)
        commands = [one for one in server.sessions[0].commands if one.verb != "EHLO"]
        assert [one.verb for one in commands] == ["MAIL", "RCPT", "RCPT", "DATA"]
        assert [one.pipelined for one in commands] == [True, True, True, False]


async def test_in_envelope_the_next_one_waits_for_the_reply_to_the_dot() -> None:
    async with ScriptedServer({Step.DOT: [delay(0.05)]}, offer=PIPELINING) as server:
        session = await connected(server)
        assert session.depth == 1
        both = (session.send(email(sender=sender), soon()) for sender in (FIRST, SECOND))
        for outcomes in await asyncio.gather(*both):
            assert kinds(outcomes) == [Kind.ACCEPTED]
        await closed(session, server)
        assert [one.more_behind for one in server.submissions] == [False, False]


async def test_deep_does_not_wait_for_it() -> None:
    async with ScriptedServer({Step.DOT: [hang()]}, offer=PIPELINING) as server:
        session = await connected(server, pipelining=DEEP)
        both = [
            asyncio.create_task(session.send(email(sender=sender), soon()))
            for sender in (FIRST, SECOND)
        ]
        while session._channel._awaited < 4:  # noqa: SLF001, ASYNC110 - dot, MAIL, RCPT, DATA
            await asyncio.sleep(0)
        session.close()
        first, second = [(await task)[0] for task in both]
        assert (first.kind, second.kind) == (Kind.IN_DOUBT, Kind.OUT_OF_STEP)
        assert second.stage is Stage.MAIL, "its dot can't have left"
        await server.settled()


async def test_without_the_extension_every_command_waits_for_its_reply() -> None:
    async with ScriptedServer(offer=Offer(pipelining=False)) as server:
        session = await connected(server)
        assert session.depth == 1
        await session.send(email(ANN, BOB), soon())
        await closed(session, server)
        assert not any(one.pipelined for one in server.sessions[0].commands)


@pytest.mark.row(48)
async def test_recipients_that_are_refused_hold_up_no_other() -> None:
    recipients = {BOB: reply(550, "5.1.1 no"), CYD: reply(450, "4.2.1 busy")}
    async with ScriptedServer(offer=PIPELINING, recipients=recipients) as server:
        session = await connected(server)
        outcomes = await session.send(email(ANN, BOB, CYD), soon())
        assert kinds(outcomes) == [Kind.ACCEPTED, Kind.PERMANENT, Kind.TRANSIENT]
        assert session.usable
        await closed(session, server)
        assert [one.recipients for one in server.accepted] == [(ANN,)]


@pytest.mark.row(50)
@pytest.mark.parametrize("refused_at", [Step.MAIL, Step.RCPT])
async def test_a_354_though_nobody_is_left_sends_nothing(refused_at: Step) -> None:
    script = {refused_at: [reply(550, "5.1.1 no")], Step.DATA: [reply(354, "go on")]}
    async with ScriptedServer(script, offer=PIPELINING) as server:
        session = await connected(server)
        (outcome,) = await session.send(email(), soon())
        assert outcome.kind is Kind.PERMANENT
        assert not session.usable, "it waits for a body"
        await closed(session, server)
        assert server.accepted == []
        assert not any(submission.content for submission in server.submissions)


@pytest.mark.parametrize("refused_at", [Step.MAIL, Step.RCPT, Step.DATA])
async def test_a_refusal_clears_the_way_for_the_next(refused_at: Step) -> None:
    script = {refused_at: [reply(550, "5.7.1 no")]}
    async with ScriptedServer(script, offer=PIPELINING) as server:
        session = await connected(server)
        (first,) = await session.send(email(), soon())
        (second,) = await session.send(email(sender=SECOND), soon())
        assert (first.kind, second.kind) == (Kind.PERMANENT, Kind.ACCEPTED)
        await closed(session, server)
        assert len(verbs(server)) == 1


@pytest.mark.row(45)
@pytest.mark.parametrize("step", [Step.MAIL, Step.RCPT, Step.DATA, Step.DOT])
async def test_a_421_is_heard_though_more_was_asked(step: Step) -> None:
    script = {step: [reply(421, "4.3.2 closing", close=True)]}
    async with ScriptedServer(script, offer=PIPELINING) as server:
        session = await connected(server)
        (outcome,) = await session.send(email(), soon())
        assert (outcome.kind, outcome.reply and outcome.reply.code) == (Kind.TRANSIENT, 421)
        assert (session.usable, session.confusion) == (False, None)
        await server.settled()


# servers that can't


ANSWERS = {b"EHLO": b"250-x\r\n250 PIPELINING\r\n", b"DATA": b"354 go on\r\n"}
Listen = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def heard(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> AsyncIterator[bytes]:
    """Greets; each command's verb as it comes, and b"." for a body."""
    writer.write(b"220 x\r\n")
    verb = b""
    while line := await reader.readline():
        if verb != b"DATA" or line == b".\r\n":
            verb = line[:4].upper().strip()
            yield verb
    writer.close()


def answer(writer: asyncio.StreamWriter, verb: bytes) -> None:
    writer.write(ANSWERS.get(verb, b"250 ok\r\n"))


def behind(reader: asyncio.StreamReader) -> bytearray:
    """What has come unasked for."""
    octets: bytearray = reader._buffer  # type: ignore[attr-defined] # noqa: SLF001
    return octets


async def forgetful(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Offers PIPELINING, and throws away what has come behind a dot meanwhile."""
    async for verb in heard(reader, writer):
        if verb == b".":
            await asyncio.sleep(0.05)
            behind(reader).clear()
        answer(writer, verb)


async def shifted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers MAIL twice when more came with it, so that each reply goes to another command."""
    async for verb in heard(reader, writer):
        if verb == b"MAIL" and behind(reader):
            answer(writer, verb)
        answer(writer, verb)


async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Throws away what comes together with a MAIL."""
    async for verb in heard(reader, writer):
        if verb == b"MAIL":
            behind(reader).clear()
        answer(writer, verb)


async def crashing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Dies over what comes behind a dot, as Dovecot's submission service does."""
    async for verb in heard(reader, writer):
        if verb == b".":
            await asyncio.sleep(0.05)
            if behind(reader):
                writer.close()
                return
        answer(writer, verb)


async def strict(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Says 503 to a MAIL that comes behind an unanswered dot, as Haraka does."""
    early = False
    async for verb in heard(reader, writer):
        if early:
            writer.write(b"503 5.5.1 out of order\r\n")
            early = verb != b"DATA"
            continue
        if verb == b".":
            await asyncio.sleep(0.05)
            early = bool(behind(reader))
        answer(writer, verb)


@pytest.mark.row(54)
@pytest.mark.row(56)
@pytest.mark.parametrize(
    ("server", "tried", "left", "learned"),
    [
        (forgetful, DEEP, ENVELOPE, ENVELOPE),
        (crashing, DEEP, ENVELOPE, ENVELOPE),
        (strict, DEEP, ENVELOPE, ENVELOPE),
        (shifted, DEEP, OFF, OFF),
        (shifted, ENVELOPE, OFF, OFF),
        (deaf, ENVELOPE, OFF, None),
    ],
)
def test_a_server_that_mistreats_pipelining_gets_what_it_can_do(
    server: Listen,
    tried: Pipelining,
    left: Pipelining,
    learned: Pipelining | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A few emails are tried again, and then all go as the server can take them."""
    monkeypatch.setattr("ion.smtp.transaction.COMMAND_SECONDS", 0.3)

    async def main() -> list[list[Kind]]:
        async with await asyncio.start_server(server, "127.0.0.1") as listening:
            port = listening.sockets[0].getsockname()[1]
            smtp = Smtp("127.0.0.1", port, Security.NONE, pipelining=tried)
            outcomes = []
            async with Pool(partial(connect, smtp, NO_TLS, soon(), Logins()), 1) as pool:
                for _ in range(4):
                    found = await asyncio.gather(*(sent(pool, email()) for _ in range(2)))
                    outcomes.append([one.kind for (one,) in found])
                assert (pool.pipelining, pool.learned) == (left, learned)
                assert f"pipelining {left}" in repr(pool)
            return outcomes

    first, *_, last = asyncio.run(main())
    assert Kind.OUT_OF_STEP in first
    assert (Kind.IN_DOUBT in first) is (server is crashing), "it has taken one, and can't say so"
    assert last == [Kind.ACCEPTED] * 2


@pytest.mark.parametrize("after", [0, 1])
async def test_one_connection_that_breaks_says_nothing_against_pipelining(after: int) -> None:
    """Nor do several, once the server has taken an envelope in one flight."""
    script = {Step.RCPT: [*[NORMAL] * after, *[drop()] * (1 + 2 * after)]}

    async with ScriptedServer(script, offer=PIPELINING) as server:
        async with pool_for(server, pipelining=ENVELOPE) as pool:
            for _ in range(6):
                await sent(pool, email())
            assert (pool.pipelining, pool.learned) == (DEEP, None)
        await server.settled()
        assert len(server.accepted) == 5 - 2 * after
        assert all(one.pipelined for one in server.sessions[-1].commands if one.verb == "RCPT")


async def test_a_421_behind_which_an_envelope_waits_says_nothing_against_pipelining() -> None:
    script = {Step.DOT: [delay(0.05, then=reply(421, "4.3.2 closing", close=True))]}

    async with ScriptedServer(script, offer=PIPELINING) as server:
        async with pool_for(server, pipelining=DEEP) as pool:
            found = await asyncio.gather(*(sent(pool, email()) for _ in range(2)))
            assert [one.kind for (one,) in found] == [Kind.TRANSIENT, Kind.OUT_OF_STEP]
            assert (pool.pipelining, pool.learned) == (DEEP, None)
        await server.settled()


async def test_a_connection_that_was_closed_while_idle_says_nothing_about_pipelining() -> None:
    async with ScriptedServer({Step.MAIL: [drop()]}, offer=PIPELINING) as server:
        session = await connected(server)
        (outcome,) = await session.send(email(), soon())
        assert (outcome.kind, outcome.reason) == (Kind.OUT_OF_STEP, Reason.CONNECTION_LOST)
        assert session.confusion is None
        await server.settled()


@pytest.mark.row(27)
async def test_an_email_without_time_for_its_dot_leaves_the_one_before_alone() -> None:
    """Nothing has been said of it, so nothing is to be cleared; least of all by reading on."""
    async with ScriptedServer({Step.DOT: [delay(0.2)]}, offer=PIPELINING) as server:
        session = await connected(server, pipelining=DEEP)
        first = asyncio.create_task(session.send(email(), soon()))
        second = asyncio.create_task(session.send(email(sender=SECOND), soon(5)))
        outcomes = [(await task)[0] for task in (first, second)]
        assert [one.reason for one in outcomes] == [Reason.ACCEPTED, Reason.DEADLINE]
        assert session.usable
        await closed(session, server)
        assert [one.sender for one in server.accepted] == [FIRST]


@pytest.mark.row(51)
async def test_who_is_cancelled_takes_the_connection_along_before_the_next_one_speaks() -> None:
    """Else the next one's commands would become a part of the body that is awaited."""
    heard = bytearray()

    async def silent_at_data(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 x\r\n")
        while line := await reader.readline():
            heard.extend(line)
            verb = line[:4].upper().strip()
            if verb != b"DATA":
                writer.write(ANSWERS.get(verb, b"250 ok\r\n"))
        writer.close()
        over.set()

    over = asyncio.Event()

    async with await asyncio.start_server(silent_at_data, "127.0.0.1") as listening:
        port = listening.sockets[0].getsockname()[1]
        smtp = Smtp("127.0.0.1", port, Security.NONE, pipelining=DEEP)
        session = await connect(smtp, NO_TLS, soon(), Logins())
        assert isinstance(session, Session)
        first = asyncio.create_task(session.send(email(), soon()))
        second = asyncio.create_task(session.send(email(sender=SECOND), soon()))
        await until(lambda: b"DATA\r\n" in heard)
        first.cancel()
        (outcome,) = await second
        assert (outcome.kind, outcome.stage) == (Kind.OUT_OF_STEP, Stage.MAIL)
        assert first.cancelled()
        await over.wait()
        assert heard.count(b"MAIL") == 1
