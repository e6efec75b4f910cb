"""What operators have asked for, as a run obeys it: pauses, stops, and what comes by the topic."""

import asyncio
import math
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime

from ion.aws.control import ControlRow
from ion.aws.ledger import Ledger
from ion.aws.table import OVERTAKEN, TableError
from ion.contract import Cancel, Lane, Pause, Resume, Stop
from ion.delivery import Delivery, done, refused, unwritten
from ion.drain.line import lane_of
from ion.drain.progress import Progress
from ion.drain.work_item import WorkItem
from ion.history import History
from ion.outcome import Kind, Outcome, Reason, Scope, Stage
from ion.policy.control import Control, EmailStop, TooManyStopsError
from ion.policy.lease import Cancelling
from ion.report.telemetry import Telemetry

LOOK_SECONDS = 5
"""From one look at the row to the next."""
_STALE_SECONDS = 0.5
"""A look that is older doesn't suffice for a stop to dead-letter an email: it may have come back by
a redrive, after a resume that this run hasn't seen."""
_FAILURES = 2
"""Looks in a row without an answer, after which nothing more is sent."""
_ANSWER_SECONDS = 2.5
"""For a look in the middle of a run. After one that failed another follows at once, so that within
10 seconds an order is obeyed, or nothing is sent any more: five, and two of these."""


