"""mailparser, of npm: a parser of emails that shares nothing with Python's."""

import json
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from real import npm
from real.unavailable import skipped_unless_available


class Reader:
    """A process that reads emails."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def read(self, content: bytes) -> dict[str, Any]:
        """What real/node/read-emails.js tells of an email."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(b64encode(content).decode() + "\n")
        self._process.stdin.flush()
        told: dict[str, Any] = json.loads(self._process.stdout.readline())
        return told


@contextmanager
def second_reader() -> Iterator[Reader]:
    """The process, up inside a `with`; tests that ask for it are skipped where npm can't be had."""
    with skipped_unless_available():
        modules = npm.modules()
    command = ["node", str(npm.SCRIPTS / "read-emails.js"), str(modules)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    ) as process:
        yield Reader(process)
