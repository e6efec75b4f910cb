"""Connections to one server in one run, with an access token where one is asked for."""

import ssl
from dataclasses import dataclass, field

from ion.deadline import Deadline
from ion.outcome import Outcome
from ion.settings import Smtp
from ion.smtp.connect import connect
from ion.smtp.logins import Logins
from ion.smtp.session import Session
from ion.smtp.tokens import Tokens


@dataclass(frozen=True, slots=True)
class Attempt:
    """How connecting ended.

    Args:
        connected: a session, or why there is none.
        token: that was shown to the server; empty: none was.
    """

    connected: Session | Outcome
    token: str = field(default="", repr=False)


class Connector:
    """Opens connections.

    Args:
        tls: of `connect.tls_context`.
        deadline: of the invocation.
        tokens: of the execution environment.
    """

    def __init__(self, tls: ssl.SSLContext, deadline: Deadline, tokens: Tokens) -> None:
        self._tls = tls
        self._deadline = deadline
        self._tokens = tokens

    async def open(self, smtp: Smtp, logins: Logins) -> Attempt:
        """Connect and log in.

        A token is asked for before there is a connection that would have to wait for it, and as
        one login waits for another: who waits while it is refused takes that for its own answer.
        """
        oauth, token = smtp.oauth, ""
        if oauth is None:
            return Attempt(await connect(smtp, self._tls, self._deadline, logins))

        async def ask() -> Outcome | None:
            nonlocal token
            got = await self._tokens.get(oauth, self._deadline)
            if isinstance(got, Outcome):
                return got
            token = got
            return None

        if (refused := await logins.one(ask)) is not None:
            return Attempt(refused)
        return Attempt(await connect(smtp, self._tls, self._deadline, logins, token), token)

    def forget(self, smtp: Smtp, token: str) -> None:
        """The server has refused this token: the next one is a new one."""
        if smtp.oauth is not None:
            self._tokens.forget(smtp.oauth, token)
