"""Which call to AWS meets which fault: drawn from the seed."""

import random
from collections import Counter, defaultdict
from enum import StrEnum


class Fault(StrEnum):
    """What happens to a call."""

    THROTTLED = "throttled"
    ERROR = "error"
    """A 5xx instead of being done."""
    UNSENT = "unsent"
    """The connection breaks before AWS hears of it."""
    UNHEARD = "unheard"
    """Lost acknowledgement: it is done, and the connection breaks before the answer."""
    PARTLY = "partly"
    """Some entries of a batch are done, the others refused."""


_NOT_DONE = (Fault.THROTTLED, Fault.ERROR, Fault.UNSENT)
BATCHES = frozenset(
    {
        "DeleteMessageBatch",
        "ChangeMessageVisibilityBatch",
        "SendMessageBatch",
        "BatchExecuteStatement",
    }
)
_RATE, _IN_A_ROW = 0.04, 0.25
"""Of calls that meet a fault; of these, such that the calls that follow fail too: boto3's own tries
may not outlast it."""
_OF_SENDS = 0.25, 0.6
"""The same for dead letters and redrives, which are few, and the worst to lose."""
_ROW = (1, 8)
_OUTAGE = 0.002
_OUTAGE_CALLS = (20, 40)
"""All of AWS fails for a caller, so long that neither a result nor a delete gets through."""
_DELIVERED_TWICE = 0.01


class AwsChaos:
    """Draws. Counts what it has drawn.

    Args:
        seed: of it all.

    Attributes:
        on: off: nothing happens, and is counted, any more.
        calls: while it was on.
        faults: by operation and sort.
    """

    def __init__(self, seed: int) -> None:
        self.on = True
        self.calls = 0
        self.faults: Counter[str] = Counter()
        self.delivered_twice = 0
        self._chance = random.Random(f"{seed}/aws")
        self._coming: defaultdict[tuple[str, int], list[Fault]] = defaultdict(list)
        """By operation and caller; under no operation, for all of them."""

    def draw(self, operation: str, caller: int) -> Fault | None:
        """What happens to this call; None: nothing."""
        if not self.on:
            return None
        self.calls += 1
        outage, coming = self._coming["", caller], self._coming[operation, caller]
        if not (outage or coming):
            self._befall(operation, caller)
        if not (outage or coming):
            return None
        fault = (outage or coming).pop()
        self.faults[f"{operation} {fault}"] += 1
        return fault

    def _befall(self, operation: str, caller: int) -> None:
        """Draw what is coming, which is nothing most often."""
        rate, in_a_row = _OF_SENDS if operation == "SendMessageBatch" else (_RATE, _IN_A_ROW)
        if self._chance.random() < _OUTAGE:
            count = self._chance.randint(*_OUTAGE_CALLS)
            self._coming["", caller] += self._chance.choices([*_NOT_DONE, Fault.UNHEARD], k=count)
        elif self._chance.random() < rate:
            sorts = [*_NOT_DONE, Fault.UNHEARD, Fault.UNHEARD]
            if operation in BATCHES:
                sorts.append(Fault.PARTLY)
            count = 1
            if self._chance.random() < in_a_row:
                count += self._chance.randint(*_ROW)
                sorts = self._chance.choice([sorts, [*_NOT_DONE]])
            self._coming[operation, caller] += self._chance.choices(sorts, k=count)

    def some(self, count: int) -> set[int]:
        """Entries that a batch refuses: at least one."""
        return set(self._chance.sample(range(count), self._chance.randint(1, count)))

    def delivers_twice(self) -> bool:
        """True if SQS is to deliver a message once more, as it may at any time."""
        if not self.on or self._chance.random() >= _DELIVERED_TWICE:
            return False
        self.delivered_twice += 1
        return True
