"""What an event source mapping does with a stream's batch: again, halved, or given up.

After the Lambda Developer Guide, "Process DynamoDB records with Lambda": "Retain discarded
records", "Configuring partial batch response", and the parameters of the mapping.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Record = Mapping[str, Any]

_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 5.0
"""Lambda's own are longer, and not documented."""


class InvocationError(Exception):
    """The function raised, was killed, or couldn't be run."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The mapping's parameters.

    Args:
        bisect: BisectBatchOnFunctionError: a batch that failed as a whole is halved.
        retries: MaximumRetryAttempts; -1: no limit. To halve a batch is no retry.
        record_age_seconds: MaximumRecordAgeInSeconds; -1: no limit.
    """

    bisect: bool = True
    retries: int = -1
    record_age_seconds: float = -1


@dataclass(slots=True)
class _Batch:
    records: list[Record]
    tries: int = 0


class Delivery:
    """Delivers batches of one shard, in their order.

    Args:
        rules: the mapping's.
        invoke: runs the function; gives the sequence numbers that it reports as failed
            (ReportBatchItemFailures). Raises InvocationError.
        give_up: told of records that are delivered no more, and why.
        now: seconds since the epoch.
        wait: so many seconds; False: stop, and leave what is left.
    """

    def __init__(
        self,
        rules: Rules,
        invoke: Callable[[Sequence[Record]], Sequence[str]],
        give_up: Callable[[Sequence[Record], str], None],
        now: Callable[[], float],
        wait: Callable[[float], bool],
    ) -> None:
        self._rules = rules
        self._invoke = invoke
        self._give_up = give_up
        self._now = now
        self._wait = wait

    def deliver(self, records: Sequence[Record]) -> list[Record]:
        """Deliver them, and return when each is through or given up; what is left when stopped."""
        batches = [_Batch(list(records))] if records else []
        while batches:
            batch = batches.pop(0)
            if self._is_given_up(batch):
                continue
            left = self._tried(batch.records)
            if not left:
                continue
            batches[:0] = self._again(batch, left)
            if not self._wait(_pause(batches[0].tries)):
                return [record for one in batches for record in one.records]
        return []

    def _tried(self, records: list[Record]) -> list[Record]:
        """Those from the first that failed on; the others are through."""
        try:
            failed = set(self._invoke(records))
        except InvocationError:
            return records
        if not failed:
            return []
        numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
        if not failed <= set(numbers):  # of none of these: Lambda takes all for failed
            return records
        return records[min(map(numbers.index, failed)) :]

    def _again(self, batch: _Batch, left: list[Record]) -> list[_Batch]:
        if self._rules.bisect and len(left) < len(batch.records):  # bisected where it reported
            return [_Batch(left, batch.tries)]
        if self._rules.bisect and len(left) > 1:
            half = len(left) // 2
            return [_Batch(left[:half], batch.tries), _Batch(left[half:], batch.tries)]
        return [_Batch(left, batch.tries + 1)]

    def _is_given_up(self, batch: _Batch) -> bool:
        age = self._rules.record_age_seconds
        if age >= 0:
            now = self._now()
            old = [one for one in batch.records if now - _created(one) > age]
            if old:
                self._give_up(old, "RecordAgeExceeded")
                batch.records = [one for one in batch.records if one not in old]
        if 0 <= self._rules.retries < batch.tries and batch.records:
            self._give_up(batch.records, "RetryAttemptsExhausted")
            return True
        return not batch.records


def _pause(tries: int) -> float:
    return float(min(_FIRST_PAUSE_SECONDS * 2 ** min(tries, 10), _LONGEST_PAUSE_SECONDS))


def _created(record: Record) -> float:
    return float(record["dynamodb"]["ApproximateCreationDateTime"])
