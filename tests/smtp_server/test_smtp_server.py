"""The scripted server is right: each fault seen from a raw socket, each record checked."""

import asyncio
import smtplib
import time
from email.message import EmailMessage

import pytest

from smtp_server import (
    DELAY_SECONDS,
    FAULTS,
    GRID,
    NORMAL,
    Action,
    Offer,
    ScriptedServer,
    Step,
    Tls,
    delay,
    drop,
    garbage,
    hang,
    in_body,
    once_behind,
    reply,
    trickle,
)
from smtp_server.faults import TRICKLE_SECONDS
from smtp_server.talking import LOGIN, USERS, Client, connected, served

BODY = b"Subject: x\r\n\r\nhello\r\n"

ENVELOPE = ("EHLO me", "MAIL FROM:<a@a.example>", "RCPT TO:<b@b.example>")


async def test_a_well_behaved_session() -> None:
    async with served() as (server, client):
        lines = (*ENVELOPE, "DATA", BODY + b".\r\n", "RSET", "NOOP", "QUIT")
        assert await client.ask_all(*lines) == [250, 250, 250, 354, 250, 250, 250, 221]
        assert await client.ended()
        await server.settled()
    (email,) = server.accepted
    assert (email.sender, email.recipients) == ("a@a.example", ("b@b.example",))
    assert (email.content, email.session, email.verdict) == (BODY, 1, 250)
    assert email.saw_dot
    assert email.replied
    assert not email.bare_newline
    (session,) = server.sessions
    assert session.verbs == ["EHLO", "MAIL", "RCPT", "DATA", "RSET", "NOOP", "QUIT"]
    assert session.over
    assert not session.tls
    moments = [command.at_seconds for command in session.commands]
    assert moments == sorted(moments)


async def test_the_ehlo_reply_is_what_is_offered() -> None:
    offer = Offer(users=USERS, size_bytes=1000, smtputf8=False, pipelining=True)
    async with served(offer=offer) as (_, client):
        assert (await client.ask("EHLO me")).splitlines()[1:] == [
            "250-AUTH PLAIN LOGIN CRAM-MD5",
            "250-SIZE 1000",
            "250-8BITMIME",
            "250-PIPELINING",
            "250 ENHANCEDSTATUSCODES",
        ]


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
@pytest.mark.parametrize("tls", [Tls.STARTTLS, Tls.IMPLICIT])
async def test_smtplib_delivers_with_tls_and_auth(tls: Tls, mechanism: str) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@a.example", "b@b.example", "x"
    message.set_content(".dot\n..dots\n")

    def deliver(server: ScriptedServer) -> None:
        context = server.client_context()
        implicit = tls is Tls.IMPLICIT
        smtp = (
            smtplib.SMTP_SSL(server.host, server.port, context=context)
            if implicit
            else smtplib.SMTP(server.host, server.port)
        )
        with smtp:
            if not implicit:
                smtp.starttls(context=context)
            smtp.login("ion", "secret")
            smtp.send_message(message)

    offer = Offer(users=USERS, mechanisms=(mechanism,))
    async with ScriptedServer(tls=tls, offer=offer) as server:
        await asyncio.to_thread(deliver, server)
        await server.settled()
    (session,) = server.sessions
    assert (session.tls, session.username, session.auth_commands) == (True, "ion", 1)
    assert b"\r\n.dot\r\n..dots\r\n" in server.accepted[0].content


# the grid


async def reach(client: Client, server: ScriptedServer, step: Step) -> None:
    """Goes on normally until the step's own bytes are next."""
    script: list[tuple[Step, str]] = [
        (Step.EHLO, "EHLO me"),
        (Step.STARTTLS, "STARTTLS"),
        (Step.AUTH, LOGIN),
        (Step.MAIL, "MAIL FROM:<a@a.example>"),
        (Step.RCPT, "RCPT TO:<b@b.example>"),
        (Step.DATA, "DATA"),
    ]
    if step is Step.CONNECT:
        return
    assert (await client.reply()).startswith("220")
    for each, line in script:
        if each is step:
            return
        assert (await client.ask(line))[0] in "23"
        if each is Step.STARTTLS:
            await client.writer.start_tls(server.client_context(), server_hostname=server.host)
            assert (await client.ask("EHLO me")).startswith("250")
    if step in {Step.RSET, Step.QUIT}:
        assert (await client.ask(BODY + b".\r\n")).startswith("250")


