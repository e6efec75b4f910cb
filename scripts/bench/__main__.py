"""The command: everything measured, then written down."""

import argparse
import json
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from bench import (
    composing,
    contenders,
    cost,
    draining,
    drains,
    idle,
    lanes,
    machine,
    memory,
    package,
    plots,
    report,
    rounds,
    throttle,
)
from bench.cost import Bill, Steady
from bench.drains import Drains
from bench.emails import published
from bench.goals import Goal, Measured, goals
from bench.idle import Run
from bench.report import Conditions
from bench.rounds import Figure
from bench.sinks import Sinks
from bench.unavailable import UnavailableError
from ion.settings import Pipelining

_ROOT = Path(__file__).parents[2]
_RATES = (0.001, 0.01, 0.1, 1.0, 10.0, 100.0, 1000.0)
"""Emails a second, for the cost sheet: from 2,592 a month to 2,592 million."""


def main() -> int:
    """Measure what the arguments ask for."""
    options = _parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that no server is left behind
    load, began = machine.load(), time.monotonic()

    def say(what: str) -> None:
        print(f"[{time.monotonic() - began:4.0f} s] {what}", file=sys.stderr, flush=True)

    measured = _measured(options, say)
    rows = goals(measured)
    bills = _backlogs(measured.drains)
    months = _months(measured.drains, measured.small_runs.alone)
    if options.json:
        figures = [*measured.rounds.figures, *(one.figure for one in measured.drains.all)]
        beside = [
            replace(one.figure, name=f"{one.figure.name}, quick AWS")
            for one in measured.drains.quick
        ]
        _write_json(options.json, [*figures, *beside])
    if options.output:
        drawn = plots.draw(
            options.output / "benchmarks", measured.rounds, measured.drains, bills, months
        )
        conditions = Conditions(options.rounds, options.seconds, load, _command(options))
        page = report.page(measured, rows, bills, months, drawn, conditions)
        (options.output / "benchmarks.md").write_text(page, encoding="utf-8")
        say(f"written: {options.output / 'benchmarks.md'}")
    _print(rows, bills)
    return 0


def _measured(options: argparse.Namespace, say: Callable[[str], None]) -> Measured:
    missing = ""
    with tempfile.TemporaryDirectory(prefix="ion-bench-") as folder, Sinks(Path(folder)) as sinks:
        for why in sorted(set(sinks.missing.values())):
            say(f"left out: {why}")
        sending = rounds.run(
            sinks,
            contenders.contenders(quick=options.quick),
            rounds=options.rounds,
            seconds=options.seconds,
            quick=options.quick,
            say=say,
        )
        drained = draining.run(
            sinks,
            rounds=1 if options.quick else options.rounds,
            seconds=options.seconds * draining.LONGER,
            quick=options.quick,
            say=say,
        )
    say("composing")
    composed = composing.measured(5)
    say("the smallest runs")
    small_runs = idle.measured()
    say("building and starting the package")
    try:
        packed = package.measured(3 if options.quick else 7)
    except UnavailableError as error:
        packed, missing = None, str(error)
    peaks = memory.measured(memory.QUICK if options.quick else memory.CASES, say)
    throttled = [] if options.quick else throttle.run(say=say)
    beside = lanes.run(lanes.QUICK if options.quick else lanes.FULL, say)
    return Measured(
        sending, drained, composed, small_runs, packed, missing, throttled, peaks, beside
    )


def _backlogs(found: Drains) -> list[tuple[str, Bill]]:
    size = len(published(0).encode())
    return [(_label(one.figure), cost.backlog(one, size)) for one in found.all]


def _label(figure: Figure) -> str:
    who = figure.name.removeprefix("drain: ").removeprefix("ion, ")  # the mode says whose
    return f"{figure.rtt_ms:g} ms, {_count(figure.connections)}, {who}"


def _count(connections: int) -> str:
    return f"{connections} connection{'s' if connections > 1 else ''}"


def _months(found: Drains, alone: Run) -> list[Steady]:
    for connections in (4, 16):
        one = found.find(drains.ION[Pipelining.ENVELOPE], 10.0, connections)
        if one:
            return [cost.steady(one, rate, alone) for rate in _RATES]
    return []


def _write_json(path: Path, figures: Sequence[Figure]) -> None:
    entries = [
        {
            "name": one.name,
            "rtt_ms": one.rtt_ms,
            "connections": one.connections,
            "server": one.offer,
            "emails_per_s": round(one.emails_per_s, 2),
            "cpu_s_per_1000": round(one.cpu_s_per_1000, 4),
            "aws_calls_per_1000": one.aws_calls_per_1000 and round(one.aws_calls_per_1000, 1),
        }
        for one in figures
    ]
    path.write_text(json.dumps(entries, indent=1) + "\n", encoding="utf-8")


def _print(rows: Sequence[Goal], bills: Sequence[tuple[str, Bill]]) -> None:
    marks = {True: "reached", False: "NOT REACHED", None: "not measured"}
    for row in rows:
        print(f"{marks[row.reached]:12} {row.what}: {row.measured}; goal {row.goal}")
        if row.why:
            print(f"{'':12} {row.why}")
    for label, bill in bills:
        print(f"{'':12} a million emails, {label}: ${bill.total:.2f}")


def _command(options: argparse.Namespace) -> str:
    return f"scripts/bench/run{' --quick' if options.quick else ''}"


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/bench/run",
        description="ion in each mode of pipelining, the first ion, aiosmtplib and Postfix's "
        "smtp-source, side by side; the whole drain on an emulated AWS; and what a million emails "
        "cost.",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="what the goals need, in short turns: about three minutes, and rough",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures for machines")
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FOLDER",
        help="where benchmarks.md and its plots go (default: docs/; with --quick: nowhere)",
    )
    parser.add_argument("--rounds", type=int, metavar="N", help="turns of each (default: 3)")
    parser.add_argument(
        "--seconds", type=float, metavar="S", help="a turn, about (default: 1.5; with --quick: 0.3)"
    )
    options = parser.parse_args()
    options.rounds = options.rounds or 3
    options.seconds = options.seconds or (0.3 if options.quick else 1.5)
    if options.output is None and not options.quick:
        options.output = _ROOT / "docs"
    return options


if __name__ == "__main__":
    sys.exit(main())
