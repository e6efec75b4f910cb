"""The checker of the soak finds emails that went another way than they were to go."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from soak.books import Balance, Excuses, Letter, balance
from soak.clock import Clock
from soak.course import Course, slowest
from soak.flow import BROUGHT_BACK, BULK, NORMAL, Flow, rfc3339
from soak.mail import AFTER, Mail
from soak.orders import InForce, Pause, Stop, read, stop
from soak.steered import Burial
from soak.witness import Copy

NAME = "m0000001"
TO = (f"{NAME}.0@example.org", f"{NAME}.1@example.org")
MAIL = Mail(NAME, f"body of {NAME}", TO[:1])
TAGS = {"campaign": "c1", **BROUGHT_BACK}
ALWAYS = 1e9
WHILE_IT_IS_OBEYED = 6
"""Seconds, longer than an order needs; the clocks here are the same."""


def copy(at: float = 0.0, *, doubt: str = "", whom: tuple[str, ...] = TO[:1]) -> Copy:
    return Copy(NAME, whom, b"1", b"Date", doubt, at)


def counted(
    flow: Flow | None = None,
    *copies: Copy,
    letters: tuple[str, ...] = (),
    mail: Mail = MAIL,
    cancelled: Mapping[str, str] | None = None,
    excuses: Excuses | None = None,
    course: Course | None = None,
) -> Balance:
    """The books over one email that travels so."""
    flow = flow or Flow()
    course = course or Course()
    if not course.queues:
        course = replace(course, queues={NAME: {"in", "bulk"}})
    return balance(
        {NAME: replace(mail, flow=flow)},
        copies,
        [Letter(mail.body, NAME, reason) for reason in letters],
        (),
        excuses or Excuses(),
        cancelled=cancelled,
        course=course,
    )


# -- when ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("at", "faults"), [(99.0, (f"early: {NAME}, by 1 s",)), (100.0, ())])
def test_nothing_is_sent_before_its_time(at: float, faults: tuple[str, ...]) -> None:
    assert counted(Flow(not_before=100.0), copy(at)).faults == faults


@pytest.mark.parametrize(
    ("at", "faults"), [(101.0, ()), (110.0, (f"late: {NAME}, by 10 s",))], ids=["begun", "late"]
)
def test_nothing_is_sent_after_its_time(at: float, faults: tuple[str, ...]) -> None:
    """What is begun in time may be finished; that takes real seconds, however fast the clock."""
    assert counted(Flow(expires_at=100.0), copy(at)).faults == faults
    fast = Course(real_at=lambda moment: moment / 60)
    assert counted(Flow(expires_at=100.0), copy(110.0), course=fast).faults == ()


def test_the_machines_time_is_known_for_each_of_the_soaks(tmp_path: Path) -> None:
    clock = Clock(tmp_path / "clock")
    first = clock.now()
    clock.turn(1000)
    second = clock.now()
    clock.turn(1000)
    assert clock.real_at(second) - clock.real_at(first) == pytest.approx(0, abs=1)
    assert clock.real_at(first + 500) == pytest.approx(clock.real_at(second), abs=1)
    assert clock.real_at(second) < clock.real_at(second + 500) <= clock.real_at(clock.now())
    assert clock.real_at(first) == pytest.approx(first)


# -- lanes -----------------------------------------------------------------------------------


@pytest.mark.parametrize("flow", [Flow(lane=BULK), Flow(door=BULK), Flow(door=BULK, lane=NORMAL)])
def test_bulk_goes_by_the_queue_for_bulk(flow: Flow) -> None:
    course = Course(queues={NAME: {"in", "later"}})
    fault = f"not moved: {NAME} was never received from the bulk queue"
    assert counted(flow, copy(), course=course).faults == (fault,)
    assert counted(flow, copy(), course=Course(queues={NAME: {"in", "bulk"}})).faults == ()


# -- what is in force --------------------------------------------------------------------------


def in_force(*controls: InForce) -> Course:
    return Course(in_force=controls)


@pytest.mark.parametrize(
    ("lane", "flow", "fault"),
    [
        ("", Flow(), True),
        ("", Flow(door=BULK), True),
        (NORMAL, Flow(), True),
        (NORMAL, Flow(lane=BULK), False),
        (BULK, Flow(lane=BULK), True),
        (BULK, Flow(lane=NORMAL), False),
    ],
)
def test_nothing_is_sent_of_a_lane_that_is_paused(lane: str, flow: Flow, *, fault: bool) -> None:
    course = in_force(InForce(100.0, (Pause(lane, ALWAYS),)))
    assert counted(flow, copy(100.0 + 1), course=course).faults == ()
    faults = counted(flow, copy(100.0 + WHILE_IT_IS_OBEYED), course=course).faults
    assert faults == ((f"sent though paused: {NAME}, after 6 s",) if fault else ())


@pytest.mark.parametrize(("tags", "fault"), [(TAGS, True), ({}, False), ({"campaign": "2"}, False)])
def test_nothing_is_sent_that_a_stop_is_about(tags: dict[str, str], *, fault: bool) -> None:
    course = in_force(InForce(100.0, stops=(Stop({"campaign": "c1"}, ALWAYS),)))
    assert counted(Flow(tags=tags), copy(99.0), course=course).faults == ()
    faults = counted(Flow(tags=tags), copy(100.0 + WHILE_IT_IS_OBEYED), course=course).faults
    assert faults == ((f"sent though stopped: {NAME}, after 6 s",) if fault else ())


@pytest.mark.parametrize(
    ("controls", "fault"),
    [
        ([InForce(100.0, (Pause("", 190.0),))], False),
        ([InForce(100.0, (Pause("", ALWAYS),)), InForce(150.0)], False),
        ([InForce(199.0, (Pause("", ALWAYS),))], False),
        ([InForce(100.0, (Pause("", 120.0),)), InForce(199.0, (Pause("", ALWAYS),))], False),
        ([InForce(100.0, (Pause("", 190.0),)), InForce(150.0, (Pause("", ALWAYS),))], True),
        ([InForce(100.0, (Pause("", ALWAYS),)), InForce(200.5)], True),
    ],
    ids=["ended", "resumed", "just begun", "another just begun", "goes on", "resumed after it"],
)
def test_a_pause_counts_for_as_long_as_it_lasts(controls: list[InForce], *, fault: bool) -> None:
    faults = counted(Flow(), copy(200.0), course=in_force(*controls)).faults
    assert faults == ((f"sent though paused: {NAME}, after 100 s",) if fault else ())


def test_how_long_an_order_took_to_be_obeyed_is_told() -> None:
    course = in_force(InForce(100.0, (Pause("", 300.0),)))
    copies = [copy(99.0), copy(101.5), copy(301.0)]
    assert slowest({NAME: MAIL}, copies, course) == 1.5


def test_what_is_in_force_is_read_from_the_row() -> None:
    row = {
        "pauses": [
            {"until": rfc3339(20.0), "lane": "bulk"},
            {"until": rfc3339(30.0), "by": "message x"},
        ],
        "stops": [
            {"id": "x", **{k: v for k, v in json.loads(stop("c1", 40.0)).items() if k != "action"}}
        ],
    }
    found = read(10.0, json.dumps(row))
    assert found == InForce(
        10.0, (Pause(BULK, 20.0), Pause("", 30.0)), (Stop({"campaign": "c1"}, 40.0),)
    )


# -- letters ---------------------------------------------------------------------------------


def buried(reason: str, at: float, *controls: InForce, tried: bool = False) -> Course:
    names = frozenset({NAME} if tried else ())
    return Course([Burial(NAME, reason, at)], controls, tried=names)


STOPPED_AT_100 = InForce(100.0, stops=(Stop({"campaign": "c1"}, 200.0),))


@pytest.mark.parametrize(
    ("at", "controls", "due"),
    [
        (150.0, (STOPPED_AT_100,), True),
        (201.0, (STOPPED_AT_100,), True),  # the row was read a moment ago
        (210.0, (STOPPED_AT_100,), False),
        (99.0, (STOPPED_AT_100,), False),
        (150.0, (STOPPED_AT_100, InForce(149.0)), True),
        (150.0, (STOPPED_AT_100, InForce(140.0)), False),
        (150.0, (), False),
    ],
)
def test_emails_are_stopped_while_a_stop_is_in_force(
    at: float, controls: tuple[InForce, ...], *, due: bool
) -> None:
    course = buried("STOPPED", at, *controls)
    faults = counted(Flow(tags=TAGS), letters=("STOPPED",), course=course).faults
    fault = f"undue letter: {NAME} STOPPED, of which no stop was in force"
    assert faults == (() if due else (fault,))


def test_a_stop_is_about_no_other_emails() -> None:
    course = buried("STOPPED", 150.0, STOPPED_AT_100)
    fault = f"undue letter: {NAME} STOPPED, of which no stop was in force"
    assert fault in counted(Flow(), letters=("STOPPED",), course=course).faults


@pytest.mark.parametrize("reason", ["STOPPED", "EXPIRED"])
def test_a_letter_that_was_never_seen_to_be_written_is_undue(reason: str) -> None:
    flow = Flow(tags=TAGS, expires_at=1.0)
    fault = f"undue letter: {NAME} {reason}"
    assert counted(flow, letters=(reason,)).faults == (fault,)


def test_what_was_stopped_and_brought_back_is_stopped_no_more() -> None:
    course = replace(buried("STOPPED", 150.0, STOPPED_AT_100), brought_back=BROUGHT_BACK)
    faults = counted(Flow(tags=TAGS), letters=("STOPPED",), course=course).faults
    assert faults == (f"not brought back: {NAME}",)
    others = counted(Flow(tags={"campaign": "c1"}), letters=("STOPPED",), course=course)
    assert others.faults == ()
    assert counted(Flow(tags=TAGS), copy(), course=course).faults == ()


@pytest.mark.parametrize(
    ("expires_at", "at", "tried", "fault"),
    [
        (100.0, 100.0, False, ""),
        (100.0, 50.0, True, ""),  # it would be late at its next try
        (100.0, 50.0, False, ", 50 s before, and untried"),
        (0.0, 50.0, True, ", which never does"),
    ],
)
def test_an_email_expires_when_its_publisher_says_so(
    expires_at: float, at: float, *, tried: bool, fault: str
) -> None:
    course = buried("EXPIRED", at, tried=tried)
    faults = counted(Flow(expires_at=expires_at), letters=("EXPIRED",), course=course).faults
    assert faults == ((f"undue letter: {NAME} EXPIRED{fault}",) if fault else ())


# -- cancelled -------------------------------------------------------------------------------

CANCELLED = replace(MAIL, recipients=TO, cancelled=AFTER)


@pytest.mark.parametrize("fates", ["", ".."])
def test_what_is_cancelled_is_neither_lost_nor_sent(fates: str) -> None:
    books = counted(mail=CANCELLED, cancelled={NAME: fates})
    assert books.faults == ()
    assert (books.published, books.cancelled, books.lost) == (2, 2, 0)


def test_what_was_served_before_its_email_was_cancelled_counts_as_that() -> None:
    books = counted(None, copy(whom=TO[:1]), mail=CANCELLED, cancelled={NAME: "s."})
    assert books.faults == ()
    assert (books.sent, books.cancelled) == (1, 1)


@pytest.mark.parametrize(
    ("doubt", "fates", "fault"),
    [
        ("", "..", True),
        ("", "", True),
        ("", "s.", False),
        ("dot", "..", False),  # ion can't have known that it arrived
    ],
)
def test_nothing_is_both_sent_and_cancelled(doubt: str, fates: str, *, fault: bool) -> None:
    books = counted(None, copy(doubt=doubt), mail=CANCELLED, cancelled={NAME: fates})
    assert books.faults == ((f"sent and cancelled: {NAME} {TO[0]}",) if fault else ())


@pytest.mark.parametrize(
    ("excuses", "fault"), [(Excuses(), True), (Excuses(hindered=frozenset({NAME})), False)]
)
def test_nothing_is_both_dead_and_cancelled(excuses: Excuses, *, fault: bool) -> None:
    excuses = replace(excuses, refused={NAME: {"SENDER_REJECTED"}})
    books = counted(
        letters=("SENDER_REJECTED",), mail=CANCELLED, cancelled={NAME: ".."}, excuses=excuses
    )
    faults = tuple(f"dead and cancelled: {NAME} {who}" for who in TO)
    assert books.faults == (faults if fault else ())


def test_only_what_was_to_be_cancelled_is() -> None:
    books = counted(None, copy(), cancelled={NAME: "s"})
    assert books.faults == (f"unexpected: {NAME} is cancelled",)
