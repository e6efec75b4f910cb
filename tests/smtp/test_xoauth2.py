"""A login by access token: what is said for it, and what a refusal comes to."""

import json
from base64 import b64encode
from dataclasses import replace
from itertools import repeat

import pytest

from ion.outcome import Kind, Outcome, Reason, Scope, Stage
from ion.settings import OAuth, Smtp
from ion.smtp.connect import connect
from ion.smtp.logins import Logins
from ion.smtp.session import Session
from smtp.client import closed, context_for, email, settings_for, soon
from smtp_server import NORMAL, Action, Offer, ScriptedServer, Step, Tls, drop, reply

TOKEN = "canary." + "x" * 1200
ENCRYPTED = (Tls.STARTTLS, Tls.IMPLICIT)
BY_TOKEN = Offer(users={"ion": TOKEN}, mechanisms=("PLAIN", "XOAUTH2", "LOGIN"))
WHY = b64encode(json.dumps({"status": "401", "schemes": "bearer", "scope": "x"}).encode()).decode()


def by_token(server: ScriptedServer, tls: Tls = Tls.IMPLICIT) -> Smtp:
    oauth = OAuth("https://login.example/token", "id", "canary-secret", "scope")
    return replace(settings_for(server, tls, login=True), password=None, oauth=oauth)


async def logged_in(server: ScriptedServer, tls: Tls, token: str = TOKEN) -> Session | Outcome:
    smtp = by_token(server, tls)
    return await connect(smtp, context_for(smtp), soon(), Logins(), token)


async def refused(server: ScriptedServer, tls: Tls = Tls.IMPLICIT, token: str = TOKEN) -> Outcome:
    outcome = await logged_in(server, tls, token)
    assert isinstance(outcome, Outcome), outcome
    await server.settled()
    assert outcome.scope is Scope.SITE
    assert server.submissions == []
    assert "canary" not in f"{outcome!r}{outcome}"
    return outcome


@pytest.mark.parametrize("tls", ENCRYPTED)
@pytest.mark.parametrize("octets", [20, 2_000, 4_000, 8_000])
async def test_a_token_is_shown_whole_in_the_first_line(tls: Tls, octets: int) -> None:
    """The line may have 12,288 octets (RFC 4954 section 4), far more than other commands."""
    token = "t" * octets

    offer = replace(BY_TOKEN, users={"ion": token})
    async with ScriptedServer(tls=tls, offer=offer) as server:
        session = await logged_in(server, tls, token)
        assert isinstance(session, Session), session
        assert (await session.send(email(), soon()))[0].kind is Kind.ACCEPTED
        await closed(session, server)
        (seen,) = server.sessions
        assert (seen.username, seen.auth_commands) == ("ion", 1)
        (auth,) = (c.line for c in seen.commands if c.verb == "AUTH")
        said = f"user=ion\1auth=Bearer {token}\1\1"
        assert auth == f"AUTH XOAUTH2 {b64encode(said.encode()).decode()}"


@pytest.mark.row(88)
@pytest.mark.parametrize("tls", ENCRYPTED)
async def test_why_a_token_is_refused_is_answered_with_an_empty_line(tls: Tls) -> None:
    """334 and JSON, an empty line, 535: only then is the refusal complete."""
    async with ScriptedServer(tls=tls, offer=BY_TOKEN) as server:
        outcome = await refused(server, tls, "another-canary")
        assert (outcome.kind, outcome.reason) == (Kind.MISCONFIGURED, Reason.AUTH)
        assert outcome.reply is not None
        assert (outcome.reply.code, outcome.stage) == (535, Stage.AUTH)
        assert server.sessions[0].auth_commands == 1


@pytest.mark.parametrize(
    ("script", "kind", "reason"),
    [
        *[
            pytest.param(
                {Step.AUTH: reply(code, "no")},
                Kind.MISCONFIGURED,
                Reason.AUTH,
                marks=pytest.mark.row(88),
            )
            for code in (500, 504, 530, 534, 535, 538, 550, 554)
        ],
        ({Step.AUTH: reply(454, "4.7.0 later")}, Kind.UNAVAILABLE, Reason.AUTH_LATER),
        ({Step.AUTH: reply(432, "4.3.2 too many")}, Kind.UNAVAILABLE, Reason.AUTH_LATER),
        ({Step.CHALLENGE: reply(454, "4.7.0 later")}, Kind.UNAVAILABLE, Reason.AUTH_LATER),
        ({Step.CHALLENGE: reply(535, "5.7.3 no")}, Kind.MISCONFIGURED, Reason.AUTH),
        ({Step.AUTH: repeat(reply(334, WHY))}, Kind.MISCONFIGURED, Reason.AUTH),
        ({Step.CHALLENGE: drop()}, Kind.UNAVAILABLE, Reason.CONNECT),
        ({Step.CHALLENGE: drop(after=NORMAL)}, Kind.UNAVAILABLE, Reason.CONNECT),
        ({Step.AUTH: drop()}, Kind.UNAVAILABLE, Reason.CONNECT),
    ],
)
async def test_what_a_server_says_to_a_token_is_no_verdict_on_a_message(
    script: dict[Step, Action], kind: Kind, reason: Reason
) -> None:
    async with ScriptedServer(script, tls=Tls.IMPLICIT, offer=BY_TOKEN) as server:
        outcome = await refused(server, token="another-canary")
        assert (outcome.kind, outcome.reason) == (kind, reason)
        assert server.auth_commands == 1


@pytest.mark.row(41)
@pytest.mark.parametrize("mechanisms", [("PLAIN", "LOGIN"), ("OAUTHBEARER",)])
async def test_where_no_token_is_taken_none_is_shown(mechanisms: tuple[str, ...]) -> None:
    offer = replace(BY_TOKEN, mechanisms=mechanisms)
    async with ScriptedServer(tls=Tls.IMPLICIT, offer=offer) as server:
        outcome = await refused(server)
        assert (outcome.kind, outcome.reason) == (Kind.MISCONFIGURED, Reason.AUTH_MISSING)
        assert outcome.detail == f"AUTH offers {', '.join(mechanisms).lower()}"
        assert server.auth_commands == 0


@pytest.mark.row(41)
async def test_a_token_never_goes_without_tls() -> None:
    """Settings refuse this combination; the engine does too."""
    async with ScriptedServer(offer=BY_TOKEN) as server:
        outcome = await refused(server, Tls.NONE)
        assert (outcome.kind, outcome.reason) == (Kind.MISCONFIGURED, Reason.TLS_REQUIRED)
        assert server.auth_commands == 0
