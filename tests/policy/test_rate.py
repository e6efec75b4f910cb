"""What throttles do to the rate and the connections, and how those recover."""

import json
from bisect import bisect
from dataclasses import replace
from heapq import heapify, heappop, heappush
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ion.outcome import Kind, Outcome, Reason, Reply, Scope, Stage
from ion.policy.rate import HEADROOM, LEAST_RATE, Bucket, LearnedRate, Limits, Pace
from ion.settings import Security, Smtp
from ion.smtp.replies import classify
from ion.smtp.stream import reply_of

REPLIES = Path(__file__).parents[1] / "smtp" / "replies.jsonl"
CORPUS = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "smtp" / "replies.jsonl")
    .read_text("utf-8")
    .splitlines()
]
TAKEN = Outcome(Stage.DOT, Kind.ACCEPTED, Scope.MESSAGE, Reason.ACCEPTED, Reply(250, None, "ok"))
MINUTE = 60.0


def throttle(text: str, stage: Stage = Stage.DOT) -> Outcome:
    reply = Reply(454, None, text)
    return Outcome(stage, Kind.THROTTLED, Scope.SITE, Reason.THROTTLED, reply)


TOO_FAST = throttle("Throttling failure: Maximum sending rate exceeded.")
TOO_MANY = throttle("Too many concurrent SMTP connections")


def limited(
    max_rate: float | None = 40, concurrency: int = 1, connections: int = 4, **login: str
) -> tuple[Smtp, Limits]:
    smtp = Smtp("smtp.example.org", 587, Security.STARTTLS, "ion", "canary-password")
    smtp = replace(smtp, max_rate=max_rate, connections=connections, **login)  # type: ignore[arg-type]
    return smtp, Limits.of(smtp, concurrency)


def pace(rate: float | None = None, connections: int = 8, now: float = 0) -> Pace:
    return Pace(Limits(rate, connections), now)


def took(one: Pace, count: int, since: float, until: float) -> None:
    """The server took so many, evenly."""
    for number in range(1, count + 1):
        at = since + (until - since) * number / count
        one.observe(TAKEN, 1, at, at)


def wall(one: Pace, at: float) -> None:
    """The server throttles several at once."""
    for _ in range(10):
        one.observe(TOO_FAST, 1, at, at)


def rate(one: Pace, now: float) -> float:
    in_force = one.rate(now)
    assert in_force is not None
    return in_force


# what is allowed


@pytest.mark.parametrize(
    ("max_rate", "concurrency", "share"),
    [(None, 1, None), (None, 3, None), (14, 1, 14 * HEADROOM), (30, 3, 10 * HEADROOM)],
)
def test_the_runs_share_the_rate_and_leave_some_of_it(
    max_rate: float | None, concurrency: int, share: float | None
) -> None:
    assert limited(max_rate, concurrency)[1] == Limits(share, 4)


# a rate throttle


def test_a_throttle_lowers_the_rate_to_a_little_less_than_the_server_took_lately() -> None:
    one = pace(100)
    took(one, 250, 0, 5)
    wall(one, 5)
    assert rate(one, 5) == pytest.approx(50 * HEADROOM, rel=0.05)


def test_it_never_more_than_halves_the_rate() -> None:
    one = pace(100)
    one.observe(TOO_FAST, 1, 0, 0)
    assert rate(one, 0) == 50


def test_it_lowers_the_rate_though_the_server_took_nearly_everything() -> None:
    one = pace(10)
    took(one, 50, 0, 5)
    wall(one, 5)
    assert rate(one, 5) == pytest.approx(10 * HEADROOM)


def test_a_limit_that_nobody_told_is_what_the_server_took() -> None:
    """At full speed, in a tenth of a second; the rest of that second it takes nothing."""
    one = pace(None)
    took(one, 40, 0, 0.1)
    wall(one, 0.11)
    assert rate(one, 0.2) == pytest.approx(40 * HEADROOM)


