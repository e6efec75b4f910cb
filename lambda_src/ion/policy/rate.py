"""Sending rate and number of connections: the limits, and what throttles taught.

Pure: the time is an argument, in seconds of any clock that runs evenly.
"""

import re
from collections import deque
from dataclasses import dataclass

from ion.outcome import Kind, Outcome, Stage
from ion.policy.backoff import fingerprint, is_of
from ion.settings import Smtp

HEADROOM = 0.96
"""Of what is allowed, so much is used. Servers count in windows of their own, and mail comes to
them less evenly than it leaves."""
LEAST_RATE = 0.1
"""Emails a second that are tried in any case, so that the end of a throttle is noticed."""
_FIRST_GUESS = 10.0
"""Emails a second, where a server throttles before it took anything, and its limit is unknown."""
_SAME_EVENT_SECONDS = 1.0
"""Limits are counted by the second: who runs into one within it runs into the same one."""
_MANY, _LOOK_AT = 0.05, 100
"""Throttled emails among the last ones that make a throttle of the rate's. Fewer are about who
they were for, or one of those seconds in which there always is one too many; they wait alone."""
_LATELY_SECONDS = 5.0
_CLEAN_SECONDS = 60.0
_CATCH_UP_SECONDS = 0.04
"""What could have been sent in this time may follow at once. It is what the headroom has room for:
no second, wherever it begins, has more in it than is allowed."""
_LEAST_WAIT_SECONDS = 0.001
"""No timer is better than that, and one that ends too early would have to be set again."""
_NEARLY_NONE = 0.001
_FORGET_MINUTES = 24 * 60
"""After that long without a throttle, none is remembered."""

_ABOUT_CONNECTIONS = re.compile(
    r"concurrent|too many (connections|sessions)|connection (rate|frequency)|frequent connects"
    r"|(sender|outbound) thread limit",
    re.IGNORECASE,
)
_ABOUT_ONE_CONNECTION = re.compile(
    r"messages (in this connection|per session)|too many (errors|bad commands)", re.IGNORECASE
)


