"""Many executions of one fuzzer: what was found, how fast, and how to see it again."""

import asyncio
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Generic, Protocol, TypeVar

SLOWEST_SECONDS = 10.0
"""More than this for one small input is a finding: nothing here should need milliseconds."""
MOST_FINDINGS = 10
_YIELD_EVERY = 500
"""Cancelled time-outs pile up until the loop gets its turn."""

Case = TypeVar("Case")


class Fuzzer(Protocol[Case]):
    """What draws inputs, and says what is wrong with what becomes of them."""

    def draw(self, random: Random) -> Case:
        """An input."""
        ...

    async def check(self, case: Case) -> None:
        """Raises whatever it finds."""
        ...


@dataclass(frozen=True, slots=True)
class Finding:
    """One input that shows a fault.

    Args:
        execution: which one; the seed and this draw it again.
        case: the input.
        what: the exception and where it came from.
    """

    execution: int
    case: str
    what: str


@dataclass
class Report(Generic[Case]):
    """What a campaign came to."""

    executions: int = 0
    seconds: float = 0.0
    slowest_seconds: float = 0.0
    findings: list[Finding] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.executions} executions in {self.seconds:.0f} s"
            f" ({self.executions / max(self.seconds, 1e-9):.0f}/s),"
            f" slowest {self.slowest_seconds * 1000:.0f} ms, {len(self.findings)} findings"
        )


def run(
    fuzzer: Fuzzer[Case],
    seed: int,
    executions: range,
    progress: Callable[[int], None] = lambda _: None,
) -> Report[Case]:
    """Those executions of that seed; ends early after `MOST_FINDINGS`."""
    return asyncio.run(_run(fuzzer, seed, executions, progress))


async def _run(
    fuzzer: Fuzzer[Case], seed: int, executions: range, progress: Callable[[int], None]
) -> Report[Case]:
    report: Report[Case] = Report()
    began = time.perf_counter()
    for execution in executions:
        # Each with a generator of its own, so that one can be run again without the others.
        case = fuzzer.draw(Random(seed << 40 | execution))
        start = time.perf_counter()
        try:
            await fuzzer.check(case)
        except Exception as error:  # noqa: BLE001 - that is what we are looking for
            report.findings.append(Finding(execution, repr(case), _story(error)))
        taken = time.perf_counter() - start
        if taken > SLOWEST_SECONDS:
            report.findings.append(Finding(execution, repr(case), f"took {taken:.1f} s"))
        report.slowest_seconds = max(report.slowest_seconds, taken)
        report.executions += 1
        if len(report.findings) >= MOST_FINDINGS:
            break
        if report.executions % _YIELD_EVERY == 0:
            await asyncio.sleep(0)
            progress(report.executions)
    report.seconds = time.perf_counter() - began
    return report


def _story(error: Exception) -> str:
    """The exception's last lines: where, and what."""
    return "".join(traceback.format_exception(error)[-3:]).rstrip()
