"""Access tokens, kept from one connection, and one run, to the next."""

import asyncio
import ssl
import time
from collections.abc import Callable

from ion.deadline import Deadline
from ion.outcome import Outcome
from ion.settings import OAuth
from ion.smtp.oauth import Token, fetch, https_context

_MARGIN_SECONDS = 300
"""A token is kept until so long before its end: servers' clocks differ, and a login takes time."""
_UNTOLD_SECONDS = 600
"""How long a token is thought to do if the endpoint doesn't say (RFC 6749 section 5.1 lets it be
silent): so it is kept for five minutes, as a secret is. One that ended earlier is refused, which
costs one login: it is asked for anew then."""


class Tokens:
    """The tokens of an execution environment, by what was shown for them.

    One connection at a time asks for one (`Logins`); the others then find it here.

    Args:
        tls: makes the context for the endpoints' certificates, when it is needed first. The
            server's private CA is none of theirs.
        now: seconds since the epoch: a clock that goes on while the environment is frozen.
    """

    def __init__(
        self,
        tls: Callable[[], ssl.SSLContext] = https_context,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._make_tls = tls
        self._tls: ssl.SSLContext | None = None
        self._now = now
        self._kept: dict[OAuth, tuple[str, float]] = {}
        """Each with the moment from which on another one is asked for."""

    def __repr__(self) -> str:
        return f"<Tokens, {len(self._kept)} kept>"

    async def get(self, oauth: OAuth, deadline: Deadline) -> str | Outcome:
        """A token that will do for some time yet, or why there is none."""
        self._kept = {one: kept for one, kept in self._kept.items() if self._now() < kept[1]}
        if oauth in self._kept:
            return self._kept[oauth][0]
        if self._tls is None:
            self._tls = await asyncio.to_thread(self._make_tls)
        asked_at = self._now()
        got = await fetch(oauth, self._tls, deadline)
        if isinstance(got, Outcome):
            return got
        self._kept[oauth] = got.text, asked_at + _keep_seconds(got)
        return got.text

    def forget(self, oauth: OAuth, token: str) -> None:
        """A server has refused it, whatever time it had left."""
        if oauth in self._kept and self._kept[oauth][0] == token:
            del self._kept[oauth]


def _keep_seconds(token: Token) -> float:
    """At least half its time: one of a few minutes isn't asked for with each connection."""
    seconds = _UNTOLD_SECONDS if token.seconds is None else token.seconds
    return seconds - min(_MARGIN_SECONDS, seconds / 2)
