"""Clears away what a killed process leaves: one killed with SIGKILL can't do so itself."""

import subprocess
from pathlib import Path

_SCRIPT = """
read -r group || exit 0 # nothing was started
read -r _               # ends when the pipe does, with the process that held its other end
kill -s KILL -- "-$group"
rm -rf -- "$@" || { sleep 1; rm -rf -- "$@"; } # a dying process may have written once more
"""


class Watchdog:
    """A small process that outlives ours, between `start` and `stop`.

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

    def watch(self, group: int) -> None:
        """Name the process group that ends with us."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(f"{group}\n".encode())
        self._process.stdin.flush()

    def stop(self) -> None:
        """Call it when everything is cleared away; without `start()` it does nothing."""
        if self._process is not None:
            self._process.kill()  # before the pipe closes
            self._process.communicate()
            self._process = None
