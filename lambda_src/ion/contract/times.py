"""Points in time as publishers write them: RFC 3339, with a zone."""

import re
from datetime import UTC, datetime
from typing import Annotated

import msgspec

FURTHEST_AHEAD_SECONDS = 13 * 86_400
"""So far may `not_before` lie ahead: a day less than SQS keeps a message (14 days)."""

_DATE = r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_HOUR_AND_MINUTE = r"([01][0-9]|2[0-3]):[0-5][0-9]"
# Without the second 60: no clock of a program has one, and none is announced.
_PATTERN = rf"^{_DATE}[Tt]{_HOUR_AND_MINUTE}:[0-5][0-9]([.][0-9]+)?([Zz]|[+-]{_HOUR_AND_MINUTE})\Z"

Time = Annotated[
    str,
    msgspec.Meta(
        pattern=_PATTERN,
        description="A time with a zone (RFC 3339): 2027-03-08T09:00:00+01:00",
        extra_json_schema={"format": "date-time"},
    ),
]

NO_TIME = {name: f"{name} is no time" for name in ("not_before", "expires_at", "until")}
"""The words for a field that holds none."""

_is_written_so = re.compile(_PATTERN).match


def read_time(text: str) -> datetime:
    """The time in UTC; what is finer than a microsecond is cut off.

    Raises:
        ValueError: it has another form or no zone, or there is no such day. The text isn't in it.
    """
    try:
        if _is_written_so(text):
            return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):  # February 30; the year 0, or one before it in UTC
        pass
    raise ValueError("no time")


def given_time(name: str, text: str | None) -> datetime | None:
    """The time that a field holds; None: it is left out.

    Raises:
        ValueError: `NO_TIME` of that name.
    """
    try:
        return None if text is None else read_time(text)
    except ValueError:
        raise ValueError(NO_TIME[name]) from None
