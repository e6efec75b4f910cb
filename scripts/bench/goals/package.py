"""What composing may cost, how large the package may be, and how slowly it may start."""

from bench.composing import Composing
from bench.goals.goal import Goal, judged, unmeasured
from bench.package import Package


def composing(one: Composing) -> list[Goal]:
    """The goals for composing."""
    return [
        judged(
            "composing",
            ">= 8 x faster than EmailMessage",
            f"{one.times_faster:.1f} x ({one.compose:.0f} µs : {one.email_message:,.0f} µs)",
            reached=one.times_faster >= 8,
        ),
        judged(
            "composing with a shared 1 MB attachment",
            ">= 50 x faster than EmailMessage",
            f"{one.times_faster_with_attachment:.0f} x"
            f" ({one.shared:.0f} µs : {one.shared_email_message:,.0f} µs)",
            reached=one.times_faster_with_attachment >= 50,
        ),
    ]


def package(one: Package | None, missing: str) -> list[Goal]:
    """The goals for the Lambda package; `missing`: why it couldn't be built."""
    size = ("package without boto3", "<= 3 MB zipped")
    start = ("cold start: import and clients", "<= 1.3 x bare boto3")
    if one is None:
        return [unmeasured(*size, missing), unmeasured(*start, missing)]
    return [
        judged(*size, f"{one.zipped_mb:.2f} MB", reached=one.zipped_mb <= 3),
        judged(
            *start,
            f"{one.times_bare:.2f} x ({one.ion_ms:.0f} ms of CPU : {one.bare_ms:.0f} ms)",
            reached=one.times_bare <= 1.3,
            why="byte code included, on both sides: what the relay imports beside boto3 takes"
            f" {one.ion_ms - one.bare_ms:.0f} ms",
        ),
    ]
