"""How fast the engine is to send: by the wire's own limit, and beside others."""

from bench import contenders as names
from bench.contenders import ROUND_TRIPS
from bench.goals.goal import Goal, judged, unmeasured
from bench.rounds import Figure, Rounds
from bench.sinks import Offer
from ion.settings import Pipelining

_OF_THE_WIRE = 0.95
"""Of the emails that the round trips of a conversation leave room for."""
_BY_MODE = (
    (Pipelining.ENVELOPE, 1, 10.0),
    (Pipelining.ENVELOPE, 1, 50.0),
    (Pipelining.ENVELOPE, 4, 10.0),
    (Pipelining.DEEP, 1, 10.0),
    (Pipelining.DEEP, 1, 50.0),
    (Pipelining.OFF, 4, 10.0),
)
"""Mode, connections, nominal round trip in milliseconds."""


def sending(rounds: Rounds) -> list[Goal]:
    """Every goal for the engine by itself."""
    return [
        *(_by_the_wire(rounds, *case) for case in _BY_MODE),
        _beside_smtp_source(rounds),
        _under_tls(rounds, Pipelining.OFF, 16, 1.5),
        _under_tls(rounds, Pipelining.DEEP, 4, 3.5),
    ]


def _by_the_wire(rounds: Rounds, mode: Pipelining, connections: int, rtt_ms: float) -> Goal:
    trips = ROUND_TRIPS[mode]
    what = f"emails/s, `{mode}`, {_count(connections)}, {rtt_ms:g} ms"
    goal = f">= {_OF_THE_WIRE:g} x {_per_rtt(connections / trips)}"
    figure = rounds.find(names.ION[mode], rtt_ms, connections, Offer.PIPELINING)
    real_ms = rounds.rtt_ms.get(rtt_ms)
    if figure is None or real_ms is None:
        return _missing(what, goal, rounds, Offer.PIPELINING)
    most = connections * 1000 / (trips * real_ms)
    rate = figure.emails_per_s
    return judged(
        what,
        f"{goal} = {_OF_THE_WIRE * most:.1f}",
        f"{rate:.1f} ({rate / most:.2f} x {_per_rtt(connections / trips)}, RTT {real_ms:.1f} ms)"
        + _beside_peers(rounds, figure),
        reached=rate >= _OF_THE_WIRE * most,
        why=_late(figure, connections * 1000 / rate - trips * real_ms),
    )


def _per_rtt(emails: float) -> str:
    return f"{emails:g} / RTT"


def _beside_peers(rounds: Rounds, figure: Figure) -> str:
    peers = {
        "the first ion": names.FIRST_ION,
        "smtp-source": names.SMTP_SOURCE,
    }
    found = {
        who: rounds.find(name, figure.rtt_ms, figure.connections, figure.offer)
        for who, name in peers.items()
    }
    times = [
        f"{figure.emails_per_s / peer.emails_per_s:.1f} x {who}"
        for who, peer in found.items()
        if peer
    ]
    return f"; {', '.join(times)}" if times else ""


def _late(figure: Figure, late_ms: float) -> str:
    """Where the time goes that neither a round trip nor our CPU explains."""
    return (
        f"an email takes {late_ms:.1f} ms more than the wire would have it. "
        f"{figure.cpu_s_per_1000:.1f} ms is the sender's CPU; for the rest sender, proxy and "
        "sink waited for their turn on this machine"
    )


def _beside_smtp_source(rounds: Rounds) -> Goal:
    mode = Pipelining.ENVELOPE
    what = f"compose + send from JSON, emails/s, `{mode}`, one connection, 0 ms"
    figure = rounds.find(names.ION[mode], 0.0, 1, Offer.PIPELINING)
    peer = rounds.find(names.SMTP_SOURCE, 0.0, 1, Offer.PIPELINING)
    if figure is None or peer is None:
        return _missing(what, ">= smtp-source, one session", rounds, Offer.PIPELINING)
    return judged(
        what,
        f">= smtp-source, one session = {peer.emails_per_s:,.0f}",
        f"{figure.emails_per_s:,.0f}",
        reached=figure.emails_per_s >= peer.emails_per_s,
        why=f"{figure.cpu_s_per_1000:.2f} ms of CPU an email, parsing the JSON included: at most "
        f"{1000 / figure.cpu_s_per_1000:,.0f}/s on one core. smtp-source composes nothing",
    )


def _under_tls(rounds: Rounds, mode: Pipelining, connections: int, least: float) -> Goal:
    what = f"compose + send under TLS, `{mode}`, {_count(connections)}, 0 ms"
    goal = f">= {least:g} x aiosmtplib's 16 with prebuilt bytes"
    figure = rounds.find(names.ION[mode], 0.0, connections, Offer.TLS)
    peer = rounds.find(names.AIOSMTPLIB_BYTES, 0.0, 16, Offer.TLS)
    if figure is None or peer is None:
        return _missing(what, goal, rounds, Offer.TLS)
    times = figure.emails_per_s / peer.emails_per_s
    return judged(
        what,
        goal,
        f"{times:.1f} x ({figure.emails_per_s:,.0f}/s : {peer.emails_per_s:,.0f}/s)",
        reached=times >= least,
        why=f"{figure.cpu_s_per_1000:.2f} ms of CPU an email, from JSON; the peer needs "
        f"{peer.cpu_s_per_1000:.2f} ms without composing",
    )


def _count(connections: int) -> str:
    return "one connection" if connections == 1 else f"{connections} connections"


def _missing(what: str, goal: str, rounds: Rounds, offer: Offer) -> Goal:
    reasons = [why for name, why in rounds.missing.items() if name.endswith(f"({offer})")]
    return unmeasured(what, goal, reasons[0] if reasons else "")
