"""Pauses and stops: what is in force when, and what is kept of it."""

import json
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ion.contract import BadInput, Lane, Pause, Send, Stop, StopWhere, parse
from ion.policy.control import Control, TooManyStopsError

NOW = 1_800_000_000.0
HOUR = 3600


def at(seconds: float) -> str:
    return datetime.fromtimestamp(NOW + seconds, UTC).isoformat()


def pausing(
    lane: Lane | None = None, until: str | None = None, of: Control | None = None
) -> Control:
    return (of or Control()).with_pause(Pause(lane=lane, until=until), NOW)


def stopping(
    where: StopWhere | None = None, until: str | None = None, new_id: str = "a"
) -> Control:
    return Control().with_stop(Stop(where=where, until=until), NOW, new_id=new_id)


def send(**fields: Any) -> Send:  # noqa: ANN401 - any JSON
    least = {
        "action": "send",
        "recipient": ["ann@example.org", "bob@two.example"],
        "body_text": "x",
    }
    return cast("Send", parse(json.dumps(least | fields)))


def is_stopped(control: Control, email: Send, now: float = NOW, left: tuple[int, ...] = ()) -> bool:
    found = control.stop_about(email, now, key="k", left=left, default_sender="ion@example.org")
    return found is not None


@pytest.mark.row(77)
def test_a_pause_ends_after_an_hour_or_when_it_was_said_to() -> None:
    for control, seconds in ((pausing(), HOUR), (pausing(until=at(60)), 60)):
        assert control.paused_lanes(NOW + seconds - 1) == {*Lane}
        assert control.paused_until(NOW) == datetime.fromtimestamp(NOW + seconds, UTC)
        assert control.paused_lanes(NOW + seconds) == frozenset()
        assert control.paused_until(NOW + seconds) is None


@pytest.mark.row(77)
def test_a_lane_is_paused_alone() -> None:
    bulk = pausing(Lane.BULK)
    assert bulk.paused_lanes(NOW) == {Lane.BULK}
    assert bulk.paused_until(NOW) is None
    both = pausing(Lane.NORMAL, at(60), of=bulk)
    assert both.paused_lanes(NOW) == {*Lane}
    assert both.paused_until(NOW) == datetime.fromtimestamp(NOW + 60, UTC)


def test_a_later_pause_of_a_lane_takes_the_place_of_an_earlier_one() -> None:
    control = pausing(until=at(10), of=pausing(Lane.BULK, of=pausing(until=at(7200))))
    assert [(one.lane, one.until.timestamp() - NOW) for one in control.pauses] == [
        (Lane.BULK, HOUR),
        (None, 10),
    ]


@pytest.mark.row(77)
def test_what_has_ended_is_forgotten_with_the_next_change() -> None:
    control = stopping(until=at(10)).with_pause(Pause(until=at(10)), NOW)
    later = control.with_pause(Pause(lane=Lane.BULK), NOW + 11)
    assert ([one.lane for one in later.pauses], later.stops) == ([Lane.BULK], ())
    later = control.with_stop(Stop(), NOW + 11, new_id="b")
    assert (later.pauses, [one.id for one in later.stops]) == ((), ["b"])


@pytest.mark.row(79)
def test_a_stop_without_a_condition_is_about_every_email_while_it_lasts() -> None:
    control = stopping()
    assert is_stopped(control, send())
    assert is_stopped(control, send(), NOW + HOUR - 1)
    assert not is_stopped(control, send(), NOW + HOUR)


@pytest.mark.row(79)
@pytest.mark.parametrize(
    ("where", "left", "stopped"),
    [
        (StopWhere(), (), True),
        (StopWhere(tag={"campaign": "spring"}), (), True),
        (StopWhere(tag={"campaign": "autumn"}), (), False),
        (StopWhere(tag={"campaign": "spring", "other": "x"}), (), False),
        (StopWhere(tag={"odd": "\"'\\ {}%s ~"}), (), True),
        (StopWhere(sender="ion@example.org"), (), True),
        (StopWhere(sender="a@b"), (), False),
        (StopWhere(sender="no address@@x"), (), False),
        (StopWhere(recipient_domain="TWO.example"), (), True),
        (StopWhere(recipient_domain="two.example"), (0,), False),
        (StopWhere(recipient_domain="\u2603"), (), False),
        (StopWhere(email_id="k"), (), True),
        (StopWhere(email_id="K"), (), False),
    ],
)
def test_a_stop_is_about_those_of_which_all_is_true(
    where: StopWhere, left: tuple[int, ...], stopped: bool
) -> None:
    email = send(tags={"campaign": "spring", "odd": "\"'\\ {}%s ~"})
    control = Control.read(stopping(where).text)
    assert is_stopped(control, email, left=left) is stopped


