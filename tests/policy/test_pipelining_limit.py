"""What is left of PIPELINING, and for how long that is remembered."""

from dataclasses import replace

import pytest

from ion.policy.pipelining_limit import PipeliningLimit
from ion.settings import Pipelining, Security, Smtp

DEEP, ENVELOPE, OFF = Pipelining.DEEP, Pipelining.ENVELOPE, Pipelining.OFF
SMTP = Smtp("mail.example.org", 587, Security.STARTTLS, pipelining=DEEP)
NOW = 1_800_000_000.5
WEEK_SECONDS = 7 * 24 * 3600


@pytest.mark.parametrize(
    ("asked_for", "learned", "left"),
    [
        (DEEP, ENVELOPE, ENVELOPE),
        (DEEP, OFF, OFF),
        (ENVELOPE, OFF, OFF),
        (ENVELOPE, ENVELOPE, ENVELOPE),
        (OFF, ENVELOPE, OFF),
    ],
)
def test_the_setting_and_what_was_learned_the_more_careful_one_wins(
    asked_for: Pipelining, learned: Pipelining, left: Pipelining
) -> None:
    limit = PipeliningLimit.learned(learned, SMTP, NOW)
    assert limit.applied_to(replace(SMTP, pipelining=asked_for), NOW) is left


@pytest.mark.parametrize(
    ("after_seconds", "left"), [(0, OFF), (WEEK_SECONDS - 1, OFF), (WEEK_SECONDS, DEEP)]
)
def test_it_is_remembered_for_a_week(after_seconds: float, left: Pipelining) -> None:
    assert PipeliningLimit.learned(OFF, SMTP, NOW).applied_to(SMTP, NOW + after_seconds) is left


@pytest.mark.parametrize("other", [{"server": "other.example.org"}, {"port": 465}])
def test_of_another_server_it_says_nothing(other: dict[str, str | int]) -> None:
    elsewhere = replace(SMTP, **other)  # type: ignore[arg-type]
    assert PipeliningLimit.learned(OFF, SMTP, NOW).applied_to(elsewhere, NOW) is DEEP
