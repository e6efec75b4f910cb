"""A Python of this machine that is as the one that will run the package: what tests try it with."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass

_ANSWER_SECONDS = 30
_ASK = r"""
import sys
print(sys.implementation.cache_tag + sys.abiflags, sys.version.split()[0], sys.executable, sep="\n")
"""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python of this machine; `version` in full, such as "3.13.5"."""

    path: str
    version: str


def interpreter(wanted: str | None) -> Interpreter | None:
    """A CPython `wanted`, such as "3.13": this one, or else the first of the PATH that starts.

    None wants this one, whatever it is.
    """
    if wanted is None:
        return Interpreter(sys.executable, sys.version.split()[0])
    # Without "t" or "d" behind it: a build without GIL or for debugging marshals other bytes.
    tag = f"cpython-{wanted.replace('.', '')}"
    places = (shutil.which(f"python{wanted}", path=folder) for folder in os.get_exec_path())
    for path in (sys.executable, *filter(None, places)):
        answer = _ask(path, wanted)
        if answer[:1] == [tag]:
            return Interpreter(path=answer[2], version=answer[1])
    return None


def _ask(path: str, wanted: str) -> list[str]:
    """Tag, version and path of the Python at `path`; nothing if it doesn't start."""
    try:
        asked = subprocess.run(
            [path, "-I", "-S", "-c", _ASK],
            # pyenv puts a python3.13 on the PATH that starts only where 3.13 is chosen.
            env={**os.environ, "PYENV_VERSION": wanted},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_ANSWER_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    return asked.stdout.splitlines()
