"""Greeting, TLS and login: never less protection than asked for, never a verdict on a message."""

import asyncio
import socket
import ssl
from dataclasses import replace

import pytest

from ion.outcome import Kind, Outcome, Reason, Scope, Stage
from ion.settings import Security, Smtp
from ion.smtp.connect import connect, tls_context
from ion.smtp.logins import Logins
from ion.smtp.session import Session
from smtp.client import (
    USERS,
    WITH_LOGIN,
    closed,
    connected,
    context_for,
    email,
    refused,
    settings_for,
    soon,
    until,
)
from smtp_server import (
    NORMAL,
    Action,
    Certificate,
    Offer,
    ScriptedServer,
    Step,
    Tls,
    drop,
    garbage,
    glue,
    hang,
    reply,
    trickle,
)

ENCRYPTED = (Tls.STARTTLS, Tls.IMPLICIT)
SETTING_UP = (Step.CONNECT, Step.EHLO, Step.STARTTLS, Step.AUTH)
STEPS = [
    (tls, step)
    for tls in ENCRYPTED
    for step in SETTING_UP
    if (tls, step) != (Tls.IMPLICIT, Step.STARTTLS)
]
SHORT_SECONDS = 0.3


def assert_of_the_site(outcome: Outcome, kind: Kind, reason: Reason) -> None:
    assert (outcome.kind, outcome.reason) == (kind, reason), outcome
    assert outcome.scope is Scope.SITE
    assert outcome.stage in {Stage.CONNECT, Stage.EHLO, Stage.STARTTLS, Stage.AUTH}


def assert_nothing_was_given_away(server: ScriptedServer) -> None:
    """No password, and no email, went to the server."""
    assert server.auth_commands == 0
    assert server.submissions == []
    assert not any({"AUTH", "MAIL"} & set(session.verbs) for session in server.sessions)


@pytest.mark.parametrize("tls", Tls)
async def test_it_connects(tls: Tls) -> None:
    async with ScriptedServer(tls=tls, offer=WITH_LOGIN if tls in ENCRYPTED else None) as server:
        session = await connected(server, tls)
        assert session.usable
        assert (await session.send(email(), soon()))[0].kind is Kind.ACCEPTED
        await closed(session, server)
        (seen,) = server.sessions
        assert seen.tls == (tls is not Tls.NONE)
        assert seen.username == ("ion" if tls in ENCRYPTED else None)
        assert seen.early_plaintext == b""


async def test_a_starttls_session_says_ehlo_again_and_believes_only_that() -> None:
    async with ScriptedServer(tls=Tls.STARTTLS, offer=WITH_LOGIN) as server:
        await closed(await connected(server, Tls.STARTTLS), server)
        assert server.sessions[0].verbs == ["EHLO", "STARTTLS", "EHLO", "AUTH"]


async def test_ehlo_says_the_address_of_our_end() -> None:
    async with ScriptedServer() as server:
        await closed(await connected(server), server)
        assert server.sessions[0].commands[0].line == "EHLO [127.0.0.1]"


