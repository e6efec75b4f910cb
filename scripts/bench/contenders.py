"""Who is measured, against which server, and at which round-trip times."""

import math
from dataclasses import dataclass

from bench.sinks import Offer
from ion.settings import Pipelining

FIRST_ION = "first ion"
FRESH = "smtplib, a connection per email"
AIOSMTPLIB = "aiosmtplib, EmailMessage"
AIOSMTPLIB_BYTES = "aiosmtplib, bytes"
SMTP_SOURCE = "smtp-source"
ION = {mode: f"ion, {mode}" for mode in Pipelining}
"""By `[smtp] pipelining`; from JSON."""
ION_BYTES = {mode: f"{name}, bytes" for mode, name in ION.items()}

ROUND_TRIPS = {Pipelining.ENVELOPE: 2, Pipelining.DEEP: 1, Pipelining.OFF: 4}
"""An email, on one connection; the default comes first."""
RTTS = (0.0, 10.0, 50.0)
"""Milliseconds, nominal."""
_POOLS = (1, 4, 16)
_QUICK: dict[tuple[Pipelining, int], tuple[float, ...]] = {
    (Pipelining.ENVELOPE, 1): RTTS,
    (Pipelining.ENVELOPE, 4): (10.0,),
    (Pipelining.DEEP, 1): (10.0, 50.0),
    (Pipelining.OFF, 4): (10.0,),
}
"""Where ion is measured with --quick: by mode and connections."""
_FEWEST = 8
_MOST = 60_000
_AT_A_TIME = 2
"""Emails under way on a connection, at most: in `deep` an envelope goes out behind a dot."""


@dataclass(frozen=True, slots=True)
class Contender:
    """A sender and its server.

    Args:
        name: as tables have it.
        sender: in `bench.child`.
        offer: of the server.
        connections: at most.
        prebuilt: bytes, instead of composing each email.
        round_trips: an email, about; only to guess how many emails fit into a round.
        microseconds: an email at no latency, about; likewise.
        rtts: where it is measured, in milliseconds.
        quick: also where it is measured with --quick.
        pipelining: ion's; None: a peer, and none of them pipelines.
    """

    name: str
    sender: str
    offer: Offer
    connections: int
    prebuilt: bool
    round_trips: float
    microseconds: float
    rtts: tuple[float, ...] = RTTS
    quick: tuple[float, ...] = ()
    pipelining: Pipelining | None = None

    def emails(self, seconds: float, rtt_ms: float) -> int:
        """How many take about so long; a multiple of what is under way at a time."""
        each = max(
            self.microseconds / 1e6,
            self.round_trips * rtt_ms / 1000 / self.connections,
        )
        at_a_time = self.connections * _AT_A_TIME
        wanted = min(max(seconds / each, _FEWEST), _MOST)
        return math.ceil(wanted / at_a_time) * at_a_time


def contenders(*, quick: bool) -> list[Contender]:
    """Everybody, or those that the goals are about."""
    everybody = [*_peers(), *_ions(), *_under_tls()]
    return [one for one in everybody if one.quick] if quick else everybody


def _peers() -> list[Contender]:
    offer = Offer.PIPELINING
    found = [
        Contender(FIRST_ION, "one connection", offer, 1, False, 4, 1200, quick=RTTS),
        Contender(FRESH, "connection per email", offer, 1, False, 8, 2000),
    ]
    for size in _POOLS:
        some = RTTS if size == 1 else ()
        found += [
            Contender(AIOSMTPLIB, "aiosmtplib", offer, size, False, 4, 3300),
            Contender(AIOSMTPLIB_BYTES, "aiosmtplib", offer, size, True, 4, 500),
            Contender(SMTP_SOURCE, "smtp-source", offer, size, True, 4, 100, quick=some),
        ]
    return found


def _ions() -> list[Contender]:
    found = []
    for mode in ROUND_TRIPS:
        for size in _POOLS:
            some = _QUICK.get((mode, size), ())
            found += [
                _ion(mode, size, Offer.PIPELINING, quick=some),
                _ion(mode, size, Offer.PIPELINING, prebuilt=True),
            ]
    return found


def _under_tls() -> list[Contender]:
    at = (0.0,)
    return [
        Contender(AIOSMTPLIB_BYTES, "aiosmtplib", Offer.TLS, 16, True, 4, 600, at, at),
        _ion(Pipelining.ENVELOPE, 4, Offer.TLS, rtts=at),
        _ion(Pipelining.DEEP, 4, Offer.TLS, rtts=at, quick=at),
        _ion(Pipelining.OFF, 16, Offer.TLS, rtts=at, quick=at),
    ]


def _ion(
    mode: Pipelining,
    connections: int,
    offer: Offer,
    *,
    prebuilt: bool = False,
    rtts: tuple[float, ...] = RTTS,
    quick: tuple[float, ...] = (),
) -> Contender:
    return Contender(
        name=(ION_BYTES if prebuilt else ION)[mode],
        sender="ion",
        offer=offer,
        connections=connections,
        prebuilt=prebuilt,
        round_trips=ROUND_TRIPS[mode],
        microseconds=200 if prebuilt else 400,
        rtts=rtts,
        quick=quick,
        pipelining=mode,
    )
