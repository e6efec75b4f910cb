"""The emulated AWS: one ministack process, reachable from this machine only."""

import http.client
import os
import signal
import subprocess
import time
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Self

from ionctl import loopback
from ionctl.local.interrupt import held
from ionctl.local.watchdog import Watchdog
from ionctl.problem import Problem

REGION = "us-east-1"
ACCOUNT = "000000000000"

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": REGION,
}
"""Of its administrator. They open nothing anywhere else."""

ISOLATION = {
    # nobody's own profiles, credentials and proxies: all of this stays on this machine
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}

_START_SECONDS = 60
_STOP_SECONDS = 5
_DYING_SECONDS = 2
_POLL_SECONDS = 0.05
_INHERITED = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "SYSTEMROOT")


class Ministack:
    """Runs between `__enter__` and `__exit__`, its Lambda workers with it.

    Args:
        python: of the environment that holds ministack; it also runs the Lambda packages.
        folder: for its log and its temporary files, removed by the caller.
        port: None: a free one.
        remove: the folder as well, should our process be killed.
    """

    def __init__(
        self, python: Path, folder: Path, port: int | None = None, *, remove: bool = False
    ) -> None:
        self._python = python
        self._folder = folder
        self._watchdog = Watchdog(folder) if remove else Watchdog()
        self.port = loopback.free_port(port, "--port")
        self.endpoint = f"http://{loopback.HOST}:{self.port}"
        self.log = folder / "ministack.log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        self.wait()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """End it.

        Raises:
            Problem: it had ended by itself, whatever that broke.
        """
        try:
            if isinstance(error, Exception):
                # it takes a moment from a broken connection to the end of the process behind it
                self.check(0 if isinstance(error, Problem) else _DYING_SECONDS)
        finally:
            self.end()

    def start(self) -> None:
        """Start it; it doesn't answer yet."""
        try:
            with held(), self.log.open("wb") as log:
                self._watchdog.start()
                self._process = subprocess.Popen(
                    self._watchdog.announced([self._python.parent / "ministack"]),
                    cwd=self._folder,
                    env=self._environment(),
                    stdin=self._watchdog.pipe,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    # A group of its own: Ctrl-C reaches us alone, and we end it in good order,
                    # with all that it has started.
                    start_new_session=True,
                )
        except BaseException:
            self.end()
            raise

    def _environment(self) -> dict[str, str]:
        """Give what it and its Lambda workers inherit: little of the person's own."""
        temporary = self._folder / "tmp"
        temporary.mkdir(exist_ok=True)
        return {
            **{name: os.environ[name] for name in _INHERITED if name in os.environ},
            **CREDENTIALS,
            **ISOLATION,
            "HOME": str(self._folder),
            "TMPDIR": str(temporary),
            "GATEWAY_PORT": str(self.port),
            "BIND_HOST": loopback.HOST,
            "MINISTACK_HOST": loopback.HOST,
            "MINISTACK_REGION": REGION,
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "AUTH": "true",  # the function's role is held to its policy
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            # It removes every container with its label, other people's too: show it no Docker.
            "DOCKER_HOST": f"unix://{self._folder / 'no-docker.sock'}",
        }

    def wait(self) -> None:
        """Wait until it answers, or end it.

        Raises:
            Problem: it doesn't.
        """
        try:
            self._wait()
        except BaseException:
            self.end()
            raise

    def _wait(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise Problem(f"ministack ended as soon as it had begun:\n{self._last_words()}")
            if self._answers():
                return
            time.sleep(_POLL_SECONDS)
        raise Problem(f"ministack didn't answer within {_START_SECONDS} s:\n{self._last_words()}")

    def _answers(self) -> bool:
        # not urllib: that would ask the person's proxy
        connection = http.client.HTTPConnection(loopback.HOST, self.port, timeout=1)
        try:
            connection.request("GET", "/_ministack/health")
            return connection.getresponse().status == HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def check(self, patience_seconds: float = 0) -> None:
        """Notice its end, at the latest so many seconds from now.

        Raises:
            Problem: it runs no more.
        """
        try:
            if self._process is not None:
                self._process.wait(patience_seconds)
        except subprocess.TimeoutExpired:
            return
        raise Problem(f"ministack has ended by itself:\n{self._last_words()}")

    def _last_words(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(f"  {line}" for line in lines[-10:])

    def end(self) -> None:
        """End it, and all that it has started; once it has ended, nothing happens."""
        with held():
            if self._process is not None:
                self._end_group(self._process)
                self._process = None
            self._watchdog.stop()

    @staticmethod
    def _end_group(leader: subprocess.Popen[bytes]) -> None:
        # The whole group at once: told alone, ministack would leave its workers to their fate.
        for signum in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(leader.pid, signum)
                leader.wait(_STOP_SECONDS)
            except ProcessLookupError:
                break
            except subprocess.TimeoutExpired:
                continue
        leader.wait()