def test_what_was_under_way_by_then_counts_too() -> None:
    """The refusal of a MAIL overtakes the acceptance of a dot."""
    one = pace(None)
    took(one, 10, 0, 0.1)
    one.observe(TOO_FAST, 1, 0.1, 0.12)
    for _ in range(10):
        one.observe(TAKEN, 1, 0.11, 0.2)
    assert rate(one, 0.2) == pytest.approx(20 * HEADROOM)
    for _ in range(10):
        one.observe(TAKEN, 1, 0.21, 0.3)
    assert rate(one, 0.3) == pytest.approx(20 * HEADROOM), "after it, others count"


def test_the_rate_before_one_throttle_is_forgotten_at_the_next() -> None:
    one = pace(None)
    took(one, 10, 0, 0.1)
    one.observe(TOO_FAST, 1, 0.1, 0.2)
    one.observe(TOO_MANY, 1, 2, 2)
    for _ in range(50):
        one.observe(TAKEN, 1, 1.9, 2.1)
    assert rate(one, 2.1) == pytest.approx(10 * HEADROOM)


def test_what_it_took_long_ago_tells_nothing() -> None:
    one = pace(None)
    took(one, 4000, 0, 10)
    wall(one, 20)
    assert rate(one, 20) == 10, "a guess"


def test_those_who_run_into_one_wall_together_count_once() -> None:
    one = pace(80)
    for _ in range(30):
        one.observe(TOO_FAST, 1, 10.0, 10.2)
    one.observe(TOO_FAST, 1, 11.1, 11.2)  # begun within the second
    assert rate(one, 11.2) == 40
    one.observe(TOO_FAST, 1, 11.3, 11.4)
    assert rate(one, 11.4) == 20


def test_a_few_throttles_among_many_emails_are_about_something_else() -> None:
    """A recipient who gets too much mail, for instance: the others need not wait for that."""
    one = pace(100)
    for second in range(1000):
        took(one, 50, second, second + 0.9)
        if second % 2:
            one.observe(TOO_FAST, 1, second + 0.9, second + 0.9)
    assert (one.rate(1000), one.changed) == (100, False)


def test_a_slow_server_is_judged_by_when_it_answered() -> None:
    """It takes ten emails a second, each for twenty."""
    one = pace(12)
    for number in range(1000):
        one.observe(TAKEN, 1, number / 10, number / 10 + 20)
    for _ in range(10):
        one.observe(TOO_FAST, 1, 99, 119.9)
    assert rate(one, 119.9) == pytest.approx(10 * HEADROOM)


def test_recipients_count_and_not_emails() -> None:
    one = pace(None)
    for _ in range(4):
        one.observe(TAKEN, 10, 1, 1)
    one.observe(TOO_FAST, 1, 1, 1)
    assert rate(one, 1) == pytest.approx(40 * HEADROOM)


def test_it_goes_down_to_a_least_rate_and_no_further() -> None:
    one, slow = pace(1000), pace(0.02)
    for second in range(0, 100, 2):
        one.observe(TOO_FAST, 1, second, second)
        slow.observe(TOO_FAST, 1, second, second)
    assert (one.rate(99), slow.rate(99)) == (LEAST_RATE, 0.02)


@pytest.mark.parametrize(
    "said",
    [
        Outcome(Stage.DOT, Kind.TRANSIENT, Scope.MESSAGE, Reason.TRY_LATER, Reply(451, None, "x")),
        Outcome(Stage.RCPT, Kind.GREYLISTED, Scope.RECIPIENT, Reason.GREYLISTED),
        Outcome(Stage.CONNECT, Kind.UNAVAILABLE, Scope.SITE, Reason.CONNECT, detail="timed out"),
        throttle("too many messages in this connection"),
        throttle("4.7.0 mx.example.org Error: too many errors"),
    ],
)
def test_what_is_no_throttle_changes_nothing(said: Outcome) -> None:
    one = pace(10)
    one.observe(said, 1, 0, 0)
    assert (one.rate(0), one.connections(0), one.changed) == (10, 8, False)


# a connection throttle


def test_too_many_connections_halve_those_and_leave_the_rate() -> None:
    one = pace(10, connections=8)
    seen = []
    for second in range(0, 12, 2):
        one.observe(TOO_MANY, 1, second, second)
        seen.append(one.connections(second))
    assert (seen, one.rate(12)) == ([4, 2, 1, 1, 1, 1], 10)


