"""scripts/soak: the chaos soak as a command. It ends with 0 only if the books balance."""

import argparse
import asyncio
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from ion.settings import Pipelining
from soak.books import PARK, RESEND_ONCE
from soak.manner import MIXED
from soak.run import Plan, Soak

_WIDTH = 30


class Bar:
    """Progress on standard error, if somebody watches.

    Args:
        messages: in all.
    """

    def __init__(self, messages: int) -> None:
        self._messages = messages
        self._watched = sys.stderr.isatty()

    def __call__(self, published: int, left: int, phase: str) -> None:
        if self._watched:
            full = _WIDTH * max(0, published - left) // self._messages
            bar = "#" * full + "." * (_WIDTH - full)
            line = f"\r{phase} [{bar}] {published} of {self._messages} published, {left} queued  "
            _tell(line)

    def close(self) -> None:
        if self._watched:
            _tell("\n")


def _tell(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/soak", description=__doc__)
    parser.add_argument("--messages", type=int, default=5000, help="how many (default 5000)")
    parser.add_argument("--seed", type=int, default=1, help="of all that is drawn (default 1)")
    parser.add_argument("--json", type=Path, help="where the figures go")
    parser.add_argument("--in-doubt", choices=[RESEND_ONCE, PARK], default=RESEND_ONCE)
    parser.add_argument(
        "--pipelining",
        choices=[*Pipelining, MIXED],
        default=MIXED,
        help="[smtp] pipelining, of every function or by turns (default mixed)",
    )
    parser.add_argument("--keep", type=Path, help="a new folder, for the logs of it all")
    asked = parser.parse_args()
    _tell(f"soak: {asked.messages} messages, seed {asked.seed}\n")
    bar = Bar(asked.messages)
    with TemporaryDirectory(prefix="soak_") as temporary:
        folder = Path(temporary)
        if asked.keep:
            folder = asked.keep
            folder.mkdir(parents=True)
        plan = Plan(asked.messages, asked.seed, asked.in_doubt, folder, bar, asked.pipelining)
        report = asyncio.run(Soak(plan).run())
    bar.close()
    if asked.json:
        asked.json.write_text(json.dumps(report.as_json(), indent=2) + "\n", encoding="utf-8")
    print(report)  # noqa: T201 - that is what it is for
    return 1 if report.faults else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
