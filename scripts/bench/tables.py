"""The figures as Markdown tables."""

from collections.abc import Iterable, Sequence

from bench import contenders as names
from bench.composing import Composing
from bench.cost import Bill, Steady
from bench.drains import CONDITIONS, FIRST_ION, Drains
from bench.goals import Goal
from bench.idle import SmallRuns
from bench.lanes import Lane
from bench.memory import Peak
from bench.package import WHOLE_CORE_MB, Package
from bench.rounds import Figure, Rounds
from bench.throttle import Throttled

_REACHED = {True: "yes", False: "**no**", None: "?"}


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def goals(rows: Iterable[Goal]) -> str:
    """Every goal, reached or not."""
    return table(
        ("figure", "goal", "measured", "reached", "why not"),
        [(row.what, row.goal, row.measured, _REACHED[row.reached], row.why) for row in rows],
    )


def sending(rounds: Rounds) -> str:
    """Senders by round trip; the CPU is that at no latency."""
    kinds = dict.fromkeys((one.name, one.offer, one.connections) for one in rounds.figures)
    order = [one.name for one in names.contenders(quick=False)]
    rows = []
    for name, offer, connections in sorted(
        kinds, key=lambda kind: (order.index(kind[0]), kind[1:])
    ):
        at = {rtt: rounds.find(name, rtt, connections, offer) for rtt in names.RTTS}
        rows.append(
            (
                name,
                str(offer),
                str(connections),
                *(_rate(figure) for figure in at.values()),
                f"{figure.cpu_s_per_1000:.2f}" if (figure := at[0.0]) else "",
            )
        )
    trips = [f"{rtt:g} ms" for rtt in names.RTTS]
    return table(("sender", "server", "connections", *trips, "CPU s / 1,000 at 0 ms"), rows)


def throttled(cases: Iterable[Throttled]) -> str:
    """What drains made of a limit."""
    return table(
        ("drains", "`max_rate`", "the server counts", "R", "accepted / R", "throttled", "unsent"),
        [
            (
                str(one.drains),
                "R" if one.told else "empty",
                "every second" if one.strict else "a bucket of R",
                f"{one.limit:g}/s",
                f"{one.share:.3f}",
                str(one.throttled),
                str(one.unsent),
            )
            for one in cases
        ],
    )


def lanes(cases: Iterable[Lane]) -> str:
    """Normal mail beside bulk."""
    head = ("drains", "in bulk", "normal mail", "median", "p95", "accepted / R", "of that, bulk")
    return table(
        head,
        [
            (
                str(one.case.drains),
                f"{one.case.bulk:,}",
                f"{one.case.normal:,} at once" if one.case.normal else f"{one.emails}, one by one",
                _seconds(one.median),
                _seconds(one.p95),
                f"{one.share:.3f}",
                f"{one.bulk_share:.1%}",
            )
            for one in cases
        ],
    )


def _seconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.2f} s"


def small_runs(runs: SmallRuns) -> str:
    """Calls of the smallest runs, by operation."""
    both = (runs.idle, runs.alone)
    names = sorted({name for run in both for name in run.requests})
    rows = [(f"`{name}`", *(str(run.requests.get(name, 0)) for run in both)) for name in names]
    read = ("rows read", *(str(run.read) for run in both))
    seconds = ("seconds", *(f"{run.seconds:.2f}" for run in both))
    return table(("", "nothing", "one email"), [*rows, read, seconds])


def drains(found: Drains) -> str:
    """Whole drains by round trip, with the multiple of the first ion."""
    kinds = dict.fromkeys((one.figure.name, one.figure.connections) for one in found.all)
    rows = []
    for name, connections in kinds:
        cells = []
        for rtt_ms, _ in CONDITIONS:
            one = found.find(name, rtt_ms, connections)
            base = found.find(FIRST_ION, rtt_ms, 1)
            cell = _rate(one.figure if one else None)
            if one and base and one is not base:
                cell += f" ({one.figure.emails_per_s / base.figure.emails_per_s:.1f})"
            cells.append(cell)
        still = found.find(name, 0.0, connections)
        figure = still.figure if still else None
        rows.append(
            (
                name.removeprefix("drain: "),
                str(connections),
                *cells,
                f"{figure.cpu_s_per_1000:.2f}" if figure else "",
                f"{figure.aws_calls_per_1000:,.0f}" if figure else "",
                f"{figure.memory_mb:.0f}" if figure else "",
                f"{still.emulator_cpu_s_per_1000:.2f}" if still else "",
            )
        )
    trips = [f"{smtp:g} / {aws:g} ms" for smtp, aws in CONDITIONS]
    head = ("relay", "connections", *trips)
    return table(
        (*head, "CPU s / 1,000", "AWS calls / 1,000", "RSS, MB", "emulator's CPU s / 1,000"), rows
    )


