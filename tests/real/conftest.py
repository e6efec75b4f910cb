"""A server and the relay before it, and a table of what came of it."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from conftest import Log
from emulated import Account
from function import Function
from real.books import Balance
from real.report import PROPERTY, row, table
from real.server import Server
from real.trial import Trial
from real.unavailable import skipped_unless_available

Begin = Callable[..., AbstractContextManager[Trial]]
Note = Callable[[Trial, str, Balance], None]


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give an empty folder that any user may enter: most servers don't stay root. Not tmp_path."""
    with tempfile.TemporaryDirectory(prefix="ion-real-") as name:
        Path(name).chmod(0o711)
        yield Path(name)


@pytest.fixture
def begin(
    folder: Path,
    account: Account,
    function: Function,
    log: Log,
    monkeypatch: pytest.MonkeyPatch,
) -> Begin:
    """Start a server and deploy a relay for it; both are gone afterwards."""

    @contextmanager
    def begun(sort: type[Server], mode: str | None, *, limited: bool = False) -> Iterator[Trial]:
        with skipped_unless_available():
            server = sort(folder, limited=limited)
            server.start()
        try:
            yield Trial(server, function, account, mode, monkeypatch)
        finally:
            server.kill()

    return begun


@pytest.fixture
def note(record_property: Callable[[str, object], None]) -> Note:
    """Put a row into the table."""

    def noted(trial: Trial, what: str, books: Balance) -> None:
        record_property(PROPERTY, row(trial, what, books))

    return noted


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the table, and write it to the file that ION_REAL_TABLE names."""
    if hasattr(config, "workerinput"):  # one of several processes (-n), and has a part of it
        return
    rows = [
        str(value)
        for reports in terminalreporter.stats.values()
        for report in reports
        for name, value in getattr(report, "user_properties", ())
        if name == PROPERTY and report.when == "call"
    ]
    if not rows:
        return
    text = table(rows)
    terminalreporter.section("real mail servers")
    terminalreporter.write(text)
    if file := os.environ.get("ION_REAL_TABLE"):
        Path(file).write_text(text, encoding="utf-8")
