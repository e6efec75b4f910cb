"""What hypothesis may draw."""

from hypothesis import strategies as st

from ion.contract import Cancel, Lane, Pause, Resume, Stop, StopWhere
from ion.delivery import InDoubt
from ion.settings import Pipelining
from machine.emails import USUAL, Wishes
from machine.faults import KILLS, AwsFault, Ill, Plan, Seam, SmtpFault, Trouble
from machine.operators import Order
from machine.orders import SENDER
from machine.publisher import BAD
from machine.relay import LIFE_SECONDS
from smtp_server import Habit, Step

CAMPAIGNS = ("spring", "autumn")
_STEPS = (
    Step.BODY,
    Step.RCPT,
    Step.DATA,
    Step.MAIL,
    Step.RSET,
    Step.NOOP,
    Step.EHLO,
    Step.CONNECT,
    Step.QUIT,
)
_LATE_SECONDS = (5.0, 5.0, 310.0, LIFE_SECONDS - 5)
"""Within the patience of either side; beyond it; till the function's time is up."""
_FIRST = st.sampled_from([0, 0, 0, 1, 2, 3])
"""A run makes few calls at most seams."""
_TIMES = st.sampled_from([1, 2, 4, 99])
_CONNECTIONS = st.sampled_from([1, 2])
_PIPELINING = st.sampled_from(
    [Pipelining.ENVELOPE, Pipelining.DEEP, Pipelining.DEEP, Pipelining.OFF]
)
_HABITS = st.sampled_from([Habit.USUAL, *Habit])
_STARTS = st.sampled_from([1.0, 10.0, 20.0, 200.0, LIFE_SECONDS - 10])

WHICH = st.integers(0, 9)
"""One of those that there are: its number, modulo how many."""
POLICIES = st.sampled_from([InDoubt.RESEND_ONCE, InDoubt.PARK] * 2 + [InDoubt.RESEND])
OWN_POLICIES = st.none() | POLICIES
BAD_INPUT = st.sampled_from(sorted(BAD))
REDRIVES = st.sampled_from(["", ', "max": 1', ', "rate": 1', ', "dry_run": true'])
FRESH = st.sampled_from([0, 1, 1, 2, 3])
"""Emails published just before a run, or it would mostly find nothing to do."""
FRESH_WISHES = (
    Wishes(campaign=CAMPAIGNS[0]),
    Wishes(lane=Lane.BULK, lasts_seconds=86_400),
    Wishes(by_bulk_door=True, campaign=CAMPAIGNS[1]),
)
BURSTS = st.sampled_from([2, 3, 6])
PAUSES = st.sampled_from([1.0, 61.0, 400.0, 1000.0, 4000.0, 43_201.0, 2 * 86_400.0])
"""A visibility timeout, the rungs of the ladder, SQS's 12 hours, half of the time to give up."""
REDELIVERIES = st.sampled_from([0.5, 0.5, 50.0, None, 300.0])

WISHES = st.just(USUAL) | st.builds(
    Wishes,
    by_bulk_door=st.booleans(),
    lane=st.sampled_from([None, *Lane]),
    waits_seconds=st.sampled_from([None, None, -100.0, 20.0, 90.0, 1000.0, 50_000.0, 3 * 86_400.0]),
    lasts_seconds=st.sampled_from([None, None, 15.0, 100.0, 500.0, 5000.0, 86_400.0]),
    campaign=st.sampled_from(["", *CAMPAIGNS]),
)
_WHERES = st.sampled_from(
    [
        None,
        *(StopWhere(tag={"campaign": campaign}) for campaign in CAMPAIGNS),
        StopWhere(sender=SENDER, tag={"campaign": CAMPAIGNS[0]}),
        StopWhere(sender="else@example.org"),
        StopWhere(recipient_domain="example.net"),
    ]
)
_HOLDS = st.builds(Stop, where=_WHERES) | st.builds(Pause, lane=st.sampled_from([None, *Lane]))
_DIRECTLY = st.sampled_from([True, True, False])
HOLDS = st.builds(
    Order,
    _HOLDS | st.just(Resume()),
    seconds=st.sampled_from([None, 60.0, 2 * 86_400.0]),
    directly=_DIRECTLY,
)
CANCELS = st.builds(Order, st.just(Cancel(email_id="x")), directly=_DIRECTLY)
MEANWHILE = st.tuples(st.sampled_from([0.5, 0.5, 3.0, 7.0, 50.0]), CANCELS | HOLDS)
"""What an operator does while the relay is at work, and after how many seconds."""

