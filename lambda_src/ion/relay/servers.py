"""The mail servers of a deployment, in order: where one turns us away, the next one is tried."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace

from ion.aws.server_state import Finding, ServerState, ServerStates
from ion.aws.table import TableError
from ion.deadline import Deadline
from ion.drain.progress import Summary
from ion.drain.run import Drain
from ion.outcome import Outcome, Reason, Stage
from ion.policy.backoff import following
from ion.policy.pipelining_limit import PipeliningLimit
from ion.policy.rate import Limits, Pace
from ion.relay.configuration import Configuration
from ion.relay.login import Login
from ion.report.redact import redact
from ion.report.telemetry import Telemetry
from ion.settings import Settings, Smtp
from ion.smtp.connect import tls_context
from ion.smtp.connector import Connector
from ion.smtp.pool import Pool
from ion.smtp.tokens import Tokens

_COUNTS = (
    *("received", "bulk", "later", "sent", "deferred", "released", "dead_lettered", "by_stop"),
    *("moved_to_bulk", "redriven"),
)
_EARLIER = " earlier"
"""After a server's name: what is noted about it and a login that isn't in force any more."""


class Servers:
    """Drains over the first server that lets us, and remembers what each has told us.

    A server is left for the next one when the fault is its own, or our account's there: it can't
    be reached, the login is refused, the quota is used up. Not when it throttles, nor when it
    defers or refuses a message.

    Args:
        configuration: asked for another login where one is refused.
        settings: with the servers.
        tokens: of those that want an access token.
        states: what earlier runs found out about the servers.
        telemetry: told of servers that turn us away, and of the rates.
        drain: makes a run over the queue.
    """

    def __init__(
        self,
        configuration: Configuration,
        settings: Settings,
        tokens: Tokens,
        states: ServerStates,
        telemetry: Telemetry,
        drain: Callable[[Smtp, Pool, Pace, Deadline], Drain],
    ) -> None:
        self.settings = settings
        self._configuration = configuration
        self._servers = [(smtp, tls_context(smtp)) for smtp in settings.servers]
        self._concurrency = settings.aws.concurrency
        self._tokens = tokens
        self._states = states
        self._state: dict[str, ServerState] = {}
        self._telemetry = telemetry
        self._drain = drain
        self.turned_away: dict[str, str] = {}
        """Servers that refused the login in force in the last run, or could do nothing at all, and
        what they said."""

    async def run(self, deadline: Deadline) -> Summary:
        """Drain, over one server after the other until one lets us.

        Returns:
            What it came to in all, and how the last one ended. If none let us: why the first one
            didn't, and what all of them said.
        """
        self._state = await self._read()
        total, reasons = Summary(), list[str]()
        self.turned_away = {}
        for smtp, tls in self._servers:
            first = await self._login_for(smtp)
            if first is None:
                backoff = self._state[smtp.name].backoff
                reasons.append(backoff.reason if backoff else "")
                continue
            connector = Connector(tls, deadline, self._tokens)
            login = Login(first, connector, self._configuration, self._telemetry, self._may_try)
            drain, summary = await self._over(login, deadline)
            total = _sum(total, summary)
            await self._remember(login)
            if drain.let_in and (summary.sent or drain.suspended_by is None):
                self._tell_of_a_stopgap(login.smtp)
            if (
                drain.suspended_by is None or drain.suspended_by.stage is Stage.CLAIM
            ):  # the ledger's
                return total
            if drain.suspended_by not in [outcome for _, outcome in login.refused]:
                await self._back_off(login.smtp, drain.suspended_by)
            reasons.append(summary.stopped)
            self.turned_away[smtp.name] = summary.error
        total.stopped = total.held = reasons[0]
        total.held_by = self._servers[0][0].name
        total.error = _joined(self.turned_away)
        return total

    async def _login_for(self, smtp: Smtp) -> Smtp | None:
        """The server with the login to begin with; None: it is to be left alone.

        While the login in force is refused, the one before it may go on to work.
        """
        backoff = self._state[smtp.name].backoff
        if backoff is None or self._may_try(smtp):
            return smtp
        self._telemetry.still_suspended(smtp.name, backoff.reason, backoff.error, backoff.until)
        self.turned_away[smtp.name] = backoff.error
        if backoff.reason != Reason.AUTH.lower():
            return None
        earlier = await asyncio.to_thread(self._configuration.previous, smtp)
        return earlier if earlier is not None and self._may_try(earlier) else None

    def _may_try(self, login: Smtp) -> bool:
        backoff = self._state[self._name(login)].backoff
        return backoff is None or backoff.is_over(login, time.time())

    def _tell_of_a_stopgap(self, used: Smtp) -> None:
        """Mail goes, but not as it is meant to: a person should know."""
        if used.name != self._servers[0][0].name:
            self._telemetry.on_backup(used.name)
        if not self._configuration.is_in_force(used):
            self._telemetry.on_previous_login(used.name)

    async def _remember(self, login: Login) -> None:
        """Which logins were refused; one that wasn't any more may be tried by the next run."""
        refused = dict(login.refused)
        for smtp, outcome in refused.items():
            self.turned_away[smtp.name] = redact(str(outcome))
            await self._back_off(smtp, outcome)
        before = self._state[self._name(login.smtp)].backoff
        if before is not None and not (login.smtp in refused or self._may_try(login.smtp)):
            over = replace(before, times=0, until=int(time.time()))
            await self._write(self._name(login.smtp), over)

    async def _back_off(self, login: Smtp, outcome: Outcome) -> None:
        """Leave the server alone for a while, if that is what follows."""
        before = self._state[self._name(login)].backoff
        backoff = following(outcome, redact(str(outcome)), before, login, time.time())
        if backoff is not None:
            await self._write(self._name(login), backoff)

    async def _over(self, login: Login, deadline: Deadline) -> tuple[Drain, Summary]:
        """Drain over this one, no faster than it let us lately, and in flights that it can take."""
        smtp = login.smtp
        rate, limit = self._state[self._name(smtp)].rate, self._state[smtp.name].pipelining
        limits = Limits.of(smtp, self._concurrency)
        if rate is not None and not rate.is_about(smtp, limits):
            rate = None
        now = asyncio.get_running_loop().time
        pace = Pace(limits, now())
        if rate is not None:
            pace.resume(rate, time.time() - rate.at)
        most = limit.applied_to(smtp, time.time()) if limit else smtp.pipelining
        async with Pool(login.connect, pace.connections(now()), smtp.name, most) as pool:
            drain = self._drain(smtp, pool, pace, deadline)
            summary = await drain.run()
        if summary.received or pace.changed:
            self._telemetry.paced(smtp.name, pace.rate(now()), pace.connections(now()))
        if pace.changed:
            learned = pace.learned_rate(login.smtp, rate, time.time() - now())
            await self._write(self._name(login.smtp), learned)
        if pool.learned is not None:
            self._telemetry.mistreated(smtp.name, pool.learned)
            limit = PipeliningLimit.learned(pool.learned, smtp, time.time())
            await self._write(smtp.name, limit)
        return drain, summary

    # -- the servers' state --------------------------------------------------------------

    def _name(self, login: Smtp) -> str:
        """Under which the state of a server and a login is kept."""
        return login.name if self._configuration.is_in_force(login) else login.name + _EARLIER

    async def _read(self) -> dict[str, ServerState]:
        names = [smtp.name + which for smtp, _ in self._servers for which in ("", _EARLIER)]
        try:
            return await self._states.read(names)
        except TableError as error:  # then the servers tell us anew
            self._telemetry.trouble("the servers' state can't be read", code=str(error))
            return dict.fromkeys(names, ServerState())

    async def _write(self, name: str, finding: Finding) -> None:
        try:
            await self._states.write(name, finding)
        except TableError as error:
            what = type(finding).__name__
            self._telemetry.trouble(f"a server's state ({what}) can't be written", code=str(error))


def _sum(total: Summary, later: Summary) -> Summary:
    counts = {name: getattr(total, name) + getattr(later, name) for name in _COUNTS}
    return replace(later, advice=later.advice or total.advice, **counts)


def _joined(errors: dict[str, str]) -> str:
    """With one server there is no need to say which."""
    if len(errors) == 1:
        return "".join(errors.values())
    return "; ".join(f"[{server}] {error}" for server, error in errors.items())
