"""A mail server's process: started, asked for its greeting, killed."""

import os
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from real.unavailable import UnavailableError

START_SECONDS = 30.0
_POLL_SECONDS = 0.02
HOST = "127.0.0.1"


def free_port() -> int:
    """Find a port that nothing listens on."""
    with socket.create_server((HOST, 0)) as listening:
        port: int = listening.getsockname()[1]
    return port


def wait_for_port(port: int) -> None:
    """Return once something listens on it."""
    ends = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection((HOST, port), START_SECONDS).close()
        except OSError:
            if time.monotonic() > ends:
                raise
            time.sleep(_POLL_SECONDS)
        else:
            return


class Process:
    """A command and everything that it starts.

    It ends with the thread that started it, should the tests be killed.

    Args:
        command: and its arguments.
        log: file for what it prints.
        environment: instead of ours; None: ours.
        user: to run as, with the group of the same number; None: we ourselves.
        enclosed: the command is `unshare --pid --fork`, and its child the first process in there.
    """

    def __init__(  # noqa: PLR0913 - as subprocess.Popen has them
        self,
        command: Sequence[str | Path],
        log: Path,
        *,
        cwd: Path | None = None,
        environment: Mapping[str, str] | None = None,
        stdin: int = subprocess.DEVNULL,
        user: int | None = None,
        enclosed: bool = False,
    ) -> None:
        self._log = log
        self._enclosed = enclosed
        ends_with_us = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [*ends_with_us, *command],
                cwd=cwd,
                env=environment,
                stdin=stdin,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=user,
                group=user,
                extra_groups=None if user is None else [],
            )

    def wait_for_greeting(self, port: int, *, tls: bool = False) -> None:
        """Return once an SMTP server greets.

        Args:
            port: where it listens.
            tls: it speaks TLS from the first byte; whose certificate it shows isn't asked.

        Raises:
            UnavailableError: it doesn't start; the text has the end of its log.
        """
        ends = time.monotonic() + START_SECONDS
        while not _greets(port, tls=tls):
            if not self.alive or time.monotonic() > ends:
                self.kill()
                said = self._log.read_text(encoding="utf-8", errors="replace")[-2000:]
                raise UnavailableError(f"{self._process.args!r} doesn't start: {said}")
            time.sleep(_POLL_SECONDS)

    @property
    def alive(self) -> bool:
        """False once it has ended."""
        return self._process.poll() is None

    def kill(self) -> None:
        """SIGKILL, to all of it; returns when nothing of it is left."""
        if self._enclosed and (first := self._children()):
            for pid in first:  # the kernel ends the others with it
                os.kill(pid, signal.SIGKILL)
        elif self.alive:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _children(self) -> list[int]:
        try:
            pid = self._process.pid
            return [*map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]
        except FileNotFoundError:
            return []


def _greets(port: int, *, tls: bool) -> bool:
    try:
        plain = socket.create_connection((HOST, port), START_SECONDS)
        with _over_tls(plain) if tls else plain as client:
            greeting = client.recv(4)
            client.sendall(b"QUIT\r\n")  # else some servers write about it
            return greeting.startswith(b"220")
    except OSError:
        return False


def _over_tls(plain: socket.socket) -> ssl.SSLSocket:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with plain:  # which is left empty, unless the handshake fails
        return context.wrap_socket(plain)
