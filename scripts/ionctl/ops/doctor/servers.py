"""A login to a mail server, as the function makes it: by ion's own code, once, with QUIT after."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from ion.deadline import Deadline
from ion.outcome import Kind, Outcome, Reason, Stage
from ion.report.redact import redact
from ion.settings import Security
from ion.smtp.connect import tls_context
from ion.smtp.connector import Connector
from ion.smtp.logins import Logins
from ion.smtp.tokens import Tokens
from ionctl.ops.doctor.check import ok, skipped, warning, wrong
from ionctl.ops.doctor.witness import Witness
from ionctl.program import command

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ion.settings import Smtp
    from ionctl.ops.deployment import Deployment
    from ionctl.ops.result import Finding

_SECONDS = 8.0
"""From the look-up of the name to the end of the login: less than a check may take."""
_EXPIRES_SOON = timedelta(days=14)
_PORT_OUTSIDE_CLOSED = 25
_CHECKS = {
    Reason.TLS_CERT: "certificate",
    Reason.TLS_REQUIRED: "tls",
    Reason.AUTH: "login",
    Reason.AUTH_LATER: "login",
    Reason.AUTH_MISSING: "login",
}
"""Names of checks; any other reason is about the connection."""
_ADVICE = {
    Reason.TLS_CERT: "on the server, put a certificate there that is valid and has its name; in "
    "the secret, correct server, or name the private CA's file in ca_file",
    Reason.TLS_REQUIRED: "correct port and security in the secret: 587 with starttls, 465 with tls",
    Reason.AUTH: "put the right login into the secret: it is used within 5 minutes "
    "(docs/providers.md says for each provider where it is from)",
    Reason.AUTH_LATER: "the server, or the token's endpoint, has trouble of its own: try again "
    "later; in the secret, see oauth_token_url",
    Reason.AUTH_MISSING: "choose another auth in the secret, or allow this one on the server",
    Reason.QUOTA: "the account's quota there is used up: it waits, see docs/providers.md",
}
_TIMED_OUT = "timed out"
_SILENT = {
    Stage.EHLO: ("connect", "it greets, and doesn't answer EHLO"),
    Stage.STARTTLS: ("tls", "it answers EHLO, and not STARTTLS, or doesn't end the handshake"),
    Stage.AUTH: ("login", "it answers EHLO, and not AUTH"),
}
"""By the stage in which a server that was reached says nothing more: name of the check, and what is
seen of it."""
_SILENT_ADVICE = (
    "see the server's own log of that time: it is overloaded, puts off whom it doesn't know, or "
    "something between speaks in its place"
)
_NO_SUCH_NAME = "host name not found"
_NAME_ADVICE = "correct server in the secret: DNS has no such name"
_CONNECT_ADVICE = (
    "correct server and port in the secret; nothing listens there, or a firewall is between"
)


@dataclass(frozen=True, slots=True)
class _Met:
    """How an attempt ended.

    Args:
        refused: why there is no session; None: there was one.
        expires: of the server's certificate; None: none was seen.
    """

    refused: Outcome | None
    expires: datetime | None


def look(smtp: Smtp, deployment: Deployment | None = None) -> Iterator[Finding]:
    """Connect, log in, and say goodbye.

    Args:
        smtp: the server.
        deployment: whose function has met it, too; None: there is none yet.
    """
    met, witness = asyncio.run(_meet(smtp)), Witness(deployment, smtp)
    if smtp.port == _PORT_OUTSIDE_CLOSED and not witness.in_vpc:
        words = f"{_named(smtp)}: AWS lets no function reach port 25 outside unless asked to"
        yield warning("port", words, "use 587 or 465 (docs/operations.md#port-25)", about=smtp.name)
    if met.refused is not None:
        yield _refused(smtp, met.refused, witness)
        return
    if met.expires is not None:
        yield _certificate(smtp, met.expires)
    how = "lets ion in without a login" if smtp.username is None else "takes the login"
    yield ok("login", f"{_named(smtp)} {how}", about=smtp.name)
    if refusal := witness.refusal():
        words = f"it takes the login from here, and refused it to the function: {refusal}"
        advice = "wait until then; another login in the secret is tried at once"
        yield warning("held", words, advice, about=smtp.name)
    elif held := witness.last_run():
        words = f"it lets ion in from here, and held the function's last run: {held}"
        advice = "wait for the next run; in a VPC see its security group and NAT gateway"
        yield warning("held", words, advice, about=smtp.name)


async def _meet(smtp: Smtp) -> _Met:
    tls, seen = tls_context(smtp), list[dict[str, Any]]()

    class Noting(ssl.SSLObject):
        """Notes the certificate of the server that it has shaken hands with."""

        def do_handshake(self) -> None:
            super().do_handshake()
            seen.append(self.getpeercert() or {})

    tls.sslobject_class = Noting
    connector = Connector(tls, Deadline.after(_SECONDS), Tokens())
    connected = (await connector.open(smtp, Logins())).connected
    expires = next((one["notAfter"] for one in seen if "notAfter" in one), None)
    at = datetime.fromtimestamp(ssl.cert_time_to_seconds(expires), UTC) if expires else None
    if isinstance(connected, Outcome):
        return _Met(connected, at)
    await connected.quit()
    return _Met(None, at)


def _certificate(smtp: Smtp, expires: datetime) -> Finding:
    left = expires - datetime.now(UTC)
    words = f"{_named(smtp)} has a certificate until {expires:%Y-%m-%d}"
    if left > _EXPIRES_SOON:
        return ok("certificate", words, about=smtp.name)
    advice = "renew it on the server: from that day on nothing is sent"
    return warning("certificate", f"{words}, in {left.days} days", advice, about=smtp.name)


def _refused(smtp: Smtp, outcome: Outcome, witness: Witness) -> Finding:
    check = _CHECKS.get(outcome.reason, "connect")
    words = f"{_named(smtp)}: {redact(outcome.said) or outcome.reason.value}"
    unmet = _NAME_ADVICE if outcome.detail == _NO_SUCH_NAME else _CONNECT_ADVICE
    advice = _ADVICE.get(outcome.reason, unmet)
    if outcome.detail == _TIMED_OUT and outcome.stage in _SILENT:
        check, seen = _SILENT[outcome.stage]
        words, advice = f"{_named(smtp)}: {seen} within {_SECONDS:g} s", _SILENT_ADVICE
        return wrong(check, words, advice, about=smtp.name)
    is_met = check != "connect" or outcome.kind is not Kind.UNAVAILABLE
    if is_met:
        refusal = witness.refusal()
        words += f" (to the function, too: {refusal})" if refusal else ""
        return wrong(check, words, advice, about=smtp.name)
    found = witness.last_suspension() or "nothing of the kind for a day"
    if witness.in_vpc:
        words += f" from here; the function is in a VPC, and its log has: {found}"
        advice = f"run {command('doctor')} inside the VPC, or go by what the function found"
        return skipped(check, words, advice, about=smtp.name)
    words += f" (the function's log has: {found})" if witness.is_deployed else ""
    return wrong(check, words, advice, about=smtp.name)


def _named(smtp: Smtp) -> str:
    secured = "" if smtp.security is Security.NONE else f" ({smtp.security.value})"
    return f"[{smtp.name}] {smtp.server}:{smtp.port}{secured}"
