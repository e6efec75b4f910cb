"""The limits of AWS and the margins between them, held against one another and the module."""

import math
import re
from pathlib import Path

import pytest

from ion import limits

TERRAFORM = Path(__file__).parents[1] / "terraform"
HOUR = 3600


def product(name: str) -> int:
    """A local of queue.tf, which is written as a product."""
    text = (TERRAFORM / "queue.tf").read_text(encoding="utf-8")
    found = re.search(rf"\b{name} += ([\d *]+)", text)
    assert found, name
    return math.prod(map(int, found[1].split("*")))


@pytest.mark.row(24)
def test_the_queues_keep_a_message_as_long_as_ion_reckons() -> None:
    assert product("retention_seconds") == limits.RETENTION_SECONDS


@pytest.mark.row(25)
def test_the_module_leaves_ion_ten_tries_to_label() -> None:
    """The dead-letter queue may not take it, or the process may end, at the first and the next."""
    assert product("max_receive_count") - limits.MOST_RECEIVES >= 10


def test_the_queues_take_what_ion_reckons_with() -> None:
    assert product("max_message_bytes") == limits.MOST_MESSAGE_BYTES


def test_what_one_look_leaves_is_there_at_the_next() -> None:
    """Even if that fails twice."""
    late = limits.RETENTION_LOOK_SECONDS + 2 * limits.RETENTION_RETRY_SECONDS
    assert late < limits.LAST_CHANCE_SECONDS < limits.RETENTION_SECONDS


def test_the_third_look_finds_nothing_younger_than_days() -> None:
    """CloudWatch's age of the oldest message leaves out what was received three times."""
    assert 2 * limits.RETENTION_LOOK_SECONDS >= 3 * 24 * HOUR


def test_a_row_outlives_its_message_and_its_dead_letter() -> None:
    assert limits.LEDGER_KEEPS_SECONDS > 2 * limits.RETENTION_SECONDS


def test_a_lease_ends_no_sooner_than_clocks_may_differ() -> None:
    assert limits.LEASE_MARGIN_SECONDS > limits.SKEW_SECONDS


def test_a_message_is_hidden_as_long_as_its_lease_lasts() -> None:
    assert limits.VISIBILITY_MARGIN_SECONDS >= limits.LEASE_MARGIN_SECONDS


def test_a_message_that_is_begun_has_time_for_its_dot() -> None:
    assert limits.BEGIN_BUDGET_SECONDS > limits.DOT_BUDGET_SECONDS
