"""Time to leave a mail server alone that turned us away: pure."""

import hashlib
import json
import secrets
from dataclasses import astuple, dataclass
from functools import lru_cache

from ion.outcome import Kind, Outcome, Reason, Stage
from ion.settings import Smtp

_LADDER_SECONDS = (300, 600, 1200, 2400, 3600)
"""Providers lock accounts that keep trying a wrong password."""
_QUOTA_SECONDS = 600
"""A quota ends at an unknown hour, so it is asked for this often."""
_SALT_BYTES = 16


@dataclass(frozen=True, slots=True)
class Backoff:
    """Why nothing is tried, and until when.

    Args:
        reason: of the run that it follows from, in lower case.
        error: what the server said, redacted.
        times: how often in a row.
        until: seconds since the epoch.
        login: `fingerprint` of the login that was refused: another one is tried at once.
    """

    reason: str
    error: str
    times: int
    until: int
    login: str

    def is_over(self, smtp: Smtp, now: float) -> bool:
        """True if its time has come, or there is another server or login to try."""
        return now >= self.until or not is_of(self.login, smtp)


def following(
    outcome: Outcome, error: str, before: Backoff | None, smtp: Smtp, now: float
) -> Backoff | None:
    """The backoff that follows from an outcome; None: try again whenever something wakes us.

    A server is left alone where trying makes things worse, or can't make them better. To knock at
    one that can't be reached costs nothing, and is done with each wake-up.
    """
    # Some servers refuse a login only at a command behind it.
    at_login = outcome.stage is Stage.AUTH or outcome.reason is Reason.AUTH
    refused_login = at_login and outcome.kind is Kind.MISCONFIGURED
    if outcome.kind is not Kind.QUOTA and not refused_login:
        return None
    reason = outcome.reason.lower()
    again = before is not None and before.reason == reason and is_of(before.login, smtp)
    times = before.times + 1 if before is not None and again else 1
    ladder = _LADDER_SECONDS if refused_login else (_QUOTA_SECONDS,)
    seconds = ladder[min(times, len(ladder)) - 1]
    login = before.login if before is not None and again else fingerprint(smtp)
    return Backoff(reason, error, times, int(now) + seconds, login)


def fingerprint(smtp: Smtp, salt: bytes | None = None) -> str:
    """A hash that tells one login from another, and gives none away.

    Slow on purpose (scrypt): it is kept in a table, where a reader might try passwords.
    """
    salt = salt or secrets.token_bytes(_SALT_BYTES)
    parts = [smtp.server, smtp.port, smtp.username, smtp.password]
    if smtp.oauth:
        parts.extend(astuple(smtp.oauth))
    login = json.dumps(parts).encode()
    return (salt + hashlib.scrypt(login, salt=salt, n=2**14, r=8, p=1, dklen=16)).hex()


@lru_cache(maxsize=4)
def is_of(login: str, smtp: Smtp) -> bool:
    """True if it is the fingerprint of this login. Asked for at each run, and slow on purpose."""
    return fingerprint(smtp, bytes.fromhex(login)[:_SALT_BYTES]) == login