async def test_ehlo_says_an_ipv6_address_as_such() -> None:
    said = []
    served = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 smtp.example\r\n")
        said.append(await reader.readline())
        writer.write(b"250 smtp.example\r\n")
        await reader.read()
        writer.close()
        await writer.wait_closed()
        served.set()

    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")

    async with await asyncio.start_server(serve, "::1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        smtp = Smtp("::1", port, Security.NONE)
        session = await connect(smtp, tls_context(smtp), soon(), Logins())
        assert isinstance(session, Session)
        session.close()
        await served.wait()
    assert said == [b"EHLO [IPv6:::1]\r\n"]


# -- the login -----------------------------------------------------------------------------


@pytest.mark.row(42)
@pytest.mark.parametrize("tls", ENCRYPTED)
@pytest.mark.parametrize(
    ("offered", "used"),
    [
        (("CRAM-MD5", "LOGIN", "PLAIN"), "PLAIN"),
        (("XOAUTH2", "LOGIN", "CRAM-MD5"), "LOGIN"),
        (("CRAM-MD5",), "CRAM-MD5"),
    ],
)
async def test_one_mechanism_is_tried_once(tls: Tls, offered: tuple[str, ...], used: str) -> None:
    offer = Offer(users=USERS, mechanisms=offered)
    async with ScriptedServer(tls=tls, offer=offer) as server:
        await closed(await connected(server, tls), server)
        outcome = await refused(server, tls, password="wrong")
        assert_of_the_site(outcome, Kind.MISCONFIGURED, Reason.AUTH)
        assert outcome.reply is not None
        assert outcome.reply.code == 535
        assert [session.auth_commands for session in server.sessions] == [1, 1]
        for session in server.sessions:
            (auth,) = (c.line for c in session.commands if c.verb == "AUTH")
            assert auth.split()[1] == used


@pytest.mark.row(41)
@pytest.mark.parametrize(
    "offer", [Offer(), Offer(users=USERS, mechanisms=("XOAUTH2", "GSSAPI"))], ids=["no", "none of"]
)
async def test_no_mechanism_of_ours_is_a_hold_and_no_attempt(offer: Offer) -> None:
    async with ScriptedServer(tls=Tls.IMPLICIT, offer=offer) as server:
        outcome = await refused(server, Tls.IMPLICIT, login=True)
        assert_of_the_site(outcome, Kind.MISCONFIGURED, Reason.AUTH_MISSING)
        assert_nothing_was_given_away(server)


@pytest.mark.parametrize(
    ("said", "kind", "reason"),
    [
        *[
            pytest.param(code, Kind.MISCONFIGURED, Reason.AUTH, marks=pytest.mark.row(42))
            for code in (500, 501, 502, 503, 504, 530, 534, 535, 538, 550, 554, 555)
        ],
        *[
            pytest.param(code, Kind.UNAVAILABLE, Reason.AUTH_LATER, marks=pytest.mark.row(43))
            for code in (421, 432, 450, 451, 454)
        ],
        (250, Kind.MISCONFIGURED, Reason.AUTH),
        (354, Kind.MISCONFIGURED, Reason.AUTH),
    ],
)
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
async def test_a_refused_login_holds_the_site(
    said: int, kind: Kind, reason: Reason, mechanism: str
) -> None:
    offer = Offer(users=USERS, mechanisms=(mechanism,))
    script = {Step.AUTH: reply(said, "no")}
    async with ScriptedServer(script, tls=Tls.IMPLICIT, offer=offer) as server:
        outcome = await refused(server, Tls.IMPLICIT)
        assert_of_the_site(outcome, kind, reason)
        assert outcome.stage is Stage.AUTH
        assert server.auth_commands == 1
        assert server.sessions[0].verbs == ["EHLO", "AUTH"]


# -- TLS -----------------------------------------------------------------------------------


@pytest.mark.row(40)
@pytest.mark.parametrize("tls", ENCRYPTED)
@pytest.mark.parametrize(
    "certificate", [c for c in Certificate if c is not Certificate.VALID], ids=lambda c: c.name
)
async def test_a_wrong_certificate_is_refused_and_nothing_is_given_away(
    tls: Tls, certificate: Certificate
) -> None:
    async with ScriptedServer(tls=tls, certificate=certificate, offer=WITH_LOGIN) as server:
        outcome = await refused(server, tls)
        assert_of_the_site(outcome, Kind.MISCONFIGURED, Reason.TLS_CERT)
        assert outcome.detail
        assert_nothing_was_given_away(server)
        assert [session.tls for session in server.sessions] == [False]


@pytest.mark.row(41)
async def test_a_stripped_starttls_ends_the_session_before_anything_is_given_away() -> None:
    async with ScriptedServer(offer=WITH_LOGIN) as server:
        outcome = await refused(server, Tls.STARTTLS)
        assert_of_the_site(outcome, Kind.MISCONFIGURED, Reason.TLS_REQUIRED)
        assert server.sessions[0].verbs == ["EHLO"]


@pytest.mark.row(41)
@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (454, Kind.UNAVAILABLE),
        (421, Kind.UNAVAILABLE),
        (501, Kind.MISCONFIGURED),
        (502, Kind.MISCONFIGURED),
        (554, Kind.MISCONFIGURED),
        (250, Kind.MISCONFIGURED),
        (354, Kind.MISCONFIGURED),
    ],
)
async def test_a_refused_starttls_never_leads_to_plaintext(said: int, kind: Kind) -> None:
    script = {Step.STARTTLS: reply(said, "no TLS today")}
    async with ScriptedServer(script, tls=Tls.STARTTLS, offer=WITH_LOGIN) as server:
        assert_of_the_site(await refused(server, Tls.STARTTLS), kind, Reason.TLS_REQUIRED)
        assert_nothing_was_given_away(server)


@pytest.mark.row(41)
async def test_what_is_injected_behind_the_reply_to_starttls_is_not_believed() -> None:
    injected = glue(b"250-smtp.example\r\n250 AUTH XOAUTH2\r\n")
    async with ScriptedServer(
        {Step.STARTTLS: injected}, tls=Tls.STARTTLS, offer=WITH_LOGIN
    ) as server:
        await closed(await connected(server, Tls.STARTTLS), server)
        (session,) = server.sessions
        assert session.verbs == ["EHLO", "STARTTLS", "EHLO", "AUTH"]
        assert session.username == "ion"