def is_about_one_connection(outcome: Outcome) -> bool:
    """True if only that connection is over, and another one may go on as fast as before."""
    return _ABOUT_ONE_CONNECTION.search(outcome.said) is not None


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that one run may do.

    Args:
        rate: recipients a second; None: unknown.
        connections: at a time.
    """

    rate: float | None
    connections: int

    @classmethod
    def of(cls, smtp: Smtp, concurrency: int) -> "Limits":
        """Each of the runs that there may be at a time has the same share of the rate."""
        whole = None if smtp.max_rate is None else smtp.max_rate * HEADROOM
        return cls(whole and whole / concurrency, smtp.connections)


@dataclass(frozen=True, slots=True)
class LearnedRate:
    """Rate and connections that a run was throttled down to, for the runs after it.

    Args:
        connections: that it made do with.
        at: when it was throttled last, seconds since the epoch.
        login: `fingerprint` of the login that was throttled.
        limits: that were set then; under others it is worth nothing.
        rate: recipients a second that it came down to; None: it wasn't throttled for that.
    """

    connections: int
    at: int
    login: str
    limits: str
    rate: float | None = None

    def is_about(self, smtp: Smtp, limits: Limits) -> bool:
        """True unless the server, the login or a limit is another one by now."""
        return self.limits == str(limits) and is_of(self.login, smtp)


class Pace:
    """The rate and the connections in force.

    A throttle for the rate lowers it to a little below what the server took lately, or to a half
    if it took still less; one for the connections halves those. With each clean minute both grow
    again, to their limits at most: there is one more connection, and one more email a second, but
    never more than a quarter, nor less than a fiftieth of what there is.

    Args:
        limits: what is allowed.
        now: seconds.
    """

    def __init__(self, limits: Limits, now: float) -> None:
        self._limits = limits
        self._rate = limits.rate
        self._connections = limits.connections
        self._before_cut = self._rate
        self._cut_at = float("-inf")
        self._clean_since = now
        self._lately: deque[tuple[float, float, int]] = deque()
        """When the server was asked to take how many recipients, and when it had done so."""
        self._ends: deque[bool] = deque(maxlen=_LOOK_AT)
        """Of the last emails that were taken or throttled: True for the throttled ones."""
        self.changed = False
        """It was throttled since it was made."""

    def __repr__(self) -> str:
        rate = "any rate" if self._rate is None else f"{self._rate:g}/s"
        return f"<Pace {rate}, {self._connections} connections>"

    def rate(self, now: float) -> float | None:
        """Recipients a second; None: as fast as it goes."""
        self._grow(now)
        return self._rate

    def connections(self, now: float) -> int:
        """The number of connections in force."""
        self._grow(now)
        return self._connections

    def resume(self, learned_rate: LearnedRate, age_seconds: float) -> None:
        """Go on where an earlier run was, so many seconds after it was throttled last."""
        self._cut_at = self._clean_since = self._clean_since - max(0.0, age_seconds)
        self._set(learned_rate.rate or self._rate, learned_rate.connections)

    def observe(self, outcome: Outcome, recipients: int, began: float, now: float) -> None:
        """Learn from what the server said.

        Args:
            outcome: that.
            recipients: how many it was about.
            began: when it was asked. An email that was under way when another was throttled says
                nothing new.
            now: seconds.
        """
        if outcome.kind is Kind.ACCEPTED:
            if recipients:
                self._taken(recipients, began, now)
            return
        crowded = _ABOUT_CONNECTIONS.search(outcome.said) is not None
        throttled = outcome.kind is Kind.THROTTLED or (outcome.stage is Stage.CONNECT and crowded)
        if not throttled or is_about_one_connection(outcome):
            return
        if not crowded:
            self._ends.append(True)
        if began < self._cut_at + _SAME_EVENT_SECONDS:
            return
        if crowded:
            self._grow(now)
            self._cut(self._rate, self._connections // 2, now)
        elif sum(self._ends) >= _MANY * len(self._ends):
            self._grow(now)
            self._cut(self._slower(self._rate, now), self._connections, now)
            self._ends = deque((end for end in self._ends if not end), maxlen=_LOOK_AT)

    def cap_connections(self, connections: int, now: float) -> None:
        """The server let us have no more than so many."""
        self._grow(now)
        self._cut(self._rate, connections, now)

    def learned_rate(
        self, smtp: Smtp, before: LearnedRate | None, age_seconds: float
    ) -> LearnedRate:
        """The rate and connections in force, to be remembered.

        Args:
            smtp: the server that taught it.
            before: the learned_rate that it began with, if any.
            age_seconds: from the epoch to the clock's zero: what turns its time into the epoch's.
        """
        return LearnedRate(
            connections=self._connections,
            at=int(self._clean_since + age_seconds),
            login=before.login if before else fingerprint(smtp),
            limits=str(self._limits),
            rate=self._rate and round(self._rate, 6),
        )

    def _taken(self, recipients: int, began: float, now: float) -> None:
        self._ends.append(False)
        self._lately.append((began, now, recipients))
        while self._lately[0][1] <= now - 2 * _LATELY_SECONDS:
            self._lately.popleft()
        was_under_way = began <= self._cut_at and now < self._cut_at + _LATELY_SECONDS
        if was_under_way and self._rate is not None and self._rate != self._before_cut:
            taken_all_the_same = self._slower(self._before_cut, self._cut_at)
            self._set(max(self._rate, taken_all_the_same), self._connections)

    def _slower(self, rate: float | None, now: float) -> float:
        """A server that is asked for too much still takes what it is worth.

        A slow one shows that by when it answered, a quick one by what it was asked until it
        began to throttle.
        """
        taken = HEADROOM * max(
            self._taken_in(seconds, which, now) / seconds
            for seconds in (1, _LATELY_SECONDS)
            for which in (0, 1)
        )
        if rate is None:
            return taken or _FIRST_GUESS
        return max(min(taken, HEADROOM * rate), rate / 2)

    def _taken_in(self, seconds: float, which: int, now: float) -> int:
        return sum(one[2] for one in self._lately if now - seconds < one[which] <= now)

    def _cut(self, rate: float | None, connections: int, now: float) -> None:
        self._cut_at = self._clean_since = now
        self._before_cut = self._rate
        self._set(rate, connections)
        self.changed = True

    def _grow(self, now: float) -> None:
        minutes = int((now - self._clean_since) / _CLEAN_SECONDS)
        if minutes < 1:
            return
        self._clean_since += minutes * _CLEAN_SECONDS
        if minutes >= _FORGET_MINUTES:
            self._set(self._limits.rate, self._limits.connections)
            return
        rate = self._rate
        if rate is not None:
            for _ in range(minutes):
                rate = _more(rate)
        self._set(rate, self._connections + minutes)

    def _set(self, rate: float | None, connections: int) -> None:
        if rate is not None:
            most = float("inf") if self._limits.rate is None else self._limits.rate
            rate = min(max(rate, LEAST_RATE), most)
        self._rate = rate
        self._connections = min(max(connections, 1), self._limits.connections)


def _more(rate: float) -> float:
    return rate + min(max(1.0, rate / 50), rate / 4)


class Bucket:
    """Tokens that become more with time; each recipient takes one.

    It holds so few that they go out evenly, and those that a busy moment kept from going follow
    it. It may be overdrawn: an email goes to all of its recipients, and the next ones wait longer.
    """

    def __init__(self) -> None:
        self._tokens = 1.0
        self._at = float("-inf")

    def wait_seconds(self, rate: float | None, now: float) -> float:
        """Seconds until there is a token, at that many a second."""
        if rate is None:
            return 0.0
        self._fill(rate, now)
        missing = 1 - self._tokens
        return max(_LEAST_WAIT_SECONDS, missing / rate) if missing > _NEARLY_NONE else 0.0

    def spend(self, recipients: int, rate: float | None, now: float) -> None:
        """Take so many, whether they are there or not."""
        if rate is not None:
            self._fill(rate, now)
            self._tokens -= recipients

    def _fill(self, rate: float, now: float) -> None:
        most = max(1.0, _CATCH_UP_SECONDS * rate)
        self._tokens = min(most, self._tokens + rate * max(0.0, now - self._at))
        self._at = now
