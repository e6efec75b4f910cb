"""The goals of performance.md, each with what was measured."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench import contenders as names
from bench import drains
from bench.composing import Composing, shares_attachments
from bench.drains import Drains
from bench.memory import MOST_SHARE, Peak
from bench.package import Package
from bench.rounds import Figure, Rounds
from bench.sinks import Offer
from bench.throttle import Throttled

_NOT_MEASURED = "not measured"
_WINDOW = 16


@dataclass(frozen=True, slots=True)
class Goal:
    """A row.

    Args:
        what: is measured.
        goal: as performance.md has it.
        measured: in the same unit.
        reached: None: it could not be measured.
        why: it isn't reached, or couldn't be measured.
    """

    what: str
    goal: str
    measured: str
    reached: bool | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Measured:
    """Everything that was measured; None or missing figures: they couldn't be."""

    rounds: Rounds
    drains: Drains
    composing: Composing
    package: Package | None
    package_missing: str = ""
    throttled: Sequence[Throttled] = ()
    peaks: Sequence[Peak] = ()


def goals(measured: Measured) -> list[Goal]:
    """Every goal, in performance.md's order."""
    return [
        *_one_connection(measured.rounds),
        _window(measured.rounds),
        _four_connections(measured.rounds),
        _no_latency(measured.rounds),
        *_under_tls(measured.rounds),
        *_composing(measured.composing),
        *_whole_drain(measured.drains),
        *_package(measured),
        _memory(measured.drains),
        _any_sizes(measured.peaks),
        *(_throttled(measured.throttled, side_by_side) for side_by_side in (1, 3)),
    ]


def _one_connection(rounds: Rounds) -> list[Goal]:
    rows = []
    for rtt_ms in (10.0, 50.0):
        figure = rounds.find(names.ION, rtt_ms, 1, Offer.PIPELINING)
        peers = {
            "the first ion": rounds.find(names.FIRST_ION, rtt_ms, 1, Offer.PIPELINING),
            "smtp-source": rounds.find(names.SMTP_SOURCE, rtt_ms, 1, Offer.PIPELINING),
        }
        what = f"emails/s, one connection, {rtt_ms:g} ms, PIPELINING"
        row = _rate(what, figure, rounds, rtt_ms, 0.95, Offer.PIPELINING)
        if figure:
            times = ", ".join(
                f"{figure.emails_per_s / peer.emails_per_s:.1f} x {name}"
                for name, peer in peers.items()
                if peer
            )
            row = Goal(row.what, row.goal, f"{row.measured}; {times}", row.reached, row.why)
        rows.append(row)
    return rows


def _window(rounds: Rounds) -> Goal:
    figure = rounds.find(names.ION_WINDOW, 10.0, 1, Offer.CHUNKING)
    what = "emails/s, one connection, 10 ms, CHUNKING, window 16"
    return _rate(what, figure, rounds, 10.0, 10, Offer.CHUNKING)


def _four_connections(rounds: Rounds) -> Goal:
    figure = rounds.find(names.ION, 10.0, 4, Offer.PLAIN)
    what = "emails/s, four connections, 10 ms, no PIPELINING"
    return _rate(what, figure, rounds, 10.0, 0.95, Offer.PLAIN)


def _rate(
    what: str,
    figure: Figure | None,
    rounds: Rounds,
    rtt_ms: float,
    per_round_trip: float,
    offer: Offer,
) -> Goal:
    real = rounds.rtt_ms.get(rtt_ms)
    if figure is None or real is None:
        return _missing(what, f">= {per_round_trip:g} / RTT", rounds, offer)
    least = per_round_trip * 1000 / real
    rate = figure.emails_per_s
    share = rate * real / 1000
    return _judged(
        what,
        f">= {per_round_trip:g} / RTT = {least:.1f}",
        f"{rate:.1f} ({share:.2f} / RTT of {real:.1f} ms)",
        reached=rate >= least,
        why=_rate_why(figure, real / (1 if per_round_trip < 1 else _WINDOW)),
    )


