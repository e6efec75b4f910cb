"""The whole drain: queue, ledger, compose, send, delete; the first ion beside it.

On ministack, which checks what a relay asks of it and takes its time; and on an AWS that only
answers, which shows what is left once AWS isn't what is slow.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bench.contenders import ROUND_TRIPS
from bench.rounds import Figure
from ion.settings import Pipelining

FIRST_ION = "drain: first ion"
ION = {mode: f"drain: ion, {mode}" for mode in ROUND_TRIPS}
"""By `[smtp] pipelining`."""
CONDITIONS = ((0.0, 0.0), (10.0, 5.0), (50.0, 5.0))
"""Round trips to the mail server and to AWS, milliseconds."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One relay.

    Args:
        pipelining: ion's; None: the first ion.
        connections: to the mail server.
        rates: emails/s, about, by the round trip to the mail server.
        quick: the round trips at which it is measured with --quick.
    """

    pipelining: Pipelining | None
    connections: int
    rates: Mapping[float, float]
    quick: tuple[float, ...] = ()

    @property
    def name(self) -> str:
        """As tables have it."""
        return FIRST_ION if self.pipelining is None else ION[self.pipelining]


KINDS = (
    Kind(None, 1, {0.0: 200, 10.0: 18, 50.0: 4.6}, quick=(0.0, 10.0)),
    Kind(Pipelining.ENVELOPE, 4, {0.0: 800, 10.0: 170, 50.0: 38}, quick=(10.0,)),
    Kind(Pipelining.ENVELOPE, 16, {0.0: 800, 10.0: 560, 50.0: 145}, quick=(0.0, 10.0)),
    Kind(Pipelining.DEEP, 4, {0.0: 800, 10.0: 320, 50.0: 75}),
    Kind(Pipelining.DEEP, 16, {0.0: 800, 10.0: 700, 50.0: 280}, quick=(10.0,)),
)


@dataclass(frozen=True, slots=True)
class Drain:
    """The drains of one kind under one condition: medians, and what they were charged for.

    Args:
        figure: as of any sender.
        requests_per_1000: to AWS, by operation.
        call_ms: what one takes, by operation, on average.
        call_cpu_s_per_1000: what boto3 uses of the relay's CPU.
        written_per_1000, read_per_1000: DynamoDB's units.
        log_bytes_per_email: what went to the log.
        emulator_cpu_s_per_1000: what the emulated AWS used for it.
    """

    figure: Figure
    requests_per_1000: Mapping[str, float]
    call_ms: Mapping[str, float]
    call_cpu_s_per_1000: float
    written_per_1000: float
    read_per_1000: float
    log_bytes_per_email: float
    emulator_cpu_s_per_1000: float


@dataclass(slots=True)
class Drains:
    """What all drains came to."""

    all: list[Drain] = field(default_factory=list)
    quick: list[Drain] = field(default_factory=list)
    """The same beside the quick AWS."""
    missing: str = ""
    """Why there are none."""

    def find(self, name: str, rtt_ms: float, connections: int) -> Drain | None:
        """One of those on ministack, if it is there."""
        return _found(self.all, name, rtt_ms, connections)

    def find_quick(self, name: str, rtt_ms: float, connections: int) -> Drain | None:
        """One of those beside the quick AWS."""
        return _found(self.quick, name, rtt_ms, connections)


def _found(drains: Sequence[Drain], name: str, rtt_ms: float, connections: int) -> Drain | None:
    wanted = (name, rtt_ms, connections)
    for one in drains:
        figure = one.figure
        if (figure.name, figure.rtt_ms, figure.connections) == wanted:
            return one
    return None
