"""Drains in turns: each a relay in a process of its own, with a full queue and a mail server."""

import json
import os
import shutil
import statistics
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bench import quick_aws, relay
from bench.account import Account
from bench.daemons import module
from bench.drains import CONDITIONS, KINDS, Drain, Drains, Kind
from bench.meter import cpu_seconds_of
from bench.relay import PASSWORD, USERNAME, Drained
from bench.rounds import Figure, far_away
from bench.sinks import Offer, Sinks
from bench.task import HOST
from ionctl.local.ministack import Ministack
from ionctl.local.stack import ministack_python

LONGER = 4
"""A drain takes so many times as long as a sender's turn: its first calls to AWS are slow ones, and
the time in which ion opens its connections counts."""
_QUICK_AWS_MS = 10.0
"""Beyond that the mail server is what a drain waits for, whatever AWS does."""
_ROOT = Path(__file__).parents[2]
_TURN_SECONDS = 600


def run(
    sinks: Sinks, *, rounds: int, seconds: float, quick: bool, say: Callable[[str], None]
) -> Drains:
    """Every kind under every condition, in turns."""
    came_to = Drains()
    if Offer.TLS not in sinks.ports:
        came_to.missing = sinks.missing[Offer.TLS]
        return came_to
    with (
        tempfile.TemporaryDirectory(prefix="ion-bench-") as name,
        Ministack(ministack_python(), Path(name)) as ministack,
    ):
        folder = Path(name)
        shutil.copy(_ROOT / "config.cfg", folder)
        shutil.copy(sinks.ca_file, folder)
        for aws, drained in ((ministack, came_to.all), (None, came_to.quick)):
            for rtts_ms in CONDITIONS:
                there = [kind for kind in KINDS if not quick or rtts_ms[0] in kind.quick]
                if not there or (aws is None and rtts_ms[0] > _QUICK_AWS_MS):
                    continue
                with ExitStack() as exit_stack:
                    site = _site(sinks, aws, folder, rtts_ms, exit_stack)
                    drained.extend(_turns(site, there, rtts_ms[0], rounds, seconds, say))
    return came_to


def _turns(
    site: "_Site",
    there: Sequence[Kind],
    rtt_ms: float,
    rounds: int,
    seconds: float,
    say: Callable[[str], None],
) -> list[Drain]:
    """Everybody in turns under one condition."""
    beside = "" if site.ministack else " beside a quick AWS"
    turns: dict[int, list[_Turn]] = {}
    for number in range(rounds):
        say(f"draining at {rtt_ms:g} ms{beside}, round {number + 1} of {rounds}")
        for index, kind in enumerate(there):
            emails = max(20, round(kind.rates[rtt_ms] * seconds / 10) * 10)
            turns.setdefault(index, []).append(site.turn(kind, emails))
    return [_drain(kind, rtt_ms, turns[index]) for index, kind in enumerate(there)]


@dataclass(frozen=True, slots=True)
class _Turn:
    """One drain, what it logged, and the emulated AWS's CPU for it."""

    drained: Drained
    log_bytes: int
    emulator_cpu_seconds: float