class Steering:
    """One run's eye on the control row.

    Args:
        row: it.
        ledger: where emails are cancelled.
        progress: of the run, which ends when everything is paused, or nothing is known.
        telemetry: told of orders carried out.
        default_sender: From, of emails that name none.
        now: seconds since the epoch.
    """

    def __init__(
        self,
        row: ControlRow,
        ledger: Ledger,
        progress: Progress,
        telemetry: Telemetry,
        default_sender: str | None,
        now: Callable[[], float],
    ) -> None:
        self._row = row
        self._ledger = ledger
        self._progress = progress
        self._telemetry = telemetry
        self._default_sender = default_sender
        self._now = now
        self._control = Control()
        self._changing = asyncio.Lock()
        """Orders that a run has in hand together don't get into each other's way."""
        self._looking = asyncio.Lock()
        self._looked_at = -math.inf
        """When the last look that was answered began, on the loop's clock."""
        self._failures = _FAILURES - 1
        """Looks in a row that weren't answered; the first look of a run must be."""
        self._stopped: Counter[str] = Counter()
        """Emails dead-lettered, by the stop's id."""
        self.when_changed: Callable[[], None] = lambda: None
        """Called after each look."""

    # -- looking -------------------------------------------------------------------------

    async def run(self) -> None:
        """Look every few seconds, until it is cancelled."""
        clock = asyncio.get_running_loop().time
        began = clock()
        while True:
            apart = min(LOOK_SECONDS, _ANSWER_SECONDS) if self._failures else LOOK_SECONDS
            await asyncio.sleep(began + apart - clock())
            began = clock()
            await self.look(_ANSWER_SECONDS)

    async def look(self, timeout_seconds: float | None = None) -> None:
        """Read the row, and obey it."""
        began = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(timeout_seconds):
                control = await self._row.read()
        except (TableError, TimeoutError) as error:
            self._failures += 1
            code = str(error) or "timed out"
            self._telemetry.trouble("the control row can't be read", code=code)
            if self._failures >= _FAILURES:
                ill = (Stage.CLAIM, Kind.UNAVAILABLE, Scope.SITE, Reason.LEDGER)
                self._progress.suspend(Outcome(*ill, detail=code))
            return
        self._failures = 0
        self._looked_at = began
        self._obey(control)

    def _obey(self, control: Control) -> None:
        self._control = control
        now = self._now()
        self._progress.summary.pause(control.paused_lanes(now))
        if until := control.paused_until(now):
            self._progress.stop("paused", f"paused until {_written(until)}")
        self.when_changed()

    async def end(self) -> None:
        """Write down how many emails each stop has stopped."""
        if not self._stopped:
            return
        try:
            async with self._changing:
                await self._row.change(lambda control: control.counted(self._stopped))
        except TableError as error:
            count = self._stopped.total()
            self._telemetry.trouble("stopped, not counted", count=count, code=str(error))

    # -- what is in force ----------------------------------------------------------------

    @property
    def paused(self) -> frozenset[Lane]:
        """Lanes of which nothing may be sent now."""
        return self._control.paused_lanes(self._now()) if self._control.pauses else frozenset()

    @property
    def has_erasures(self) -> bool:
        """True if anybody's data has been erased."""
        return self._control.erasures

    def is_paused(self, one: WorkItem) -> bool:
        """True if a message must wait for its lane."""
        return lane_of(one) in self.paused

    def stop_about(self, one: WorkItem) -> EmailStop | None:
        """The stop that is about an email, if there is one."""
        if not self._control.stops or one.asked is None:
            return None
        return self._control.stop_about(
            one.asked,
            self._now(),
            key=one.history.email_id,
            left=one.left,
            default_sender=self._default_sender,
        )

    async def stop_in_force(self, one: WorkItem) -> EmailStop | None:
        """The same as `stop_about`, by a look of just now if there is one."""
        if self.stop_about(one) is None:
            return None
        async with self._looking:  # one look for all that are about to be stopped
            if asyncio.get_running_loop().time() - self._looked_at > _STALE_SECONDS:
                await self.look(_ANSWER_SECONDS)
        return self.stop_about(one)

    def count(self, deliveries: Sequence[Delivery]) -> None:
        """The fates of a message are written."""
        outcomes = [one.outcome for one in deliveries]
        self._stopped.update(one.detail for one in outcomes if one.reason is Reason.STOPPED)

    # -- what comes by the topic ---------------------------------------------------------

    async def carry_out(
        self, action: Cancel | Stop | Pause | Resume, history: History, published_at: float
    ) -> Delivery:
        """Do what a message asks for; it comes back soon if that can't be written.

        Args:
            action: what it asks for.
            history: of the message.
            published_at: when, seconds since the epoch on SQS's clock.
        """
        try:
            if isinstance(action, Cancel):
                return await self._cancel(action, history)
            return await self._steer(action, history, published_at)
        except TableError as error:
            code, name = str(error), history.original_message_id
            self._telemetry.trouble("an order can't be written", code=code, message_id=name)
            return unwritten(code, overtaken=code == OVERTAKEN)
        except TooManyStopsError as error:
            return refused(str(error))

    async def _steer(
        self, action: Stop | Pause | Resume, history: History, published_at: float
    ) -> Delivery:
        now, name = self._now(), history.original_message_id
        without_effect = ""

        def changed(was: Control) -> Control:
            nonlocal without_effect
            if isinstance(action, Resume):
                return was.resumed(published_at)
            without_effect = was.why_without_effect(action, published_at, now)
            if without_effect:
                return was
            if isinstance(action, Pause):
                return was.with_pause(action, now, by=f"message {name}")
            return was.with_stop(action, now, by=f"message {name}", new_id=name)

        async with self._changing:
            control = await self._row.change(changed)
        in_force = {
            "pauses": {one.lane or "all": _written(one.until) for one in control.pauses_at(now)},
            "stops": {one.id: _written(one.until) for one in control.stops_at(now)},
        }
        order = type(action).__name__.lower()
        self._telemetry.steered(
            {"order": order, "message_id": name, "without_effect": without_effect, **in_force}
        )
        self._obey(control)
        return done(order)

    async def _cancel(self, action: Cancel, history: History) -> Delivery:
        how = await self._ledger.cancel(action.email_id, self._now())
        self._telemetry.cancelled(action.email_id, how, history.original_message_id)
        return done("too late" if how is Cancelling.TOO_LATE else "cancelled")


def _written(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
