"""Rounds in which everybody has a turn; what counts is the median of one's turns."""

import json
import os
import socket
import statistics
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from typing import Any

from bench.contenders import RTTS, SMTP_SOURCE, Contender
from bench.daemons import Daemon, module
from bench.meter import Sample
from bench.sinks import Offer, Sinks
from bench.task import HOST, Task

_TURN_SECONDS = 300
_NOOPS = 21


@dataclass(frozen=True, slots=True)
class Figure:
    """One sender under one condition: the medians of its turns.

    Args:
        name: the sender's.
        rtt_ms: nominal.
        connections: at most.
        offer: what its server offers.
        emails_per_s: while the clock ran.
        cpu_s_per_1000: user and system, of the sender's own process.
        memory_mb: the most of all turns.
        slowest, fastest: emails/s of its slowest and its fastest turn.
        aws_calls_per_1000: for whole drains.
    """

    name: str
    rtt_ms: float
    connections: int
    offer: Offer
    emails_per_s: float
    cpu_s_per_1000: float
    memory_mb: float
    slowest: float
    fastest: float
    aws_calls_per_1000: float | None = None


@dataclass(slots=True)
class Rounds:
    """What all rounds came to.

    Args:
        figures: in the order of the contenders.
        rtt_ms: the round trip as measured through the proxy, by the nominal one.
        missing: what wasn't measured, and why.
    """

    figures: list[Figure] = field(default_factory=list)
    rtt_ms: dict[float, float] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def find(self, name: str, rtt_ms: float, connections: int, offer: Offer) -> Figure | None:
        """One figure, if there is one."""
        wanted = (name, rtt_ms, connections, offer)
        for one in self.figures:
            if (one.name, one.rtt_ms, one.connections, one.offer) == wanted:
                return one
        return None


def run(
    sinks: Sinks,
    everybody: Sequence[Contender],
    *,
    rounds: int,
    seconds: float,
    quick: bool,
    say: Callable[[str], None],
) -> Rounds:
    """Everybody, at every round-trip time.

    Args:
        sinks: the servers, up.
        everybody: who takes part.
        rounds: turns for each.
        seconds: a turn, about.
        quick: only where `Contender.quick` says.
        say: told of progress.
    """
    came_to = Rounds()
    for rtt_ms in RTTS:
        there = []
        for one in everybody:
            if rtt_ms not in (one.quick if quick else one.rtts):
                continue
            if one.offer in sinks.ports and (one.name != SMTP_SOURCE or sinks.postfix):
                there.append(one)
            else:
                came_to.missing[f"{one.name} ({one.offer})"] = sinks.missing[one.offer]
        with ExitStack() as exit_stack:
            ports = dict(sinks.ports)
            if rtt_ms:
                proxied = far_away(list(ports.values()), rtt_ms, exit_stack)
                ports = dict(zip(ports, proxied, strict=True))
            if ports:
                came_to.rtt_ms[rtt_ms] = round_trip_ms(next(iter(ports.values())))
            turns: dict[Contender, list[Sample]] = {one: [] for one in there}
            for number in range(rounds):
                say(f"sending at {rtt_ms:g} ms, round {number + 1} of {rounds}")
                for one in there:
                    turns[one].append(_turn(one, sinks, ports[one.offer], rtt_ms, seconds))
            came_to.figures += [_figure(one, rtt_ms, turns[one]) for one in there]
    return came_to


def far_away(ports: Sequence[int], rtt_ms: float, exit_stack: ExitStack) -> list[int]:
    """The ports through which the given ones are `rtt_ms` away."""
    daemon = exit_stack.enter_context(Daemon(module("bench.delay", rtt_ms, *ports)))
    proxied: list[int] = json.loads(daemon.said)
    return proxied


def round_trip_ms(port: int) -> float:
    """Median time from a NOOP to its reply."""
    times = []
    with socket.create_connection((HOST, port), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        replies = connection.makefile("rb")
        replies.readline()
        for _ in range(_NOOPS):
            began = time.perf_counter()
            connection.sendall(b"NOOP\r\n")
            replies.readline()
            times.append(1000 * (time.perf_counter() - began))
        connection.sendall(b"QUIT\r\n")
    return statistics.median(times)


def _turn(one: Contender, sinks: Sinks, port: int, rtt_ms: float, seconds: float) -> Sample:
    environment = sinks.postfix.environment if one.name == SMTP_SOURCE and sinks.postfix else {}
    task = Task(
        sender=one.sender,
        port=port,
        connections=one.connections,
        emails=one.emails(seconds, rtt_ms),
        prebuilt=one.prebuilt,
        ca_file=str(sinks.ca_file) if one.offer is Offer.TLS else None,
        program=str(sinks.postfix.source) if sinks.postfix else "",
        pipelining=one.pipelining or "",
        far=rtt_ms > 0,
    )
    return Sample(**answer_of("bench.child", asdict(task), environment))


def answer_of(
    name: str, task: Mapping[str, object], environment: Mapping[str, str]
) -> dict[str, Any]:
    """What a module of ours says to a task, in a process of its own."""
    process = subprocess.run(
        module(name, json.dumps(task)),
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        timeout=_TURN_SECONDS,
        check=True,
    )
    answer: dict[str, Any] = json.loads(process.stdout)
    return answer


def _figure(one: Contender, rtt_ms: float, samples: Iterable[Sample]) -> Figure:
    turns = list(samples)
    rates = [turn.emails / turn.seconds for turn in turns]
    return Figure(
        name=one.name,
        rtt_ms=rtt_ms,
        connections=one.connections,
        offer=one.offer,
        emails_per_s=statistics.median(rates),
        cpu_s_per_1000=statistics.median(1000 * turn.cpu_seconds / turn.emails for turn in turns),
        memory_mb=max(turn.memory_mb for turn in turns),
        slowest=min(rates),
        fastest=max(rates),
    )
