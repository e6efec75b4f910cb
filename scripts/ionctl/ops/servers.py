"""The mail servers of a relay: which let nothing in, and how fast mail may go to each. Pure."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from ion.outcome import Reason
from ion.policy.rate import Limits
from ion.policy.rate import Pace as PaceInForce
from ion.settings import Security, Smtp
from ionctl.ops.result import HeldServer, Pace

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ion.aws.server_state import ServerState
    from ionctl.ops.log import Event

FIRST = "smtp"
"""The section of the first server, which each relay has."""
SUSPENDED = ("delivery suspended", "delivery still suspended")
"""Events about a server that lets nothing in."""
_MARGIN = timedelta(seconds=2)
"""Of clocks and of what a run does before it counts its seconds."""
_EVER = datetime.min.replace(tzinfo=UTC)
_HEADING = re.compile(r"[A-Z][A-Z0-9_]* at [a-z]+(?:: |\Z)")
"""Before the server's words in what ion keeps of an outcome: "AUTH at auth: "."""
_REASONS = frozenset(Reason)


def named(events: Iterable[Event]) -> list[str]:
    """Sections of the servers that events tell of, the first one's before all."""
    told = {one.text(key) for one in events for key in ("server", "held_by")}
    return [FIRST, *sorted(told - {FIRST, ""})]


def held(
    runs: Sequence[Event],
    suspended: Sequence[Event],
    states: Mapping[str, ServerState],
    now: datetime,
) -> list[HeldServer]:
    """What keeps mail from going, the first server first.

    Args:
        runs: events "run ended", oldest first.
        suspended: events of servers that let nothing in, oldest first.
        states: of the servers, by their sections.
        now: with a time zone.
    """
    last = runs[-1] if runs else None
    begins = _begins(runs)
    began = begins[-1] if begins else _EVER
    fresh = {one.text("server"): one for one in suspended if one.at > began}
    found = {
        server: HeldServer(
            server=server,
            reason=_reason(event.text("reason")),
            reply=_reply(event.text("reply")),
            since=_since(server, runs, suspended) or event.at,
            next_try=_next_try(states.get(server), now),
        )
        for server, event in fresh.items()
    }
    if last is not None and (why := last.text("held")):
        server = last.text("held_by")
        if server not in found:
            found[server] = HeldServer(
                server=server,
                reason=_reason(why),
                reply=_reply(last.text("error")),
                since=_held_since(runs),
                next_try=_next_try(states.get(server), now),
            )
    if last is None:  # nothing newer is known than what the table has
        for server, state in states.items():
            due = _next_try(state, now)
            if due is not None and state.backoff is not None and server not in found:
                found[server] = HeldServer(
                    server=server,
                    reason=_reason(state.backoff.reason),
                    reply=_reply(state.backoff.error),
                    next_try=due,
                )
    return sorted(found.values(), key=lambda one: (one.server != FIRST, one.server))


def paces(
    servers: Iterable[str],
    environment: Mapping[str, str],
    states: Mapping[str, ServerState],
    now: float | None = None,
) -> list[Pace]:
    """How fast mail may go to each server.

    Args:
        servers: their sections.
        environment: the function's. What `config.cfg` in the package says isn't known here: what
            isn't in the environment counts as if it were as shipped.
        states: of the servers.
        now: seconds since the epoch; None: now.
    """
    now = time.time() if now is None else now
    concurrency = int(_number(environment, "ION_AWS_CONCURRENCY") or 1)
    found = []
    for server in servers:
        limits = Limits.of(_settings(server, environment), concurrency)
        rate, connections, since = limits.rate, limits.connections, None
        state = states.get(server)
        if state is not None and (learned := state.rate) is not None:
            pace = PaceInForce(limits, 0.0)
            pace.resume(learned, now - learned.at)
            rate, connections = pace.rate(0.0), pace.connections(0.0)
            if (rate, connections) != (limits.rate, limits.connections):
                since = datetime.fromtimestamp(learned.at, UTC)
        found.append(
            Pace(
                server=server,
                rate=None if rate is None else round(rate * concurrency, 3),
                connections=connections,
                learned=since is not None,
                since=since,
            )
        )
    return found


def _settings(server: str, environment: Mapping[str, str]) -> Smtp:
    first, own = "ION_SMTP", f"ION_{server.replace(':', '_').upper()}"
    connections = _number(environment, f"{own}_CONNECTIONS") or _number(
        environment, f"{first}_CONNECTIONS"
    )
    usual = Smtp("", 0, Security.STARTTLS)
    return Smtp(
        *("", 0, Security.STARTTLS),
        connections=int(connections or usual.connections),
        max_rate=_number(environment, f"{own}_MAX_RATE"),
    )


def _number(environment: Mapping[str, str], name: str) -> float | None:
    """None: it isn't set, or not to a number, which the relay itself will complain of."""
    try:
        return float(environment[name])
    except (KeyError, ValueError):
        return None


def _begins(runs: Sequence[Event]) -> list[datetime]:
    """When each began: not before the one before it had ended, as far as it can be told."""
    begins = [run.at - timedelta(seconds=run.number("seconds") or 0) - _MARGIN for run in runs]
    ends = [_EVER, *(run.at for run in runs)]
    return [max(*times) for times in zip(begins, ends, strict=False)]


def _since(server: str, runs: Sequence[Event], suspended: Sequence[Event]) -> datetime | None:
    """When a server let nothing in for the first time since a run was well with it."""
    told = [one.at for one in suspended if one.text("server") == server]
    well = [
        run.at
        for began, run in zip(_begins(runs), runs, strict=True)
        if not any(began < at <= run.at for at in told)
    ]
    last_well = max(well, default=_EVER)
    return min((at for at in told if at > last_well), default=None)


def _held_since(runs: Sequence[Event]) -> datetime | None:
    """The first of the last runs that all left mail behind."""
    since = None
    for run in reversed(runs):
        if not run.text("held"):
            break
        since = run.at
    return since


def _next_try(state: ServerState | None, now: datetime) -> datetime | None:
    if state is None or state.backoff is None or not state.backoff.times:
        return None
    until = datetime.fromtimestamp(state.backoff.until, UTC)
    return until if until > now else None


def _reason(word: str) -> str:
    """A code of docs/reasons.md, if it is one; else why a run was held, in its own word."""
    return word.upper() if word.upper() in _REASONS else word


def _reply(kept: str) -> str:
    """The server's words, without ion's before them."""
    return _HEADING.sub("", kept, count=1)