def _rate_why(figure: Figure, ideal_ms: float) -> str:
    """Where the time goes that neither a round trip nor our CPU explains."""
    late_ms = 1000 / figure.emails_per_s - ideal_ms
    return (
        f"an email takes {late_ms:.1f} ms more than the wire would have it. "
        f"{figure.cpu_s_per_1000:.1f} ms is the sender's CPU; for the rest sender, proxy and "
        "sink waited for their turn on this machine"
    )


def _no_latency(rounds: Rounds) -> Goal:
    what = "compose + send from JSON, emails/s, 0 ms, one connection"
    figure = rounds.find(names.ION, 0.0, 1, Offer.PIPELINING)
    peer = rounds.find(names.SMTP_SOURCE, 0.0, 1, Offer.PIPELINING)
    if figure is None or peer is None:
        return _missing(what, ">= smtp-source, one session", rounds, Offer.PIPELINING)
    return _judged(
        what,
        f">= smtp-source, one session = {peer.emails_per_s:,.0f}",
        f"{figure.emails_per_s:,.0f}",
        reached=figure.emails_per_s >= peer.emails_per_s,
        why=f"{figure.cpu_s_per_1000:.2f} ms of CPU an email, parsing the JSON included: at most "
        f"{1000 / figure.cpu_s_per_1000:,.0f}/s on one core. smtp-source composes nothing",
    )


def _under_tls(rounds: Rounds) -> list[Goal]:
    peer = rounds.find(names.AIOSMTPLIB_BYTES, 0.0, 16, Offer.TLS)
    rows = []
    for connections, offer, goal in ((16, Offer.TLS_PLAIN, 1.5), (4, Offer.TLS, 3.5)):
        figure = rounds.find(names.ION, 0.0, connections, offer)
        pipelining = "with" if offer.pipelines else "without"
        what = f"compose + send under TLS, 0 ms, {connections} connections {pipelining} PIPELINING"
        wanted = f">= {goal:g} x aiosmtplib's 16 with prebuilt bytes"
        if figure is None or peer is None:
            rows.append(_missing(what, wanted, rounds, offer))
            continue
        times = figure.emails_per_s / peer.emails_per_s
        rows.append(
            _judged(
                what,
                wanted,
                f"{times:.1f} x ({figure.emails_per_s:,.0f}/s : {peer.emails_per_s:,.0f}/s)",
                reached=times >= goal,
                why=f"{figure.cpu_s_per_1000:.2f} ms of CPU an email, from JSON; the peer needs "
                f"{peer.cpu_s_per_1000:.2f} ms without composing",
            )
        )
    return rows


def _composing(composing: Composing) -> list[Goal]:
    times = composing.times_faster
    attachments = shares_attachments()
    return [
        _judged(
            "composing",
            ">= 8 x faster than EmailMessage",
            f"{times:.1f} x ({composing.compose:.0f} µs : {composing.email_message:,.0f} µs)",
            reached=times >= 8,
            why="",
        ),
        Goal(
            "composing with a shared 1 MB attachment",
            ">= 50 x faster than EmailMessage",
            _NOT_MEASURED,
            None if attachments else False,
            "this script doesn't know attachments" if attachments else "ion has no attachments yet",
        ),
    ]


