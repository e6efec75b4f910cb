"""What operators have asked for."""

from datetime import datetime
from typing import Any

from ionctl.ops.result.base import Result


class PauseInForce(Result, frozen=True, kw_only=True):
    """A pause. `lane` null: of everything. `at`: when it was ordered; null: not known."""

    lane: str | None
    until: datetime
    by: str
    why: str
    at: datetime | None = None


class StopInForce(Result, frozen=True, kw_only=True):
    """A stop.

    Args:
        where: its conditions as in the message; null: every email.
        stopped: emails that it has dead-lettered, as far as runs have ended since.
        at: when it was ordered; null: not known.
    """

    id: str
    where: dict[str, Any] | None
    until: datetime
    by: str
    why: str
    stopped: int
    at: datetime | None = None


class InForce(Result, frozen=True, kw_only=True):
    """What operators have asked for.

    Args:
        words: what was done, and when every running function has heard of it.
    """

    pauses: list[PauseInForce]
    stops: list[StopInForce]
    words: str


class Cancelled(Result, frozen=True, kw_only=True):
    """A cancel. `how`: "cancelled", "untried" (cancelled, nothing was tried yet), "too_late"."""

    email_id: str
    how: str
    words: str
