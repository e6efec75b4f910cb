"""The line before the gate: normal mail first, and bulk never starved."""

from collections import deque
from enum import IntEnum

from ion.contract import Lane
from ion.drain.work_item import WorkItem
from ion.message import Source

_BULK = 10
"""One message of so many is bulk, as long as there is any."""


class Rank(IntEnum):
    """Places in the order of service; the lowest goes first."""

    NORMAL = 0
    DUE = 1
    DUE_BULK = 2
    BULK = 3

    @property
    def is_bulk(self) -> bool:
        """True for what gives way to everything else, but for its tenth."""
        return self >= Rank.DUE_BULK


def rank_of(one: WorkItem) -> Rank:
    """The rank of a message by the queue that it came from, and the door before that."""
    match one.message.source:
        case Source.BULK:
            return Rank.BULK
        case Source.LATER:
            return Rank.DUE_BULK if one.history.lane == Lane.BULK else Rank.DUE
        case _:
            return Rank.NORMAL


def lane_of(one: WorkItem) -> Lane:
    """The lane that a message is in, by the same."""
    return Lane.BULK if rank_of(one).is_bulk else Lane.NORMAL


class Line:
    """Messages that stand in line, each with its number of recipients."""

    def __init__(self) -> None:
        self._free: deque[WorkItem] = deque()
        """Messages without a recipient to send to: they need no token."""
        self._ranks: dict[Rank, deque[tuple[WorkItem, int]]] = {rank: deque() for rank in Rank}
        self._recipients = dict.fromkeys(Rank, 0)
        self._others = 0
        """Taken since bulk had its turn, while there was bulk."""

    def add(self, one: WorkItem, recipients: int) -> None:
        """Line up a message; of no recipients, it is no email, or nothing to send."""
        if not recipients:
            self._free.append(one)
            return
        rank = rank_of(one)
        self._ranks[rank].append((one, recipients))
        self._recipients[rank] += recipients

    def recipients(self, worst: Rank) -> int:
        """Recipients of the messages in line of that rank, or a better one."""
        return sum(count for rank, count in self._recipients.items() if rank <= worst)

    def take_free(self) -> WorkItem | None:
        """The next message that needs no token, if there is one."""
        return self._free.popleft() if self._free else None

    def take(self) -> tuple[WorkItem, int] | None:
        """The next message by its rank, and its recipients; None: the line is empty."""
        waiting = [rank for rank in Rank if self._ranks[rank]]
        if not waiting:
            return None
        bulk = next((rank for rank in waiting if rank.is_bulk), None)
        rank = waiting[0] if bulk is None or self._others < _BULK - 1 else bulk
        self._others = 0 if bulk is None or rank.is_bulk else self._others + 1
        one, recipients = self._ranks[rank].popleft()
        self._recipients[rank] -= recipients
        return one, recipients
