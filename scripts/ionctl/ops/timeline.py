"""An email's life as its row tells it: the timeline, and the provider's notices. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from ion.outcome import Reason
from ion.policy import timeline
from ionctl.ops.result import LifeEvent, ProviderNotice
from ionctl.ops.verdict import moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ion.policy.timeline import Entry
    from ionctl.ops.log import Event

_APART = timedelta(seconds=30)
"""The row's time of an attempt and the log's are this far apart at most: results of many emails are
written together."""
_WORDS = {
    "delivered": "Delivered, the provider says",
    "bounced": "Bounced: the provider couldn't deliver it",
    "complained": "Reported as spam, the provider says",
    "cancelled": "Cancelled",
    "queued": "Received, and waits",
}
_BY_PROVIDER = frozenset({"delivered", "bounced", "complained"})
_NOTICES = {"complained": "reported as spam"}
_ALL = "*"


class _Notice(msgspec.Struct):
    """What the feedback function has written of a recipient."""

    type: str
    at: datetime | None = None
    detail: str = ""


def entries(row: Mapping[str, object] | None) -> tuple[Entry, ...]:
    """The timeline that a row has; rows of earlier versions have none."""
    return timeline.read(str((row or {}).get("timeline") or ""))


def merged(
    row: Mapping[str, object] | None, events: Iterable[Event], told: Sequence[LifeEvent]
) -> list[LifeEvent]:
    """The timeline, and what the log knows beside it, in the order of time.

    Args:
        row: of the ledger; None: there is none.
        events: of the log.
        told: the same as people read them, one for each.
    """
    known = entries(row)
    beside = [one for event, one in zip(events, told, strict=True) if not _is_in(known, event)]
    found = [*map(as_told, known), *beside]
    taken = min((one.at for one in found if one.what == "sent"), default=None)

    def order(one: LifeEvent) -> tuple[datetime, bool]:
        """A notice stands after the acceptance that it is about, though its clock may be behind."""
        theirs = one.what in _BY_PROVIDER
        return (max(one.at, taken) if theirs and taken else one.at), theirs

    return sorted(found, key=order)


def notices(row: Mapping[str, object] | None) -> list[ProviderNotice]:
    """What the provider said afterwards, of all recipients first; empty: it can't be read."""
    try:
        written = msgspec.json.decode(
            str((row or {}).get("feedback") or "{}"), type=dict[str, _Notice]
        )
    except msgspec.DecodeError:
        return []
    found = [
        ProviderNotice(
            recipient=int(key) if key.isdecimal() else None,
            what=one.type,
            at=one.at,
            detail=one.detail,
        )
        for key, one in written.items()
        if key == _ALL or key.isdecimal()
    ]
    return sorted(found, key=lambda one: -1 if one.recipient is None else one.recipient)


def notice_words(found: Iterable[ProviderNotice], now: datetime) -> str:
    """What the provider said, in sentences; empty: it said nothing."""
    return " ".join(_notice_sentence(one, now) for one in found)


def _notice_sentence(one: ProviderNotice, now: datetime) -> str:
    at = f" at {moment(one.at, now)}" if one.at else ""
    whose = "" if one.recipient is None else f" for recipient {one.recipient + 1}"
    what = _NOTICES.get(one.what, one.what)
    return f"The provider says: {what}{whose}{at}{f' ({one.detail})' if one.detail else ''}."


def as_told(entry: Entry) -> LifeEvent:
    """An entry as a person reads it."""
    return LifeEvent(
        at=entry.at,
        what=entry.status,
        words=_sentence(entry) + _again(entry),
        reason=entry.reason,
        stage=entry.stage,
        reply=entry.reply,
        server=entry.server,
        recipients=list(entry.to),
        code=entry.code or None,
        ms=entry.ms or None,
        times=entry.times,
        until=entry.last,
    )


def _sentence(entry: Entry) -> str:
    match entry.status:
        case "sent":
            return f"Taken by {entry.server or 'the mail server'}"
        case "deferred" if entry.reason == Reason.SCHEDULED:
            return "Scheduled"
        case "deferred":
            return f"Deferred ({entry.reason})"
        case "released":
            return f"Put back, which is no attempt ({entry.reason})"
        case "dead_lettered":
            return f"Dead-lettered ({entry.reason})"
        case "suppressed" if entry.reason == Reason.ERASED:
            return "Not sent: the recipient's data was erased after it was published"
        case "suppressed":
            return "Not sent: the recipient is on the suppression list"
        case "cancelled" if entry.n == 1:
            return "Cancelled; nothing of it had been tried"
        case _:
            return _WORDS.get(entry.status, entry.status)


def _again(entry: Entry) -> str:
    """How often it was repeated, and until when."""
    if entry.times < 2:
        return ""
    return f", \N{MULTIPLICATION SIGN}{entry.times} until {moment(entry.latest, entry.at)}"


def _is_in(known: Iterable[Entry], event: Event) -> bool:
    """Whether the timeline tells what an event of the log does."""
    return any(
        entry.status == event.name
        and (not entry.reason or entry.reason == event.text("reason") or event.name == "cancelled")
        and entry.at - _APART <= event.at <= entry.latest + _APART
        for entry in known
    )
