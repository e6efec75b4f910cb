"""The state of a relay in a word and a sentence, by all that was seen of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from ion.contract import Lane
from ionctl.ops.alarms import RINGS
from ionctl.ops.remedies import advice, refusal
from ionctl.ops.result import Verdict
from ionctl.program import command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ion.policy.control import Control, EmailStop
    from ionctl.ops.result import AlarmState, Depth, HeldServer, Pace, Queues, Run

_BACKLOG = 100
"""Emails that may go now, beyond which they are a backlog: ten receives."""
_WITHOUT_RUN = timedelta(minutes=20)
"""A run takes 15 minutes at most, and the schedule starts one every five."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was seen of a relay.

    Args:
        at: when.
        may_run: False: Lambda may not run the function.
        queues: how much they hold.
        control: pauses and stops; None: not known.
        runs: that have ended, the latest first; None: the log can't be read.
        held: what keeps mail from going.
        alarms: those that tell people.
        pace: of the servers.
        per_second: emails that went out a second lately; None: not known.
        next_retry: when the first of what was put off, or is scheduled, is due.
        blind: True: some of the queues couldn't be looked at.
    """

    at: datetime
    may_run: bool = True
    queues: Queues
    control: Control | None = None
    runs: Sequence[Run] | None = None
    held: Sequence[HeldServer] = ()
    alarms: Sequence[AlarmState] = ()
    pace: Sequence[Pace] = ()
    per_second: float | None = None
    next_retry: datetime | None = None
    blind: bool = False

    @property
    def now(self) -> int:
        """Emails that may go now, or are on their way."""
        return _all(self.queues.input) + _all(self.queues.bulk) + self.queues.later.visible

    @property
    def later(self) -> int:
        """Emails that wait for their time."""
        return self.queues.later.in_flight + self.queues.later.delayed

    @property
    def last(self) -> Run | None:
        """The last run that has ended."""
        return self.runs[0] if self.runs else None


@dataclass(frozen=True, slots=True)
class Judged:
    """What all of it comes to.

    Args:
        verdict: in a word.
        said: in a sentence.
        advice: what to do; empty: nothing.
        ok: False: something is wrong.
    """

    verdict: Verdict
    said: str
    advice: str
    ok: bool


def judge(seen: Seen) -> Judged:
    """The first of the verdicts that is true."""
    verdict, said, remedy = _verdict(seen)
    ringing = sorted({one.key for one in seen.alarms if one.state == RINGS})
    wrong = verdict in (Verdict.MISCONFIGURED, Verdict.DISABLED, Verdict.HELD)
    if verdict is Verdict.PAUSED and (why := _held(seen)):  # the end of the pause is no way out
        wrong, remedy = True, f"{remedy}; {why[1]}"
    more = _more(seen, verdict)
    if ringing:
        rings = "the alarm rings" if len(ringing) == 1 else "alarms ring"
        more.append(f"{rings}: {', '.join(ringing)}")
        if not remedy:
            remedy = f"see docs/operations.md#{ringing[0]}"
    return Judged(
        verdict,
        _sentence("; ".join([said, *more])),
        _sentence(remedy),
        ok=not (wrong or ringing),
    )


def gone_at(seen: Seen) -> datetime | None:
    """When all that may go now is gone at the pace of the last minutes; None: not known."""
    if not seen.now or not seen.per_second or seen.held or not seen.may_run:
        return None
    if seen.control is not None and seen.control.paused_lanes(seen.at.timestamp()):
        return None
    return seen.at + timedelta(seconds=round(seen.now / seen.per_second))


def _verdict(seen: Seen) -> tuple[Verdict, str, str]:
    control, now, waits = seen.control, seen.at.timestamp(), _waits(seen)
    if seen.last is not None and seen.last.stopped == "settings":
        said = f"{waits} a setting is wrong, so nothing is received: {seen.last.error}"
        return Verdict.MISCONFIGURED, said, f"mend it, then {command('wake')}"
    if not seen.may_run:
        said = f"{waits} the function may not run, its concurrency is 0"
        return Verdict.DISABLED, said, "set enabled = true in Terraform; SQS keeps mail for 14 days"
    if control is not None and (paused := _pause(seen, control)):
        return Verdict.PAUSED, f"{waits} {paused}", f"end it with {command('resume')}"
    if why := _held(seen):
        return Verdict.HELD, f"{waits} {why[0]}", why[1]
    if control is not None and (stops := control.stops_at(now)):
        then = f"{command('dead redrive --reason STOPPED')} sends them then"
        return Verdict.STOPPING, _stopping(stops, seen), f"end it with {command('resume')}; {then}"
    if seen.now > _BACKLOG:
        return Verdict.BACKLOG, f"{_emails(seen.now)} wait and go out{_speed(seen)}", ""
    if seen.now:
        return Verdict.SENDING, f"{_emails(seen.now)} {_under_way(seen)}", ""
    nothing = "as far as can be seen, nothing waits" if seen.blind else "nothing waits"
    return Verdict.IDLE, nothing, ""


def _pause(seen: Seen, control: Control) -> str:
    """In words, if mail waits for the end of a pause, or would; empty: it doesn't."""
    now = seen.at.timestamp()
    pauses, lanes = control.pauses_at(now), control.paused_lanes(now)
    waits = {Lane.NORMAL: _all(seen.queues.input), Lane.BULK: _all(seen.queues.bulk)}
    goes = [lane for lane in Lane if lane not in lanes]
    if not lanes or (goes and (seen.held or any(waits[lane] for lane in goes))):
        return ""
    if goes and not any(waits[lane] for lane in lanes):
        return ""
    what = " and ".join(sorted(lanes)) + " mail" if goes else "everything"
    until = control.paused_until(now)  # None: of a lane alone, whose pause is the only one
    one = next(one for one in pauses if until in (None, one.until))
    said = f"{what} is paused until {moment(one.until, seen.at)}"
    return f"{said}{f' by {one.by}' if one.by else ''}{f' ({one.why})' if one.why else ''}"


