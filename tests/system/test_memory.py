"""A drain of large emails in a process of its own keeps to its share of the function's memory.

`python -m bench.memory` has all cases.
"""

import sys
from pathlib import Path

import pytest

from at_length import only_at_length
from bench.memory import MOST_SHARE, SMALLEST, peak

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]


@only_at_length
def test_large_emails_fit_into_a_small_function(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", ":".join(sys.path))
    found = peak(SMALLEST, tmp_path)
    if not found.memory_mb:
        pytest.skip("this system doesn't tell how much memory a process has held")
    print(found)  # noqa: T201 - shown if the assertion fails
    assert found.share <= MOST_SHARE
