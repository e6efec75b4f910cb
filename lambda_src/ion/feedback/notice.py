"""One thing that a provider says of an email and a recipient, whatever the provider's words are."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256

_DIGITS_OF_ID = 32
"""Hexadecimal: as many bits as a UUID has."""
_FIRST_YEAR = 1970
"""No provider speaks of an earlier one; 30 days before the year 1 there is no date."""
_AHEAD_SECONDS = 24 * 3600
"""So far may a provider's clock be ahead, or its offset from UTC be wrong."""


class Kind(StrEnum):
    """What happened. A row has these words as they are."""

    DELIVERED = "delivered"
    """The recipient's own server took the email."""
    BOUNCED = "bounced"
    COMPLAINED = "complained"


class Consequence(StrEnum):
    """What follows for the address."""

    NOTHING = "nothing"
    COUNTED = "counted"
    """A transient bounce: the third within 30 days puts the address on the list."""
    SUPPRESSED = "suppressed"


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice about one recipient.

    Args:
        id: the same whenever the provider repeats it; no address.
        kind: what happened.
        at: when, as the provider says; UTC.
        undated: the provider's time can't be, and `at` is when the notice was taken in, which is
            another time for each copy of it.
        recipient: the address; empty: it isn't known, so it is about the whole email.
        message_id: the email's Message-ID with its angle brackets; empty: it isn't known.
        email_id: the email's key, if the provider knows that; else empty.
        consequence: what follows for the address.
        reason: in the provider's word: "Permanent/General", "abuse"; may be empty.
        said: what the recipient's server said, not redacted; may be empty.
        candidates: to how many the complaint may be due, where the provider doesn't say to whom.
    """

    id: str
    kind: Kind
    at: datetime
    recipient: str
    message_id: str
    email_id: str = ""
    consequence: Consequence = Consequence.NOTHING
    reason: str = ""
    said: str = ""
    candidates: int = 1
    undated: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """What a message of the feedback queue says.

    Args:
        notices: one a recipient.
        ignored: for a message that means nothing to ion: what the provider calls it, or that it
            isn't known. Else empty.
    """

    notices: tuple[Notice, ...] = ()
    ignored: str = ""


class MalformedError(Exception):
    """A message that can't be read. The text says what is wrong with it, and never quotes it."""


def utc(at: datetime) -> datetime:
    """The moment in UTC and whole milliseconds; without an offset it is taken for UTC.

    Raises:
        MalformedError: it is before 1970, or after the year 9999.
    """
    try:
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except OverflowError:
        raise MalformedError("Expected a time of the years 1970 to 9999 in UTC") from None
    if at.year < _FIRST_YEAR:
        raise MalformedError("Expected a time of the years 1970 to 9999 in UTC")
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def dated(notice: Notice, now: datetime) -> Notice:
    """The notice, of now if its provider's time is more than a day ahead.

    Its id stays the one of what the provider said.
    """
    if notice.at - now <= timedelta(seconds=_AHEAD_SECONDS):
        return notice
    return replace(notice, at=utc(now), undated=True)


def bracketed(message_id: str) -> str:
    """A Message-ID as the header has it: in angle brackets (RFC 5322 section 3.6.4)."""
    bare = message_id.strip().removeprefix("<").removesuffix(">")
    return f"<{bare}>" if bare else ""


def derived_id(*parts: str) -> str:
    """An id for a notice that has none: the same for the same parts, and nothing shows in it."""
    return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS_OF_ID]


def with_id(notice: Notice, given: str) -> Notice:
    """The notice with the provider's id, or one that is derived of what it says."""
    said = (
        notice.at.isoformat(),
        notice.kind.value,
        notice.recipient.lower(),
        notice.message_id,
        notice.email_id,
    )
    return replace(notice, id=derived_id(*((given,) if given else said)))
