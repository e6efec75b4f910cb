"""The engine under test, put together as `handler` and `deliver` do it."""

import asyncio
import ssl
import time
from collections.abc import Callable
from functools import partial

from ion.deadline import Deadline
from ion.envelope import Email, Envelope
from ion.outcome import Kind, Outcome, Stage
from ion.settings import Pipelining, Security, Smtp
from ion.smtp.connect import connect, tls_context
from ion.smtp.logins import Logins
from ion.smtp.pool import Pool
from ion.smtp.session import Session
from smtp_server import Offer, ScriptedServer, Tls

USERS = {"ion": "secret"}
WITH_LOGIN = Offer(users=USERS)
LONG_SECONDS = 100.0
"""More than a DATA needs for its dot's budget, and more than any test waits."""
SECURITY = {
    Tls.NONE: Security.NONE,
    Tls.STARTTLS: Security.STARTTLS,
    Tls.IMPLICIT: Security.TLS,
}

FIRST, SECOND = "first@sender.example", "second@sender.example"
ANN, BOB, CYD = "ann@example.org", "bob@example.org", "cyd@example.org"
CONTENT = b"Subject: x\r\n\r\nhello\r\n"


def email(
    *recipients: str, sender: str = FIRST, content: bytes = CONTENT, smtputf8: bool = False
) -> Email:
    return Email(Envelope(sender, recipients or (ANN,), smtputf8=smtputf8), (content,))


def content_of(octets: int, *, line: bytes = b"0123456789abcdef" * 4) -> bytes:
    lines = (octets - len(CONTENT)) // (len(line) + 2)
    return CONTENT + lines * (line + b"\r\n")


def settings_for(
    server: ScriptedServer,
    tls: Tls = Tls.NONE,
    *,
    login: bool | None = None,
    password: str = "secret",
    host: str | None = None,
    pipelining: Pipelining = Pipelining.ENVELOPE,
) -> Smtp:
    logs_in = tls is not Tls.NONE if login is None else login
    return Smtp(
        server=host or server.host,
        port=server.port,
        security=SECURITY[tls],
        username="ion" if logs_in else None,
        password=password if logs_in else None,
        ca_file=str(server.ca_pem_path),
        pipelining=pipelining,
    )


def soon(seconds: float = LONG_SECONDS) -> Deadline:
    return Deadline.after(seconds)


def context_for(smtp: Smtp) -> ssl.SSLContext:
    return tls_context(smtp)


async def connected(
    server: ScriptedServer,
    tls: Tls = Tls.NONE,
    *,
    login: bool | None = None,
    pipelining: Pipelining = Pipelining.ENVELOPE,
) -> Session:
    smtp = settings_for(server, tls, login=login, pipelining=pipelining)
    session = await connect(smtp, context_for(smtp), soon(), Logins())
    assert isinstance(session, Session), session
    return session


async def refused(
    server: ScriptedServer,
    tls: Tls = Tls.NONE,
    *,
    login: bool | None = None,
    password: str = "secret",
    host: str | None = None,
    seconds: float = LONG_SECONDS,
) -> Outcome:
    """How connecting ended, and the server's sessions with it."""
    smtp = settings_for(server, tls, login=login, password=password, host=host)
    outcome = await connect(smtp, context_for(smtp), soon(seconds), Logins())
    assert isinstance(outcome, Outcome), outcome
    await server.settled()
    return outcome


def pool_for(
    server: ScriptedServer,
    tls: Tls = Tls.NONE,
    *,
    size: int = 1,
    password: str = "secret",
    pipelining: Pipelining = Pipelining.ENVELOPE,
) -> Pool:
    smtp = settings_for(server, tls, password=password, pipelining=pipelining)
    return Pool(partial(connect, smtp, context_for(smtp), soon(), Logins()), size)


async def sent(pool: Pool, mail: Email, *, fresh: bool = False) -> tuple[Outcome, ...]:
    """One transaction, as `deliver` does it: a site's fault is that of every recipient."""
    session = await pool.acquire(fresh=fresh)
    if isinstance(session, Outcome):
        return (session,) * len(mail.envelope.recipients)
    try:
        return await session.send(mail, soon())
    finally:
        await pool.release(session)


def impatient(session: Session, stage: Stage, seconds: float = 0.1) -> Deadline:
    """A deadline far off, that has come close as soon as the session is at a stage."""

    def clock() -> float:
        there = session._channel.stage is stage  # noqa: SLF001  # nothing else tells the moment
        return time.monotonic() + (LONG_SECONDS - seconds if there else 0)

    return Deadline(time.monotonic() + LONG_SECONDS, clock)


def kinds(outcomes: tuple[Outcome, ...]) -> list[Kind]:
    return [outcome.kind for outcome in outcomes]


async def until(condition: Callable[[], bool]) -> None:
    """Lets the loop turn until something is so that no event tells of."""
    while not condition():  # noqa: ASYNC110
        await asyncio.sleep(0)


async def closed(session: Session, server: ScriptedServer) -> None:
    """The session is over on both sides, so that the server has counted everything."""
    session.close()
    await asyncio.sleep(0)
    await server.settled()