@pytest.mark.row(41)
async def test_a_server_without_tls_where_tls_is_asked_for_gets_nothing() -> None:
    async with ScriptedServer(offer=WITH_LOGIN) as server:
        outcome = await refused(server, Tls.IMPLICIT)
        assert_of_the_site(outcome, Kind.MISCONFIGURED, Reason.TLS_REQUIRED)
        assert_nothing_was_given_away(server)


@pytest.mark.row(41)
@pytest.mark.parametrize("script", [{}, {Step.EHLO: garbage(b"250-x\r\n250 AUTH PLAIN\r\n")}])
async def test_a_password_never_goes_without_tls(script: dict[Step, Action]) -> None:
    """Settings refuse this combination; the engine does too."""
    async with ScriptedServer(script, offer=WITH_LOGIN) as server:
        outcome = await refused(server, Tls.NONE, login=True)
        assert_of_the_site(outcome, Kind.MISCONFIGURED, Reason.TLS_REQUIRED)
        assert_nothing_was_given_away(server)


def test_tls_is_1_2_or_newer_and_verified() -> None:
    context = tls_context(Smtp("smtp.example", 465, Security.TLS))
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


# -- greeting and EHLO ---------------------------------------------------------------------


@pytest.mark.row(39)
@pytest.mark.parametrize("step", [Step.CONNECT, Step.EHLO])
@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (421, Kind.UNAVAILABLE),
        (450, Kind.UNAVAILABLE),
        (500, Kind.MISCONFIGURED),
        (502, Kind.MISCONFIGURED),
        (521, Kind.MISCONFIGURED),
        (550, Kind.MISCONFIGURED),
        (554, Kind.MISCONFIGURED),
        (354, Kind.MISCONFIGURED),
    ],
)
async def test_a_refused_greeting_holds_the_site(step: Step, said: int, kind: Kind) -> None:
    async with ScriptedServer({step: reply(said, "no service")}) as server:
        reason = Reason.GREETING if step is Step.CONNECT else Reason.EHLO
        assert_of_the_site(await refused(server), kind, reason)
        assert_nothing_was_given_away(server)
        assert "HELO" not in server.sessions[0].verbs  # that would be less than asked for


@pytest.mark.row(55)
@pytest.mark.parametrize("step", SETTING_UP)
@pytest.mark.parametrize(
    "raw",
    [
        b"\xff\xfe? not a reply\r\n",
        b"\r\n",
        b"hello\r\n",
        b"999 hello\r\n",
        b"099 hello\r\n",
        b"x" * 40_000 + b"\r\n",
        b"250-x\r\n" * 8_000,
    ],
    ids=range(7),
)
async def test_what_is_no_reply_ends_the_connection(step: Step, raw: bytes) -> None:
    script = {step: garbage(raw)}
    async with ScriptedServer(script, tls=Tls.STARTTLS, offer=WITH_LOGIN) as server:
        outcome = await refused(server, Tls.STARTTLS)
        assert_of_the_site(outcome, Kind.UNAVAILABLE, Reason.CONNECT)


@pytest.mark.row(56)
@pytest.mark.parametrize("step", [Step.CONNECT, Step.EHLO, Step.AUTH])
@pytest.mark.parametrize("extra", [b"250 2.0.0 ok\r\n", b"235 2.7.0 ok\r\n", b"2", b"\r\n"])
async def test_more_than_was_asked_is_not_believed(step: Step, extra: bytes) -> None:
    async with ScriptedServer({step: glue(extra)}, tls=Tls.IMPLICIT, offer=WITH_LOGIN) as server:
        outcome = await refused(server, Tls.IMPLICIT)
        assert_of_the_site(outcome, Kind.UNAVAILABLE, Reason.CONNECT)
        assert server.submissions == []


@pytest.mark.row(58)
async def test_a_trickling_server_is_waited_for() -> None:
    script = dict.fromkeys(SETTING_UP, trickle(0.001))
    async with ScriptedServer(script, tls=Tls.STARTTLS, offer=WITH_LOGIN) as server:
        await closed(await connected(server, Tls.STARTTLS), server)


# -- no connection, silence, disappearance --------------------------------------------------


@pytest.mark.row(38)
@pytest.mark.parametrize("tls", Tls)
async def test_a_closed_port_holds_the_site(tls: Tls) -> None:
    async with ScriptedServer(tls=Tls.IMPLICIT) as server:
        smtp = settings_for(server, tls)
        context = context_for(smtp)
    outcome = await connect(smtp, context, soon(), Logins())
    assert isinstance(outcome, Outcome)
    assert_of_the_site(outcome, Kind.UNAVAILABLE, Reason.CONNECT)
    assert outcome.detail == "connection refused"


