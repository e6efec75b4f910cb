"""The delay before the next try, read off a table."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ion.limits import LONGEST_VISIBILITY_SECONDS
from ion.outcome import Kind, Outcome, Reason, Scope, Stage
from ion.policy.retry import delay_seconds, expired, forgotten, held_over_seconds

MINUTE, HOUR, DAY = 60, 3600, 86_400


def outcome(kind: Kind) -> Outcome:
    return Outcome(Stage.RCPT, kind, Scope.RECIPIENT, Reason.TRY_LATER)


@pytest.mark.parametrize(
    ("kind", "delays"),
    [
        (Kind.TRANSIENT, [MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, HOUR, HOUR]),
        (Kind.GREYLISTED, [5 * MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, HOUR]),
        (Kind.OUT_OF_STEP, [MINUTE, 5 * MINUTE]),
        (Kind.IN_DOUBT, [MINUTE, 5 * MINUTE]),
        (Kind.THROTTLED, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600, 600]),
    ],
)
def test_delays_climb_their_ladder(kind: Kind, delays: list[int]) -> None:
    found = [delay_seconds(outcome(kind), attempt, 0.5) for attempt in range(1, len(delays) + 1)]
    assert found == delays


@pytest.mark.parametrize(("jitter", "delay"), [(0.0, 2880), (0.25, 3240), (0.5, 3600), (1.0, 4320)])
def test_jitter_spreads_by_a_fifth_either_way(jitter: float, delay: int) -> None:
    assert delay_seconds(outcome(Kind.TRANSIENT), 5, jitter) == delay


@given(st.sampled_from(Kind), st.integers(1, 10**9), st.floats(0, 1))
def test_every_delay_is_one_that_sqs_takes(kind: Kind, attempt: int, jitter: float) -> None:
    assert 1 <= delay_seconds(outcome(kind), attempt, jitter) <= LONGEST_VISIBILITY_SECONDS


@pytest.mark.parametrize(
    ("age", "delay", "over"),
    [(0, 0, False), (90, 10, False), (90, 10.5, True), (100, 0, False), (100.1, 0, True)],
)
def test_a_message_has_expired_if_the_next_try_would_be_too_late(
    age: float, delay: float, over: bool
) -> None:
    assert expired(outcome(Kind.TRANSIENT), age, delay, give_up_after_seconds=100) is over


@pytest.mark.parametrize(
    ("give_up_after", "age", "over"),
    [(96 * HOUR, 23 * HOUR, False), (96 * HOUR, 23.1 * HOUR, True), (2 * HOUR, 1.1 * HOUR, True)],
)
def test_a_full_mailbox_is_given_up_after_a_day(
    give_up_after: float, age: float, over: bool
) -> None:
    full = replace(outcome(Kind.TRANSIENT), reason=Reason.MAILBOX_FULL)
    assert expired(full, age, HOUR, give_up_after) is over


@pytest.mark.parametrize(
    ("age", "delay"),
    [(-5, 300), (0, 300), (20 * MINUTE, 300), (HOUR, 900), (4 * HOUR, HOUR), (90 * HOUR, HOUR)],
)
def test_a_message_that_a_person_must_see_to_is_asked_for_ever_more_seldom(
    age: float, delay: int
) -> None:
    assert held_over_seconds(age) == delay


@pytest.mark.row(24)
@pytest.mark.parametrize(
    ("age", "delay", "over"),
    [(11 * DAY, 0, False), (11.9 * DAY, 0, False), (12.1 * DAY, 0, True), (11.9 * DAY, DAY, True)],
)
def test_the_queue_must_not_forget_a_message_before_it_is_looked_at_again(
    age: float, delay: float, over: bool
) -> None:
    assert forgotten(age, delay) is over
