"""Lambda's event source mapping: what is tried again, what is halved, what is given up."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from ionctl.local.stream.mapping import Delivery, InvocationError, Record, Rules

Answer = Callable[[list[int]], list[int]]


def records(count: int, created: float = 0) -> list[dict[str, Any]]:
    return [
        {"dynamodb": {"SequenceNumber": str(number), "ApproximateCreationDateTime": created}}
        for number in range(count)
    ]


def numbers(some: Sequence[Record]) -> list[int]:
    return [int(one["dynamodb"]["SequenceNumber"]) for one in some]


class World:
    """A function that answers as a test says, and time that passes by waiting."""

    def __init__(self, answer: Answer, rules: Rules, stops_after: int = 1000) -> None:
        self.answer = answer
        self.batches: list[list[int]] = []
        self.given_up: list[tuple[list[int], str]] = []
        self.clock = 0.0
        self.stops_after = stops_after
        self.delivery = Delivery(
            rules,
            self._invoke,
            lambda some, why: self.given_up.append((numbers(some), why)),
            lambda: self.clock,
            self._wait,
        )

    def _invoke(self, some: Sequence[Record]) -> list[str]:
        self.batches.append(numbers(some))
        return [str(number) for number in self.answer(numbers(some))]

    def _wait(self, seconds: float) -> bool:
        self.clock += seconds
        return len(self.batches) < self.stops_after


def delivered(count: int, answer: Answer, rules: Rules | None = None, **parts: int) -> World:
    world = World(answer, rules or Rules(), **parts)
    assert world.delivery.deliver(records(count)) == []
    return world


def kills(*poison: int) -> Answer:
    """The function dies of these."""

    def answer(batch: list[int]) -> list[int]:
        if set(poison) & set(batch):
            raise InvocationError
        return []

    return answer


def refuses(*poison: int) -> Answer:
    """The function reports these."""
    return lambda batch: [number for number in batch if number in poison]


def test_what_is_reported_as_nothing_is_through() -> None:
    assert delivered(5, refuses()).batches == [[0, 1, 2, 3, 4]]


def test_no_record_is_no_invocation() -> None:
    assert delivered(0, refuses()).batches == []


def test_what_follows_the_first_that_failed_comes_again_and_what_was_before_does_not() -> None:
    seen: list[int] = []

    def once(batch: list[int]) -> list[int]:
        failed = [number for number in batch if number in {2, 3} - set(seen)]
        seen.extend(failed)
        return failed[::-1]  # in whatever order

    assert delivered(5, once).batches == [[0, 1, 2, 3, 4], [2, 3, 4]]


def test_a_report_of_no_record_of_the_batch_is_a_failure_of_all() -> None:
    world = delivered(1, lambda _: [99], Rules(retries=1))
    assert world.batches == [[0], [0]]


@pytest.mark.row(81)
@pytest.mark.parametrize("answer", [kills(3), refuses(3)], ids=["killed by it", "reports it"])
def test_poison_is_given_up_alone_and_the_rest_goes_through(answer: Answer) -> None:
    world = delivered(8, answer, Rules(retries=2))
    assert world.given_up == [([3], "RetryAttemptsExhausted")]
    assert world.batches.count([3]) == 3
    without = {number for batch in world.batches if 3 not in batch for number in batch}
    assert {4, 5, 6, 7} <= without
    assert {0, 1, 2} <= without or world.batches[1] == [3, 4, 5, 6, 7]


def test_halving_is_no_retry() -> None:
    world = delivered(4, kills(0), Rules(retries=0))
    assert world.batches == [[0, 1, 2, 3], [0, 1], [0], [1], [2, 3]]
    assert world.given_up == [([0], "RetryAttemptsExhausted")]


def test_without_halving_a_whole_batch_is_given_up() -> None:
    world = delivered(3, kills(1), Rules(bisect=False, retries=2))
    assert world.batches == [[0, 1, 2]] * 3
    assert world.given_up == [([0, 1, 2], "RetryAttemptsExhausted")]


def test_without_a_limit_it_is_tried_until_its_age_ends() -> None:
    world = delivered(1, kills(0), Rules(record_age_seconds=3600))
    assert world.given_up == [([0], "RecordAgeExceeded")]
    assert 3600 < world.clock < 3700
    assert len(world.batches) > 100


def test_of_a_batch_only_the_old_ones_are_given_up() -> None:
    world = World(refuses(), Rules(record_age_seconds=60))
    world.clock = 100
    assert world.delivery.deliver([*records(1), *records(2, created=90)[1:]]) == []
    assert world.given_up == [([0], "RecordAgeExceeded")]
    assert world.batches == [[1]]


def test_what_is_left_when_it_is_stopped_is_given_back() -> None:
    world = World(kills(0), Rules(), stops_after=3)
    left = world.delivery.deliver(records(4))
    assert numbers(left) == [0, 1, 2, 3]
    assert len(world.batches) == 3
