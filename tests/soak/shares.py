"""Whom the connections with a window that broke may have left in doubt. Pure."""

from collections import Counter
from collections.abc import Sequence

from soak.witness import Break, Copy


class Shares:
    """Each break has room for a few names, each of them once; only who was claimed can be there.

    Args:
        breaks: of the soak.
    """

    def __init__(self, breaks: Sequence[Break]) -> None:
        self._breaks = breaks
        self._taken: list[set[str]] = [set() for _ in breaks]
        self._copies: list[set[str]] = [set() for _ in breaks]
        """Of those taken, those that can't be anywhere else."""

    def excuse(self, copy: Copy) -> bool:
        """True if it may have been in doubt since the client hadn't read all before the break.

        To be asked of all copies before any letter.
        """
        if copy.unread is None:
            return False
        number = next(i for i, one in enumerate(self._breaks) if one is copy.unread)
        if copy.name not in self._copies[number]:
            if len(self._taken[number]) >= self._breaks[number].room:
                return False
            self._copies[number].add(copy.name)
            self._taken[number].add(copy.name)
        return True

    def doubts(self, name: str) -> int:
        """How many were excused."""
        return sum(name in taken for taken in self._taken)

    def explain(self, missing: Counter[str]) -> set[str]:
        """Names for which so many more doubts are to be had."""
        return {
            name
            for name, count in missing.items()
            if all(self._find(name, set()) for _ in range(count))
        }

    def _find(self, name: str, seen: set[int]) -> bool:
        """One more doubt; who is there already may have to go to another break."""
        for number, broken in enumerate(self._breaks):
            here = self._taken[number]
            if number in seen or name in here or name not in broken.claimed:
                continue
            seen.add(number)
            if len(here) >= broken.room:
                may_move = here - self._copies[number]
                moved = next((other for other in may_move if self._find(other, seen)), None)
                if moved is None:
                    continue
                here.discard(moved)
            here.add(name)
            return True
        return False
