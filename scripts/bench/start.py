"""How long ./run.sh takes: to the lines that say where all is, and to an email on the screen.

What it installs the first time isn't measured: that is the line's speed.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

from bench import machine
from scripts.console.page import chromium

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playwright.sync_api import Browser

_ROOT = Path(__file__).parents[2]
_CONSOLE = "console "
_MILLISECONDS = 60_000.0
"""For the page, as Playwright has them."""


@dataclass(frozen=True, slots=True)
class Start:
    """One start, in seconds from the command.

    Args:
        lines: until the last of the lines was there.
        html: until the first email's HTML was on the screen of a browser that was open already.
    """

    lines: float
    html: float


def main() -> None:
    """Start it some times, and print the medians."""
    parser = argparse.ArgumentParser(prog="scripts/bench/start", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, metavar="N", help="(default: 3)")
    runs = parser.parse_args().runs
    starts = measured([_ROOT / "run.sh"], runs)
    print(f"{machine.description()}, {machine.load():.1f} processes wanted a CPU")
    print(f"lines  {median(one.lines for one in starts):5.1f} s")
    print(f"HTML   {median(one.html for one in starts):5.1f} s, of {runs} starts each")


def measured(command: Sequence[str | Path], runs: int) -> list[Start]:
    """Start a stack so often, one after the other.

    Args:
        command: that starts it.
        runs: how often.
    """
    found = chromium.found()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found.path,
            args=list(found.arguments),
            env={**os.environ, **found.environment},
        )
        return [_start(command, browser) for _ in range(runs)]


def _start(command: Sequence[str | Path], browser: Browser) -> Start:
    began = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            line = next(line for line in running.stdout if line.startswith(_CONSOLE))
            lines = time.monotonic() - began
            page = browser.new_page()
            page.goto(line.split()[-1])
            heading = page.frame_locator("iframe").get_by_role("heading", name="It works.")
            heading.wait_for(timeout=_MILLISECONDS)
            html = time.monotonic() - began
            page.close()
        finally:
            running.send_signal(signal.SIGINT)
    return Start(lines, html)


if __name__ == "__main__":
    main()
