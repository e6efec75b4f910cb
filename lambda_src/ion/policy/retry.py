"""When to try a message again: pure, so that it can be read off a table."""

import math

from ion.limits import LAST_CHANCE_SECONDS, LONGEST_VISIBILITY_SECONDS, RETENTION_SECONDS
from ion.outcome import Kind, Outcome, Reason

_LADDER_MINUTES = (1, 5, 15, 30, 60)
"""By attempt; after the last rung hourly (RFC 5321 section 4.5.4.1 asks for some minutes first,
then longer)."""
_GREYLIST_SECONDS = 5 * 60
"""Greylists commonly let the second try pass after 5 minutes (RFC 6647 section 2.1)."""
_THROTTLE_CAP_SECONDS = 10 * 60
_JITTER = 0.2
_HELD_OVER_SECONDS = 5 * 60
_HELD_OVER_CAP_SECONDS = 3600
_LOOK_SECONDS = (60, 300, 900)
_MAILBOX_FULL_SECONDS = 24 * 3600


def delay_seconds(outcome: Outcome, attempt: int, jitter: float) -> int:
    """Delay of a message after its attempt number `attempt` (1 = the first).

    Args:
        outcome: how the attempt ended.
        attempt: attempts so far, this one included.
        jitter: random, 0 to 1: spreads messages that failed together over ±20 %.
    """
    if outcome.kind is Kind.GREYLISTED and attempt <= 1:
        base = _GREYLIST_SECONDS
    elif outcome.kind is Kind.THROTTLED:
        base = min(2 ** min(attempt - 1, 10), _THROTTLE_CAP_SECONDS)
    else:
        base = 60 * _LADDER_MINUTES[min(attempt, len(_LADDER_MINUTES)) - 1]
    spread = base * (1 + _JITTER * (2 * jitter - 1))
    return max(1, min(round(spread), LONGEST_VISIBILITY_SECONDS))


def held_over_seconds(age_seconds: float) -> int:
    """Delay of a message that the server refuses for its sender or destination, or that needs S3.

    A person has to change something there, so it is asked for more seldom the longer that takes:
    after 5 minutes at first, in the end every hour.
    """
    return round(min(max(age_seconds / 4, _HELD_OVER_SECONDS), _HELD_OVER_CAP_SECONDS))


def missing_delay(age_seconds: float) -> int | None:
    """Delay of a message that names something which isn't there; None: it won't come any more.

    A publisher may be a little slower in storing it than in publishing: three more looks, in a
    quarter of an hour.
    """
    looks = (math.ceil(look - age_seconds) for look in _LOOK_SECONDS)
    return next((delay for delay in looks if delay > 0), None)


def expired(
    outcome: Outcome, age_seconds: float, delay: float, give_up_after_seconds: float
) -> bool:
    """True if the next try would come after the time to give up (RFC 5321 section 4.5.4.1).

    A mailbox that has been full for a day is not going to be emptied.
    """
    if outcome.reason is Reason.MAILBOX_FULL:
        give_up_after_seconds = min(give_up_after_seconds, _MAILBOX_FULL_SECONDS)
    return age_seconds + delay > give_up_after_seconds


def forgotten(age_seconds: float, delay: float) -> bool:
    """True if the queue might forget a message before it is looked at again."""
    return age_seconds + delay > RETENTION_SECONDS - LAST_CHANCE_SECONDS
