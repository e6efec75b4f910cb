"""The moment by which something must have ended, passed down instead of a time-out."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Deadline:
    """A point on a monotonic clock.

    Args:
        at: seconds on `clock`.
        clock: monotonic, in seconds; replaced in tests.
    """

    at: float
    clock: Callable[[], float] = field(default=time.monotonic, repr=False)

    @classmethod
    def after(cls, seconds: float, clock: Callable[[], float] = time.monotonic) -> "Deadline":
        """The moment `seconds` from now."""
        return cls(clock() + seconds, clock)

    def earlier_by(self, seconds: float) -> "Deadline":
        """A deadline that leaves its owner `seconds` more."""
        return Deadline(self.at - seconds, self.clock)

    def remaining(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self.at - self.clock())

    def clip(self, seconds: float) -> float:
        """The time-out of one step: `seconds`, or what is left if that is less."""
        return min(seconds, self.remaining())
