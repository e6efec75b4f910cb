"""scripts/fuzz: random replies and random messages, a million of each. Ends with 1 on a finding."""
# ruff: noqa: T201 - a command prints

import argparse
import sys
from typing import Any

from fuzz.campaign import Fuzzer, Report, run
from fuzz.contract import Contract
from fuzz.replies import Replies

_FUZZERS: dict[str, type[Fuzzer[Any]]] = {"replies": Replies, "contract": Contract}


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/fuzz", description=__doc__)
    parser.add_argument("fuzzer", nargs="?", choices=sorted(_FUZZERS), help="default: both")
    parser.add_argument("--executions", type=int, default=1_000_000, help="default 1000000")
    parser.add_argument("--seed", type=int, default=1, help="of all that is drawn (default 1)")
    parser.add_argument("--only", type=int, metavar="N", help="execution N again, and no other")
    asked = parser.parse_args()
    executions = range(asked.executions)
    if asked.only is not None:
        executions = range(asked.only, asked.only + 1)
    reports = [
        _report(name, asked.seed, executions)
        for name in ([asked.fuzzer] if asked.fuzzer else _FUZZERS)
    ]
    return int(any(report.findings for report in reports))


def _report(name: str, seed: int, executions: range) -> Report[Any]:
    def progress(done: int) -> None:
        if sys.stderr.isatty():
            print(f"\r{name}: {done} of {len(executions)}", end="", file=sys.stderr, flush=True)

    report: Report[Any] = run(_FUZZERS[name](), seed, executions, progress)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    for finding in report.findings:
        print(f"\n{finding.what}\nfrom {finding.case}")
        print(f"again: scripts/fuzz {name} --seed {seed} --only {finding.execution}")
    print(f"{name}, seed {seed}: {report}")
    return report


if __name__ == "__main__":
    sys.exit(main())
