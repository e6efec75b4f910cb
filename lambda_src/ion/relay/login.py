"""Connections to one server with a login that works, though the secret may change in between."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeGuard

from ion.deadline import Deadline
from ion.outcome import Outcome, Reason, Stage
from ion.relay.configuration import Configuration
from ion.report.telemetry import Telemetry
from ion.settings import Smtp
from ion.smtp.connect import connect
from ion.smtp.logins import Logins
from ion.smtp.session import Session


class Login:
    """Opens the connections of one run.

    A login that is refused is tried once, and then one other: the one that the secret has by now,
    else the one that it had before. Providers count refused logins, and lock accounts.

    Args:
        smtp: the server, with the login to begin with.
        tls: its context.
        deadline: of the invocation.
        configuration: says which logins there are.
        telemetry: told that another one is tried.
        may_try: False for a login that was refused lately.
    """

    def __init__(
        self,
        smtp: Smtp,
        tls: ssl.SSLContext,
        deadline: Deadline,
        configuration: Configuration,
        telemetry: Telemetry,
        may_try: Callable[[Smtp], bool],
    ) -> None:
        self.smtp = smtp
        """The server, with the login that is used now."""
        self.refused: list[tuple[Smtp, Outcome]] = []
        """Logins that were refused in this run, and with which words."""
        self._tls = tls
        self._deadline = deadline
        self._configuration = configuration
        self._telemetry = telemetry
        self._may_try = may_try
        self._tried: set[Smtp] = set()
        self._logins = _LoginsWithOne()
        self._changing = asyncio.Lock()

    async def connect(self) -> Session | Outcome:
        """One more connection, or why there is none."""
        if not self.refused:
            latest = await asyncio.to_thread(self._configuration.latest, self.smtp)
            if not self.refused and self._may_try(latest):
                self._use_one_of([latest])
        while True:
            smtp, logins = self.smtp, self._logins
            connected = await connect(smtp, self._tls, self._deadline, logins)
            if not _is_refused(connected):
                return connected
            await self._change(smtp, connected)
            if self.smtp == smtp:
                return connected

    async def _change(self, smtp: Smtp, refused: Outcome) -> None:
        """Use another login in the place of this one, if there is one, and it is the first."""
        async with self._changing:
            if smtp in self._tried:  # another connection was faster
                return
            self._tried.add(smtp)
            self.refused.append((smtp, refused))
            if len(self.refused) == 1:
                others = await asyncio.to_thread(self._configuration.others, smtp)
                # Where an earlier login was used, the one in force had been refused. That the
                # earlier one is refused now may mean that the server has changed over.
                is_news = not self._configuration.is_in_force(smtp)
                self._use_one_of([one for one in others if is_news or self._may_try(one)])
            if self.smtp != smtp:
                self._telemetry.trouble("login refused, another one is tried", code=smtp.name)

    def _use_one_of(self, others: Sequence[Smtp]) -> None:
        """The first that wasn't refused in this run; none: it stays as it is."""
        for other in others:
            if other not in self._tried:
                if other != self.smtp:
                    self.smtp, self._logins = other, _LoginsWithOne()
                return


class _LoginsWithOne(Logins):
    """With one user name and password: once they are refused, they aren't tried again."""

    def __init__(self) -> None:
        super().__init__()
        self._final: Outcome | None = None

    async def one(self, log_in: Callable[[], Awaitable[Outcome | None]]) -> Outcome | None:
        """As any, unless there was a final answer before."""

        async def unless_refused() -> Outcome | None:
            return self._final or await log_in()

        outcome = await super().one(unless_refused)
        if outcome is not None and _is_refused(outcome):
            self._final = outcome
        return outcome


def _is_refused(connected: Session | Outcome) -> TypeGuard[Outcome]:
    return (
        isinstance(connected, Outcome)
        and connected.stage is Stage.AUTH
        and connected.reason is Reason.AUTH
    )
