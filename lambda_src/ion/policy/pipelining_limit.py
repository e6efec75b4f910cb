"""The limit of a server that mistreats PIPELINING, remembered across runs: pure."""

from dataclasses import dataclass

from ion.settings import Pipelining, Smtp

_KEPT_SECONDS = 7 * 24 * 3600
"""Servers are mended, and replaced: after a week the full setting is tried again."""


@dataclass(frozen=True, slots=True)
class PipeliningLimit:
    """The most that a server is asked to take in one flight.

    Args:
        most: a value of `Pipelining`.
        server: host and port that it is about; at another one it is worth nothing.
        until: seconds since the epoch.
    """

    most: str
    server: str
    until: int

    @classmethod
    def learned(cls, most: Pipelining, smtp: Smtp, now: float) -> "PipeliningLimit":
        """The limit that follows from a server's mistakes at `now`, seconds since the epoch."""
        return cls(most.value, _address(smtp), int(now) + _KEPT_SECONDS)

    def applied_to(self, smtp: Smtp, now: float) -> Pipelining:
        """The mode for this server at `now`, seconds since the epoch."""
        if now >= self.until or self.server != _address(smtp):
            return smtp.pipelining
        return smtp.pipelining.at_most(Pipelining(self.most))


def _address(smtp: Smtp) -> str:
    return f"{smtp.server}:{smtp.port}"
