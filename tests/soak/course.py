"""Whether each email went the way that it was to go: when, by which lane, obeying orders. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from soak.flow import BROUGHT_BACK, BULK, Flow
from soak.mail import Mail
from soak.orders import InForce
from soak.steered import Burial
from soak.witness import Copy, Witness

LOOKS_DIVIDED_BY = 10
"""Of the pauses between the relay's looks at the control row, which are real seconds (`clocked`):
else there would have to be a minute of standstill each time."""
_UNDER_WAY_SECONDS = 4.0
"""Real ones, that an email may need from ion's last look at the time or the row to its dot, faults
of its server and the load of the machine included."""
_OBEYED_SECONDS = 10 / LOOKS_DIVIDED_BY + _UNDER_WAY_SECONDS
"""Real ones: ion promises ten, of which each look is cut short."""
EXPIRED, STOPPED = "EXPIRED", "STOPPED"


@dataclass(frozen=True)
class Course:
    """What was seen on the way.

    Args:
        burials: dead letters that were written.
        in_force: what operators had asked for, in order.
        queues: by the names of emails: in which ones they were received.
        tried: names of emails that a mail server was asked to take.
        brought_back: tags of emails that were redriven in the end if a stop was their end; none: no
            email was.
        real_at: the machine's time when it was so late by the soak's clock; seconds.
    """

    burials: Sequence[Burial] = ()
    in_force: Sequence[InForce] = ()
    queues: Mapping[str, set[str]] = field(default_factory=dict)
    tried: frozenset[str] = frozenset()
    brought_back: Mapping[str, str] = field(default_factory=dict)
    real_at: Callable[[float], float] = float

    @classmethod
    def seen(cls, witness: Witness, real_at: Callable[[float], float]) -> "Course":
        """What a witness has seen by the end of a soak."""
        seen, tried = witness.steered, frozenset(witness.tried)
        return cls(seen.burials, seen.in_force, seen.queues, tried, BROUGHT_BACK, real_at)

    def explains(self, name: str, reason: str) -> bool:
        """True for a letter that was seen when it was written, and judged as such."""
        mine = (one.reason for one in self.burials if one.name == name)
        return reason in (EXPIRED, STOPPED) and reason in mine

    def was_brought_back(self, flow: Flow, reason: str) -> bool:
        """True if there should be no such letter any more."""
        asked = self.brought_back.items()
        return reason == STOPPED and bool(asked) and asked <= flow.tags.items()


def astray(mails: Mapping[str, Mail], copies: Sequence[Copy], course: Course) -> Iterator[str]:
    """What went another way than it was to go."""
    for copy in copies:
        if (mail := mails.get(copy.name)) is not None:
            yield from _of_copy(copy, mail.flow, course)
    for burial in course.burials:
        if (mail := mails.get(burial.name)) is not None:
            yield from _of_burial(burial, mail.flow, course)


def slowest(mails: Mapping[str, Mail], copies: Sequence[Copy], course: Course) -> float:
    """Real seconds between a pause or a stop and the last email that was sent all the same."""
    waits = [0.0]
    for copy in copies:
        if (mail := mails.get(copy.name)) is not None:
            since = _disobeyed(copy, mail.flow, course).values()
            waits += [course.real_at(copy.at) - course.real_at(moment) for moment in since]
    return max(waits)


def _of_copy(copy: Copy, flow: Flow, course: Course) -> Iterator[str]:
    if copy.at < flow.not_before:
        yield f"early: {copy.name}, by {flow.not_before - copy.at:.0f} s"
    if flow.expires_at and course.real_at(copy.at) > (
        course.real_at(flow.expires_at) + _UNDER_WAY_SECONDS
    ):
        yield f"late: {copy.name}, by {copy.at - flow.expires_at:.0f} s"
    if flow.is_bulk and BULK not in course.queues.get(copy.name, ()):
        yield f"not moved: {copy.name} was never received from the bulk queue"
    for what, since in _disobeyed(copy, flow, course).items():
        if course.real_at(copy.at) > course.real_at(since) + _OBEYED_SECONDS:
            yield f"sent though {what}: {copy.name}, after {copy.at - since:.0f} s"


def _disobeyed(copy: Copy, flow: Flow, course: Course) -> dict[str, float]:
    """What should have kept an email from being sent, and since when."""
    orders = {"paused": InForce.pauses_until, "stopped": InForce.stops_until}
    since = {
        what: _since(course, copy.at, [until(one, flow) for one in course.in_force])
        for what, until in orders.items()
    }
    return {what: moment for what, moment in since.items() if moment is not None}


def _since(course: Course, at: float, until: Sequence[float]) -> float | None:
    """Since when an order has been in force without a gap; None: it isn't at that time.

    Args:
        course: what was in force.
        at: that time.
        until: when the order was to end, each time that anything changed; 0: there was none.
    """
    since = None
    ends = [*(one.at for one in course.in_force[1:]), at]
    for one, is_until, end in zip(course.in_force, until, ends, strict=False):
        if one.at > at:
            break
        if is_until <= min(end, at):
            since = None
        elif since is None:
            since = one.at
    return since


def _of_burial(burial: Burial, flow: Flow, course: Course) -> Iterator[str]:
    what = f"undue letter: {burial.name} {burial.reason}"
    if burial.reason == STOPPED and not _was_stopped(burial.at, flow, course):
        yield f"{what}, of which no stop was in force"
    if burial.reason == EXPIRED and not flow.expires_at:
        yield f"{what}, which never does"
    elif (
        burial.reason == EXPIRED
        and burial.at < flow.expires_at
        and (burial.name not in course.tried)
    ):
        yield f"{what}, {flow.expires_at - burial.at:.0f} s before, and untried"


def _was_stopped(at: float, flow: Flow, course: Course) -> bool:
    """True if a stop was in force then, or just before: ion doesn't look all the time."""
    ends = [*(one.at for one in course.in_force[1:]), at]
    return any(
        one.at <= at
        and course.real_at(min(end, one.stops_until(flow))) + _OBEYED_SECONDS >= course.real_at(at)
        for one, end in zip(course.in_force, ends, strict=False)
        if one.stops_until(flow) > one.at
    )
