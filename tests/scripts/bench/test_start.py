"""The start of ./run.sh is measured up to an email on the screen."""

import sys
from pathlib import Path
from tempfile import mkdtemp

import pytest

from at_length import only_at_length
from bench.start import measured
from ionctl.local.stack import ROOT
from real.unavailable import skipped_unless_available
from scripts.console.page import chromium

pytestmark = [only_at_length, pytest.mark.system]


def test_the_lines_come_first_and_then_an_emails_html(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = Path(mkdtemp(prefix="ion-"))  # tmp_path is too long for the sockets of a browser
    with skipped_unless_available():
        chromium.found()
    monkeypatch.setenv("PYTHONPATH", f"{ROOT / 'scripts'}:{ROOT / 'lambda_src'}")
    monkeypatch.setenv("TMPDIR", str(folder))
    (one,) = measured([sys.executable, "-P", "-m", "ionctl.local"], 1)
    assert 0 < one.lines < one.html
    assert not list(folder.iterdir())  # it has ended in good order
    folder.rmdir()
