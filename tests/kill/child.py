"""The function as processes that can be killed: its own code, untouched, one invocation each."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from ionctl.local.ministack import CREDENTIALS, ISOLATION
from soak.clock import CLOCKED, Clock

_ROOT = Path(__file__).parents[2]
_INHERITED = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH")
_DEATH_SECONDS = 10


class Nursery:
    """A process that has imported the function and forks a child for each invocation.

    Args:
        root: where the package's files are (LAMBDA_TASK_ROOT), for all children.
        log: what they write.
        clock: that they live by.
    """

    def __init__(self, root: Path, log: Path, clock: Clock) -> None:
        self.root = root
        self.log = log
        self._clock = clock

    def __enter__(self) -> Self:
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, Path(__file__).with_name("invocation.py")],
                env={
                    **{name: os.environ[name] for name in _INHERITED if name in os.environ},
                    **CREDENTIALS,
                    **ISOLATION,
                    **self._clock.environment,
                    "PYTHONPATH": f"{CLOCKED}:{_ROOT / 'lambda_src'}",
                    "LAMBDA_TASK_ROOT": str(self.root),
                },
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                text=True,
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.process.communicate(timeout=_DEATH_SECONDS)  # its input ends, and so does it

    def child(self, environment: Mapping[str, str]) -> "Child":
        """Start an invocation; only one lives at a time."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(dict(environment)) + "\n")
        self.process.stdin.flush()
        return Child(int(self.process.stdout.readline()), self._status)

    def _status(self) -> int:
        assert self.process.stdout is not None
        return int(self.process.stdout.readline())


class Child:
    """One invocation in one execution environment. Made by `Nursery.child`."""

    def __init__(self, pid: int, status: Callable[[], int]) -> None:
        self._pid = pid
        self._exit_status: int | None = None
        self._dead = threading.Event()
        threading.Thread(target=self._reap, args=(status,)).start()

    def _reap(self, status: Callable[[], int]) -> None:
        self._exit_status = status()
        self._dead.set()

    def kill(self) -> None:
        """SIGKILL; it is dead when this returns, so nothing that follows can reach it."""
        os.kill(self._pid, signal.SIGKILL)
        assert self.wait_dead(_DEATH_SECONDS)

    def wait(self, seconds: float) -> int:
        """Its exit status, negative for a signal, once it has ended."""
        assert self._dead.wait(seconds), "the function goes on and on"
        assert self._exit_status is not None
        return self._exit_status

    def wait_dead(self, seconds: float) -> bool:
        """False if it lives on."""
        return self._dead.wait(seconds)

    def end(self) -> None:
        """Whatever it is at: leave nothing behind."""
        if not self._dead.is_set():
            self.kill()
