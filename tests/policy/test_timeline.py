"""What a row remembers of its email's life: little, and its beginning and its end for certain."""

import json
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ion.delivery import Delivery, Status, scheduled
from ion.outcome import Kind, Outcome, Reason, Reply, Scope, Stage
from ion.policy.timeline import MOST, Entry, entry_of, extended, moment, read, written

NOW = 1_800_000_000.0
AT = datetime.fromtimestamp(NOW, UTC)


def entry(seconds: float = 0, status: str = "deferred", **others: object) -> Entry:
    fields: dict[str, object] = {"n": 0, "at": AT + timedelta(seconds=seconds), "status": status}
    return Entry(**fields | others)  # type: ignore[arg-type]


def refusal(*recipients: int, code: int = 450) -> Delivery:
    outcome = Outcome(
        Stage.RCPT,
        Kind.TRANSIENT,
        Scope.RECIPIENT,
        Reason.TRY_LATER,
        Reply(code, "4.2.1", "<ann@example.org> is busy"),
    )
    return Delivery(
        Status.DEFERRED,
        outcome,
        recipients=recipients,
        smtp_seconds=0.1234,
        reply="450 4.2.1 <address> is busy",
        server="smtp:backup",
    )


def test_an_attempt_is_told_by_what_the_server_said_and_of_whom_by_number() -> None:
    assert entry_of(refusal(1), NOW, 3) == Entry(
        n=0,
        at=AT,
        status="deferred",
        stage="rcpt",
        reason="TRY_LATER",
        code=450,
        reply="450 4.2.1 <address> is busy",
        server="smtp:backup",
        ms=123,
        to=(1,),
    )


def test_what_is_about_all_recipients_names_none() -> None:
    assert entry_of(refusal(0, 1, 2), NOW, 3).to == ()
    assert entry_of(scheduled(7200), NOW, 3).to == ()


def test_what_happens_again_right_away_is_counted() -> None:
    first, second = entry(ms=1, reply="a"), entry(60, ms=2, reply="b")
    (both,) = extended((), [first, second])
    assert both == entry(n=2, times=2, last=second.at, ms=2, reply="b")
    assert both.latest == second.at
    (all_three,) = extended([both], [entry(90)])
    assert (all_three.at, all_three.last, all_three.times) == (
        first.at,
        AT + timedelta(seconds=90),
        3,
    )


def test_what_happens_again_later_is_another_entry() -> None:
    timeline = extended((), [entry(), entry(1, "sent"), entry(2)])
    assert [(one.n, one.status) for one in timeline] == [
        (1, "deferred"),
        (2, "sent"),
        (3, "deferred"),
    ]


@pytest.mark.parametrize(
    "other",
    [{"stage": "dot"}, {"reason": "BUSY"}, {"code": 451}, {"server": "smtp:b"}, {"to": (1,)}],
    ids=str,
)
def test_what_happens_otherwise_is_another_entry(other: dict[str, object]) -> None:
    first = entry(stage="rcpt", reason="TRY_LATER", code=450, server="smtp", to=(0,))
    timeline = extended((), [first, msgspec.structs.replace(first, **other)])
    assert [one.times for one in timeline] == [1, 1]


def test_a_row_has_little_of_it() -> None:
    """Nothing of what is as it usually is."""
    text = written(extended((), [entry_of(scheduled(7200), NOW, 1)]))
    (told,) = json.loads(text)
    assert told == {
        "n": 1,
        "at": "2027-01-15T08:00:00Z",
        "status": "deferred",
        "stage": "parse",
        "reason": "SCHEDULED",
    }
    assert written(()) == ""


def test_a_moment_is_told_to_the_millisecond() -> None:
    assert moment(NOW + 0.1239).microsecond == 124_000


# what holds of any


ENTRIES = st.lists(
    st.builds(
        entry,
        st.integers(0, 10**6),
        st.sampled_from(["sent", "deferred", "released", "cancelled"]),
        code=st.sampled_from([0, 250, 450]),
        to=st.sampled_from([(), (0,), (0, 2)]),
        reply=st.text(max_size=10),
    ),
    max_size=60,
)


@given(st.lists(ENTRIES, max_size=6))
def test_the_numbers_rise_and_the_counts_add_up(attempts: list[list[Entry]]) -> None:
    timeline: tuple[Entry, ...] = ()
    for attempt in attempts:
        timeline = extended(timeline, attempt)
        numbers = [one.n for one in timeline]
        assert numbers == sorted(set(numbers))
        assert len(timeline) <= MOST
    happened = sum(map(len, attempts))
    assert (timeline[-1].n if timeline else 0) == happened
    if len(timeline) < MOST:  # nothing was left out
        assert sum(one.times for one in timeline) == happened
    assert all(one.times >= 1 and (one.last is None) == (one.times == 1) for one in timeline)


@given(st.lists(ENTRIES, max_size=6))
def test_how_it_began_and_how_it_ended_is_kept(attempts: list[list[Entry]]) -> None:
    timeline: tuple[Entry, ...] = ()
    everything: tuple[Entry, ...] = ()
    for one in (one for attempt in attempts for one in attempt):
        timeline = extended(timeline, [one])
        if everything and everything[-1].is_like(one):
            everything = (*everything[:-1], timeline[-1])
        else:
            everything = (*everything, timeline[-1])
    assert timeline[:2] == everything[:2]
    assert timeline[2:] == everything[2:][-(MOST - 2) :]


@given(ENTRIES)
def test_what_was_written_is_read(entries: list[Entry]) -> None:
    timeline = extended((), entries)
    assert read(written(timeline)) == timeline


@pytest.mark.parametrize("text", ["{}", "[1]", '[{"n": "x"}]', "null", '[{"n": 1}]', "[", "canary"])
def test_what_cannot_be_read_is_no_timeline_and_harms_nothing(text: str) -> None:
    assert read(text) == ()
