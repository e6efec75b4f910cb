"""The program ionctl, run as from a terminal, but in this process."""

import io
import sys
from pathlib import Path

import pytest

from ionctl.cli.main import main
from ionctl.cli.output import console, errors
from ionctl.ops import local_stack
from relays import Operated
from terminal import Ionctl, Ran


class _Stdin(io.TextIOWrapper):
    """Standard input: what a person types at a terminal, or what a program writes."""

    def __init__(self, text: str, *, is_terminal: bool) -> None:
        super().__init__(io.BytesIO(text.encode()), encoding="utf-8")
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal


@pytest.fixture
def ionctl(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ionctl:
    """Runs it with the words given.

    `typed`: what a person at a terminal types. `stdin`: what comes without one.
    """

    def run(*words: str | Path, typed: str | None = None, stdin: str = "") -> Ran:
        monkeypatch.setattr(sys, "argv", ["ionctl", *map(str, words)])
        source = _Stdin(stdin if typed is None else typed, is_terminal=typed is not None)
        monkeypatch.setattr(sys, "stdin", source)
        for one in (console, errors):  # xdist's COLUMNS was there when they were made
            monkeypatch.setattr(one, "width", 200)
        capsys.readouterr()
        status = main()
        written = capsys.readouterr()
        return Ran(status, written.out, written.err)

    return run


@pytest.fixture
def stack(relay: Operated, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that `ionctl --local` reads, of a relay."""
    monkeypatch.setenv(local_stack.FILE_VARIABLE, "")
    file = tmp_path / "stack.json"
    relay.local_file(file)
    return file


@pytest.fixture
def local(relay: Operated, stack: Path) -> Operated:
    """A relay that `ionctl --local` finds."""
    assert stack.exists()
    return relay