REQUESTS: dict[Step, bytes] = {
    Step.CONNECT: b"",
    Step.EHLO: b"EHLO me\r\n",
    Step.STARTTLS: b"STARTTLS\r\n",
    Step.AUTH: LOGIN.encode() + b"\r\n",
    Step.MAIL: b"MAIL FROM:<a@a.example>\r\n",
    Step.RCPT: b"RCPT TO:<b@b.example>\r\n",
    Step.DATA: b"DATA\r\n",
    Step.BODY: BODY,
    Step.DOT: BODY + b".\r\n",
    Step.RSET: b"RSET\r\n",
    Step.QUIT: b"QUIT\r\n",
}

NORMAL_CODES = {
    Step.CONNECT: "220",
    Step.STARTTLS: "220",
    Step.AUTH: "235",
    Step.DATA: "354",
    Step.QUIT: "221",
}

GLUED = "250 2.0.0 glued\r\n"


async def check_fault(name: str, step: Step, client: Client) -> None:
    """Sends the step's bytes and finds the fault in what comes back."""
    begin = time.monotonic()
    client.write(REQUESTS[step])
    if name in {"4xx", "5xx", "421"}:
        assert (await client.reply()).startswith(name.rstrip("x"))
    if name in {"421", "drop"}:
        assert await client.ended()
    if name == "garbage":
        assert await client.reader.readline() == b"\xff\xfe? not a reply\r\n"
    if name not in {"glued", "delay", "trickle"}:
        return
    if step is Step.BODY:
        if name == "glued":
            assert await client.reply() == GLUED
        client.write(b".\r\n")
    text = await client.reply()
    assert text.startswith(NORMAL_CODES.get(step, "250"))
    if name == "glued" and step is not Step.BODY:
        assert await client.reply() == GLUED
    size = len(BODY) if step is Step.BODY else len(text)
    least_seconds = {"delay": DELAY_SECONDS, "trickle": (size - 1) * TRICKLE_SECONDS}
    assert time.monotonic() - begin >= least_seconds.get(name, 0)


@pytest.mark.parametrize(("name", "step"), GRID, ids=lambda value: getattr(value, "value", value))
async def test_every_cell_of_the_grid_is_seen_from_the_socket(name: str, step: Step) -> None:
    script = {step: [FAULTS[name](step)] if step is not Step.EHLO else FAULTS[name](step)}
    tls = Tls.STARTTLS if step is not Step.EHLO else Tls.NONE
    offer = Offer(users=USERS)
    async with ScriptedServer(script, tls=tls, offer=offer) as server, connected(server) as it:
        await reach(it, server, step)
        await check_fault(name, step, it)
        if step is Step.BODY and name == "garbage":
            assert await it.ask_all(b".\r\n") == [250]
    if step is Step.DOT:
        assert bool(server.accepted) == (name not in {"4xx", "5xx", "421"})
        assert server.submissions[0].saw_dot
        assert server.submissions[0].replied == (name not in {"drop", "garbage"})
    if step is Step.BODY:
        assert bool(server.accepted) == (name in {"delay", "garbage", "glued", "trickle"})


def test_the_grid_is_whole() -> None:
    assert len(set(GRID)) == 88


# what counts as accepted


@pytest.mark.parametrize(
    ("action", "accepted", "replied"),
    [
        (NORMAL, True, True),
        (reply(200, "fine"), True, True),
        (drop(), True, False),
        (drop(reset=True), True, False),
        (drop(after=NORMAL), True, True),
        (hang(), True, False),
        (garbage(b"\0\r\n"), True, False),
        (reply(451, "no"), False, True),
        (drop(after=reply(554, "no")), False, True),
        (reply(421, "no", close=True), False, True),
    ],
)
async def test_the_dot_decides_not_the_reply(action: Action, accepted: bool, replied: bool) -> None:
    async with served({Step.DOT: action}) as (server, client):
        assert await client.ask_all(*ENVELOPE, "DATA") == [250, 250, 250, 354]
        client.write(BODY + b".\r\n")
        client.writer.write_eof()
        await server.settled()
        assert (bool(server.accepted), server.submissions[0].replied) == (accepted, replied)


async def test_a_delayed_verdict_counts_before_it_is_spoken() -> None:
    async with served({Step.DOT: delay(3600)}) as (server, client):
        await client.ask_all(*ENVELOPE, "DATA")
        client.write(BODY + b".\r\n")
        while not server.accepted:  # noqa: ASYNC110  # what is asked for is the record
            await asyncio.sleep(0.001)
        assert not server.accepted[0].replied