def quick_drains(found: Drains) -> str:
    """Whole drains beside an AWS that only answers."""
    rows = []
    for one in found.quick:
        figure = one.figure
        first = found.find_quick(FIRST_ION, figure.rtt_ms, 1)
        times = f" ({figure.emails_per_s / first.figure.emails_per_s:.1f})" if first else ""
        rows.append(
            (
                figure.name.removeprefix("drain: "),
                str(figure.connections),
                f"{figure.rtt_ms:g} ms",
                _rate(figure) + (times if first is not one else ""),
                f"{figure.cpu_s_per_1000:.2f}",
            )
        )
    head = ("relay", "connections", "mail server at", "emails/s", "CPU s / 1,000")
    return table(head, rows)


def memory(peaks: Iterable[Peak]) -> str:
    """The most that drains held, by what waits in the queue."""
    head = ("what waits", "emails", "connections", "function", "RSS, at most", "share", "receives")
    return table(
        head,
        [
            (
                one.case.mail.value,
                str(one.case.emails),
                str(one.case.connections),
                f"{one.case.memory_mb} MB",
                f"{one.memory_mb:.0f} MB",
                f"{one.share:.0%}",
                str(one.receives),
            )
            for one in peaks
        ],
    )


def composing(one: Composing) -> str:
    """CPU of the ways of composing."""
    return table(
        ("step", "µs an email"),
        [
            ("ion: parse and check the JSON", f"{one.parse:.0f}"),
            ("ion: compose, straight to bytes", f"{one.compose:.0f}"),
            ("`EmailMessage` and `as_bytes`", f"{one.email_message:,.0f}"),
            ("`MIMEMultipart` and `as_string` (the first ion)", f"{one.mime_multipart:,.0f}"),
            ("ion: with 1 MB of S3 that an earlier email had, too", f"{one.shared:.0f}"),
            ("ion: encoding that, once a run", f"{one.first:,.0f}"),
            ("`EmailMessage` with the same", f"{one.shared_email_message:,.0f}"),
        ],
    )


def package(one: Package) -> str:
    """Size and start."""
    return table(
        ("figure", ""),
        [
            ("package, zipped, arm64", f"{one.zipped_mb:.2f} MB"),
            ("import and clients: boto3 alone", f"{one.bare_ms:.0f} ms of CPU"),
            ("import and clients: the relay, from the package", f"{one.ion_ms:.0f} ms of CPU"),
            ("the same without byte code", f"{one.source_ms:.0f} ms of CPU"),
            *(
                (
                    f"what byte code saves of a cold start, {memory} MB",
                    f"{one.saved_seconds(memory):.1f} s, at {memory / WHOLE_CORE_MB:.0%} of a core",
                )
                for memory in (128, 512, WHOLE_CORE_MB)
            ),
            ("measured with Python", one.python),
        ],
    )


def bills(rows: Iterable[tuple[str, Bill]]) -> str:
    """A million emails from a full queue."""
    return table(
        ("", "SNS", "SQS", "DynamoDB", "Lambda", "CloudWatch", "sum, $"),
        [(label, *_amounts(bill)) for label, bill in rows],
    )


def months(rows: Iterable[Steady], beside: float) -> str:
    """Emails that come one by one; `beside`: a month's costs that no email adds to."""
    return table(
        (
            "emails/s",
            "emails a run",
            "functions running",
            *("SNS", "SQS", "DynamoDB", "Lambda", "CloudWatch"),
            "$ a million",
            "$ a month",
        ),
        [
            (
                f"{one.emails_per_s:g}",
                f"{one.emails_per_run:,.3g}" if one.emails_per_run < 1000 else "no end",
                f"{one.busy:.3g}",
                *_amounts(one.bill),
                f"{one.dollars_a_month + beside:,.2f}",
            )
            for one in rows
        ],
    )


def _amounts(bill: Bill) -> list[str]:
    return [f"{amount:.2f}" for amount in (*bill.parts.values(), bill.total)]


def _rate(figure: Figure | None) -> str:
    if figure is None:
        return ""
    rate = figure.emails_per_s
    return f"{rate:,.0f}" if rate >= 100 else f"{rate:.1f}"