@pytest.mark.row(38)
@pytest.mark.parametrize("host", ["no-such-host.invalid", "empty..label", "x" * 64 + ".invalid"])
async def test_a_name_that_leads_nowhere_holds_the_site(host: str) -> None:
    async with ScriptedServer() as server:
        outcome = await refused(server, host=host)
        assert_of_the_site(outcome, Kind.UNAVAILABLE, Reason.CONNECT)


@pytest.mark.row(38)
@pytest.mark.parametrize(("tls", "step"), STEPS)
async def test_silence_ends_with_the_deadline(tls: Tls, step: Step) -> None:
    async with ScriptedServer({step: hang()}, tls=tls, offer=WITH_LOGIN) as server:
        outcome = await refused(server, tls, seconds=SHORT_SECONDS)
        assert_of_the_site(outcome, Kind.UNAVAILABLE, Reason.CONNECT)
        assert outcome.detail == "timed out"


@pytest.mark.row(38)
@pytest.mark.parametrize(
    ("ours", "theirs"), [(Tls.NONE, Tls.IMPLICIT), (Tls.STARTTLS, Tls.IMPLICIT)]
)
async def test_each_waiting_for_the_other_ends_with_the_deadline(ours: Tls, theirs: Tls) -> None:
    async with ScriptedServer(tls=theirs, offer=WITH_LOGIN) as server:
        outcome = await refused(server, ours, seconds=SHORT_SECONDS)
        assert_of_the_site(outcome, Kind.UNAVAILABLE, Reason.CONNECT)


@pytest.mark.row(38)
async def test_a_handshake_without_an_end_ends_with_the_deadline() -> None:
    async with ScriptedServer({Step.CONNECT: hang()}, offer=WITH_LOGIN) as server:
        outcome = await refused(server, Tls.IMPLICIT, seconds=SHORT_SECONDS)
        assert_of_the_site(outcome, Kind.UNAVAILABLE, Reason.CONNECT)


@pytest.mark.row(38)
@pytest.mark.parametrize("seconds", [0, SHORT_SECONDS])
async def test_a_server_that_accepts_no_connection_is_waited_for_no_longer(seconds: float) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:  # nobody calls accept()
        smtp = Smtp("127.0.0.1", listening.getsockname()[1], Security.NONE)
        outcome = await connect(smtp, tls_context(smtp), soon(seconds), Logins())
    assert isinstance(outcome, Outcome)
    assert_of_the_site(outcome, Kind.UNAVAILABLE, Reason.CONNECT)


@pytest.mark.parametrize(("tls", "step"), STEPS)
@pytest.mark.parametrize("after", [None, NORMAL], ids=["before", "after"])
@pytest.mark.parametrize("reset", [False, True], ids=["fin", "rst"])
async def test_a_server_that_disappears_is_no_verdict(
    tls: Tls, step: Step, after: Action | None, *, reset: bool
) -> None:
    script = {step: drop(reset=reset, after=after)}
    async with ScriptedServer(script, tls=tls, offer=WITH_LOGIN) as server:
        smtp = settings_for(server, tls)
        came = await connect(smtp, context_for(smtp), soon(), Logins())
        if isinstance(came, Session):  # it left just behind the login
            assert step is Step.AUTH
            assert after is NORMAL
            (outcome,) = await came.send(email(), soon())
            assert outcome.kind is Kind.OUT_OF_STEP
        else:
            assert_of_the_site(came, Kind.UNAVAILABLE, Reason.CONNECT)
        await server.settled()
        assert server.submissions == []


@pytest.mark.parametrize("step", [Step.CONNECT, Step.EHLO, Step.AUTH])
async def test_whoever_is_cancelled_while_connecting_leaves_no_connection(step: Step) -> None:
    async with ScriptedServer({step: hang()}, tls=Tls.IMPLICIT, offer=WITH_LOGIN) as server:
        smtp = settings_for(server, Tls.IMPLICIT)
        connecting = asyncio.ensure_future(connect(smtp, context_for(smtp), soon(), Logins()))
        await until_at(server, step)
        connecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await connecting
        await server.settled()
        assert server.sessions[0].over


async def until_at(server: ScriptedServer, step: Step) -> None:
    verbs = {Step.CONNECT: 0, Step.EHLO: 1, Step.AUTH: 2}[step]
    await until(lambda: bool(server.sessions) and server.sessions[0].tls)
    await until(lambda: len(server.sessions[0].verbs) >= verbs)


async def test_the_password_is_in_no_outcome_and_no_repr() -> None:
    script = {Step.AUTH: reply(535, "5.7.8 no")}
    async with ScriptedServer(script, tls=Tls.IMPLICIT, offer=WITH_LOGIN) as server:
        outcome = await refused(server, Tls.IMPLICIT, password="canary-canary")
        smtp = replace(settings_for(server, Tls.IMPLICIT), password="canary-canary")
        assert "canary" not in f"{outcome!r} {outcome} {smtp!r}"
