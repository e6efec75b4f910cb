"""When to look again for mail that SQS is about to forget: pure."""

from dataclasses import dataclass

from ion.limits import (
    LAST_CHANCE_SECONDS,
    LONGEST_VISIBILITY_SECONDS,
    RETENTION_LOOK_SECONDS,
    RETENTION_RETRY_SECONDS,
    RETENTION_SECONDS,
)

LONGEST_SECONDS = RETENTION_SECONDS - LAST_CHANCE_SECONDS + 1
"""Between two looks, where the first found nothing: then `policy.retry.forgotten` says of the first
message behind it that it is old."""
_MORE_SECONDS = 3600
_ONCE_VISIBLE_SECONDS = LONGEST_VISIBILITY_SECONDS + 3600
"""What SQS hides now, it shows by then."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of a look through the queues.

    Args:
        through: it got to their ends, and what was old is in the dead-letter queue.
        all: and it saw each message that they counted; else some were hidden, in others' hands.
        oldest: when the oldest message that it left was put into its queue, seconds since the
            epoch; if it left none, when it began.
        moved: messages that it found old.
    """

    through: bool
    all: bool
    oldest: float
    moved: int


def next_look(now: float, seen: Seen, known: float | None) -> tuple[float, float | None]:
    """When the next look is due, and what is known of all that waits by then.

    A look that saw everything knows the oldest message that it left, and what comes later is
    younger: nothing has to be rescued before that one is 12 days old. But looks are 36 hours apart
    at least, or each would make the ones behind it: where mail comes every hour, some is 12 days
    old every hour. What was younger than 12 days is younger than 13.5 then.

    A look that didn't see everything has proved nothing, and what an earlier one proved holds on:
    - It left old mail behind, more than it had time for: an hour later.
    - What was hidden is to be seen 13 hours later (SQS hides nothing for longer than 12). Mail that
      is scheduled for days ahead is hidden most of the time, until nothing can be sent.
    - It died, a queue couldn't be read, or the dead-letter queue took nothing: every 4 hours, if
      something may be 12 days old by now. That is six looks a day at the most, and three at least
      before SQS forgets what the last good look had left.
    - Nothing can be 12 days old yet: not before it is, or 36 hours later if that is sooner.

    Args:
        now: seconds since the epoch, as all times here.
        seen: by the look that has just ended.
        known: nothing in the queues was put there before, as an earlier look has proved; None: none
            has.
    """
    if seen.through and seen.all:
        due = max(seen.oldest + LONGEST_SECONDS, now + RETENTION_LOOK_SECONDS)
        return min(due, now + LONGEST_SECONDS), min(seen.oldest, now)
    if seen.moved and not seen.through:
        return now + _MORE_SECONDS, known
    if known is None:
        soon = _ONCE_VISIBLE_SECONDS if seen.through else RETENTION_RETRY_SECONDS
        return now + soon, None
    due = max(known + LONGEST_SECONDS, now + RETENTION_RETRY_SECONDS)
    return min(due, now + RETENTION_LOOK_SECONDS), known
