"""The timeline of an email: what happened to it and when, as its row keeps it.

At most twenty entries. What happens again right after itself is the same entry, counted: an email
that waits for two weeks behind a refused login has one entry for all of that.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from ion.delivery import Delivery

CANCELLED = "cancelled"
"""The status of an entry: its publisher or an operator doesn't want the email sent any more."""
MOST = 20
_FIRST = 2
"""So many of the oldest are kept where there are too many: how it began is asked for, too."""


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that happened.

    Args:
        n: its number: how many things had happened to the email by then, this one included.
        at: when; of what was repeated the first time; UTC.
        status: of the delivery: "sent", "deferred", "released", "dead_lettered", "suppressed"; or
            "cancelled"; or of the provider's notices: "delivered", "bounced", "complained".
        stage, reason: of the outcome, if there is one.
        code: of the server's reply, 200-599; 0: there was none.
        reply: what the server said, redacted.
        server: which one, by its section in the configuration.
        ms: that the server took over it.
        to: indexes of the recipients that it is about; empty: all.
        times: how often it happened so.
        last: when it happened last, if more than once; UTC.
    """

    n: int
    at: datetime
    status: str
    stage: str = ""
    reason: str = ""
    code: int = 0
    reply: str = ""
    server: str = ""
    ms: int = 0
    to: tuple[int, ...] = ()
    times: int = 1
    last: datetime | None = None

    @property
    def latest(self) -> datetime:
        """When it happened, of what was repeated the last time."""
        return self.last or self.at

    def repeated(self, by: "Entry") -> "Entry":
        """The entry with one time more."""
        return msgspec.structs.replace(
            self, n=by.n, last=by.at, times=self.times + 1, ms=by.ms, reply=by.reply
        )

    def is_like(self, other: "Entry") -> bool:
        """True if the other says the same of another moment."""
        return _what(self) == _what(other)


def entry_of(delivery: Delivery, now: float, recipients: int) -> Entry:
    """What a delivery is in the timeline; its number is given by `extended`.

    Args:
        delivery: of this attempt.
        now: seconds since the epoch.
        recipients: how many the email has.
    """
    outcome = delivery.outcome
    some = len(delivery.recipients) < recipients
    return Entry(
        n=0,
        at=moment(now),
        status=delivery.status.value,
        stage=outcome.stage.value,
        reason=outcome.reason.value,
        code=outcome.reply.code if outcome.reply else 0,
        reply=delivery.reply,
        server=delivery.server,
        ms=round(1000 * delivery.smtp_seconds),
        to=delivery.recipients if some else (),
    )


def extended(timeline: Sequence[Entry], entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """The timeline with entries added, each with its number."""
    longer = list(timeline)
    for entry in entries:
        number = longer[-1].n + 1 if longer else 1
        entry = msgspec.structs.replace(entry, n=number)  # noqa: PLW2901 - with its number
        if longer and longer[-1].is_like(entry):
            longer[-1] = longer[-1].repeated(entry)
        else:
            longer.append(entry)
    if len(longer) > MOST:
        longer[_FIRST : len(longer) - (MOST - _FIRST)] = []
    return tuple(longer)


def written(timeline: Sequence[Entry]) -> str:
    """As the row has it: JSON; empty: nothing has happened."""
    return msgspec.json.encode(timeline).decode() if timeline else ""


def read(text: str) -> tuple[Entry, ...]:
    """What `written` has made; what can't be read is no timeline, and harms no email."""
    try:
        return msgspec.json.decode(text, type=tuple[Entry, ...]) if text else ()
    except msgspec.DecodeError:
        return ()


def moment(now: float) -> datetime:
    """UTC, in whole milliseconds."""
    return datetime.fromtimestamp(round(now, 3), UTC)


def _what(entry: Entry) -> tuple[object, ...]:
    return (entry.status, entry.stage, entry.reason, entry.code, entry.server, entry.to)
