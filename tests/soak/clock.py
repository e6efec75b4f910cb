"""The clock of the emulated world: it can be turned on, so that minutes pass in seconds."""

import math
import mmap
import struct
import time
from bisect import bisect_right
from pathlib import Path

CLOCKED = Path(__file__).with_name("clocked")
"""On the path of a Python that is to live by this clock, with `environment` beside it."""


class Clock:
    """Seconds since the epoch, for the emulated AWS and the function.

    It is never turned beyond the end of an invocation that lives: AWS would have ended it by then,
    and every lease and visibility timeout rests on that.

    Args:
        path: of a file that this makes, shared with those who live by it.
    """

    def __init__(self, path: Path) -> None:
        path.write_bytes(struct.pack("d", 0.0))
        with path.open("r+b") as file:
            self._shared = mmap.mmap(file.fileno(), 8)
        self._offset = 0.0
        self._turns = [(-math.inf, 0.0)]
        """What it showed after each turn, and by how much it was ahead of the machine's then."""
        self._ends: dict[int, float] = {}
        self.environment = {"SOAK_CLOCK": str(path)}

    def now(self) -> float:
        return time.time() + self._offset

    def began(self, invocation: int, seconds: float) -> None:
        """An invocation that may last so long lives from now on."""
        self._ends[invocation] = self.now() + seconds

    def ended(self, invocation: int) -> None:
        """It is dead, or done."""
        self._ends.pop(invocation, None)

    def turn(self, seconds: float) -> None:
        """Turn it on by so much, or as far as the living allow."""
        room = min(self._ends.values(), default=math.inf) - self.now()
        self._offset += max(0.0, min(seconds, room))
        self._turns.append((self.now(), self._offset))
        struct.pack_into("d", self._shared, 0, self._offset)

    def real_at(self, moment: float) -> float:
        """What the machine's clock showed when this one had come so far."""
        turn = bisect_right(self._turns, (moment, math.inf))
        real = moment - self._turns[turn - 1][1]
        if turn == len(self._turns):
            return real
        after, offset = self._turns[turn]  # perhaps it was skipped by that turn
        return min(real, after - offset)

    def lives(self, invocation: int) -> bool:
        """True between its beginning and its end."""
        return invocation in self._ends

    def is_over(self, invocation: int) -> bool:
        """True if its time is up."""
        return self.now() >= self._ends[invocation]
