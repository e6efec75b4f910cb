"""Which figure reaches which goal."""

from dataclasses import replace

import pytest

from bench import contenders as names
from bench.contenders import contenders
from bench.drains import FIRST_ION, ION, Drain, Drains
from bench.goals import Goal, draining, lanes, sending
from bench.lanes import Case, Lane
from bench.rounds import Figure, Rounds
from bench.sinks import Offer
from ion.settings import Pipelining

FIGURE = Figure(
    name="",
    rtt_ms=10.0,
    connections=1,
    offer=Offer.PIPELINING,
    emails_per_s=1.0,
    cpu_s_per_1000=0.5,
    memory_mb=60.0,
    slowest=1.0,
    fastest=1.0,
)


def sent(mode: Pipelining, rtt_ms: float, connections: int, emails_per_s: float) -> Rounds:
    figure = replace(
        FIGURE,
        name=names.ION[mode],
        rtt_ms=rtt_ms,
        connections=connections,
        emails_per_s=emails_per_s,
    )
    return Rounds(figures=[figure], rtt_ms={rtt_ms: rtt_ms})


def drained(name: str, connections: int, rtt_ms: float, emails_per_s: float) -> Drain:
    figure = replace(
        FIGURE, name=name, connections=connections, rtt_ms=rtt_ms, emails_per_s=emails_per_s
    )
    return Drain(
        figure=figure,
        requests_per_1000={},
        call_ms={},
        call_cpu_s_per_1000=0.0,
        written_per_1000=0.0,
        read_per_1000=0.0,
        log_bytes_per_email=0.0,
        emulator_cpu_s_per_1000=0.0,
    )


def only(goals: list[Goal], what: str) -> Goal:
    (goal,) = [goal for goal in goals if goal.what.startswith(what)]
    return goal


@pytest.mark.parametrize(
    ("mode", "connections", "rtt_ms", "count", "least"),
    [
        (Pipelining.ENVELOPE, 1, 10.0, "one connection", 47.5),
        (Pipelining.ENVELOPE, 1, 50.0, "one connection", 9.5),
        (Pipelining.ENVELOPE, 4, 10.0, "4 connections", 190.0),
        (Pipelining.DEEP, 1, 10.0, "one connection", 95.0),
        (Pipelining.DEEP, 1, 50.0, "one connection", 19.0),
        (Pipelining.OFF, 4, 10.0, "4 connections", 95.0),
    ],
)
def test_a_mode_is_judged_by_its_round_trips(
    mode: Pipelining, connections: int, rtt_ms: float, count: str, least: float
) -> None:
    what = f"emails/s, `{mode}`, {count}, {rtt_ms:g} ms"
    for rate, reached in ((least + 0.1, True), (least - 0.1, False)):
        goal = only(sending.sending(sent(mode, rtt_ms, connections, rate)), what)
        assert goal.reached is reached
        assert bool(goal.why) is not reached, "a goal that isn't reached says why"


def test_the_quick_form_measures_every_goal_of_sending() -> None:
    figures = [
        replace(FIGURE, name=one.name, rtt_ms=rtt_ms, connections=one.connections, offer=one.offer)
        for one in contenders(quick=True)
        for rtt_ms in one.quick
    ]
    rounds = Rounds(figures=figures, rtt_ms={rtt_ms: rtt_ms for rtt_ms in names.RTTS})
    unmeasured = [goal.what for goal in sending.sending(rounds) if goal.reached is None]
    assert not unmeasured


def test_what_was_not_measured_says_why() -> None:
    nothing = Rounds(missing={f"aiosmtplib, bytes ({Offer.TLS})": "the C sink can't be compiled"})
    by_reason = {goal.why for goal in sending.sending(nothing)}
    assert by_reason == {"left out by --quick", "the C sink can't be compiled"}
    assert {goal.reached for goal in sending.sending(nothing)} == {None}


def test_a_drain_with_twice_the_round_trips_has_half_the_goal() -> None:
    first = drained(FIRST_ION, 1, 10.0, 10.0)
    cases = {Pipelining.ENVELOPE: 200.0, Pipelining.DEEP: 400.0}
    for mode, least in cases.items():
        for rate, reached in ((least + 1, True), (least - 1, False)):
            found = Drains(all=[first, drained(ION[mode], 16, 10.0, rate)])
            goal = only(draining.drains(found), f"whole drain, `{mode}`, 16 connections, 10 ms")
            assert goal.reached is reached


def beside_bulk(
    median: float, p95: float, share: float = 0.95, bulk_share: float = 0.1
) -> list[Lane]:
    return [
        Lane(Case(3, 0), 60, 0.1, 0.2, 0.02, 0.0),
        Lane(Case(3, 100_000), 60, median, p95, share, 0.97),
        Lane(Case(3, 100_000, 960), 0, None, None, share, bulk_share),
    ]


@pytest.mark.parametrize(
    ("found", "soon", "shares"),
    [
        (beside_bulk(0.5, 2.1), True, True),
        (beside_bulk(2.2, 2.1), False, True),
        (beside_bulk(0.5, 2.3), False, True),
        (beside_bulk(0.5, 1.0, share=0.89), True, False),
        (beside_bulk(0.5, 1.0, share=1.01), True, False),
        (beside_bulk(0.5, 1.0, bulk_share=0.09), True, False),
    ],
)
def test_normal_mail_is_soon_and_bulk_is_not_starved(
    found: list[Lane], soon: bool, shares: bool
) -> None:
    goals = lanes.lanes(found, 3)
    assert [goal.reached for goal in goals] == [soon, shares]
    assert [goal.reached for goal in lanes.lanes(found, 1)] == [None, None]
