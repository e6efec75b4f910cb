"""What a life's mail server saw of its client that no server has to put up with. Pure."""

from collections.abc import Iterator, Sequence

from smtp_server import Session
from soak.manner import Habit, Manner

_CONNECTIONS = 4
"""As config.cfg has it."""
_UNDER_WAY = 3
"""Emails on one connection in `deep`; in the other modes there is one."""


def breaches(sessions: Sequence[Session], manner: Manner, invocations: int) -> Iterator[str]:
    """Of the protocol, of the mode, and of what the server has shown.

    Args:
        sessions: the server's.
        manner: of the life.
        invocations: in it; each may have to learn anew what could not be written down.
    """
    at_once = _UNDER_WAY if manner.deep else 1
    way = f"{manner.mode}, {manner.habit}"
    for session in sessions:
        for step in session.unawaited:
            yield f"unawaited: more came behind {step.name} ({way})"
        if session.put_off > at_once:
            yield f"not replaced: {session.put_off} emails put off on one connection ({way})"
        if not manner.pipelining and any(command.pipelined for command in session.commands):
            yield f"pipelined: several commands in one flight ({way})"
    early = sum(session.early_mails for session in sessions)
    if early and not manner.deep:
        yield f"too deep: {early} envelopes behind a dot ({way})"
    if manner.habit is Habit.IN_ORDER and early > invocations * _CONNECTIONS * _UNDER_WAY:
        yield f"not learned: {early} envelopes behind a dot ({way})"