async def test_nothing_is_accepted_without_a_dot_or_a_recipient() -> None:
    script: dict[Step, Action | list[Action]] = {Step.DATA: [reply(354, "go")]}
    async with served(script) as (server, client):
        codes = await client.ask_all(*ENVELOPE[:2], "DATA", b".\r\n", *ENVELOPE[1:], "DATA")
        assert codes == [250, 250, 354, 554, 250, 250, 354]
        client.write(b"half")
        client.writer.write_eof()
        await server.settled()
        assert [email.saw_dot for email in server.submissions] == [True, False]
        assert server.submissions[1].content == b"half"
        assert server.accepted == []


# the body


@pytest.mark.parametrize(
    ("sent", "content"),
    [
        (b".\r\n", b""),
        (b"\r\n.\r\n", b"\r\n"),
        (b"..\r\n...\r\na.b\r\n.x\r\n.\r\n", b".\r\n..\r\na.b\r\nx\r\n"),
        (b"a\n.\nb\r\n.\r\n", b"a\n.\nb\r\n"),
        (b"a\r.\rb\n.\r\nc\r\n.\r\n", b"a\r.\rb\n.\r\nc\r\n"),
        (b"\xff\0\r\n.\r\n", b"\xff\0\r\n"),
    ],
)
@pytest.mark.parametrize("split", [False, True])
async def test_only_crlf_dot_crlf_ends_a_body(sent: bytes, content: bytes, split: bool) -> None:
    # read slowly, so that the end of the body is found across the pieces' borders
    body = trickle(0.0001, piece_bytes=1) if split else NORMAL
    async with served({Step.BODY: body}) as (server, client):
        await client.ask_all(*ENVELOPE, "DATA")
        assert (await client.ask(sent + b"NOOP\r\n")).startswith("250")
        assert (await client.reply()).startswith("250")
        assert server.accepted[0].content == content
        lonely = content.replace(b"\r\n", b"")
        assert server.accepted[0].bare_newline == (b"\n" in lonely or b"\r" in lonely)


async def test_a_drop_in_the_body_comes_after_the_octets_asked_for() -> None:
    async with served({Step.BODY: in_body(10, drop(reset=True))}) as (server, client):
        await client.ask_all(*ENVELOPE, "DATA")
        client.write(BODY + b".\r\n")
        with pytest.raises(ConnectionResetError):
            await client.reader.read()
        assert server.submissions[0].content == BODY[:10]
        assert not server.submissions[0].saw_dot


async def test_an_early_reply_is_the_only_one_and_the_rest_of_the_body_no_commands() -> None:
    async with served({Step.BODY: [reply(552, "5.3.4 too big")]}) as (server, client):
        await client.ask_all(*ENVELOPE, "DATA")
        assert (await client.ask(b"half a ")).startswith("552")
        client.write(b"body\r\nQUIT\r\n.\r\n")
        assert await client.ask_all("NOOP", *ENVELOPE[1:]) == [250, 250, 250]
        (email,) = server.submissions
        assert (email.accepted, email.verdict, email.replied) == (False, 552, True)
        assert "QUIT" not in server.sessions[0].verbs


async def test_a_slow_reader_holds_the_client_back() -> None:
    async with served({Step.BODY: trickle(3600)}) as (_, client):
        await client.ask_all(*ENVELOPE, "DATA")
        client.writer.write(b"x" * 20_000_000)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.writer.drain(), 0.1)


# strictness


@pytest.mark.parametrize(
    ("lines", "codes"),
    [
        (["MAIL FROM:<a@a.example>"], [503]),
        (["EHLO me", "RCPT TO:<b@b.example>", "DATA", "AUTH PLAIN", "STARTTLS"], None),
        (["WHAT"], [500]),
        (["VRFY a"], [502]),
        (["NOOP " + "x" * 2050, "NOOP"], [500, 250]),
        ([b"NOOP\n", b"NO\rOP\r\n", "NOOP"], [500, 500, 250]),
        (["EHLO me", "MAIL FROM: <a@a.example>", "MAIL FROM:<a b@a.example>"], [250, 501, 501]),
        (["EHLO me", "MAIL FROM:<> BODY=8BITMIME", "MAIL FROM:<>"], [250, 250, 503]),
        (["EHLO me", "MAIL FROM:<> FOO=1", "MAIL FROM:<> SIZE=99999999"], [250, 555, 552]),
        (["EHLO me", "MAIL FROM:<é@a.example>", "MAIL FROM:<é@a.example> SMTPUTF8"], None),
        (["EHLO me", "MAIL FROM:<>", "RCPT TO:<>", 'RCPT TO:<"a b"@b.example>'], None),
        ([*ENVELOPE, "RSET", "RCPT TO:<b@b.example>"], [250, 250, 250, 250, 503]),
        ([*ENVELOPE[:2], "DATA"], [250, 250, 554]),
        ([*ENVELOPE, "DATA", b"x" * 999 + b"\r\n.\r\n"], [250, 250, 250, 354, 500]),
    ],
)
async def test_what_a_strict_server_refuses(
    lines: list[bytes | str], codes: list[int] | None
) -> None:
    expected = codes or {
        "RCPT TO:<b@b.example>": [250, 503, 503, 502, 502],
        "MAIL FROM:<é@a.example>": [250, 553, 250],
        "MAIL FROM:<>": [250, 250, 501, 250],
    }.get(str(lines[1]))

    async with served() as (_, client):
        assert await client.ask_all(*lines) == expected


