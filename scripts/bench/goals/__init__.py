"""The goals, each with what was measured."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.composing import Composing
from bench.drains import Drains
from bench.goals import draining, lanes, package, sending
from bench.goals.goal import Goal
from bench.idle import SmallRuns
from bench.lanes import Lane
from bench.memory import Peak
from bench.package import Package
from bench.rounds import Rounds
from bench.throttle import Throttled

__all__ = ["Goal", "Measured", "goals"]


@dataclass(frozen=True, slots=True)
class Measured:
    """Everything that was measured; None or missing figures: they couldn't be."""

    rounds: Rounds
    drains: Drains
    composing: Composing
    small_runs: SmallRuns
    package: Package | None
    package_missing: str = ""
    throttled: Sequence[Throttled] = ()
    peaks: Sequence[Peak] = ()
    lanes: Sequence[Lane] = ()


def goals(measured: Measured) -> list[Goal]:
    """Every goal, in the order of the page."""
    return [
        *sending.sending(measured.rounds),
        *package.composing(measured.composing),
        *draining.drains(measured.drains),
        *package.package(measured.package, measured.package_missing),
        draining.memory(measured.drains),
        draining.any_sizes(measured.peaks),
        *(draining.throttled(measured.throttled, side_by_side) for side_by_side in (1, 3)),
        *(goal for drains in (1, 3) for goal in lanes.lanes(measured.lanes, drains)),
    ]
