"""The scripted server itself."""

import asyncio
import ssl
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Final, Self

from smtp_server.certificates import Certificate, server_context, trusted_ca_pem
from smtp_server.conversation import Conversation
from smtp_server.offer import Offer, Tls
from smtp_server.record import Session, Submission
from smtp_server.script import Player, Rule, Script
from smtp_server.wire import Stream


class ScriptedServer:
    """An SMTP server on 127.0.0.1 that behaves, but for what its script says.

    Args:
        script: An action, or several in turn, by step; or a function of the moment.
        recipients: The same by RCPT's address; goes before the script.
        tls: None, STARTTLS or implicit.
        certificate: A right one or a wrong one.
        offer: Extensions, users, limits.

    Attributes:
        sessions: Every connection, in order of arrival.
        submissions: Every body begun, whatever became of it.
        ca_pem_path: The CA to trust (exists while the server runs).
    """

    host: Final = "127.0.0.1"
    port: int

    def __init__(
        self,
        script: Script | None = None,
        *,
        recipients: Mapping[str, Rule] | None = None,
        tls: Tls = Tls.NONE,
        certificate: Certificate = Certificate.VALID,
        offer: Offer | None = None,
    ) -> None:
        self.sessions: list[Session] = []
        self.submissions: list[Submission] = []
        self._player = Player(script, recipients)
        self._tls = tls
        self._context = None if tls is Tls.NONE else server_context(certificate)
        self._offer = offer or Offer()
        self._conversations: set[asyncio.Task[None]] = set()
        self._wires: list[Stream] = []

    @property
    def accepted(self) -> list[Submission]:
        """The emails taken, by the dot that was seen and not by the reply that was written."""
        return [submission for submission in self.submissions if submission.accepted]

    @property
    def auth_commands(self) -> int:
        return sum(session.auth_commands for session in self.sessions)

    def client_context(self) -> ssl.SSLContext:
        """A client's context that trusts the CA and checks the name."""
        return ssl.create_default_context(cadata=trusted_ca_pem().decode())

    async def settled(self) -> None:
        """Waits until every session is over, so that bytes still on their way are counted."""
        while unfinished := [task for task in self._conversations if not task.done()]:
            await asyncio.wait(unfinished)

    async def __aenter__(self) -> Self:
        self._directory = TemporaryDirectory(prefix="smtp_server_")
        self.ca_pem_path = Path(self._directory.name) / "ca.pem"
        self.ca_pem_path.write_bytes(trusted_ca_pem())
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Stream(self._converse), self.host, 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def _converse(self, wire: Stream) -> None:
        session = Session(len(self.sessions) + 1)
        conversation = Conversation(
            wire=wire,
            player=self._player,
            offer=self._offer,
            record=session,
            tls=self._tls,
            context=self._context,
            submissions=self.submissions,
        )
        self.sessions.append(session)
        self._wires.append(wire)
        self._conversations.add(asyncio.get_running_loop().create_task(conversation.run()))

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.close()
        for task in self._conversations:
            task.cancel()
        ends = await asyncio.gather(*self._conversations, return_exceptions=True)
        for wire in self._wires:
            await wire.gone()
        await self._server.wait_closed()
        self._directory.cleanup()
        for end in ends:
            if isinstance(end, Exception) and error is None:
                raise end  # of a script that is a function, or of this server
