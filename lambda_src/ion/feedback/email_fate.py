"""What notices add to the row of an email: to its timeline, and to what is known of a recipient."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from ion.feedback.notice import Kind, Notice
from ion.policy.timeline import Entry, extended
from ion.report.redact import redact

WHOLE = "*"
"""In place of a recipient's index: the notice names nobody, and is about the whole email."""
_STRENGTH = {Kind.DELIVERED: 0, Kind.BOUNCED: 1, Kind.COMPLAINED: 2}
"""A server may bounce what it had taken, and who complains has got it; never the other way."""
_CODE = re.compile(r"([245]\d\d)(?!\d)")
_REASON = re.compile(r"[A-Za-z0-9 _/-]{1,60}")
"""A provider's word that is kept. Anything else may be somebody's address."""


class Last(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the provider said of a recipient that tells most: an attribute's JSON has one each.

    Args:
        type: "delivered", "bounced", "complained".
        at: UTC.
        reason: in the provider's word.
        detail: what the recipient's server said, redacted.
        id: of the notice.
    """

    type: Kind
    at: datetime
    reason: str = ""
    detail: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class About:
    """A notice, and the hash of the address that it is about; empty: it isn't known."""

    notice: Notice
    address: str


def told(
    recipients: Sequence[str],
    timeline: Sequence[Entry],
    last: dict[str, Last],
    new: Iterable[About],
) -> tuple[tuple[Entry, ...], dict[str, Last]]:
    """Timeline and last word a recipient once these notices are in them, each of them once.

    Args:
        recipients: hashes of the email's addresses, in the order of their indexes; empty ones
            where they aren't known.
        timeline: as it is.
        last: as it is, by index or `WHOLE`.
        new: in the order in which they came. What is there already changes nothing, nor does what
            is about none of the recipients.
    """
    longer, words = tuple(timeline), dict(last)
    for about in new:
        to = _indexes(recipients, about)
        if to is None:
            continue
        entry = _entry(about.notice, to)
        is_there = any(_is_the_same(one, entry, about.notice) for one in longer)
        if is_there and about.notice.undated:
            continue
        if not is_there:
            longer = extended(longer, [entry])
        place = str(to[0]) if to else WHOLE
        words[place] = _stronger(words.get(place), about.notice, entry)
    return longer, words


def reason_of(notice: Notice) -> str:
    """The provider's word for why, if it is one."""
    return notice.reason if _REASON.fullmatch(notice.reason) else ""


def reply_of(notice: Notice) -> str:
    """What the recipient's server said, fit to be kept."""
    return redact(notice.said, [notice.recipient] if notice.recipient else [])


def read(text: str) -> dict[str, Last]:
    """What `written` has made; what can't be read counts as nothing, and is written anew."""
    try:
        return msgspec.json.decode(text, type=dict[str, Last]) if text else {}
    except msgspec.DecodeError:
        return {}


def written(last: dict[str, Last]) -> str:
    """As the row has it: JSON."""
    return msgspec.json.encode(last).decode()


def _indexes(recipients: Sequence[str], about: About) -> tuple[int, ...] | None:
    """The recipient's index; empty: it is about the whole email; None: about no recipient of it.

    A report may name the mailbox that a recipient forwards to: of an email to one recipient it can
    only be about that one. Of several nobody knows which, and the others have not bounced.
    """
    if not about.address:
        return ()
    if len(recipients) == 1:
        return (0,)
    return tuple(i for i, one in enumerate(recipients) if one == about.address)[:1] or None


def _entry(notice: Notice, to: tuple[int, ...]) -> Entry:
    code = _CODE.match(notice.said)
    return Entry(
        n=0,
        at=notice.at,
        status=notice.kind.value,
        reason=reason_of(notice),
        code=int(code[1]) if code else 0,
        reply=reply_of(notice),
        to=to,
    )


def _is_the_same(one: Entry, other: Entry, notice: Notice) -> bool:
    """True if it is the same event: a provider repeats itself to the millisecond.

    What has no time of its own says nothing new of a recipient of whom the same has been told.
    """
    same = one.status == other.status and one.to == other.to
    return same and (notice.undated or other.at in (one.at, one.last))


def _stronger(was: Last | None, notice: Notice, entry: Entry) -> Last:
    now = Last(notice.kind, notice.at, entry.reason, entry.reply, notice.id)
    if was is None:
        return now
    return max(was, now, key=lambda one: (_STRENGTH[one.type], one.at))