def _whole_drain(found: Drains) -> list[Goal]:
    cases = (
        ("at 0 ms, sixteen connections", 0.0, 16, 4),
        ("at 10 ms, four connections", 10.0, 4, 15),
        ("at 10 ms, sixteen connections", 10.0, 16, 40),
    )
    rows = []
    for what, rtt_ms, connections, goal in cases:
        one = found.find(drains.ION, rtt_ms, connections, Offer.TLS)
        first = found.find(drains.FIRST_ION, rtt_ms, 1, Offer.TLS)
        wanted = f">= {goal:g} x the first ion"
        if one is None or first is None:
            rows.append(Goal(f"whole drain {what}", wanted, _NOT_MEASURED, None, found.missing))
            continue
        times = one.figure.emails_per_s / first.figure.emails_per_s
        rows.append(
            _judged(
                f"whole drain {what}",
                wanted,
                f"{times:.1f} x ({one.figure.emails_per_s:,.0f}/s : "
                f"{first.figure.emails_per_s:,.1f}/s)",
                reached=times >= goal,
                why=_drain_why(one, _beside_quick_aws(found, rtt_ms, connections)),
            )
        )
    return [*rows, *_drain_cpu(found), _aws_calls(found)]


def _drain_why(one: drains.Drain, otherwise: str) -> str:
    figure = one.figure
    busy = figure.emails_per_s * figure.cpu_s_per_1000 / 1000
    emulator = figure.emails_per_s * one.emulator_cpu_s_per_1000 / 1000
    if busy > 0.8:
        return f"the process uses {busy:.0%} of a core: CPU is what is short{otherwise}"
    return (
        f"the process uses {busy:.0%} of a core and waits for the emulated AWS: "
        f"{one.call_ms.get('sqs.ReceiveMessage', 0):.0f} ms a receive, "
        f"{one.call_ms.get('dynamodb.BatchExecuteStatement', 0):.0f} ms a claim or record. The "
        f"emulator is one thread, needs {one.emulator_cpu_s_per_1000:.1f} s of CPU for 1,000, so "
        f"that {1000 / max(one.emulator_cpu_s_per_1000, 0.001):,.0f}/s are the most that it does "
        f"with a core of its own, and got {emulator:.0%} of one{otherwise}"
    )


def _beside_quick_aws(found: Drains, rtt_ms: float, connections: int) -> str:
    one = found.find_quick(drains.ION, rtt_ms, connections, Offer.TLS)
    first = found.find_quick(drains.FIRST_ION, rtt_ms, 1, Offer.TLS)
    if one is None or first is None:
        return ""
    times = one.figure.emails_per_s / first.figure.emails_per_s
    return (
        f". Beside an AWS that only answers: {times:.1f} x ({one.figure.emails_per_s:,.0f}/s : "
        f"{first.figure.emails_per_s:,.1f}/s)"
    )


def _drain_cpu(found: Drains) -> list[Goal]:
    one = found.find(drains.ION, 0.0, 16, Offer.TLS)
    first = found.find(drains.FIRST_ION, 0.0, 1, Offer.TLS)
    what, wanted = "whole drain, CPU of the relay's process", "<= 1.0 s / 1,000 emails"
    what_first, wanted_first = f"{what}, beside the first ion's", "<= 1/3"
    if one is None or first is None:
        return [
            Goal(what, wanted, _NOT_MEASURED, None, found.missing),
            Goal(what_first, wanted_first, _NOT_MEASURED, None, found.missing),
        ]
    cpu = one.figure.cpu_s_per_1000
    share = cpu / first.figure.cpu_s_per_1000
    calls = one.figure.aws_calls_per_1000 or 0
    each = 1000 * one.call_cpu_s_per_1000 / calls if calls else 0
    why = (
        f"boto3 alone uses {one.call_cpu_s_per_1000:.2f} s of it, {calls:.0f} calls of "
        f"{each:.1f} ms; the rest is parsing, composing, TLS, and a log event for each email"
    )
    return [
        _judged(what, wanted, f"{cpu:.2f} s", reached=cpu <= 1, why=why),
        _judged(
            what_first,
            wanted_first,
            f"{share:.2f} ({first.figure.cpu_s_per_1000:.2f} s)",
            reached=share <= 1 / 3,
            why="as above; the first ion has no ledger",
        ),
    ]


