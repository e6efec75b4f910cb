"""Builds of the library, as pip makes them."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = ROOT / "clients/python"


def run(*command: str, cwd: Path = PROJECT, **environment: str) -> str:
    """Run Python with these arguments; gives what it printed."""
    done = subprocess.run(
        [sys.executable, *command],
        cwd=cwd,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{done.returncode}: {done.stdout}{done.stderr}"
    return done.stdout


def wheel_of(project: Path, folder: Path) -> Path:
    run(
        *("-m", "pip", "wheel", "--quiet", "--no-build-isolation", "--no-deps", "--no-index"),
        *("--wheel-dir", str(folder), str(project)),
    )
    (wheel,) = folder.glob("*.whl")
    return wheel
