"""Which Python makes the byte code: fakes on the PATH, of a version that doesn't exist."""

import os
import sys
from pathlib import Path

import pytest

from interpreter import Interpreter, interpreter

ANSWER = "echo cpython-399; echo 3.99.1; echo /opt/python"
FOUND = Interpreter(path="/opt/python", version="3.99.1")


def test_this_one_if_it_is_of_the_version() -> None:
    mine = interpreter(f"{sys.version_info.major}.{sys.version_info.minor}")
    assert mine == interpreter(None) == Interpreter(sys.executable, sys.version.split()[0])


def test_one_that_does_not_start_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _path(tmp_path, monkeypatch, "echo not installed >&2; exit 127", ANSWER)
    assert interpreter("3.99") == FOUND


def test_shim_of_pyenv_is_told_which_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _path(tmp_path, monkeypatch, f'[ "$PYENV_VERSION" = 3.99 ] || exit 127; {ANSWER}')
    monkeypatch.setenv("PYENV_VERSION", "3.11.7")
    assert interpreter("3.99") == FOUND


@pytest.mark.parametrize("tag", ["cpython-398", "cpython-399t", "cpython-399d", "pypy399"])
def test_one_that_would_make_other_bytes_is_passed_over(
    tag: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _path(tmp_path, monkeypatch, ANSWER.replace("cpython-399", tag))
    assert interpreter("3.99") is None


def test_there_may_be_none() -> None:
    assert interpreter("3.99") is None


def _path(folder: Path, monkeypatch: pytest.MonkeyPatch, *scripts: str) -> None:
    """A PATH that begins with a python3.99 for each of `scripts`, and a folder that isn't there."""
    folders = [folder / "nothing"]
    for number, script in enumerate(scripts):
        command = folder / str(number) / "python3.99"
        command.parent.mkdir()
        command.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        command.chmod(0o755)
        folders.append(command.parent)
    monkeypatch.setenv("PATH", os.pathsep.join([*map(str, folders), os.environ["PATH"]]))
