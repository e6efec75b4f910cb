"""The start of ./run.sh is measured up to an email on the screen."""

import sys
from pathlib import Path

import pytest

from at_length import only_at_length
from bench.start import measured
from ionctl.local.stack import ROOT
from real.unavailable import skipped_unless_available
from scripts.console.page import chromium

pytestmark = [only_at_length, pytest.mark.system]


def test_the_lines_come_first_and_then_an_emails_html(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with skipped_unless_available():
        chromium.found()
    monkeypatch.setenv("PYTHONPATH", f"{ROOT / 'scripts'}:{ROOT / 'lambda_src'}")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    (one,) = measured([sys.executable, "-P", "-m", "ionctl.local"], 1)
    assert 0 < one.lines < one.html
    assert not list(tmp_path.iterdir())  # it has ended in good order