def test_a_greeting_that_refuses_one_too_many_is_a_throttle() -> None:
    refusal = classify(Stage.CONNECT, Reply(421, None, "Too many concurrent SMTP connections"))
    one = pace()
    one.observe(refusal, 0, 0, 0)
    assert one.connections(0) == 4


def test_a_pool_that_was_refused_a_further_one_makes_do_with_those_it_has() -> None:
    one = pace(10, connections=8)
    one.cap_connections(3, 0)
    assert (one.connections(0), one.rate(0)) == (3, 10)
    assert one.connections(MINUTE) == 4


ABOUT_CONNECTIONS = [
    "Concurrent connections limit exceeded",
    "Connection frequency limited",
    "Connection rate limit exceeded",
    "Connection refused, too many sessions",
    "Error: too many connections",
    "Exceeding outbound thread limit",
    "The maximum number of concurrent connections",
    "Too many concurrent",
    "sender thread limit exceeded",
    "too frequent connects",
]


def test_of_all_throttles_known_these_are_about_connections() -> None:
    found = set()
    for line in CORPUS:
        text = line["reply"][4:]
        outcome = classify(Stage(line["stage"]), reply_of(int(line["reply"][:3]), text))
        one = pace()
        one.observe(outcome, 1, 0, 0)
        if one.connections(0) != 8:
            found.add(text)
    assert found
    for text in found:
        assert any(known in text for known in ABOUT_CONNECTIONS), text
    assert not [known for known in ABOUT_CONNECTIONS if not any(known in text for text in found)]


# recovery


@pytest.mark.parametrize(
    ("cut", "minutes", "grown"),
    [
        (40, 0.9, 40),
        (40, 1, 41),
        (40, 7.5, 47),
        (200, 1, 204),  # no less than a fiftieth
        (0.4, 1, 0.5),  # no more than a quarter
        (40, 1000, 400),
    ],
)
def test_each_clean_minute_adds_a_little(cut: float, minutes: float, grown: float) -> None:
    one = pace(400)
    one.resume(learned_rate(rate=cut), 0)
    assert rate(one, minutes * MINUTE) == pytest.approx(grown)


def test_each_clean_minute_adds_a_connection() -> None:
    one = pace(connections=8)
    one.observe(TOO_MANY, 1, 0, 0)
    assert [one.connections(minute * MINUTE) for minute in (0.9, 1, 2, 3, 4, 5)] == [
        4, 5, 6, 7, 8, 8,
    ]  # fmt: skip


def test_a_throttle_begins_the_minute_anew() -> None:
    one = pace(100, connections=8)
    one.observe(TOO_FAST, 1, 0, 0)
    one.observe(TOO_MANY, 1, 50, 50)
    assert (one.rate(105), one.connections(105)) == (50, 4)
    assert (one.rate(110), one.connections(110)) == (51, 5)


def test_after_a_day_without_a_throttle_none_is_remembered() -> None:
    one = pace(None)
    one.observe(TOO_FAST, 1, 0, 0)
    assert one.rate(23 * 60 * MINUTE) is not None
    assert pace(None).rate(24 * 60 * MINUTE) is None
    one = pace(None)
    one.resume(learned_rate(rate=5), 24 * 60 * MINUTE)
    assert one.rate(0) is None


moves = st.lists(
    st.tuples(
        st.sampled_from([TAKEN, TOO_FAST, TOO_MANY]),
        st.integers(1, 100),
        st.sampled_from([0.0, 0.1, 1.1, 30.0, 61.0, 4000.0]),
    ),
    max_size=60,
)


@given(limit=st.none() | st.floats(0.001, 10_000), connections=st.integers(1, 100), moves=moves)
def test_whatever_is_heard_it_stays_within_its_limits_and_recovers(
    limit: float | None, connections: int, moves: list[tuple[Outcome, int, float]]
) -> None:
    one, now = pace(limit, connections), 0.0
    for outcome, recipients, passes in moves:
        now += passes
        one.observe(outcome, recipients, now, now)
        in_force = one.rate(now)
        if in_force is not None:
            assert in_force >= min(LEAST_RATE, limit or LEAST_RATE)
        if limit is not None:
            assert in_force is not None
            assert in_force <= limit
        assert 1 <= one.connections(now) <= connections
    now += 24 * 60 * MINUTE
    assert (one.rate(now), one.connections(now)) == (limit, connections)


