"""docs/benchmarks.md: the tables, the plots, and what is to be kept in mind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bench import cost, lanes, machine, tables
from bench.composing import Composing
from bench.cost import Bill, Steady
from bench.goals import Goal, Measured
from bench.idle import SmallRuns
from ionctl.ops import prices

_CALM = 0.7
_BUSY = " **Others were using it: emails a second are too few; CPU seconds are nearer the truth.**"
_MARK = "<!-- Written by scripts/bench/run; it will be overwritten. -->"


@dataclass(frozen=True, slots=True)
class Conditions:
    """How it was measured.

    Args:
        rounds: turns of each sender.
        seconds: a turn, about.
        load: of the machine before anything was measured.
        command: that made this.
    """

    rounds: int
    seconds: float
    load: float
    command: str


def page(
    measured: Measured,
    goals: Sequence[Goal],
    backlog: Sequence[tuple[str, Bill]],
    months: Sequence[Steady],
    plots: Sequence[str],
    conditions: Conditions,
) -> str:
    """The whole page."""
    chapters = [
        f"{_MARK}\n# Benchmarks",
        _how(measured, conditions),
        f"## Goals\n{_count(goals)}\n\n{tables.goals(goals)}",
        _sending(measured, plots),
        _composing(measured.composing),
        _drain(measured, plots),
        _memory(measured),
        _throttle(measured),
        _lanes(measured),
        _package(measured),
        _cost(measured.small_runs, backlog, months, plots),
        _REMARKS,
    ]
    return "\n".join(chapter.strip() + "\n" for chapter in chapters if chapter)


def _how(measured: Measured, conditions: Conditions) -> str:
    trips = ", ".join(
        f"{real:.2f} ms for {nominal:g}" for nominal, real in measured.rounds.rtt_ms.items()
    )
    missing = _missing({**measured.rounds.missing, "whole drain": measured.drains.missing})
    return (
        "Everybody sends in the same minutes on the same machine, in turns, and what counts is "
        f"the median of {conditions.rounds} turn{'s' if conditions.rounds > 1 else ''} of about "
        f"{conditions.seconds:g} s. Absolute "
        "figures differ from machine to machine; the ratios are what counts.\n\n"
        f"- Made by `{conditions.command}`, {datetime.now(UTC):%Y-%m-%d}.\n"
        f"- Machine: {machine.description()}. Load before it began: {conditions.load:.1f}."
        f"{_BUSY if conditions.load > _CALM else ''}\n"
        f"- Round trips as measured through the proxy: {trips}.\n"
        "- Emails of about 4 KB, text and HTML, each with other words. Senders that compose begin "
        'with the JSON; "bytes" are there before the clock starts.\n'
        "- Servers: Postfix's `smtp-sink`, and under TLS a sink of our own in C; both offer "
        f"PIPELINING.{missing}\n"
    )


def _missing(missing: Mapping[str, str]) -> str:
    return "".join(
        f"\n- Not measured: {what}, since {why}." for what, why in missing.items() if why
    )


def _count(goals: Sequence[Goal]) -> str:
    reached = sum(goal.reached is True for goal in goals)
    unknown = sum(goal.reached is None for goal in goals)
    unmeasured = f", {unknown} could not be measured" if unknown else ""
    return f"{reached} of {len(goals)} reached{unmeasured}."


def _plot(name: str, alternative: str, plots: Sequence[str]) -> str:
    return f"![{alternative}](benchmarks/{name})\n" if name in plots else ""


def _sending(measured: Measured, plots: Sequence[str]) -> str:
    if not measured.rounds.figures:
        return ""
    return (
        "## Sending\nEmails a second, from the message body (or prebuilt bytes) to the server's "
        "250. ion speaks in each of the three ways of `[smtp] pipelining`: `envelope`, the "
        "default, takes two round trips an email, `deep` one, and `off` four, which is also how it "
        "speaks to a server that doesn't offer PIPELINING.\n\n"
        + _plot("sending.svg", "emails a second by connections and round trip", plots)
        + f"\n{tables.sending(measured.rounds)}\n"
        + _plot("cpu.svg", "CPU seconds for 1,000 emails", plots)
    )


def _composing(composing: Composing) -> str:
    return (
        f"## Composing\nCPU, without sending; ion's email has {composing.octets:,.0f} octets.\n\n"
        f"{tables.composing(composing)}"
    )


def _drain(measured: Measured, plots: Sequence[str]) -> str:
    if not measured.drains.all:
        return ""
    return (
        "## The whole drain\nQueue, ledger, composing, sending under STARTTLS with a login, "
        "deleting, logging; AWS is ministack, on the same CPUs. Emails a second by the round trips "
        "to the mail server and to AWS; in brackets the multiple of the first ion, which has one "
        "connection and no ledger: at latency most of it is more connections against one.\n\n"
        + _plot("drain.svg", "emails a second of whole drains", plots)
        + f"\n{tables.drains(measured.drains)}"
        + "\nThe same beside an AWS that only answers (`scripts/bench/quick_aws.py`), as far away: "
        "the emulator is one thread and shares the machine, so at some point it is the emulator "
        "that is measured.\n\n" + tables.quick_drains(measured.drains)
    )


def _memory(measured: Measured) -> str:
    if not measured.peaks:
        return ""
    return (
        "## Memory\nThe most that the relay's process ever held (RSS), by what waits in the queue "
        "and the function's size, under STARTTLS. The mail server reads slowly and answers a dot "
        "after 0.2 s, so that as many emails are under way as ion lets. AWS is the one that only "
        f"answers.\n\n{tables.memory(measured.peaks)}"
    )


def _throttle(measured: Measured) -> str:
    if not measured.throttled:
        return ""
    return (
        "## A server that throttles\nIt takes R emails a second, and answers the others as SES "
        "does, `454 Throttling failure: Maximum sending rate exceeded`. The drains empty a queue "
        "side by side; the rate is that accepted while there was mail for all of them. Drains "
        "that nobody told R find it by being throttled; what was throttled is sent a little "
        "later.\n\n"
        f"{tables.throttled(measured.throttled)}"
    )


def _lanes(measured: Measured) -> str:
    if not measured.lanes:
        return ""
    return (
        "## Normal mail beside bulk\nBulk waits in its queue, and the relay may send "
        f"R = {lanes.LIMIT:g} emails a second. Meanwhile normal emails are published one by one, "
        "about one a second at moments that are the same in each case: the time is that from the "
        "publish to the mail server's having accepted it. Then both queues are full, to see what "
        "bulk is left with. The mail server is ten milliseconds away, and each function a process "
        "of its own that begins a run when it is woken; AWS is the one that only answers. Before "
        "there were lanes, with one queue for all, an email behind 420 newsletters at 14 a second "
        "waited for 32 s, and behind 20,000 it would have been 25 minutes.\n\n"
        f"{tables.lanes(measured.lanes)}"
    )


def _package(measured: Measured) -> str:
    if measured.package is None:
        return ""
    return f"## The package\n{tables.package(measured.package)}"


def _cost(
    runs: SmallRuns,
    backlog: Sequence[tuple[str, Bill]],
    months: Sequence[Steady],
    plots: Sequence[str],
) -> str:
    if not backlog:
        return ""
    share = 1024 * cost.MEMORY_GB / prices.LAMBDA_MB_PER_CPU
    standing = cost.standing_charge(runs.idle)
    of_mail = standing + cost.metrics()
    return (
        "## What a million emails cost\nList prices of us-east-1 "
        "(`scripts/ionctl/ops/prices.py`), no free tier, without the mail server; the sheet is "
        "`scripts/bench/cost.py`. Calls, rows, "
        "log and time are measured; an email takes no less time than its CPU does in a function "
        f"that has {share:.0%} of one ({1024 * cost.MEMORY_GB:.0f} MB).\n\n"
        + _plot("cost.svg", "dollars for a million emails", plots)
        + "\nFrom a full queue, where every call to AWS carries ten messages. How many functions "
        "share the work makes no difference to a bill by the email.\n\n"
        f"{tables.bills(backlog)}\n"
        "One by one at a steady rate, ten milliseconds from the mail server. A run lingers for a "
        "second after each email: that second is what an email costs that comes alone. From some "
        "emails a second on, the function runs without end, and its time costs no more than "
        f"${cost.always_running():.2f} a month for each that may run at a time.\n\n"
        f"{tables.months(months, of_mail)}\n"
        f"Each month has ${of_mail:.2f} in it beside that: alarms on {cost.ALARMS} metrics "
        f"(${cost.ALARMS * prices.ALARM_MONTH:.2f}), metrics (${cost.metrics():.2f}, each charged "
        f"for the hours in which it is written), and ${cost.sweeping(runs.idle):.2f} for the "
        f"schedule's look at the queues every {cost.SWEEP_MINUTES} minutes; each minute "
        f"(`sweep_minutes = 1`) it would be ${cost.sweeping(runs.idle, 1):.2f}. A month without "
        f"any email costs ${standing:.2f}. What the smallest runs ask of AWS:\n\n"
        f"{tables.small_runs(runs)}\n"
        "A run asks all three queues at once and waits for a second, reads the control row and the "
        "mail server's state, and where a queue gave nothing, asks how much of it is in flight. In "
        "a longer one the queues for bulk and for what waits, and the control row, are looked at "
        "every five seconds.\n"
    )


_REMARKS = """## Remarks
- The clock starts when connections are open and the first emails are through, and stops before \
the last ones are: connecting is in nobody's figures, smtp-source's neither (at 10 and 50 ms \
the difference between a long run and a short one counts). The whole drain is the exception: all \
of it counts, and ion opens the first of its connections alone and the others four at a time.
- Senders, servers, proxy and emulated AWS share the machine. At 0 ms a server may be what is \
slow; CPU seconds are the sender's own.
- The proxy adds half the round trip each way to every chunk, and TCP_NODELAY is set on all of its \
sockets. At 0 ms there is none. Its timers are a little late, hence the measured round trips.
- smtp-source composes nothing and sends the same octets again and again; it is the floor that C \
gives, not a competitor. It knows no PIPELINING, nor does aiosmtplib or smtplib.
- The first ion is its loop as published, with a time-out of nothing and no ledger: receive ten, \
send and delete one by one.
- Costs are computed from an emulator's calls and this machine's CPU, not from an AWS bill. \
Wake-ups that come while the function runs are throttled, free, and retried for a minute; those \
that find an empty queue afterwards are not in the sheet.
"""