def _held(seen: Seen) -> tuple[str, str] | None:
    """Why mail that should go doesn't, and what to do; None: it goes."""
    if seen.held and (seen.last is None or seen.last.held):
        first = seen.held[0]
        tries = f"next try {moment(first.next_try, seen.at)}" if first.next_try else ""
        return refusal(first), "; ".join(filter(None, (advice(first), tries)))
    if seen.runs is not None and seen.now and _runs_are_missing(seen):
        last = f"since {moment(seen.last.ended_at, seen.at)}" if seen.last else "for an hour"
        said = f"the function has not run {last}"
        see = f"see schedule, permissions and concurrency: {command('doctor')}"
        return said, f"{see}; {command('wake')} tries at once"
    return None


def _runs_are_missing(seen: Seen) -> bool:
    """Whether mail has waited for longer than any wake-up takes, and a run is not under way."""
    ages = (seen.queues.input.oldest_seconds, seen.queues.bulk.oldest_seconds)
    waited = max((age for age in ages if age is not None), default=0)
    idle = seen.at - seen.last.ended_at if seen.last else timedelta(hours=1)
    is_begun = seen.queues.input.in_flight + seen.queues.bulk.in_flight > 0
    return idle > _WITHOUT_RUN and waited > _WITHOUT_RUN.total_seconds() and not is_begun


def _stopping(stops: Sequence[EmailStop], seen: Seen) -> str:
    first, count = stops[0], sum(one.stopped for one in stops)
    what = f"{len(stops)} stops are" if len(stops) > 1 else f"the stop {first.id} is"
    until = moment(max(one.until for one in stops), seen.at)
    by = f" by {first.by}" if first.by else ""
    why = f" ({first.why})" if first.why else ""
    return f"{what} in force until {until}{by}{why}: {_emails(count)} dead-lettered so far"


def _more(seen: Seen, verdict: Verdict) -> list[str]:
    """What is to be known besides the verdict."""
    more = []
    now = seen.at.timestamp()
    if verdict not in (Verdict.PAUSED, Verdict.DISABLED) and seen.control is not None:
        more += [f"{lane} mail is paused" for lane in sorted(seen.control.paused_lanes(now))]
    if verdict not in (Verdict.HELD, Verdict.MISCONFIGURED, Verdict.DISABLED):
        more += [f"{one.server} is held ({one.reason})" for one in seen.held if one.server]
    if seen.later and verdict in (Verdict.IDLE, Verdict.SENDING, Verdict.BACKLOG):
        due = f", the next due {moment(seen.next_retry, seen.at)}" if seen.next_retry else ""
        more.append(f"{_emails(seen.later)} for later{due}")
    wrong = (Verdict.HELD, Verdict.MISCONFIGURED, Verdict.DISABLED, Verdict.PAUSED)
    if verdict not in wrong and (dead := _all(seen.queues.dead_letter)):
        more.append(f"{dead:,} dead letter{'s' * (dead > 1)}: {command('dead list')}")
    return more


def _under_way(seen: Seen) -> str:
    """Whether mail is to be taken yet; in hand is, too, what is put off for less than a minute."""
    visible = (seen.queues.input.visible, seen.queues.bulk.visible, seen.queues.later.visible)
    return "on the way" if any(visible) else "in hand, or put off for less than a minute"


def _speed(seen: Seen) -> str:
    parts = []
    if seen.per_second:
        parts.append(f" at {figure(seen.per_second)} a second")
    learned = next((one for one in seen.pace if one.learned and one.rate is not None), None)
    if learned is not None and learned.rate is not None and learned.since is not None:
        since = moment(learned.since, seen.at)
        parts.append(f" (limited to {figure(learned.rate)} a second since {since})")
    if (gone := gone_at(seen)) is not None and seen.now > _BACKLOG:
        parts.append(f", gone {moment(gone, seen.at)}")
    return "".join(parts)


def _waits(seen: Seen) -> str:
    count = seen.now + seen.later
    if not count:
        return "it isn't known what waits:" if seen.blind else "nothing waits, but"
    return f"{_emails(count)} wait{'s' * (count == 1)}:"


def _all(depth: Depth) -> int:
    return depth.visible + depth.in_flight + depth.delayed


def _emails(count: int) -> str:
    return f"{count:,} email{'s' * (count != 1)}"


def figure(number: float) -> str:
    """A number with as many digits as people read."""
    return f"{number:,.0f}" if number >= 10 else f"{number:.2g}"


def moment(at: datetime, now: datetime) -> str:
    """A time of day in UTC, with the date if it is another day's."""
    at = at.astimezone(UTC)
    if at.date() == now.astimezone(UTC).date():
        return f"{at:%H:%M} UTC"
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _sentence(text: str) -> str:
    text = text.strip()
    return text and text[0].upper() + text[1:] + ("" if text.endswith((".", "!")) else ".")
