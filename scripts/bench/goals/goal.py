"""One goal, and whether it is reached."""

from dataclasses import dataclass

NOT_MEASURED = "not measured"


@dataclass(frozen=True, slots=True)
class Goal:
    """A row.

    Args:
        what: is measured.
        goal: in words, with its bound.
        measured: in the same unit.
        reached: None: it could not be measured.
        why: it isn't reached, or couldn't be measured.
    """

    what: str
    goal: str
    measured: str
    reached: bool | None
    why: str = ""


def judged(what: str, goal: str, measured: str, *, reached: bool, why: str = "") -> Goal:
    """Give a goal with its figure; `why` is said only where it isn't reached."""
    return Goal(what, goal, measured, reached, "" if reached else why)


def unmeasured(what: str, goal: str, why: str) -> Goal:
    """Give a goal without a figure."""
    return Goal(what, goal, NOT_MEASURED, None, why or "left out by --quick")
