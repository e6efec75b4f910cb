"""The mail servers of a deployment, in order: where one turns us away, the next one is tried."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace

from ion.aws.server_state import Note, Noted, Notes, NotesError
from ion.deadline import Deadline
from ion.drain.progress import Summary
from ion.drain.run import Drain
from ion.outcome import Outcome, Reason, Stage
from ion.policy.backoff import following
from ion.policy.pipelining_limit import PipeliningLimit
from ion.policy.rate import Limits, Pace
from ion.relay.configuration import Configuration
from ion.relay.login import Login
from ion.report.redact import scrub
from ion.report.telemetry import Telemetry
from ion.settings import Settings, Smtp
from ion.smtp.connect import tls_context
from ion.smtp.pool import Pool

_COUNTS = ("received", "sent", "deferred", "held", "dead_lettered", "redriven")
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
        notes: what earlier runs left.
        telemetry: told of holds and paces.
        drain: makes a run over the queue.
    """

    def __init__(
        self,
        configuration: Configuration,
        settings: Settings,
        notes: Notes,
        telemetry: Telemetry,
        drain: Callable[[Smtp, Pool, Pace, Deadline], Drain],
    ) -> None:
        self.settings = settings
        self._configuration = configuration
        self._servers = [(smtp, tls_context(smtp)) for smtp in settings.servers]
        self._concurrency = settings.aws.concurrency
        self._notes = notes
        self._noted: dict[str, Noted] = {}
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
        self._noted = await self._read()
        total, reasons = Summary(), list[str]()
        self.turned_away = {}
        for smtp, tls in self._servers:
            first = await self._login_for(smtp)
            if first is None:
                hold = self._noted[smtp.name].hold
                reasons.append(hold.reason if hold else "")
                continue
            login = Login(first, tls, deadline, self._configuration, self._telemetry, self._may_try)
            drain, summary = await self._over(login, deadline)
            total = _sum(total, summary)
            await self._remember(login)
            if drain.held_by is None or drain.held_by.stage is Stage.CLAIM:  # the ledger's
                return total
            if drain.held_by not in [outcome for _, outcome in login.refused]:
                await self._hold(login.smtp, drain.held_by)
            reasons.append(summary.stopped)
            self.turned_away[smtp.name] = summary.error
        total.stopped = reasons[0]
        total.error = _joined(self.turned_away)
        return total

    async def _login_for(self, smtp: Smtp) -> Smtp | None:
        """The server with the login to begin with; None: it is to be left alone.

        While the login in force is refused, the one before it may go on to work.
        """
        hold = self._noted[smtp.name].hold
        if hold is None or self._may_try(smtp):
            return smtp
        self._telemetry.still_held(smtp.name, hold.reason, hold.error, hold.until)
        self.turned_away[smtp.name] = hold.error
        if hold.reason != Reason.AUTH.lower():
            return None
        earlier = await asyncio.to_thread(self._configuration.previous, smtp)
        return earlier if earlier is not None and self._may_try(earlier) else None

    def _may_try(self, login: Smtp) -> bool:
        hold = self._noted[self._name(login)].hold
        return hold is None or hold.is_over(login, time.time())

    async def _remember(self, login: Login) -> None:
        """Which logins were refused; one that wasn't any more may be tried by the next run."""
        refused = dict(login.refused)
        for smtp, outcome in refused.items():
            self.turned_away[smtp.name] = scrub(str(outcome))
            await self._hold(smtp, outcome)
        before = self._noted[self._name(login.smtp)].hold
        if before is not None and not (login.smtp in refused or self._may_try(login.smtp)):
            over = replace(before, times=0, until=int(time.time()))
            await self._write(self._name(login.smtp), over)

    async def _hold(self, login: Smtp, outcome: Outcome) -> None:
        """Leave it alone for a while, if that is what follows."""
        before = self._noted[self._name(login)].hold
        hold = following(outcome, scrub(str(outcome)), before, login, time.time())
        if hold is not None:
            await self._write(self._name(login), hold)

    async def _over(self, login: Login, deadline: Deadline) -> tuple[Drain, Summary]:
        """Drain over this one, no faster than it let us lately, and in flights that it can take."""
        smtp = login.smtp
        lesson, limit = self._noted[self._name(smtp)].lesson, self._noted[smtp.name].limit
        limits = Limits.of(smtp, self._concurrency)
        if lesson is not None and not lesson.is_about(smtp, limits):
            lesson = None
        now = asyncio.get_running_loop().time
        pace = Pace(limits, now())
        if lesson is not None:
            pace.resume(lesson, time.time() - lesson.at)
        most = limit.applied_to(smtp, time.time()) if limit else smtp.pipelining
        async with Pool(login.connect, pace.connections(now()), smtp.name, most) as pool:
            drain = self._drain(smtp, pool, pace, deadline)
            summary = await drain.run()
        if summary.received or pace.changed:
            self._telemetry.paced(smtp.name, pace.rate(now()), pace.connections(now()))
        if pace.changed:
            learned = pace.lesson(login.smtp, lesson, time.time() - now())
            await self._write(self._name(login.smtp), learned)
        if pool.learned is not None:
            self._telemetry.mistreated(smtp.name, pool.learned)
            limit = PipeliningLimit.learned(pool.learned, smtp, time.time())
            await self._write(smtp.name, limit)
        return drain, summary

    # -- the notes -----------------------------------------------------------------------

    def _name(self, login: Smtp) -> str:
        """Under which a server and a login are noted."""
        return login.name if self._configuration.is_in_force(login) else login.name + _EARLIER

    async def _read(self) -> dict[str, Noted]:
        names = [smtp.name + which for smtp, _ in self._servers for which in ("", _EARLIER)]
        try:
            return await self._notes.read(names)
        except NotesError as error:  # then the servers tell us anew
            self._telemetry.trouble("the holds and paces can't be read", code=str(error))
            return dict.fromkeys(names, Noted())

    async def _write(self, name: str, note: Note) -> None:
        try:
            await self._notes.write(name, note)
        except NotesError as error:
            what = type(note).__name__
            self._telemetry.trouble(f"a note ({what}) can't be written", code=str(error))


def _sum(total: Summary, later: Summary) -> Summary:
    counts = {name: getattr(total, name) + getattr(later, name) for name in _COUNTS}
    return replace(later, advice=later.advice or total.advice, **counts)


def _joined(errors: dict[str, str]) -> str:
    """With one server there is no need to say which."""
    if len(errors) == 1:
        return "".join(errors.values())
    return "; ".join(f"[{server}] {error}" for server, error in errors.items())
