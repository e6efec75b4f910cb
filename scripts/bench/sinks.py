"""The servers that mail is sent to: Postfix's smtp-sink, and our own where TLS is wanted."""

import os
import socket
import subprocess
import time
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import Self

import trustme

from bench import postfix
from bench.daemons import Daemon
from bench.task import HOST
from bench.unavailable import UnavailableError
from ionctl import loopback

_START_SECONDS = 10
_POLL_SECONDS = 0.02
_BACKLOG = "128"


class Offer(StrEnum):
    """What a server lets a client do."""

    PIPELINING = "PIPELINING"
    TLS = "PIPELINING, TLS"


class Sinks:
    """One server for each offer, up inside a `with`.

    Args:
        folder: for the certificate and for our own server's program.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._exit = ExitStack()
        self.ports: dict[Offer, int] = {}
        self.missing: dict[Offer, str] = {}
        """Why one isn't there."""
        self.postfix: postfix.Postfix | None = None
        self.ca_file = folder / "ca.pem"

    def __enter__(self) -> Self:
        with ExitStack() as exit_stack:
            self._exit = exit_stack
            for offer, start in (
                (Offer.PIPELINING, self._start_postfix),
                (Offer.TLS, self._start_own),
            ):
                try:
                    self.ports[offer] = start()
                except UnavailableError as error:
                    self.missing[offer] = str(error)
            self._exit = exit_stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._exit.close()

    def _start_postfix(self) -> int:
        self.postfix = postfix.found()
        port = loopback.free_port(None, "")
        as_nobody = ["-u", "nobody"] if os.getuid() == 0 else []
        command: list[str | Path] = [
            self.postfix.sink,
            *as_nobody,
            f"inet:{HOST}:{port}",
            _BACKLOG,
        ]
        daemon = Daemon(command, self.postfix.environment, says=False)
        self._exit.enter_context(daemon)
        _wait_for(daemon, port)
        return port

    def _start_own(self) -> int:
        program = _compiled(self._folder)
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(self.ca_file))
        both = self._folder / "server.pem"
        authority.issue_cert(HOST).private_key_and_cert_chain_pem.write_to_path(str(both))
        daemon = self._exit.enter_context(Daemon([program, both]))
        return int(daemon.said)


def _compiled(folder: Path) -> Path:
    program = folder / "sink"
    source = Path(__file__).with_name("sink.c")
    command: list[str | Path] = [
        "cc",
        "-O2",
        "-pthread",
        "-o",
        program,
        source,
        "-lssl",
        "-lcrypto",
    ]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        advice = "on Debian and Ubuntu: apt-get install gcc libc6-dev libssl-dev"
        raise UnavailableError(f"the C sink can't be compiled; {advice}") from error
    return program


def _wait_for(daemon: Daemon, port: int) -> None:
    until = time.monotonic() + _START_SECONDS
    while daemon.alive and time.monotonic() < until:
        try:
            socket.create_connection((HOST, port), timeout=1).close()
        except OSError:
            time.sleep(_POLL_SECONDS)
        else:
            return
    raise UnavailableError("smtp-sink doesn't start")