@given(
    cut=st.floats(0.1, 1000), first=st.floats(0, 100 * MINUTE), second=st.floats(0, 100 * MINUTE)
)
def test_it_does_not_matter_how_often_one_looks(cut: float, first: float, second: float) -> None:
    looked, blind = pace(None), pace(None)
    for one in (looked, blind):
        one.resume(learned_rate(rate=cut), 0)
    looked.rate(first)
    assert looked.rate(first + second) == pytest.approx(blind.rate(first + second))


# from run to run


def learned_rate(**parts: object) -> LearnedRate:
    least: dict[str, object] = {"connections": 8, "at": 0, "login": "", "limits": ""}
    return LearnedRate(**(least | parts))  # type: ignore[arg-type]


def learned() -> tuple[Smtp, Limits, LearnedRate]:
    smtp, limits = limited()
    one = Pace(limits, 0)
    one.observe(TOO_FAST, 1, 100, 100)
    return smtp, limits, one.learned_rate(smtp, None, 1_800_000_000)


def test_the_next_run_goes_on_where_the_last_one_ended() -> None:
    _, limits, one = learned()
    assert (one.rate, one.at) == (20 * HEADROOM, 1_800_000_100)
    later = Pace(limits, 5000)
    later.resume(one, age_seconds=2.5 * MINUTE)
    assert rate(later, 5000) == 20 * HEADROOM + 2
    assert rate(later, 5000 + 0.5 * MINUTE) == 20 * HEADROOM + 3
    assert not later.changed


def test_a_lesson_of_the_future_is_one_of_now() -> None:
    """Clocks differ."""
    _, limits, one = learned()
    later = Pace(limits, 0)
    later.resume(one, age_seconds=-500)
    assert rate(later, MINUTE) == 20 * HEADROOM + 1


@pytest.mark.parametrize(
    "changed",
    [
        {"password": "another"},
        {"username": "another"},
        {"server": "smtp2.example.org"},
        {"max_rate": 41},
        {"max_rate": None},
        {"concurrency": 2},
        {"connections": 5},
    ],
)
def test_another_login_or_limit_begins_anew(changed: dict[str, object]) -> None:
    smtp, limits, one = learned()
    assert one.is_about(smtp, limits)
    assert not one.is_about(*limited(**changed))  # type: ignore[arg-type]


def test_the_fingerprint_is_made_once() -> None:
    """It is slow on purpose."""
    smtp, limits, one = learned()
    again = Pace(limits, 0)
    again.observe(TOO_FAST, 1, 0, 0)
    assert again.learned_rate(smtp, one, 0).login == one.login
    assert "canary" not in repr(one)


# the bucket


def test_tokens_go_out_evenly() -> None:
    bucket = Bucket()
    waits = []
    now = 0.0
    for _ in range(5):
        wait = bucket.wait_seconds(10, now)
        waits.append(round(wait, 3))
        now += wait
        bucket.spend(1, 10, now)
    assert waits == [0, 0.1, 0.1, 0.1, 0.1]


def test_without_a_rate_nobody_waits() -> None:
    bucket = Bucket()
    for _ in range(1000):
        assert bucket.wait_seconds(None, 0) == 0
        bucket.spend(50, None, 0)
    assert bucket.wait_seconds(1, 0) == 0


def test_many_recipients_are_paid_for_afterwards() -> None:
    bucket = Bucket()
    assert bucket.wait_seconds(10, 0) == 0
    bucket.spend(50, 10, 0)
    assert bucket.wait_seconds(10, 0) == pytest.approx(5, abs=0.01)


def test_what_a_busy_moment_held_up_follows_it_but_not_what_a_quiet_hour_left() -> None:
    bucket = Bucket()
    bucket.spend(20, 500, 0)
    bucket.spend(1, 500, 3600)
    followed = 0
    while bucket.wait_seconds(500, 3600) == 0:
        bucket.spend(1, 500, 3600)
        followed += 1
    assert followed == 19


