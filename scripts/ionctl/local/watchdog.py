"""Clears away what a killed process leaves: one killed with SIGKILL can't do so itself."""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import IO

_SCRIPT = """
read -r group || exit 0 # nothing was started
read -r _               # ends when the pipe does, with the process that held its other end
kill -s KILL -- "-$group"
rm -rf -- "$@" || { sleep 1; rm -rf -- "$@"; } # a dying process may have written once more
"""
_ANNOUNCED = 'echo $$ >&0; exec "$@" </dev/null'


class Watchdog:
    """A small process that outlives ours, between `start` and `stop`.

    Example:
        watchdog.start()
        Popen(watchdog.announced(command), stdin=watchdog.pipe, start_new_session=True)

    The kernel closes a pipe when the process at its end is gone, however that came about: so this
    works on Linux and macOS alike.

    Args:
        folders: what is removed once the process group is killed.
    """

    def __init__(self, *folders: Path) -> None:
        self._folders = folders
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Call it before there is anything to clear away."""
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", _SCRIPT, "watchdog", *self._folders],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # what kills our group doesn't kill this
        )

    def announced(self, command: Sequence[str | Path]) -> list[str | Path]:
        """Give a command that tells this one its process group, and only then does its work.

        It leads a group of its own, which ends with us. Told by ourselves, a group would outlive
        us if we were killed between starting it and telling.
        """
        return ["/bin/sh", "-c", _ANNOUNCED, "sh", *command]

    @property
    def pipe(self) -> IO[bytes]:
        """Standard input of the command that is announced, which doesn't keep it."""
        assert self._process is not None
        assert self._process.stdin is not None
        return self._process.stdin

    def stop(self) -> None:
        """Call it when everything is cleared away; without `start()` it does nothing."""
        if self._process is not None:
            self._process.kill()  # before the pipe closes
            self._process.communicate()
            self._process = None
