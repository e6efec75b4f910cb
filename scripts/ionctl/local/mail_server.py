"""The mail server of the local stack: SES's manners, and recipients that misbehave on request."""

import asyncio
import logging
import secrets
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from ionctl import loopback
from ionctl.local.authority import NAME, Authority
from ionctl.local.faults import Faults
from ionctl.local.mail_session import Arrived, Hooks, NoSession, Session, cut
from ionctl.local.mailbox_simulator import DOMAIN
from ionctl.local.mode import Mode

_SIZE_BYTES = 40 * 1024 * 1024
"""What SES takes, encoded."""
_IDLE_SECONDS = 10
"""SES ends a session that is idle for about this long."""
_START_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Login:
    """What a client needs to send mail through the server."""

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    ca_file: Path


class MailServer:
    """Listens in a thread of its own between `__enter__` and `__exit__`.

    Args:
        authority: vouches for the server.
        on_arrival: called from the server's thread with each email taken.
        port: the port to listen on; None: a free one.
        faults: what it does wrong, on request.
    """

    def __init__(
        self,
        authority: Authority,
        on_arrival: Callable[[Arrived], None],
        port: int | None = None,
        faults: Faults | None = None,
    ) -> None:
        # aiosmtpd warns at each login of an attribute of its own that it is going to drop
        logging.getLogger("mail.log").setLevel(logging.ERROR)
        self._listener = loopback.listen(port, "--smtp-port")
        self._faults = faults or Faults()
        self._hooks = Hooks(on_arrival, self._faults)
        self._sessions: weakref.WeakSet[SMTP] = weakref.WeakSet()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._up = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mail server", daemon=True)
        self.login = Login(
            host=NAME,
            port=self._listener.getsockname()[1],
            username=f"ion@{DOMAIN}",  # an address: also the sender of whoever names none
            password=secrets.token_urlsafe(16),
            ca_file=authority.ca_file,
        )
        self._tls = authority.server_context()

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._up.wait(_START_SECONDS):
            raise TimeoutError(f"the mail server didn't start within {_START_SECONDS} s")
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    @property
    def mode(self) -> Mode:
        """How it behaves, from now on; may be set from any thread."""
        return self._faults.mode

    @mode.setter
    def mode(self, mode: str) -> None:
        self._faults.mode = Mode(mode)
        if self._faults.mode is Mode.DOWN:
            self._loop.call_soon_threadsafe(self._cut_all)

    def _cut_all(self) -> None:
        for session in list(self._sessions):
            cut(session)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        server = await self._loop.create_server(self._session, sock=self._listener)
        self._up.set()
        await self._stop.wait()
        server.close()
        # From Python 3.12 on, a server is closed only once its last client has gone.
        self._cut_all()
        await server.wait_closed()

    def _session(self) -> asyncio.Protocol:
        if self.mode is Mode.DOWN:
            return NoSession()
        session = Session(
            self._hooks,
            self._faults,
            hostname=NAME,
            ident="ESMTP ion local",
            data_size_limit=_SIZE_BYTES,
            enable_SMTPUTF8=True,
            tls_context=self._tls,
            require_starttls=True,
            auth_required=True,
            authenticator=self._authenticate,
            timeout=_IDLE_SECONDS,
            loop=self._loop,
        )
        self._sessions.add(session)
        return session

    def _authenticate(
        self, _server: SMTP, _session: object, _envelope: object, _mechanism: str, login: object
    ) -> AuthResult:
        known = LoginPassword(self.login.username.encode(), self.login.password.encode())
        # handled=False: aiosmtpd itself says 535 5.7.8
        success = login == known and self.mode is not Mode.WRONG_LOGIN
        return AuthResult(success=success, handled=False)
