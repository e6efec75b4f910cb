"""A relay at a glance: what waits, why, and what is in force."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from ion.outcome import Reason
from ionctl.ops import letters as dead
from ionctl.ops import servers, verdict
from ionctl.ops.events import due_at
from ionctl.ops.looks import Looks
from ionctl.ops.result import (
    Depth,
    Queues,
    ReasonCount,
    Run,
    Status,
)
from ionctl.ops.steering import pauses_in_force, stops_in_force

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ionctl.ops.deployment import Deployment
    from ionctl.ops.log import Event, Part
    from ionctl.ops.result import LetterGroup

_AT_ONCE = 12
"""Looks side by side."""
_PACE_SPAN = timedelta(minutes=10)
"""Emails that were sent in this time say how fast mail goes."""
_PACE_MINUTES = 10
_LAST_RUNS = 10
_UNSEEN = Depth(visible=0, in_flight=0, delayed=0)


def status(
    deployment: Deployment, *, letters: bool = True, progress: dead.Progress = dead.silent
) -> Status:
    """What is seen of a relay now.

    What can't be looked at is named in `unknown`, and the rest is told.

    Args:
        deployment: the relay.
        letters: look at the dead letters for their reasons, too, which receives each.
        progress: is told of that.
    """
    looks = Looks(deployment)
    looks.begin()
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        depths = {
            name: pool.submit(looks.depth, name)
            for name in ("input", "bulk", "later", "dead_letter")
        }
        measured, may_run = pool.submit(looks.metrics), pool.submit(looks.may_run)
        control, ringing = pool.submit(looks.control), pool.submit(looks.alarms)
        told, put_off = pool.submit(looks.runs), pool.submit(looks.deferred)
        lying = depths["dead_letter"].result()
        found = looks.dead_letters(progress) if letters and lying and lying.visible else None
        events = told.result()
        runs = _named(events, "run ended")
        suspended = _named(events, *servers.SUSPENDED)
        sections = servers.named([*runs, *suspended])
        states = looks.states(sections)
    queues = Queues(
        **{
            name: msgspec.structs.replace(
                depth.result() or _UNSEEN, oldest_seconds=_latest(measured.result().get(name))
            )
            for name, depth in depths.items()
        }
    )
    ended = [_run(one) for one in reversed(runs)]
    deferred = _last(put_off.result())
    due = [at for at in map(due_at, deferred) if at > looks.at]
    seen = verdict.Seen(
        at=looks.at,
        may_run=may_run.result() is not False,
        queues=queues,
        control=control.result(),
        runs=None if events is None else ended,
        held=servers.held(runs, suspended, states, looks.at),
        alarms=ringing.result(),
        pace=servers.paces(sections, deployment.environment, states, looks.at.timestamp()),
        per_second=_per_second(measured.result().get("sent", []), ended, looks.at),
        next_retry=min(due, default=None),
        blind=any(depth.result() is None for depth in depths.values()),
    )
    judged = verdict.judge(seen)
    counted: list[ReasonCount] | None = None
    if letters and lying is not None and (found is not None or not lying.visible):
        counted = reasons(found.groups if found else ())
    return Status(
        name=deployment.name,
        region=deployment.account.region,
        at=looks.at,
        verdict=judged.verdict,
        words=" ".join(filter(None, (judged.said, judged.advice))),
        advice=judged.advice,
        ok=judged.ok,
        queues=queues,
        dead_letters=counted,
        dead_letters_seen=found.seen if found else 0,
        held=list(seen.held),
        pauses=pauses_in_force(seen.control, looks.at),
        stops=stops_in_force(seen.control, looks.at),
        pace=list(seen.pace),
        deferred=sum(one.text("reason") != Reason.SCHEDULED for one in deferred),
        next_retry=seen.next_retry,
        runs=ended[:_LAST_RUNS],
        alarms=list(seen.alarms),
        backlog_ends=verdict.gone_at(seen),
        unknown=looks.unknown,
    )


def reasons(groups: Iterable[LetterGroup]) -> list[ReasonCount]:
    """Dead letters by reason alone, the most frequent first."""
    counts: Counter[str] = Counter()
    for group in groups:
        counts[group.reason] += group.count
    return dead.counted_reasons(counts)


def _named(events: Part | None, *names: str) -> list[Event]:
    return [one for one in events.events if one.name in names] if events else []


def _latest(values: Sequence[float] | None) -> int | None:
    return int(values[0]) if values else None


def _run(event: Event) -> Run:
    counts = ("received", "sent", "deferred", "released", "dead_lettered")
    return Run(
        ended_at=event.at,
        seconds=float(event.number("seconds") or 0),
        stopped=event.text("stopped"),
        held=event.text("held"),
        error=event.text("error"),
        **{name: int(event.number(name) or 0) for name in counts},
    )


def _last(deferred: Part | None) -> list[Event]:
    """The last event of each email that was put off."""
    events = deferred.events if deferred else []
    return list({one.text("email_id"): one for one in events}.values())


def _per_second(sent: Sequence[float], runs: Sequence[Run], at: datetime) -> float | None:
    """Emails a second that went out in the last minutes; None: none did, or it isn't known.

    Args:
        sent: emails by minute, the latest first. The minute that isn't over counts as others do
            only if there is no other.
        runs: that have ended, the latest first: they say it where there are no metrics.
        at: now.
    """
    minutes = [count for count in (sent[1:] or sent)[:_PACE_MINUTES] if count]
    if minutes:
        return sum(minutes) / len(minutes) / 60
    lately = [one for one in runs if one.sent and one.ended_at >= at - _PACE_SPAN]
    seconds = sum(one.seconds for one in lately)
    return sum(one.sent for one in lately) / seconds if seconds else None
