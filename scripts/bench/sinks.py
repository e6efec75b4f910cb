"""The servers that mail is sent to: Postfix's smtp-sink, and our own for what that hasn't got."""

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
from ionctl.local import loopback

_START_SECONDS = 10
_POLL_SECONDS = 0.02
_BACKLOG = "128"


class Offer(StrEnum):
    """What a server lets a client do."""

    PIPELINING = "PIPELINING"
    PLAIN = "no PIPELINING"
    CHUNKING = "PIPELINING, CHUNKING"
    TLS = "PIPELINING, TLS"
    TLS_PLAIN = "no PIPELINING, TLS"

    @property
    def pipelines(self) -> bool:
        """True with PIPELINING."""
        return self not in (Offer.PLAIN, Offer.TLS_PLAIN)


_OWN = {
    Offer.CHUNKING: ["--chunking"],
    Offer.TLS: [],
    Offer.TLS_PLAIN: ["--no-pipelining"],
}


class Sinks:
    """One server for each offer, up inside a `with`.

    Args:
        folder: for the certificate and our own server's program.
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
            for start, offers in (
                (self._start_postfix, (Offer.PIPELINING, Offer.PLAIN)),
                (self._start_own, tuple(_OWN)),
            ):
                try:
                    start()
                except UnavailableError as error:
                    self.missing |= dict.fromkeys(offers, str(error))
            self._exit = exit_stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._exit.close()

    def _start_postfix(self) -> None:
        self.postfix = postfix.found()
        for offer, options in ((Offer.PIPELINING, []), (Offer.PLAIN, ["-p"])):
            port = loopback.free_port(None, "")
            as_nobody = ["-u", "nobody"] if os.getuid() == 0 else []
            command: list[str | Path] = [
                self.postfix.sink,
                *options,
                *as_nobody,
                f"inet:{HOST}:{port}",
                _BACKLOG,
            ]
            daemon = Daemon(command, self.postfix.environment, says=False)
            self._exit.enter_context(daemon)
            _wait_for(daemon, port)
            self.ports[offer] = port

    def _start_own(self) -> None:
        program = _compiled(self._folder)
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(self.ca_file))
        both = self._folder / "server.pem"
        authority.issue_cert(HOST).private_key_and_cert_chain_pem.write_to_path(str(both))
        for offer, options in _OWN.items():
            tls = [] if offer is Offer.CHUNKING else ["--tls", str(both)]
            daemon = self._exit.enter_context(Daemon([program, *options, *tls]))
            self.ports[offer] = int(daemon.said)


def _compiled(folder: Path) -> Path:
    program = folder / "sink"
    source = Path(__file__).with_name("sink.c")
    command: list[str | Path] = [
        "cc",
        "-O2",
        "-pthread",
        "-DWITH_TLS",
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