async def test_limits_of_size_and_recipients() -> None:
    async with served(offer=Offer(size_bytes=5, max_recipients=1)) as (server, client):
        codes = await client.ask_all(*ENVELOPE, ENVELOPE[2], "DATA", b"123456\r\n.\r\n")
        assert codes == [250, 250, 250, 452, 354, 552]
        assert server.accepted == []


async def test_a_pipelined_group_is_answered_in_order_with_a_fate_for_each_recipient() -> None:
    rules: dict[str, Action | list[Action]]
    rules = {"No@b.example": reply(550, "no such user"), "later@b.example": [reply(450, "x")]}
    async with ScriptedServer(recipients=rules) as server, connected(server) as client:
        await client.reply()
        recipients = ["b", "no", "later", "later"]
        rcpts = "".join(f"RCPT TO:<{name}@b.example>\r\n" for name in recipients)
        client.write(f"EHLO me\r\nMAIL FROM:<>\r\n{rcpts}DATA\r\n".encode())
        codes = [int((await client.reply())[:3]) for _ in range(7)]
        assert codes == [250, 250, 250, 550, 450, 250, 354]
        assert await client.ask_all(BODY + b".\r\n") == [250]
        assert server.accepted[0].recipients == ("b@b.example", "later@b.example")
        pipelined = [command.pipelined for command in server.sessions[0].commands]
        assert pipelined == [True] * 6 + [False]


async def test_a_dot_may_be_answered_once_there_is_more_behind_it() -> None:
    script: dict[Step, Action | list[Action]]
    script = {Step.DOT: [once_behind(b"MAIL", reply(451, "4.3.0 later"))]}
    async with served(script) as (server, client):
        assert await client.ask_all(*ENVELOPE, "DATA") == [250, 250, 250, 354]
        client.write(BODY + b".\r\nRSET\r\n")
        while not server.submissions[0].saw_dot:  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0)
        assert not server.submissions[0].replied
        client.write(ENVELOPE[1])
        codes = [int((await client.reply())[:3]) for _ in range(3)]
        assert codes == [451, 250, 250]
        assert server.submissions[0].more_behind


LATE = delay(0.05)
"""Long enough for what the client has written meanwhile to be there."""


@pytest.mark.parametrize(
    ("step", "sent"),
    [
        (Step.NOOP, "NOOP\r\nMAIL FROM:<a@a.example>"),
        (Step.EHLO, "EHLO me\r\nMAIL FROM:<a@a.example>"),
        (Step.DATA, "\r\n".join((*ENVELOPE[1:], "DATA", "NOOP"))),
        (Step.QUIT, "QUIT\r\nNOOP"),
    ],
)
@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("enforced", [True, False])
async def test_going_on_where_one_must_wait_is_recorded_and_refused_if_asked_for(
    step: Step, sent: str, *, together: bool, enforced: bool
) -> None:
    """RFC 2920 section 3.1, as Postfix enforces it: also if it comes just before the answer."""
    offer = Offer(pipelining=True, enforces_pipelining=enforced)
    script: dict[Step, Action | list[Action]] = {step: LATE}
    async with served(script, offer) as (server, client):
        await client.ask("EHLO me")
        before = sent.count("\r\n") - 1
        first, last = sent.rsplit("\r\n", 1)
        client.write(sent if together else first)
        if not together:
            while server.sessions[0].commands[-1].verb != step.name:  # noqa: ASYNC110
                await asyncio.sleep(0)
            client.write(last)
        for _ in range(before):
            assert (await client.reply()).startswith("250")
        refused = (await client.reply()).startswith("554 5.5.0")
        assert refused is enforced
        if together or enforced:
            assert server.sessions[0].unawaited == [step]
        if enforced:
            assert await client.ended()


