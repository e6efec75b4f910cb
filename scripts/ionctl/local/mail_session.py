"""One connection to the local mail server: what is replied to each command."""

import asyncio
import email.parser
import email.policy
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, AnyStr, cast

from aiosmtpd.smtp import SMTP, Envelope

from ionctl.local.faults import Faults
from ionctl.local.mailbox_simulator import MailboxSimulator


@dataclass(frozen=True, slots=True)
class Arrived:
    """An email that the server has taken.

    Args:
        confirmed: False: the client never got the reply, see `mailbox_simulator.DROP`.
    """

    at: datetime
    sender: str
    recipients: tuple[str, ...]
    content: bytes
    confirmed: bool = True


class Hooks:
    """What aiosmtpd asks of us. It finds each method by its name.

    Args:
        arrive: called with each email taken.
        faults: the server's.
    """

    def __init__(self, arrive: Callable[[Arrived], None], faults: Faults) -> None:
        self._arrive = arrive
        self._faults = faults
        self._simulator = MailboxSimulator()

    async def handle_MAIL(  # noqa: N802
        self, _server: SMTP, _session: object, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Begin an email, or refuse it."""
        if refusal := self._faults.at_mail():
            return refusal
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 Ok"

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: object, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take a recipient, or refuse it."""
        if refusal := self._simulator.at_rcpt(address):
            return refusal
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 Recipient OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, _session: object, envelope: Envelope
    ) -> str:
        """Take an email that has come whole, or refuse it."""
        sender, content = envelope.mail_from, envelope.content
        # aiosmtpd has asked for MAIL before DATA, and was not told to decode
        assert sender is not None
        assert isinstance(content, bytes)
        if refusal := self._faults.after_data():
            return refusal
        message = _identity(content)
        verdict = self._simulator.after_data(envelope.rcpt_tos, message)
        if verdict.refusal:
            return verdict.refusal
        self._arrive(
            Arrived(
                at=datetime.now(tz=UTC),
                sender=sender,
                recipients=tuple(envelope.rcpt_tos),
                content=content,
                confirmed=not verdict.silent,
            )
        )
        if verdict.silent:
            cut(server)
        return f"250 2.0.0 Ok {secrets.token_hex(8)}"


class Session(SMTP):
    """A connection that is served.

    Args:
        faults: the server's.
        options: of aiosmtpd.
    """

    def __init__(self, hooks: Hooks, faults: Faults, **options: Any) -> None:  # noqa: ANN401
        super().__init__(hooks, **options)
        self._faults = faults

    async def push(self, status: AnyStr) -> None:
        """Write a line of a reply."""
        if status[3:4] not in ("-", b"-"):  # the last one
            await self._faults.before_reply()
        await super().push(status)


class NoSession(asyncio.Protocol):
    """A connection that is cut as soon as it is there."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Cut it."""
        cast("asyncio.Transport", transport).abort()


def cut(session: SMTP) -> None:
    """End a connection without a word."""
    transport = session.transport
    if transport is not None:
        # one that reads and writes: of a socket, or of TLS above it
        cast("asyncio.Transport", transport).abort()


def _identity(content: bytes) -> str:
    """Give what stays the same when a message is tried again: its Message-ID, if it has one."""
    headers = email.parser.BytesHeaderParser(policy=email.policy.compat32).parsebytes(content)
    return headers.get("Message-ID") or hashlib.sha256(content).hexdigest()
