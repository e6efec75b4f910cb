"""What a whole drain is to reach: speed, CPU, AWS calls, memory, and a throttled server's rate."""

from collections.abc import Sequence

from bench.drains import FIRST_ION, ION, Drain, Drains
from bench.goals.goal import Goal, judged, unmeasured
from bench.memory import MOST_SHARE, Peak
from bench.throttle import Throttled
from ion.settings import Pipelining

_DEFAULT = ION[Pipelining.ENVELOPE]
_TIMES_FIRST_ION = (
    (Pipelining.ENVELOPE, 16, 0.0, 4.0),
    (Pipelining.ENVELOPE, 4, 10.0, 7.5),
    (Pipelining.ENVELOPE, 16, 10.0, 20.0),
    (Pipelining.DEEP, 4, 10.0, 15.0),
    (Pipelining.DEEP, 16, 10.0, 40.0),
)
"""Mode, connections, milliseconds to the mail server, and the multiple to reach.

At 10 ms `envelope` has twice the round trips of `deep`, and half of its goal.
"""


def drains(found: Drains) -> list[Goal]:
    """Speed, CPU and AWS calls."""
    return [
        *(_speed(found, *case) for case in _TIMES_FIRST_ION),
        *_cpu(found),
        _aws_calls(found),
    ]


def memory(found: Drains) -> Goal:
    """Give the goal for the process's memory."""
    what, goal = "memory of the relay's process, 16 connections", "<= 128 MB RSS"
    one = found.find(_DEFAULT, 0.0, 16)
    if one is None or not one.figure.memory_mb:
        return unmeasured(what, goal, found.missing or "no /proc here")
    used = one.figure.memory_mb
    return judged(what, goal, f"{used:.0f} MB", reached=used <= 128)


def any_sizes(peaks: Sequence[Peak]) -> Goal:
    """The memory that large emails may take."""
    what = "memory of the relay's process, emails of any size, 16 connections"
    goal = f"<= {MOST_SHARE:.0%} of the function's, RSS"
    if not peaks or not all(one.memory_mb for one in peaks):
        return unmeasured(what, goal, "no /proc here")
    most = max(peaks, key=lambda one: one.share)
    sizes = f"{most.memory_mb:.0f} of {most.case.memory_mb} MB"
    return judged(
        what,
        goal,
        f"{most.share:.0%} ({sizes}; {most.case.mail})",
        reached=most.share <= MOST_SHARE,
    )


def throttled(found: Sequence[Throttled], side_by_side: int) -> Goal:
    """Give the goal for so many drains at a server that throttles."""
    what = f"rate accepted by a server that throttles at R, drains side by side: {side_by_side}"
    goal = "0.9-1.0 R, nothing dead-lettered"
    cases = [one for one in found if one.drains == side_by_side]
    if not cases:
        return unmeasured(what, goal, "")
    shares, unsent = [one.share for one in cases], sum(one.unsent for one in cases)
    return judged(
        what,
        goal,
        f"{min(shares):.2f}-{max(shares):.2f} R in {len(cases)} cases, {unsent} unsent",
        reached=min(shares) >= 0.9 and max(shares) <= 1 and not unsent,
        why="see the table of the throttle",
    )


def _speed(found: Drains, mode: Pipelining, connections: int, rtt_ms: float, least: float) -> Goal:
    what = f"whole drain, `{mode}`, {connections} connections, {rtt_ms:g} ms"
    goal = f">= {least:g} x the first ion"
    one = found.find(ION[mode], rtt_ms, connections)
    first = found.find(FIRST_ION, rtt_ms, 1)
    if one is None or first is None:
        return unmeasured(what, goal, found.missing)
    times = one.figure.emails_per_s / first.figure.emails_per_s
    return judged(
        what,
        goal,
        f"{times:.1f} x ({one.figure.emails_per_s:,.0f}/s : {first.figure.emails_per_s:,.1f}/s)",
        reached=times >= least,
        why=_what_it_waits_for(one) + _beside_quick_aws(found, one),
    )


def _what_it_waits_for(one: Drain) -> str:
    figure = one.figure
    busy = figure.emails_per_s * figure.cpu_s_per_1000 / 1000
    emulator = figure.emails_per_s * one.emulator_cpu_s_per_1000 / 1000
    if busy > 0.8:
        return f"the process uses {busy:.0%} of a core: CPU is what is short"
    return (
        f"the process uses {busy:.0%} of a core and waits for the emulated AWS: "
        f"{one.call_ms.get('sqs.ReceiveMessage', 0):.0f} ms a receive, "
        f"{one.call_ms.get('dynamodb.BatchExecuteStatement', 0):.0f} ms a claim or record. The "
        f"emulator is one thread, needs {one.emulator_cpu_s_per_1000:.1f} s of CPU for 1,000, so "
        f"that {1000 / max(one.emulator_cpu_s_per_1000, 0.001):,.0f}/s are the most that it does "
        f"with a core of its own, and got {emulator:.0%} of one"
    )


def _beside_quick_aws(found: Drains, slow: Drain) -> str:
    figure = slow.figure
    one = found.find_quick(figure.name, figure.rtt_ms, figure.connections)
    first = found.find_quick(FIRST_ION, figure.rtt_ms, 1)
    if one is None or first is None:
        return ""
    times = one.figure.emails_per_s / first.figure.emails_per_s
    return (
        f". Beside an AWS that only answers: {times:.1f} x ({one.figure.emails_per_s:,.0f}/s : "
        f"{first.figure.emails_per_s:,.1f}/s)"
    )


def _cpu(found: Drains) -> list[Goal]:
    what, goal = "whole drain, CPU of the relay's process", "<= 1.0 s / 1,000 emails"
    what_first, goal_first = f"{what}, beside the first ion's", "<= 1/3"
    one, first = found.find(_DEFAULT, 0.0, 16), found.find(FIRST_ION, 0.0, 1)
    if one is None or first is None:
        return [
            unmeasured(what, goal, found.missing),
            unmeasured(what_first, goal_first, found.missing),
        ]
    cpu = one.figure.cpu_s_per_1000
    share = cpu / first.figure.cpu_s_per_1000
    calls = one.figure.aws_calls_per_1000 or 0
    each = 1000 * one.call_cpu_s_per_1000 / calls if calls else 0
    return [
        judged(
            what,
            goal,
            f"{cpu:.2f} s",
            reached=cpu <= 1,
            why=f"boto3 alone uses {one.call_cpu_s_per_1000:.2f} s of it, {calls:.0f} calls of "
            f"{each:.1f} ms; the rest is parsing, composing, TLS, and a log event for each email",
        ),
        judged(
            what_first,
            goal_first,
            f"{share:.2f} ({first.figure.cpu_s_per_1000:.2f} s)",
            reached=share <= 1 / 3,
            why="as above; the first ion has no ledger",
        ),
    ]


def _aws_calls(found: Drains) -> Goal:
    what, goal = "AWS calls per 1,000 emails, ledger included", "<= 420"
    one, first = found.find(_DEFAULT, 0.0, 16), found.find(FIRST_ION, 0.0, 1)
    if one is None or first is None or one.figure.aws_calls_per_1000 is None:
        return unmeasured(what, goal, found.missing)
    calls = one.figure.aws_calls_per_1000
    return judged(
        what,
        goal,
        f"{calls:.0f} (the first ion: {first.figure.aws_calls_per_1000:,.0f})",
        reached=calls <= 420,
        why="batches that weren't full",
    )
