"""How soon normal mail is to be accepted beside bulk, and what bulk is to be left with."""

from collections.abc import Sequence

from bench.goals.goal import Goal, judged, unmeasured
from bench.lanes import LIMIT, Lane

_LATE_SECONDS = 2.0
_RATE_USED = (0.9, 1.0)
_BULK_SHARE = 0.1


def lanes(found: Sequence[Lane], drains: int) -> list[Goal]:
    """The goals for so many drains side by side."""
    cases = [one for one in found if one.case.drains == drains]
    idle = next((one for one in cases if not one.case.bulk), None)
    behind = next((one for one in cases if one.case.bulk and not one.case.normal), None)
    full = next((one for one in cases if one.case.normal), None)
    return [_soon(idle, behind, drains), _shares(behind, full, drains)]


def _soon(idle: Lane | None, behind: Lane | None, drains: int) -> Goal:
    goal = f"within {_LATE_SECONDS:g} s of the idle time, median and p95"
    bulk = f"{behind.case.bulk:,} " if behind else ""
    what = f"a normal email behind {bulk}bulk at {LIMIT:g}/s, drains side by side: {drains}"
    if not (idle and behind and idle.median and idle.p95 and behind.median and behind.p95):
        return unmeasured(what, goal, "")
    late = max(behind.median - idle.median, behind.p95 - idle.p95)
    return judged(
        what,
        goal,
        f"median {behind.median:.2f} s (idle {idle.median:.2f}), "
        f"p95 {behind.p95:.2f} s (idle {idle.p95:.2f})",
        reached=late <= _LATE_SECONDS,
        why="see the table of the lanes",
    )


def _shares(behind: Lane | None, full: Lane | None, drains: int) -> Goal:
    least, most = _RATE_USED
    what = f"rate used beside bulk, and bulk's part of it, drains side by side: {drains}"
    goal = f"{least:g}-{most:.1f} R; bulk >= {_BULK_SHARE:.0%} with both queues full"
    if behind is None or full is None:
        return unmeasured(what, goal, "")
    shares = (behind.share, full.share)
    is_used = least <= min(shares) and max(shares) <= most
    return judged(
        what,
        goal,
        f"{min(shares):.2f}-{max(shares):.2f} R; {full.bulk_share:.1%}",
        # in so many seconds one email more or less is a fifth of a percent
        reached=is_used and round(full.bulk_share, 2) >= _BULK_SHARE,
        why="see the table of the lanes",
    )
