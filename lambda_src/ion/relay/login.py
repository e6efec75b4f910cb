"""Connections to one server with a login that works, though the secret may change in between."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeGuard

from ion.outcome import Outcome, Reason, Stage
from ion.relay.configuration import Configuration
from ion.report.telemetry import Telemetry
from ion.settings import Smtp
from ion.smtp.connector import Connector
from ion.smtp.logins import Logins
from ion.smtp.session import Session


class Login:
    """Opens the connections of one run.

    A login that is refused is tried once, and then one other: the one that the secret has by now,
    else the one that it had before. Providers count refused logins, and lock accounts.

    An access token may have ended early, or have been revoked: where one is refused, another one is
    asked for and tried, once in a run, before the login counts as refused.

    Args:
        smtp: the server, with the login to begin with.
        connector: opens them.
        configuration: says which logins there are.
        telemetry: told that another one is tried.
        may_try: False for a login that was refused lately.
    """

    def __init__(
        self,
        smtp: Smtp,
        connector: Connector,
        configuration: Configuration,
        telemetry: Telemetry,
        may_try: Callable[[Smtp], bool],
    ) -> None:
        self.smtp = smtp
        """The server, with the login that is used now."""
        self.refused: list[tuple[Smtp, Outcome]] = []
        """Logins that were refused in this run, and with which words."""
        self._connector = connector
        self._configuration = configuration
        self._telemetry = telemetry
        self._may_try = may_try
        self._tried: set[Smtp] = set()
        self._logins = _LoginsWithOne()
        self._renewed = False
        """An access token was refused in this run, and another one is tried."""
        self._changing = asyncio.Lock()

    async def connect(self) -> Session | Outcome:
        """One more connection, or why there is none."""
        if not self.refused:
            latest = await asyncio.to_thread(self._configuration.latest, self.smtp)
            if not self.refused and self._may_try(latest):
                self._use_one_of([latest])
        while True:
            smtp, logins = self.smtp, self._logins
            attempt = await self._connector.open(smtp, logins)
            if not _is_refused(attempt.connected):
                return attempt.connected
            await self._change(smtp, logins, attempt.token, attempt.connected)
            if self._logins is logins:
                return attempt.connected

    async def _change(self, smtp: Smtp, logins: Logins, token: str, refused: Outcome) -> None:
        """Use another login in the place of this one, if there is one, and it is the first."""
        async with self._changing:
            if logins is not self._logins or smtp in self._tried:  # another connection was faster
                return
            if token:
                self._connector.forget(smtp, token)
                if not self._renewed:
                    self._renewed, self._logins = True, _LoginsWithOne()
                    self._telemetry.trouble("token refused, another one is tried", code=smtp.name)
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
    """With one user name and password, or token: once refused, they aren't tried again."""

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
