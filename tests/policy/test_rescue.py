"""When the next look for old mail is due, by what the last ones saw."""

import pytest

from ion.limits import LONGEST_VISIBILITY_SECONDS, RETENTION_SECONDS
from ion.policy.rescue import LONGEST_SECONDS, Seen, next_look
from ion.policy.retry import forgotten

pytestmark = pytest.mark.row(24)

HOUR, DAY = 3600, 86_400
NOW = 1_800_000_000.0
NEVER: float | None = None


def ago(days: float) -> float:
    return NOW - days * DAY


def looked(
    age_days: float = 0, *, through: bool = True, is_all: bool = True, moved: int = 0
) -> Seen:
    return Seen(through, is_all, ago(age_days), moved)


@pytest.mark.parametrize(
    ("age_days", "hours"), [(0, 12 * 24), (3, 9 * 24), (10.5, 36), (11, 36), (12, 36), (13, 36)]
)
def test_a_look_that_saw_everything_is_followed_by_one_for_the_oldest(
    age_days: float, hours: float
) -> None:
    due, known = next_look(NOW, looked(age_days), NEVER)
    assert due - NOW == pytest.approx(hours * HOUR, abs=1)
    assert known == ago(age_days)


@pytest.mark.parametrize("age_days", [0, 1, 5, 10.4])
def test_what_was_the_oldest_is_old_when_it_is_looked_for(age_days: float) -> None:
    due, _ = next_look(NOW, looked(age_days), NEVER)
    assert forgotten(int(due) - ago(age_days), 0)


@pytest.mark.parametrize("age_days", [0, 6, 10.5, 12])
@pytest.mark.parametrize("is_all", [True, False])
def test_the_next_look_comes_before_sqs_forgets_what_this_one_left(
    age_days: float, *, is_all: bool
) -> None:
    """With hours to spare for one that fails."""
    due, _ = next_look(NOW, looked(age_days, is_all=is_all), NEVER)
    assert due - ago(age_days) <= RETENTION_SECONDS - 12 * HOUR


def test_a_message_of_a_clock_that_is_fast_puts_no_look_off() -> None:
    due, known = next_look(NOW, looked(-5), NEVER)
    assert (due, known) == (NOW + LONGEST_SECONDS, NOW)


@pytest.mark.parametrize(
    ("seen", "known", "hours"),
    [
        # more old mail than there was time for
        (looked(through=False, is_all=False, moved=1), NEVER, 1),
        (looked(through=False, is_all=False, moved=1), ago(1), 1),
        # some was hidden
        (looked(is_all=False), NEVER, 13),
        (looked(is_all=False, moved=7), NEVER, 13),
        # it failed, and something may be old
        (looked(through=False, is_all=False), NEVER, 4),
        (looked(through=False, is_all=False), ago(12), 4),
        (looked(is_all=False), ago(12), 4),
        (looked(is_all=False), ago(13), 4),
        # nothing can be old yet
        (looked(through=False, is_all=False), ago(5), 36),
        (looked(is_all=False), ago(5), 36),
        (looked(is_all=False), ago(11), 24),
        (looked(through=False, is_all=False), ago(11.9), 4),
    ],
)
def test_a_look_that_did_not_see_everything_has_proved_nothing(
    seen: Seen, known: float | None, hours: float
) -> None:
    due, still_known = next_look(NOW, seen, known)
    assert due - NOW == pytest.approx(hours * HOUR, abs=1)
    assert still_known == known


def test_what_is_hidden_is_visible_when_it_is_looked_for() -> None:
    due, _ = next_look(NOW, looked(is_all=False), NEVER)
    assert due > NOW + LONGEST_VISIBILITY_SECONDS
