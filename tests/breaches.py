"""What a mail server saw of the relay that no server has to put up with. Pure."""

from collections.abc import Iterator, Sequence

from smtp_server import Offer, Session

_UNDER_WAY = 3
"""Emails on one connection in `deep`; in the other modes there is one."""


def breaches(
    sessions: Sequence[Session], pipelining: str, offer: Offer, connections: int
) -> Iterator[str]:
    """Of the protocol, of the mode, and of what the server has shown.

    Args:
        sessions: the server's.
        pipelining: the mode that was asked for: `off`, `envelope` or `deep`.
        offer: the server's.
        connections: that there may have been before what the server showed was known.
    """
    deep = pipelining == "deep" and offer.pipelining
    at_once = _UNDER_WAY if deep else 1
    for session in sessions:
        for step in session.unawaited:
            yield f"unawaited: more came behind {step.name}, in {pipelining}"
        if session.put_off > at_once:
            yield f"not replaced: {session.put_off} put off on one connection, in {pipelining}"
        flights = sum(command.pipelined for command in session.commands)
        if flights and (pipelining == "off" or not offer.pipelining):
            yield f"pipelined: {flights} commands with more behind them, in {pipelining}"
    early = sum(session.early_mails for session in sessions)
    if early and not deep:
        yield f"too deep: {early} envelopes behind a dot, in {pipelining}"
    minded = sum(session.minded_mails for session in sessions)
    if minded > connections * _UNDER_WAY:
        yield f"not learned: {minded} envelopes behind a dot, which the server minds"
