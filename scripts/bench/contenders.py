"""Who is measured, against which server, and at which round-trip times."""

import math
from dataclasses import dataclass

from bench.sinks import Offer

FIRST_ION = "first ion"
FRESH = "smtplib, a connection per email"
AIOSMTPLIB = "aiosmtplib, EmailMessage"
AIOSMTPLIB_BYTES = "aiosmtplib, bytes"
SMTP_SOURCE = "smtp-source"
ION = "ion"
ION_BYTES = "ion, bytes"
ION_WINDOW = "ion, window 16"

RTTS = (0.0, 10.0, 50.0)
"""Milliseconds, nominal."""
_POOLS = (1, 4, 16)
_FEWEST = 8
_MOST = 60_000


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
        window: emails whose content may be on its way at a time, on one connection.
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
    window: int = 1

    def emails(self, seconds: float, rtt_ms: float) -> int:
        """How many take about so long; a multiple of what is under way at a time."""
        each = max(
            self.microseconds / 1e6,
            self.round_trips * rtt_ms / 1000 / (self.connections * self.window),
        )
        at_a_time = self.connections * max(2, self.window)
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
        some: tuple[float, ...] = {1: RTTS, 4: (10.0,)}.get(size, ())
        found += [
            Contender(AIOSMTPLIB, "aiosmtplib", offer, size, False, 4, 3300),
            Contender(AIOSMTPLIB_BYTES, "aiosmtplib", offer, size, True, 4, 500),
            Contender(SMTP_SOURCE, "smtp-source", offer, size, True, 4, 100, quick=some),
        ]
    return found


def _ions() -> list[Contender]:
    found = []
    for size in _POOLS:
        some: tuple[float, ...] = RTTS if size == 1 else ()
        plain: tuple[float, ...] = (10.0,) if size == 4 else ()
        found += [
            Contender(ION, "ion", Offer.PIPELINING, size, False, 1, 400, quick=some),
            Contender(ION, "ion", Offer.PLAIN, size, False, 4, 500, quick=plain),
            Contender(ION_BYTES, "ion", Offer.PIPELINING, size, True, 1, 200),
            Contender(ION_BYTES, "ion", Offer.PLAIN, size, True, 4, 300),
        ]
    window = 16
    for size in (1, 4):
        offer = Offer.CHUNKING
        some = (10.0,) if size == 1 else ()
        found.append(Contender(ION_WINDOW, "ion", offer, size, False, 1, 400, RTTS, some, window))
    return found


def _under_tls() -> list[Contender]:
    at = (0.0,)
    return [
        Contender(AIOSMTPLIB_BYTES, "aiosmtplib", Offer.TLS, 16, True, 4, 600, at, at),
        Contender(ION, "ion", Offer.TLS, 4, False, 1, 500, at, at),
        Contender(ION, "ion", Offer.TLS_PLAIN, 16, False, 4, 600, at, at),
    ]
