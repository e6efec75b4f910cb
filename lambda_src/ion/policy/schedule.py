"""When an email may go, by what its publisher wrote: pure."""

import math

from ion.contract import BadInput, Send
from ion.contract.times import FURTHEST_AHEAD_SECONDS, read_time
from ion.limits import SKEW_SECONDS
from ion.outcome import Problem, Reason


def begins_at(send: Send, since: float, now: float) -> float | None:
    """When an email is due, if it must wait; seconds since the epoch.

    The clock at hand may be fast, so it waits for as much longer as clocks may differ.

    Args:
        send: the email.
        since: when its message came to life, by SQS's clock: a time before that is now.
        now: seconds since the epoch.

    Raises:
        BadInput: it is further ahead than a queue keeps a message.
    """
    if send.not_before is None:
        return None
    begins = read_time(send.not_before).timestamp()
    if begins > now + FURTHEST_AHEAD_SECONDS:
        raise BadInput(Reason.INVALID_SCHEMA, "$.not_before", Problem.VALUE)
    is_over = begins <= since or now >= begins + SKEW_SECONDS
    return None if is_over else begins


def born_at(send: Send, since: float) -> float:
    """When an email's life began: with its message, or when it was due, if that was later.

    Args:
        send: the email.
        since: when its message came to life, seconds since the epoch.
    """
    if send.not_before is None:
        return since
    return max(since, read_time(send.not_before).timestamp())


def ends_at(send: Send) -> float:
    """When it is too late to send an email, seconds since the epoch; infinite: never."""
    return math.inf if send.expires_at is None else read_time(send.expires_at).timestamp()
