"""Thousands of messages through everything that can happen at once: the books balance.

In every mode of pipelining by turns, to mail servers of every habit, by both lanes, with schedules,
cancels, stops and pauses. `scripts/soak --messages 100000` is the same with more of it.
ION_SOAK_SEED=… draws other faults.
"""

import asyncio
import os
from pathlib import Path

import pytest

from at_length import only_at_length
from ion.settings import Pipelining
from soak.books import PARK, RESEND_ONCE
from soak.course import EXPIRED, STOPPED
from soak.manner import MIXED
from soak.report import GROUPED, MALFORMED, MORE_BEHIND, ONE_BY_ONE, PROBES, PUT_OFF, Report
from soak.run import Plan, Soak
from soak.witness import Sort

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

SEED = int(os.environ.get("ION_SOAK_SEED", "1"))
MESSAGES = 1200
SMTP_SHARE, AWS_SHARE = 0.05, 0.02


def soaked(messages: int, policy: str, folder: Path, pipelining: str = MIXED) -> Report:
    report = asyncio.run(Soak(Plan(messages, SEED, policy, folder, pipelining=pipelining)).run())
    print(report)  # noqa: T201 - shown if an assertion fails
    return report


def test_chaos_loses_nothing_and_copies_only_what_was_in_doubt(tmp_path: Path) -> None:
    report = soaked(MESSAGES, RESEND_ONCE, tmp_path)
    books = report.books
    assert report.faults == ()
    assert (books.lost, books.unexpected) == (0, 0)
    assert books.published == books.sent + books.dead_lettered + books.cancelled
    assert books.extra_copies <= sum(report.in_doubt_events.values())
    # or the above would show nothing:
    assert report.smtp_transactions > MESSAGES / 2
    assert report.smtp_faults >= SMTP_SHARE * report.smtp_transactions
    assert report.aws_faults >= AWS_SHARE * report.aws_calls
    assert all(report.in_doubt_events.get(sort) for sort in Sort)
    assert any("unheard" in sort for sort in report.aws_sorts)
    assert report.kills >= 5
    assert report.books.duplicated
    assert min(report.smtp_ways[way] for way in (ONE_BY_ONE, GROUPED, PROBES)) > 100
    assert min(report.smtp_ways[way] for way in (MORE_BEHIND, MALFORMED)) > 20
    assert report.smtp_ways[PUT_OFF]
    steered = report.steered
    assert min(steered[f"copies to {queue}"] for queue in ("bulk", "later")) > 20
    assert min(steered[f"letters over {reason}"] for reason in (STOPPED, EXPIRED)) > 1
    assert steered["cancels"] > steered["cancelled"] > 5
    assert steered["changes of what is in force"] > 5
    assert steered["copies of a tenant's"] > 50


@only_at_length
def test_nor_does_it_with_the_next_envelope_behind_each_dot(tmp_path: Path) -> None:
    report = soaked(400, RESEND_ONCE, tmp_path, Pipelining.DEEP)
    assert report.faults == ()
    assert report.books.lost == 0
    assert report.smtp_ways[MORE_BEHIND] > 10


@only_at_length
def test_park_copies_only_what_is_sent_back_though_in_doubt(tmp_path: Path) -> None:
    """The publisher redrives letters, those in doubt as well: the books allow a copy for each."""
    report = soaked(300, PARK, tmp_path)
    assert report.faults == ()
    assert (report.books.lost, report.books.unexpected) == (0, 0)
    assert report.in_doubt_events