AT_THE_DOT = st.builds(
    SmtpFault,
    step=st.just(Step.DOT),
    ill=st.sampled_from([Ill.DROP, Ill.KILLED, *Ill]),
    first=st.sampled_from([0, 0, 1]),
    times=_TIMES,
    seconds=st.sampled_from(_LATE_SECONDS),
)
"""Where most hangs on it."""
DEATHS = st.builds(
    AwsFault,
    seam=st.sampled_from([Seam.WRITE, Seam.DELETE, Seam.BURY, *Seam]),
    trouble=st.sampled_from(sorted(KILLS)),
    first=_FIRST,
)
_SMTP_FAULTS = AT_THE_DOT | st.builds(
    SmtpFault,
    step=st.sampled_from(_STEPS),
    ill=st.sampled_from(Ill),
    first=_FIRST,
    times=_TIMES,
    seconds=st.sampled_from(_LATE_SECONDS),
)
_AWS_FAULTS = DEATHS | st.builds(
    AwsFault,
    seam=st.sampled_from([Seam.WRITE, Seam.WRITE, Seam.DELETE, Seam.BURY, *Seam]),
    trouble=st.sampled_from([one for one in Trouble if one not in KILLS]),
    first=_FIRST,
    times=_TIMES,
    seconds=st.sampled_from(_LATE_SECONDS),
)
_DELAYS = st.builds(
    SmtpFault,
    step=st.sampled_from([Step.DOT, Step.DATA, Step.MAIL]),
    ill=st.just(Ill.SLOW),
    seconds=st.sampled_from([25.0, 25.0, 310.0, LIFE_SECONDS - 5]),
)
_SLOW_CALLS = st.builds(
    AwsFault,
    seam=st.sampled_from([Seam.WRITE, Seam.WRITE, Seam.READ, Seam.DELETE, Seam.BURY, Seam.REVIVE]),
    trouble=st.sampled_from([Trouble.SLOW, Trouble.SLOW_ANSWER]),
    first=st.sampled_from([0, 0, 1]),
    seconds=st.sampled_from([25.0, 200.0, 310.0, LIFE_SECONDS - 5]),
)

_BLIND = st.builds(
    AwsFault,
    seam=st.just(Seam.LOOK),
    trouble=st.sampled_from([Trouble.THROTTLED, Trouble.THROTTLED, Trouble.LOST]),
    first=st.sampled_from([0, 1, 2]),
    times=_TIMES,
)
_MOST_IN_FLIGHT = st.sampled_from([None, None, None, 2])
_LULLS = st.sampled_from([0.0, 6.0])
"""Longer than a connection may be idle without being asked whether the server is still there."""


def plans(skew_seconds: float) -> st.SearchStrategy[Plan]:
    """Runs; the more goes wrong in one, the less else can be seen, so rather little."""
    return st.builds(
        Plan,
        aws=st.lists(_AWS_FAULTS, max_size=3).map(tuple),
        smtp=st.lists(_SMTP_FAULTS, max_size=2).map(tuple),
        connections=_CONNECTIONS,
        pipelining=_PIPELINING,
        habit=_HABITS,
        lull_seconds=_LULLS,
        skew_seconds=_skew(skew_seconds),
        starts_after=_STARTS,
        most_in_flight=_MOST_IN_FLIGHT,
    )


def blind() -> st.SearchStrategy[Plan]:
    """Runs that can't read what operators want, from the start or in the middle."""
    return st.builds(Plan, aws=st.tuples(_BLIND), connections=_CONNECTIONS, lull_seconds=_LULLS)


def doubtful() -> st.SearchStrategy[Plan]:
    """Runs in which the mail server is ill where it matters."""
    return st.builds(
        Plan, smtp=st.tuples(AT_THE_DOT), connections=_CONNECTIONS, pipelining=_PIPELINING
    )


def deadly() -> st.SearchStrategy[Plan]:
    """Runs that die."""
    return st.builds(Plan, aws=st.tuples(DEATHS), connections=_CONNECTIONS, pipelining=_PIPELINING)


def healthy() -> st.SearchStrategy[Plan]:
    """Runs in which nothing is wrong: what comes of them has no excuse."""
    return st.builds(
        Plan,
        connections=_CONNECTIONS,
        pipelining=_PIPELINING,
        habit=_HABITS,
        lull_seconds=_LULLS,
    )


def slow(skew_seconds: float) -> st.SearchStrategy[Plan]:
    """Runs that take their time, so that another can come in between."""
    return st.builds(
        Plan,
        aws=st.tuples(_SLOW_CALLS) | st.tuples(_SLOW_CALLS, _AWS_FAULTS),
        connections=_CONNECTIONS,
        pipelining=_PIPELINING,
        habit=_HABITS,
        skew_seconds=_skew(skew_seconds),
    ) | st.builds(
        Plan,
        smtp=st.tuples(_DELAYS),
        connections=_CONNECTIONS,
        pipelining=_PIPELINING,
        habit=_HABITS,
        skew_seconds=_skew(skew_seconds),
    )


def _skew(seconds: float) -> st.SearchStrategy[float]:
    return st.sampled_from([0.0, -seconds, seconds])