@pytest.mark.row(79)
@given(
    st.dictionaries(st.from_regex(r"\A[A-Za-z0-9_.-]{1,64}\Z"), st.from_regex(r"\A[ -~]{1,256}\Z"),
                    min_size=1, max_size=10),
    st.from_regex(r"\A[^\s@]{1,255}\Z"),
)  # fmt: skip
def test_any_condition_is_written_and_read_back_and_asked(tag: dict[str, str], domain: str) -> None:
    where = StopWhere(tag=dict(tag), recipient_domain=domain)
    try:
        control = stopping(where)
        assert Control.read(control.text) == control
    except UnicodeEncodeError:  # a lone surrogate: the contract lets none in
        return
    is_stopped(control, send(tags=dict(tag)))


@pytest.mark.row(77)
def test_the_same_stop_goes_on_and_counts_on() -> None:
    where = StopWhere(tag={"campaign": "spring"})
    control = stopping(where).counted({"a": 3, "unknown": 5})
    again = control.with_stop(Stop(where=where, until=at(7200)), NOW, by="ann", new_id="b")
    assert [(one.id, one.stopped, one.by) for one in again.stops] == [("a", 3, "ann")]
    other = again.with_stop(Stop(), NOW, new_id="b").counted({"a": 1, "b": 2})
    assert [(one.id, one.stopped) for one in other.stops] == [("a", 4), ("b", 2)]


def test_a_pause_goes_on_while_stops_are_counted() -> None:
    paused = pausing(of=stopping())
    assert paused.counted({"a": 1}).pauses == paused.pauses


def test_there_are_at_most_fifty_stops() -> None:
    control, where = Control(), StopWhere()
    for number in range(50):
        where = StopWhere(tag={"n": str(number)})
        control = control.with_stop(Stop(where=where), NOW, new_id=str(number))
    with pytest.raises(TooManyStopsError, match="50 stops"):
        control.with_stop(Stop(), NOW, new_id="x")
    assert len(control.with_stop(Stop(where=where), NOW, new_id="x").stops) == 50
    worst: dict[str, str | None] = {f"{n}{'x' * 63}": "\\" * 256 for n in range(10)}
    stop = stopping(StopWhere(tag=worst, sender=f"{'x' * 130}@b", recipient_domain="x" * 255))
    assert 50 * len(stop.text) < 400_000, "DynamoDB takes no larger item"


@pytest.mark.row(78)
@pytest.mark.parametrize(
    "text",
    [
        *("", "x", "[]", '{"pauses": [{}]}'),
        '{"pauses": [{"until": "2027-03-08T09:00:00"}]}',
        '{"stops": [{"id": "a", "until": "2027-03-08T09:00:00"}]}',
    ],
)
def test_what_is_no_control_is_refused_without_its_text(text: str) -> None:
    with pytest.raises(ValueError, match=r"no control|without a zone"):
        Control.read(text)


def test_a_resume_ends_what_was_asked_for_before_it_and_is_remembered() -> None:
    order = Stop(where=StopWhere(email_id="k"))
    resumed = stopping().resumed(NOW).resumed(NOW - 60)
    control = Control.read(pausing(Lane.BULK, of=resumed).counted({}).text)
    assert (control.stops, [one.lane for one in control.pauses]) == ((), [Lane.BULK])
    assert control.why_without_effect(order, NOW - 0.001, NOW + 5) == "a later resume has ended it"
    assert control.why_without_effect(order, NOW, NOW + 5) == ""
    assert Control().why_without_effect(order, 0, NOW) == ""
    with pytest.raises(ValueError, match="without a zone"):
        Control.read('{"resumed_at": "2027-03-08T09:00:00"}')


@pytest.mark.parametrize("order", [Stop(until=at(10)), Pause(until=at(10))])
def test_an_order_that_has_ended_is_over_already(order: Stop | Pause) -> None:
    assert Control().why_without_effect(order, NOW, NOW + 9) == ""
    assert Control().why_without_effect(order, NOW, NOW + 10) == "over already"


def test_a_time_that_is_none_is_refused_where_it_is_read() -> None:
    with pytest.raises(BadInput):
        parse('{"action": "pause", "until": "tomorrow"}')


def test_erasures_outlive_every_order() -> None:
    control = Control().with_erasures()
    control = control.with_pause(Pause(), NOW).with_stop(Stop(), NOW, new_id="a").counted({"a": 1})
    control = control.without_pause(None).without_stop("a").resumed(NOW + 1, "ann")
    assert Control.read(control.text).erasures
    assert not Control.read('{"stops": []}').erasures, "rows of earlier versions don't say"
