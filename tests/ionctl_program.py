"""The program ionctl as a person starts it, at the relay of a test."""

import io
import json
import os
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from jsonschema import Draft202012Validator

from ionctl.cli import output
from ionctl.cli.main import main
from ionctl.local.ministack import CREDENTIALS, ISOLATION
from ionctl.ops import local_stack

ROOT = Path(__file__).resolve().parents[1]
_PATH = os.pathsep.join(str(ROOT / one) for one in ("scripts", "lambda_src"))
_LONGEST_SECONDS = 60
_UNCUT = 10_000
"""Columns: what is no terminal has whole lines."""


@dataclass(frozen=True)
class Ended:
    """What came of it."""

    status: int
    out: str
    err: str


def command(
    *words: str, stack: Path | None = None, columns: int = 80, **environment: str
) -> tuple[list[str], dict[str, str]]:
    """What starts it, and its environment.

    Args:
        words: of the command line.
        stack: the file of the local stack; None: there is none.
        columns: of the terminal that it thinks it has.
        environment: more of it.
    """
    whole = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": _PATH,
        "PYTHONUNBUFFERED": "1",
        "COLUMNS": str(columns),
        local_stack.FILE_VARIABLE: str(stack or ROOT / "none.json"),
        **CREDENTIALS,
        **ISOLATION,
        **environment,
    }
    return [sys.executable, "-P", "-m", "ionctl.cli", *words], whole


def ionctl(*words: str, stack: Path | None = None, columns: int = 80, **environment: str) -> Ended:
    """Run it to its end; the arguments are those of `command`."""
    line, whole = command(*words, stack=stack, columns=columns, **environment)
    done = subprocess.run(
        line, env=whole, capture_output=True, text=True, timeout=_LONGEST_SECONDS, check=False
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def within(*words: str, folder: Path | None = None, **environment: str) -> Ended:
    """Run it in this process, which is a second quicker than to start another; not as a terminal.

    Args:
        words: of the command line.
        folder: in which it runs; None: in this process's.
        environment: more of it than this process has.
    """
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    with (
        Path(os.devnull).open(encoding="utf-8") as nothing,
        patch.dict(os.environ, environment),
        patch.multiple(sys, argv=["ionctl", *words], stdin=nothing),
        patch.object(output.console, "_width", _UNCUT),
        patch.object(output.errors, "_width", _UNCUT),
        chdir(folder or Path.cwd()),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        status = main()
    said = (one.buffer.getvalue().decode() for one in (out, err))
    return Ended(status, *said)


def printed(command: str, out: str) -> Any:  # noqa: ANN401 - JSON
    """What a command has printed with --json; the test fails unless it is as docs/schema says.

    Args:
        command: its whole name: "dead list".
        out: what it wrote to stdout.
    """
    schema = json.loads((ROOT / "docs" / "schema" / "ionctl.json").read_text(encoding="utf-8"))
    result = json.loads(out)
    validator = Draft202012Validator({**schema["commands"][command], "$defs": schema["$defs"]})
    validator.validate(result)
    return result