async def test_a_client_that_keeps_to_rfc_2920_is_served() -> None:
    offer = Offer(pipelining=True, enforces_pipelining=True)
    async with served(offer=offer) as (server, client):
        assert await client.ask_all("EHLO me") == [250]
        for _ in range(2):
            client.write("\r\n".join((*ENVELOPE[1:], "DATA")))
            assert [int((await client.reply())[:3]) for _ in range(3)] == [250, 250, 354]
            client.write(BODY + b".\r\nRSET\r\n")
            assert [int((await client.reply())[:3]) for _ in range(2)] == [250, 250]
        assert await client.ask_all("NOOP", "QUIT") == [250, 221]
        assert server.sessions[0].unawaited == []
        assert len(server.accepted) == 2


async def test_without_pipelining_every_answer_must_be_waited_for() -> None:
    async with served() as (server, client):
        client.write("\r\n".join((*ENVELOPE, "DATA")))
        assert [int((await client.reply())[:3]) for _ in range(4)] == [250, 250, 250, 354]
        client.write(BODY + b".\r\nRSET\r\n")
        assert [int((await client.reply())[:3]) for _ in range(2)] == [250, 250]
        unawaited = [Step.EHLO, Step.MAIL, Step.RCPT, Step.DOT]
        assert server.sessions[0].unawaited == unawaited


async def test_a_connection_that_has_had_its_emails_puts_off_further_ones_and_stays_open() -> None:
    offer = Offer(max_emails=1)
    async with ScriptedServer(offer=offer) as server:
        for _ in range(2):
            async with connected(server) as client:
                await client.reply()
                codes = await client.ask_all(*ENVELOPE, "DATA", BODY + b".\r\n", *ENVELOPE[1:])
                assert codes == [250, 250, 250, 354, 250, 452, 503]
                assert await client.ask_all(ENVELOPE[1], "NOOP") == [452, 250]
        assert [session.put_off for session in server.sessions] == [2, 2]
        assert [session.taken for session in server.sessions] == [1, 1]


@pytest.mark.parametrize("minded", [True, False])
async def test_an_envelope_behind_an_unanswered_dot_may_be_out_of_sequence(*, minded: bool) -> None:
    offer = Offer(pipelining=True, minds_early_mail=minded)
    async with served(offer=offer) as (server, client):
        await client.ask_all(*ENVELOPE, "DATA")
        client.write(b".\r\n".join((BODY, "\r\n".join((*ENVELOPE[1:], "DATA\r\n")).encode())))
        codes = [int((await client.reply())[:3]) for _ in range(4)]
        assert codes == ([250, 503, 503, 503] if minded else [250, 250, 250, 354])
        assert server.sessions[0].early_mails == 1
        assert server.sessions[0].minded_mails == minded
        if minded:
            assert await client.ask_all(*ENVELOPE[1:], "DATA") == [250, 250, 354]
        client.write(BODY + b".\r\n")
        assert (await client.reply()).startswith("250")
        assert await client.ask_all(*ENVELOPE[1:]) == [250, 250]
        assert server.sessions[0].early_mails == 1


async def test_a_terse_server_says_the_same_to_everything() -> None:
    async with served(offer=Offer(terse=True)) as (_, client):
        await client.ask("EHLO me")
        said = [await client.ask(line) for line in ENVELOPE[1:]]
        await client.ask("DATA")
        said += [await client.ask(line) for line in (BODY + b".\r\n", "NOOP", "RSET")]
        assert {*said} == {"250 2.0.0 OK\r\n"}


async def test_a_refusing_greeting_leaves_only_quit() -> None:
    server = ScriptedServer({Step.CONNECT: reply(554, "no")})
    async with server, connected(server) as client:
        assert (await client.reply()).startswith("554")
        assert await client.ask_all("EHLO me", "QUIT") == [503, 221]


# endings


@pytest.mark.parametrize("tls", [Tls.NONE, Tls.IMPLICIT])
async def test_fin_and_rst_are_different(tls: Tls) -> None:
    script = {Step.NOOP: [drop(after=NORMAL), drop(reset=True), drop(after=NORMAL, reset=True)]}
    async with ScriptedServer(script, tls=tls) as server:
        context = server.client_context() if tls is Tls.IMPLICIT else None
        async with connected(server, context) as client:
            await client.reply()
            assert (await client.ask("NOOP")).startswith("250")
            assert await client.ended()
        for _ in range(2):
            async with connected(server, context) as client:
                await client.reply()
                client.write("NOOP")
                with pytest.raises(ConnectionResetError):
                    await client.reader.read()


async def test_a_hanging_server_still_ends_at_once() -> None:
    begin = time.monotonic()

    async with served({Step.EHLO: hang()}) as (_, client):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.ask("EHLO me"), 0.05)
    assert time.monotonic() - begin < 5
