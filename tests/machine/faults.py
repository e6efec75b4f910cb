"""What may go wrong in one run of the function: plain facts, drawn beforehand."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from ion.settings import Pipelining
from smtp_server import FAULTS, Action, Habit, Step, delay, drop, hang, reply


class Seam(StrEnum):
    """Where the relay calls AWS."""

    RECEIVE = "receive"
    DELETE = "delete"
    POSTPONE = "postpone"
    BURY = "send to the dead-letter queue"
    DIG = "receive from the dead-letter queue"
    REVIVE = "send to the input queue"
    MOVE = "send to the queue for bulk, or of what waits"
    FORGET = "delete from the dead-letter queue"
    PUT_BACK = "postpone in the dead-letter queue"
    WRITE = "write to the ledger"
    READ = "read the ledger"
    STEER = "write the control row"
    LOOK = "read the control row"


class Trouble(StrEnum):
    """What becomes of a call."""

    KILLED_BEFORE = "the process dies before it"
    KILLED_AFTER = "the process dies after it"
    THROTTLED = "refused"
    LOST = "done, but its answer is lost"
    REPEATED = "its answer is lost, and boto3 repeats it"
    REFUSED = "answered with 200 and nothing done"
    HALF_REFUSED = "answered with 200 and every other entry done"
    SLOW = "done late"
    SLOW_ANSWER = "answered late"


KILLS = frozenset({Trouble.KILLED_BEFORE, Trouble.KILLED_AFTER})


@dataclass(frozen=True)
class AwsFault:
    """Trouble with some calls at a seam.

    Args:
        seam: where.
        trouble: what.
        first: calls at the seam that go well before.
        times: how many don't.
        seconds: how late, if it is about that.
    """

    seam: Seam
    trouble: Trouble
    first: int = 0
    times: int = 1
    seconds: float = 0

    def is_due(self, seam: Seam, nth: int) -> bool:
        """True for the call number `nth`, from 0, at `seam`."""
        return seam is self.seam and self.first <= nth < self.first + self.times


class Ill(StrEnum):
    """What a mail server may do at a step, in place of the right thing."""

    TRANSIENT = "4xx"
    PERMANENT = "5xx"
    CLOSING = "421"
    DROP = "drop"
    GARBAGE = "garbage"
    GLUED = "glued"
    TRICKLE = "trickle"
    HANG = "hang"
    SLOW = "slow"
    QUOTA = "quota"
    THROTTLE = "throttle"
    LOST_THREAD = "503"
    CONFIGURATION = "configuration"
    KILLED = "the process dies as the server hears it"


_PATIENCE_SECONDS = 30
"""For the reply to the dot there is always so much time (`ion.smtp.session`)."""

_ACTIONS: Final[Mapping[Ill, Callable[["SmtpFault"], Action]]] = MappingProxyType(
    {
        Ill.HANG: lambda _: hang(),
        Ill.SLOW: lambda fault: delay(fault.seconds),
        Ill.QUOTA: lambda _: reply(454, "Throttling failure: Daily message quota exceeded"),
        Ill.THROTTLE: lambda _: reply(454, "Throttling failure: Maximum sending rate exceeded"),
        Ill.LOST_THREAD: lambda _: reply(503, "5.5.1 what?"),
        Ill.CONFIGURATION: lambda _: reply(554, "Access denied"),
        Ill.KILLED: lambda _: drop(),
    }
)


@dataclass(frozen=True)
class SmtpFault:
    """An illness of the mail server at a step; arguments as `AwsFault`'s."""

    step: Step
    ill: Ill
    first: int = 0
    times: int = 1
    seconds: float = 0

    def is_due(self, step: Step, nth: int) -> bool:
        """True for the occurrence number `nth`, from 0, of `step`."""
        return step is self.step and self.first <= nth < self.first + self.times

    @property
    def is_too_slow(self) -> bool:
        """True if nobody waits for it at the dot, where ion waits longest, 300 s if it can."""
        return self.ill is Ill.SLOW and self.seconds > _PATIENCE_SECONDS

    @property
    def action(self) -> Action:
        """What the scripted server does."""
        make = _ACTIONS.get(self.ill)
        return make(self) if make else FAULTS[self.ill](self.step)


@dataclass(frozen=True)
class Plan:
    """One run of the function, and all that will go wrong in it.

    Args:
        aws: trouble with AWS.
        smtp: illnesses of the mail server.
        connections: to the mail server.
        pipelining: what goes out in one flight on each.
        habit: of the mail server. It is no fault, and excuses nothing.
        lull_seconds: that each write to the ledger takes: connections fall idle, and then many
            emails are due at once. No fault either.
        skew_seconds: by how much this Lambda's clock is fast.
        starts_after: seconds, if another is running.
        most_in_flight: messages of a queue; then SQS answers as if it had no more. None: enough.
    """

    aws: tuple[AwsFault, ...] = ()
    smtp: tuple[SmtpFault, ...] = ()
    connections: int = 1
    pipelining: Pipelining = Pipelining.ENVELOPE
    habit: Habit = Habit.USUAL
    lull_seconds: float = 0
    skew_seconds: float = 0
    starts_after: float = 0
    most_in_flight: int | None = None
