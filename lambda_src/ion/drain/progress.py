"""Progress of a run: its summary so far, and whether it may go on."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ion.contract import Lane
from ion.deadline import Deadline
from ion.delivery import Delivery, Status
from ion.limits import BEGIN_BUDGET_SECONDS
from ion.message import Source
from ion.outcome import Outcome, Reason, Scope, Stage
from ion.report.redact import redact
from ion.report.telemetry import Telemetry

if TYPE_CHECKING:
    from collections.abc import Callable

_NO_SENDER = (
    "[mail] sender: is missing, and the SMTP username is no address to take in its place: messages "
    "that name no sender are dead-lettered. Set it (Terraform: settings = { mail = { sender = "
    '"name@example.org" } }), then redrive them'
)
_NO_UNSUBSCRIBE_URL = (
    "[unsubscribe] url: is missing, and messages ask for a link to unsubscribe: they are "
    "dead-lettered. Set it (Terraform: unsubscribe = true makes the function that it leads to), "
    "then redrive them"
)
_ADVICE = {
    Reason.SENDER_MISSING: _NO_SENDER,
    Reason.UNSUBSCRIBE_MISSING: _NO_UNSUBSCRIBE_URL,
}
"""Settings for whose want messages are dead-lettered."""
_OURS = frozenset({Stage.PARSE, Stage.FETCH, Stage.CLAIM, Stage.GUARD})
"""Stages at which no mail server is asked."""


@dataclass(slots=True)
class Summary:
    """Summary of a run."""

    received: int = 0
    bulk: int = 0
    """Of those received: from the bulk queue."""
    later: int = 0
    """Of those received: from the queue of what waits, when they were due."""
    sent: int = 0
    deferred: int = 0
    released: int = 0
    dead_lettered: int = 0
    by_stop: int = 0
    """Of those dead-lettered: for a stop."""
    suppressed: int = 0
    """Parts of messages whose recipients must not be written to."""
    moved_to_bulk: int = 0
    redriven: int = 0
    seconds: float = 0.0
    stopped: str = ""
    """Why it ended: "empty", "in_flight_limit", "deadline", "paused", "queue" (one
    can't be read), "settings", "error" (the run broke), or a hold's reason in lower case
    ("auth", "connect" …)."""
    error: str = ""
    """For "settings", "queue", pauses and holds: what is wrong, for who has to mend it."""
    held: str = ""
    """Why mail waits that should go, whether the run ended for it or some mail was left behind: a
    hold's reason in lower case, or "queue", "in_flight_limit", "deadline", "error" (the run
    broke). Empty: all mail that may go can."""
    held_by: str = ""
    """The server that let nothing be sent, of several the first; empty: it was something else."""
    paused: str = ""
    """Lanes that were paused, in words: "bulk", "bulk, normal"."""
    advice: str = ""
    """A setting to mend although the run went on: messages are dead-lettered for it."""

    def receive(self, messages: int, source: Source) -> None:
        """So many more have come, from there."""
        self.received += messages
        self.bulk += messages * (source is Source.BULK)
        self.later += messages * (source is Source.LATER)

    def pause(self, lanes: Collection[Lane]) -> None:
        """These lanes are paused."""
        if lanes:
            self.paused = ", ".join(sorted({*lanes, *filter(None, self.paused.split(", "))}))

    @property
    def came_to_nothing(self) -> bool:
        """True if no message had a fate, and none was moved."""
        settled = self.sent + self.deferred + self.dead_lettered + self.suppressed
        return not settled + self.moved_to_bulk + self.redriven

    def count(self, delivery: Delivery) -> None:
        """One more message, or part of one, with this fate."""
        if delivery.status is not Status.DONE:
            name = delivery.status.value
            setattr(self, name, getattr(self, name) + 1)
        self.by_stop += delivery.outcome.reason is Reason.STOPPED
        self.advice = _ADVICE.get(delivery.outcome.reason, self.advice)


class Progress:
    """State of one run; stopping is final.

    Args:
        deadline: by which everything has been said and done.
        telemetry: told of holds, and of queues that can't be read.
        server: over which it goes: its section in the configuration.
    """

    def __init__(self, deadline: Deadline, telemetry: Telemetry, server: str) -> None:
        self._server = server
        self._deadline = deadline
        self._telemetry = telemetry
        self._told: set[Outcome] = set()
        """Holds that the log has, so that it doesn't have them once a message."""
        self.summary = Summary()
        self.suspended_by: Outcome | None = None
        """The outcome that ended the run, if the site did."""
        self.when_stopped: list[Callable[[], None]] = []
        """Called as it stops."""

    def stop(self, why: str, error: str = "") -> None:
        """The first reason is the run's."""
        if not self.summary.stopped:
            self.summary.stopped, self.summary.error = why, error
            for call in self.when_stopped:
                call()

    def fail(self, why: str, error: str = "") -> None:
        """Stop, though there may be mail that should go."""
        self._hold(why)
        self.stop(why, error)

    def unreadable(self, queue: str, code: str) -> None:
        """Tell of a queue that can't be read, and stop.

        Args:
            queue: its name, as people read it.
            code: AWS's.
        """
        what = f"the {queue} queue can't be read"
        self._telemetry.trouble(what, code=code)
        self.fail("queue", f"{what}: {code}")

    def hold(self, outcome: Outcome) -> None:
        """Some mail waits until a fault is mended that isn't its own; the run goes on."""
        self._hold(outcome.reason.lower(), "" if outcome.stage in _OURS else self._server)

    def suspend(self, outcome: Outcome) -> None:
        """The site is ill, or the server minds something about ours: stop if it is the site."""
        if outcome.reason is Reason.DEADLINE:  # an end that was to be expected
            self.stop("deadline")
            return
        if outcome not in self._told:
            self._told.add(outcome)
            self._telemetry.suspended(outcome, self._server)
        self.hold(outcome)
        if outcome.scope is not Scope.SITE:  # others may have better luck
            return
        self.suspended_by = self.suspended_by or outcome
        self.stop(outcome.reason.lower(), redact(str(outcome)))

    def _hold(self, why: str, server: str = "") -> None:
        if not self.summary.held:
            self.summary.held, self.summary.held_by = why, server

    @property
    def stopped(self) -> bool:
        """True once nothing more is to be begun, even if time is left."""
        return bool(self.summary.stopped)

    @property
    def may_begin(self) -> bool:
        """True as long as a message may be begun."""
        return not self.stopped and not self.out_of_time

    @property
    def out_of_time(self) -> bool:
        """True once there isn't time enough to begin a message."""
        return self.seconds_to_begin < 0

    @property
    def seconds_to_begin(self) -> float:
        """Seconds in which a message may still be begun; negative: it is too late."""
        return self._deadline.remaining() - BEGIN_BUDGET_SECONDS