def _aws_calls(found: Drains) -> Goal:
    one = found.find(drains.ION, 0.0, 16, Offer.TLS)
    first = found.find(drains.FIRST_ION, 0.0, 1, Offer.TLS)
    what, wanted = "AWS calls per 1,000 emails, ledger included", "<= 420"
    if one is None or first is None or one.figure.aws_calls_per_1000 is None:
        return Goal(what, wanted, _NOT_MEASURED, None, found.missing)
    calls = one.figure.aws_calls_per_1000
    return _judged(
        what,
        wanted,
        f"{calls:.0f} (the first ion: {first.figure.aws_calls_per_1000:,.0f})",
        reached=calls <= 420,
        why="batches that weren't full",
    )


def _package(measured: Measured) -> list[Goal]:
    package = measured.package
    size = ("package without boto3", "<= 3 MB zipped")
    start = ("cold start: import and clients", "<= 1.3 x bare boto3")
    if package is None:
        why = measured.package_missing
        return [Goal(*size, _NOT_MEASURED, None, why), Goal(*start, _NOT_MEASURED, None, why)]
    return [
        _judged(
            *size,
            f"{package.zipped_mb:.2f} MB",
            reached=package.zipped_mb <= 3,
            why="",
        ),
        _judged(
            *start,
            f"{package.times_bare:.2f} x ({package.ion_ms:.0f} ms : {package.bare_ms:.0f} ms)",
            reached=package.times_bare <= 1.3,
            why="byte code included, on both sides: what the relay imports beside boto3 takes"
            f" {package.ion_ms - package.bare_ms:.0f} ms",
        ),
    ]


def _memory(found: Drains) -> Goal:
    one = found.find(drains.ION, 0.0, 16, Offer.TLS)
    what, wanted = "memory of the relay's process, 16 connections", "<= 128 MB RSS"
    if one is None or not one.figure.memory_mb:
        return Goal(what, wanted, _NOT_MEASURED, None, found.missing or "no /proc here")
    memory = one.figure.memory_mb
    return _judged(what, wanted, f"{memory:.0f} MB", reached=memory <= 128, why="")


def _any_sizes(peaks: Sequence[Peak]) -> Goal:
    what, wanted = "memory, emails of any size, 16 connections", "RSS <= 60 % of the function's"
    if not peaks or not all(one.memory_mb for one in peaks):
        return Goal(what, wanted, _NOT_MEASURED, None, "no /proc here")
    most = max(peaks, key=lambda one: one.share)
    case = most.case
    measured = f"{most.memory_mb:.0f} of {case.memory_mb} MB ({most.share:.0%}): {case.mail}"
    return _judged(what, wanted, measured, reached=most.share <= MOST_SHARE, why="")


def _throttled(found: Sequence[Throttled], side_by_side: int) -> Goal:
    what = f"rate accepted by a server that throttles at R, drains side by side: {side_by_side}"
    wanted = "0.9-1.0 R, nothing dead-lettered"
    cases = [one for one in found if one.drains == side_by_side]
    if not cases:
        return Goal(what, wanted, _NOT_MEASURED, None, "left out by --quick")
    shares, unsent = [one.share for one in cases], sum(one.unsent for one in cases)
    measured = f"{min(shares):.2f}-{max(shares):.2f} R in {len(cases)} cases, {unsent} unsent"
    reached = min(shares) >= 0.9 and max(shares) <= 1 and not unsent
    return _judged(what, wanted, measured, reached=reached, why="see the table of the throttle")


def _judged(what: str, goal: str, measured: str, *, reached: bool, why: str) -> Goal:
    return Goal(what, goal, measured, reached, "" if reached else why)


def _missing(what: str, goal: str, rounds: Rounds, offer: Offer) -> Goal:
    reasons = [why for name, why in rounds.missing.items() if f"({offer})" in name]
    return Goal(what, goal, _NOT_MEASURED, None, reasons[0] if reasons else "left out")
