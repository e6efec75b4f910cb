"""Processes that serve while the others are measured, and are gone afterwards."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

_STOP_SECONDS = 5


class Daemon:
    """A process from `__enter__` to `__exit__`; its standard input ends with us, if we are killed.

    Args:
        command: and its arguments.
        environment: beside our own.
        says: it prints a line when it is ready, which is then in `said`.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        environment: Mapping[str, str] | None = None,
        *,
        says: bool = True,
    ) -> None:
        self._command = command
        self._environment = environment
        self._says = says
        self.said = ""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command,
            env={**os.environ, **(self._environment or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE if self._says else subprocess.DEVNULL,
            text=True,
        )
        if self._process.stdout is not None:
            self.said = self._process.stdout.readline().strip()
            if not self.said:
                self.__exit__()
                raise RuntimeError(f"{self._command[0]} didn't start")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.communicate(timeout=_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """False once it has ended."""
        return self._process.poll() is None


def module(name: str, *arguments: object) -> Sequence[str]:
    """Give the command that runs a module of ours."""
    return [sys.executable, "-m", name, *map(str, arguments)]
