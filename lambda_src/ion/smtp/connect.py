"""From host name to a session that is logged in, or to the reason why not."""

import asyncio
import ipaddress
import socket
import ssl

import aiosmtplib

from ion.deadline import Deadline
from ion.outcome import Kind, Outcome, Reason, Scope, Stage
from ion.settings import Security, Smtp
from ion.smtp.logins import Logins
from ion.smtp.replies import classify
from ion.smtp.session import Session
from ion.smtp.stream import Stream, reply_of

CONNECT_SECONDS = 30.0
"""From the first packet to the end of the login. RFC 5321 section 4.5.3.2.1 allows a server
5 minutes for its greeting alone, more than an invocation should spend on it."""


def tls_context(smtp: Smtp) -> ssl.SSLContext:
    """TLS 1.2 or newer, certificate and host name verified. Costs milliseconds: keep it."""
    context = ssl.create_default_context(cafile=smtp.ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


async def connect(
    smtp: Smtp, tls: ssl.SSLContext, deadline: Deadline, logins: Logins, token: str = ""
) -> Session | Outcome:
    """Connect, greet, encrypt and log in, in that order and with one login.

    Never falls back to less protection than `smtp.security` asks for. An `Outcome` is always of
    the scope `site`: it says nothing about any message.

    Args:
        smtp: the server.
        tls: of `tls_context`.
        deadline: of the invocation.
        logins: to this server in this run.
        token: an access token, if `smtp.oauth` asks for one.
    """
    client = aiosmtplib.SMTP(
        hostname=smtp.server,
        port=smtp.port,
        use_tls=smtp.security is Security.TLS,
        start_tls=False,  # we do that ourselves, to know at which stage we are
        tls_context=tls,
        timeout=None,  # one time-out around all the steps, below
        local_hostname="[127.0.0.1]",  # until the socket tells better
    )
    attempt = _Attempt(client, smtp, logins, token)
    try:
        async with asyncio.timeout(deadline.clip(CONNECT_SECONDS)):
            return await attempt.run()
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        return attempt.failed(error)
    except BaseException:
        attempt.close()
        raise


class _Attempt:
    """One way through the stages; knows where it is when an exception doesn't."""

    def __init__(self, client: aiosmtplib.SMTP, smtp: Smtp, logins: Logins, token: str) -> None:
        self.client = client
        self.smtp = smtp
        self.logins = logins
        self.token = token
        self.stage = Stage.CONNECT

    async def run(self) -> Session | Outcome:
        client = self.client
        await client.connect()
        self._only_what_was_asked()
        client.local_hostname = _address_literal(client.get_transport_info("sockname"))
        self.stage = Stage.EHLO
        await client.ehlo()
        self._only_what_was_asked()
        if self.smtp.security is Security.STARTTLS:
            if not client.supports_extension("starttls"):
                return self._refused(Stage.STARTTLS, Reason.TLS_REQUIRED, "STARTTLS not offered")
            self.stage = Stage.STARTTLS
            await client.starttls()
            self.stage = Stage.EHLO
            await client.ehlo()
            self._only_what_was_asked()
        if self.smtp.username is not None:
            self.stage = Stage.AUTH
            if (refused := await self.logins.one(self._log_in)) is not None:
                self.close()
                return refused
            self._only_what_was_asked()
        if not client.is_connected or client.transport is None:
            raise aiosmtplib.SMTPServerDisconnected("Connection lost")
        return Session(
            Stream(client.transport),  # type: ignore[arg-type]
            client.esmtp_extensions,
            self.smtp.pipelining,
        )

    def _only_what_was_asked(self) -> None:
        """Bytes left over would be taken for the next reply, or be lost when we take over."""
        if getattr(self.client.protocol, "_buffer", None):
            raise aiosmtplib.SMTPResponseException(-1, "More than one reply")

    async def _log_in(self) -> Outcome | None:
        try:
            return await self._authenticate()
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            return self.failed(error)

    async def _authenticate(self) -> Outcome | None:
        """One mechanism, tried once: providers count failed logins, and lock accounts."""
        if self.client.get_transport_info("sslcontext") is None:
            return self._refused(Stage.AUTH, Reason.TLS_REQUIRED, "no login without TLS")
        methods = self.client.server_auth_methods
        username, password = self.smtp.username or "", self.smtp.password or ""
        if self.smtp.oauth is not None:
            if "xoauth2" not in methods:
                return self._not_offered(methods)
            await self.client.auth_xoauth2(username, self.token)
        elif "plain" in methods:
            await self.client.auth_plain(username, password)
        elif "login" in methods:
            await self.client.auth_login(username, password)
        elif "cram-md5" in methods:
            await self.client.auth_crammd5(username, password)
        else:
            return self._not_offered(methods)
        return None

    def _not_offered(self, methods: list[str]) -> Outcome:
        offered = ", ".join(methods) or "nothing"
        return self._refused(Stage.AUTH, Reason.AUTH_MISSING, f"AUTH offers {offered}")

    def failed(self, error: Exception) -> Outcome:
        """Translates what aiosmtplib and the sockets below it raise."""
        self.close()
        if isinstance(error, aiosmtplib.SMTPResponseException):
            if not 200 <= error.code <= 599:  # aiosmtplib's -1: not a reply
                return self._unavailable(Reason.CONNECT, "malformed reply")
            return classify(self.stage, reply_of(error.code, error.message))
        cause = error.__cause__ if isinstance(error.__cause__, OSError) else error
        if isinstance(cause, ssl.SSLCertVerificationError):
            return self._refused(Stage.STARTTLS, Reason.TLS_CERT, cause.verify_message)
        if isinstance(cause, ssl.SSLError):
            return self._refused(Stage.STARTTLS, Reason.TLS_REQUIRED, "TLS handshake failed")
        if isinstance(cause, socket.gaierror):
            return self._unavailable(Reason.CONNECT, "host name not found")
        if isinstance(cause, TimeoutError):
            return self._unavailable(Reason.CONNECT, "timed out")
        if isinstance(cause, ConnectionRefusedError):
            return self._unavailable(Reason.CONNECT, "connection refused")
        return self._unavailable(Reason.CONNECT, f"connection failed ({type(cause).__name__})")

    def close(self) -> None:
        """Close without a word: aiosmtplib would wait for the end of TLS behind our back."""
        transport = self.client.transport
        self.client.close()
        if isinstance(transport, asyncio.WriteTransport):
            transport.abort()

    def _refused(self, stage: Stage, reason: Reason, detail: str) -> Outcome:
        self.close()
        return Outcome(stage, Kind.MISCONFIGURED, Scope.SITE, reason, detail=detail)

    def _unavailable(self, reason: Reason, detail: str) -> Outcome:
        return Outcome(self.stage, Kind.UNAVAILABLE, Scope.SITE, reason, detail=detail)


def _address_literal(sockname: tuple[str, int]) -> str:
    """The client's address for EHLO: a Lambda has no name (RFC 5321 section 4.1.4)."""
    address = ipaddress.ip_address(sockname[0].partition("%")[0])
    return f"[IPv6:{address}]" if address.version == 6 else f"[{address}]"
