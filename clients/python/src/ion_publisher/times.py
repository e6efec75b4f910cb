"""When an email may go."""

from datetime import UTC, datetime, timedelta

from ion.contract import FURTHEST_AHEAD_SECONDS, read_time
from ion.outcome import Problem, Reason
from ion_publisher.failures import InvalidMessage, invalid


def check_ahead(not_before: str | None) -> None:
    """See that an email needn't wait for longer than the relay lets it.

    Raises:
        InvalidMessage: it would have to.
    """
    furthest = timedelta(seconds=FURTHEST_AHEAD_SECONDS)
    if not_before is not None and read_time(not_before) - datetime.now(UTC) > furthest:
        raise InvalidMessage("$.not_before", f"is more than {furthest.days} days ahead")


def written(time: datetime, path: str) -> str:
    """As the contract has it; in UTC, because some zones' offsets have seconds.

    Raises:
        InvalidMessage: it has no zone, or no year of four digits.
    """
    if time.utcoffset() is None:
        raise InvalidMessage(path, "has no time zone")
    try:
        return time.astimezone(UTC).isoformat()
    except OverflowError:
        raise invalid(Reason.INVALID_SCHEMA, path, Problem.VALUE) from None
