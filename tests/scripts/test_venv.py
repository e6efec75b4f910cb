"""The first start installs what it needs, and says how far it is."""

import hashlib
import os
import pty
import re
import shutil
import subprocess
import sys
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest

from at_length import only_at_length
from ionctl.local.stack import ROOT

NAMES = ("one", "another")


def wheel(folder: Path, name: str) -> str:
    """A package with nothing in it; gives its line of a locked file."""
    about = f"{name}-1.0.dist-info"
    file = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as written:
        written.writestr(
            f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
        )
        tag = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        written.writestr(f"{about}/WHEEL", tag)
        written.writestr(f"{about}/RECORD", "")
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return f"{name}==1.0 \\\n    --hash=sha256:{digest}\n    # via nothing\n"


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """scripts/venv.sh of a clone in which nothing is installed, with two packages at hand."""
    (tmp_path / "scripts").mkdir()
    for name in ("venv.sh", "install.sh"):
        shutil.copy(ROOT / "scripts" / name, tmp_path / "scripts")
    locked = tmp_path / "locked.txt"
    locked.write_text("".join(wheel(tmp_path, name) for name in NAMES))
    uv = tmp_path / "bin" / "uv"
    uv.parent.mkdir()
    uv.write_text("#!/bin/sh\nexit 1\n")  # as where there is none
    uv.chmod(0o755)
    monkeypatch.setenv("PATH", f"{uv.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    return [str(tmp_path / "scripts" / "venv.sh"), "x", str(locked), sys.executable]


def test_where_nobody_looks_it_is_one_line(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == "ion: installing locked.txt into .venv/x, once; packages: 2\n"
    python = done.stdout.strip()
    listed = subprocess.run(
        [python, "-m", "pip", "list"], capture_output=True, text=True, check=True
    )
    assert all(name in listed.stdout for name in NAMES)
    again = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (again.stdout, again.stderr) == (done.stdout, "")


@only_at_length
def test_on_a_terminal_the_packages_are_counted(command: list[str]) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=theirs) as running:
        os.close(theirs)
        seen = b""
        with suppress(OSError):  # Linux's end of a terminal
            while chunk := os.read(ours, 4096):
                seen += chunk
    os.close(ours)
    assert running.returncode == 0, seen
    assert re.findall(r"(\d of \d): ([a-z]+)", seen.decode()) == [
        ("1 of 2", "one"),
        ("2 of 2", "another"),
    ]
