"""Five thousand messages through everything that can happen at once: the books balance.

Command by command and with PIPELINING by turns. `scripts/soak --messages 100000` is the same with
more of it, `--window 4` has several emails in flight. ION_SOAK_SEED=… draws other faults.
"""

import asyncio
import os
from pathlib import Path

import pytest

from soak.books import PARK, RESEND_ONCE
from soak.report import GROUPED, MORE_BEHIND, ONE_BY_ONE, WINDOWED, Report
from soak.run import Plan, Soak
from soak.witness import Sort

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

SEED = int(os.environ.get("ION_SOAK_SEED", "1"))
WINDOW = 4
SMTP_SHARE, AWS_SHARE = 0.05, 0.02


def soaked(messages: int, policy: str, folder: Path, window: int = 1) -> Report:
    report = asyncio.run(Soak(Plan(messages, SEED, policy, folder, window=window)).run())
    print(report)  # noqa: T201 - shown if an assertion fails
    return report


def test_chaos_loses_nothing_and_copies_only_what_was_in_doubt(tmp_path: Path) -> None:
    report = soaked(5000, RESEND_ONCE, tmp_path)
    books = report.books
    assert report.faults == ()
    assert (books.lost, books.unexpected) == (0, 0)
    assert books.published == books.sent + books.dead_lettered
    assert books.extra_copies <= sum(report.in_doubt_events.values())
    # or the above would show nothing:
    assert report.smtp_faults >= SMTP_SHARE * report.smtp_transactions > SMTP_SHARE * 5000
    assert report.aws_faults >= AWS_SHARE * report.aws_calls
    assert all(report.in_doubt_events.get(sort) for sort in Sort)
    assert any("unheard" in sort for sort in report.aws_sorts)
    assert report.kills >= 5
    assert report.books.duplicated
    assert report.smtp_ways[ONE_BY_ONE] > 500
    assert report.smtp_ways[GROUPED] > 500
    assert report.smtp_ways[MORE_BEHIND] > 50


def test_nor_does_it_with_several_emails_in_flight_on_a_connection(tmp_path: Path) -> None:
    report = soaked(400, RESEND_ONCE, tmp_path, WINDOW)
    assert report.faults == ()
    assert report.books.lost == 0
    assert report.smtp_ways[WINDOWED] > 20


def test_park_copies_nothing_at_all(tmp_path: Path) -> None:
    report = soaked(300, PARK, tmp_path, WINDOW)
    assert report.faults == ()
    assert report.books.extra_copies == 0
    assert report.in_doubt_events
    assert report.smtp_ways[WINDOWED]