@given(
    rate=st.floats(0.01, 10_000),
    steps=st.lists(st.tuples(st.floats(0, 3), st.integers(1, 60)), min_size=1, max_size=50),
)
def test_no_longer_time_sees_more_than_its_rate_and_the_last_email(
    rate: float, steps: list[tuple[float, int]]
) -> None:
    bucket, now, spent = Bucket(), 0.0, 0
    for idle, recipients in steps:
        now += idle + bucket.wait_seconds(rate, now + idle)
        assert spent <= rate * now + max(1, 0.04 * rate) + 0.01 * len(steps)
        bucket.spend(recipients, rate, now)
        spent += recipients


# hours of it, with a server

ROUND_TRIP = 0.05


class Server:
    """Takes so many a second: any second at all, or a second's worth at once."""

    def __init__(self, limit: float, *, strict: bool) -> None:
        self._limit = limit
        self._strict = strict
        self._tokens, self._at = limit, 0.0
        self.taken: list[float] = []

    def takes(self, now: float) -> bool:
        if self._strict:
            a_second_ago = bisect(self.taken, now - 1)
            taken = len(self.taken) - a_second_ago < self._limit
        else:
            self._tokens = min(self._limit, self._tokens + self._limit * (now - self._at))
            taken = self._tokens >= 1
            self._tokens -= taken
            self._at = now
        if taken:
            self.taken.append(now)
        return taken

    def rate(self, since: float, until: float) -> float:
        return (bisect(self.taken, until) - bisect(self.taken, since)) / (until - since)


def simulated(server: Server, paces: list[Pace], seconds: float, workers: int = 8) -> None:
    """There is always mail; each run has so many emails under way at a time."""
    buckets = [Bucket() for _ in paces]
    turns = [(0.0, number, run) for number in range(workers) for run in range(len(paces))]
    heapify(turns)
    while turns[0][0] < seconds:
        now, number, run = heappop(turns)
        pace, bucket = paces[run], buckets[run]
        wait = bucket.wait_seconds(pace.rate(now), now)
        if wait:
            heappush(turns, (now + wait, number, run))
            continue
        bucket.spend(1, pace.rate(now), now)
        done = now + ROUND_TRIP
        pace.observe(TAKEN if server.takes(now) else TOO_FAST, 1, now, done)
        heappush(turns, (done, number, run))


@pytest.mark.row(62)
@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("runs", [1, 3])
@pytest.mark.parametrize("limit", [6, 14, 40, 100])
def test_a_limit_that_is_set_is_used(limit: float, runs: int, *, strict: bool) -> None:
    server = Server(limit, strict=strict)
    _, limits = limited(limit, runs)
    simulated(server, [Pace(limits, 0) for _ in range(runs)], 300)
    for begin in (0, 100, 200):
        assert 0.9 * limit <= server.rate(begin, begin + 100) <= limit


@pytest.mark.row(62)
@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("runs", [1, 3])
@pytest.mark.parametrize("limit", [14, 40, 100])
def test_a_limit_that_nobody_told_is_found(limit: float, runs: int, *, strict: bool) -> None:
    server = Server(limit, strict=strict)
    simulated(server, [Pace(Limits(None, 4), 0) for _ in range(runs)], 600)
    for begin in (0, 200, 400):
        assert 0.9 * limit <= server.rate(begin, begin + 200) <= 1.01 * limit


@pytest.mark.row(62)
def test_a_limit_that_is_lower_than_it_was_said_is_found_too() -> None:
    server = Server(14, strict=True)
    simulated(server, [Pace(limited(50)[1], 0)], 600)
    assert 0.9 * 14 <= server.rate(0, 600) <= 14


@pytest.mark.row(62)
def test_a_limit_that_was_raised_is_used_in_time() -> None:
    one = Pace(limited(28)[1], 0)
    one.resume(learned_rate(rate=14), 0)
    simulated(Server(28, strict=True), [one], 15 * MINUTE)
    assert rate(one, 15 * MINUTE) == pytest.approx(28 * HEADROOM)
