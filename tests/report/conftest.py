"""What the tests of redaction ask for by name."""

import shutil
from pathlib import Path

import pytest

from conftest import Log
from emulated import Account
from report.world import ROOT, World


@pytest.fixture
def world(
    account: Account,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    log: Log,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> World:
    """At the level that tells most; `log` makes a logger anew."""
    shutil.copy(ROOT / "config.cfg", tmp_path)
    environment = {
        **account.environment,
        "LAMBDA_TASK_ROOT": str(tmp_path),
        "ION_DRAIN_LINGER_SECONDS": "0",
        "ION_LOG_LEVEL": "DEBUG",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return World(account, tmp_path, monkeypatch, capsys, caplog)
