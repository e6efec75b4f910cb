"""The mail servers of a deployment, in order: where one turns us away, the next one is tried."""

import asyncio
import ssl
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from ion.aws.notes import Note, Noted, Notes, NotesError
from ion.course import Summary
from ion.deadline import Deadline
from ion.drain import Drain
from ion.hold import following
from ion.outcome import Stage
from ion.pace import Limits, Pace
from ion.pipelining_limit import PipeliningLimit
from ion.settings import Settings, Smtp
from ion.smtp.connect import connect, tls_context
from ion.smtp.logins import Logins
from ion.smtp.pool import Pool
from ion.telemetry import Telemetry

_COUNTS = ("received", "sent", "deferred", "held", "dead_lettered", "redriven")


class Servers:
    """Drains over the first server that lets us, and remembers what each has told us.

    A server is left for the next one when the fault is its own, or our account's there: it can't
    be reached, the login is refused, the quota is used up. Not when it throttles, nor when it
    defers or refuses a message.

    Args:
        settings: with the servers.
        notes: what earlier runs left.
        telemetry: told of holds and paces.
        drain: makes a run over the queue.
    """

    def __init__(
        self,
        settings: Settings,
        notes: Notes,
        telemetry: Telemetry,
        drain: Callable[[Smtp, Pool, Pace, Deadline], Drain],
    ) -> None:
        self._servers = [(smtp, tls_context(smtp)) for smtp in settings.servers]
        self._concurrency = settings.aws.concurrency
        self._notes = notes
        self._telemetry = telemetry
        self._drain = drain
        self.turned_away: dict[str, str] = {}
        """Servers that the last run could do nothing with, and what they said."""

    async def run(self, deadline: Deadline) -> Summary:
        """Drain, over one server after the other until one lets us.

        Returns:
            What it came to in all, and how the last one ended. If none let us: why the first one
            didn't, and what all of them said.
        """
        noted, total, reasons = await self._read(), Summary(), list[str]()
        self.turned_away = {}
        for smtp, tls in self._servers:
            hold = noted[smtp.name].hold
            if hold is not None and not hold.is_over(smtp, time.time()):
                self._telemetry.still_held(smtp.name, hold.reason, hold.error, hold.until)
                reason, error = hold.reason, hold.error
            else:
                drain, summary = await self._over(smtp, tls, noted[smtp.name], deadline)
                total = _sum(total, summary)
                reason, error = summary.stopped, summary.error
                if drain.held_by is None or drain.held_by.stage is Stage.CLAIM:  # the ledger's
                    return total
                new = following(drain.held_by, error, hold, smtp, time.time())
                if new is not None:
                    await self._write(smtp, new)
            reasons.append(reason)
            self.turned_away[smtp.name] = error
        total.stopped = reasons[0]
        total.error = _joined(self.turned_away)
        return total

    async def _over(
        self, smtp: Smtp, tls: ssl.SSLContext, noted: Noted, deadline: Deadline
    ) -> tuple[Drain, Summary]:
        """Drain over this one, no faster than it let us lately, and in flights that it can take."""
        limits, lesson, limit = Limits.of(smtp, self._concurrency), noted.lesson, noted.limit
        if lesson is not None and not lesson.is_about(smtp, limits):
            lesson = None
        now = asyncio.get_running_loop().time
        pace = Pace(limits, now())
        if lesson is not None:
            pace.resume(lesson, time.time() - lesson.at)
        open_session = partial(connect, smtp, tls, deadline, Logins())
        most = limit.applied_to(smtp, time.time()) if limit else smtp.pipelining
        async with Pool(open_session, pace.connections(now()), smtp.name, most) as pool:
            drain = self._drain(smtp, pool, pace, deadline)
            summary = await drain.run()
        if summary.received or pace.changed:
            self._telemetry.paced(smtp.name, pace.rate(now()), pace.connections(now()))
        if pace.changed:
            await self._write(smtp, pace.lesson(smtp, lesson, time.time() - now()))
        if pool.learned is not None:
            self._telemetry.mistreated(smtp.name, pool.learned)
            await self._write(smtp, PipeliningLimit.learned(pool.learned, smtp, time.time()))
        return drain, summary

    async def _read(self) -> dict[str, Noted]:
        names = [smtp.name for smtp, _ in self._servers]
        try:
            return await self._notes.read(names)
        except NotesError as error:  # then the servers tell us anew
            self._telemetry.trouble("the holds and paces can't be read", code=str(error))
            return dict.fromkeys(names, Noted())

    async def _write(self, smtp: Smtp, note: Note) -> None:
        try:
            await self._notes.write(smtp.name, note)
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