@dataclass(frozen=True, slots=True)
class _Site:
    """What the relays find: a mail server and AWS, each as far away as it is to be.

    Args:
        ministack: None: the quick AWS.
        folder: of the relay.
        port: of the mail server.
        aws_rtt_ms: how far away AWS is.
    """

    ministack: Ministack | None
    folder: Path
    port: int
    aws_rtt_ms: float

    def turn(self, kind: Kind, emails: int) -> "_Turn":
        """One drain."""
        with ExitStack() as exit_stack:
            account: Account | quick_aws.Account
            if self.ministack is None:
                account = quick_aws.Account(emails)
                port, pid = account.port, account.pid
            else:
                account = Account(self.ministack.endpoint, emails)
                process = self.ministack._process  # noqa: SLF001 - nobody else wants to know
                port, pid = self.ministack.port, process.pid if process else 0
            exit_stack.callback(account.delete)
            if self.aws_rtt_ms:
                (port,) = far_away([port], self.aws_rtt_ms, exit_stack)
            cpu_before = cpu_seconds_of(pid)
            drained, log_bytes = self._drained(kind, account.environment, f"http://{HOST}:{port}")
            emulator = cpu_seconds_of(pid) - cpu_before
            left = account.left()
        if drained.emails != emails or left:
            raise RuntimeError(f"{kind.name}: {drained.emails} of {emails} sent, {left} left")
        return _Turn(drained, log_bytes, emulator)

    def _drained(
        self, kind: Kind, environment: Mapping[str, str], endpoint: str
    ) -> tuple[Drained, int]:
        """What a relay in a process of its own says, and how much it logged."""
        self._configure()
        log, answer = self.folder / "log", self.folder / "answer.json"
        environment = {
            **{name: text for name, text in os.environ.items() if not name.startswith("AWS_")},
            **environment,
            "AWS_ENDPOINT_URL": endpoint,
            "LAMBDA_TASK_ROOT": str(self.folder),
            "ION_SMTP_CONNECTIONS": str(kind.connections),
            "ION_SMTP_PIPELINING": kind.pipelining or "",
            "ION_DRAIN_LINGER_SECONDS": "0",
            "BENCH_PORT": str(self.port),
            "BENCH_CA_FILE": str(self.folder / "ca.pem"),
        }
        with log.open("wb") as output:
            subprocess.run(
                module(
                    "bench.relay", relay.FIRST_ION if kind.pipelining is None else "ion", answer
                ),
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                timeout=_TURN_SECONDS,
                check=True,
            )
        drained = Drained(**json.loads(answer.read_text(encoding="utf-8")))
        return drained, log.stat().st_size

    def _configure(self) -> None:
        (self.folder / "config-secrets.cfg").write_text(
            f"[smtp]\nserver = {HOST}\nport = {self.port}\nsecurity = starttls\n"
            f"username = {USERNAME}\npassword = {PASSWORD}\nca_file = ca.pem\n",
            encoding="utf-8",
        )


def _site(
    sinks: Sinks,
    ministack: Ministack | None,
    folder: Path,
    rtts_ms: tuple[float, float],
    exit_stack: ExitStack,
) -> _Site:
    port = sinks.ports[Offer.TLS]
    rtt_ms, aws_rtt_ms = rtts_ms
    if rtt_ms:
        (port,) = far_away([port], rtt_ms, exit_stack)
    return _Site(ministack, folder, port, aws_rtt_ms)


def _drain(kind: Kind, rtt_ms: float, turns: Sequence[_Turn]) -> Drain:
    drains = [turn.drained for turn in turns]
    rates = [drained.emails / drained.seconds for drained in drains]
    emails = sum(drained.emails for drained in drains)
    requests: Counter[str] = Counter()
    call_seconds: dict[str, float] = {}
    for drained in drains:
        requests.update(drained.requests)
        for name, taken in drained.call_seconds.items():
            call_seconds[name] = call_seconds.get(name, 0.0) + taken
    return Drain(
        figure=Figure(
            name=kind.name,
            rtt_ms=rtt_ms,
            connections=kind.connections,
            offer=Offer.TLS,
            emails_per_s=statistics.median(rates),
            cpu_s_per_1000=statistics.median(
                1000 * drained.cpu_seconds / drained.emails for drained in drains
            ),
            memory_mb=max(drained.memory_mb for drained in drains),
            slowest=min(rates),
            fastest=max(rates),
            aws_calls_per_1000=1000 * requests.total() / emails,
        ),
        requests_per_1000={name: 1000 * count / emails for name, count in requests.items()},
        call_ms={name: 1000 * taken / requests[name] for name, taken in call_seconds.items()},
        call_cpu_s_per_1000=1000 * sum(drained.call_cpu_seconds for drained in drains) / emails,
        written_per_1000=1000 * sum(drained.written for drained in drains) / emails,
        read_per_1000=1000 * sum(drained.read for drained in drains) / emails,
        log_bytes_per_email=sum(turn.log_bytes for turn in turns) / emails,
        emulator_cpu_s_per_1000=1000 * sum(turn.emulator_cpu_seconds for turn in turns) / emails,
    )
