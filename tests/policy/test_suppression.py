"""What is known of an address: which mail a suppression is about, and what becomes of entries."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ion.policy.suppression import (
    ALL,
    SOFT_BOUNCE_DAYS,
    SOFT_BOUNCES,
    About,
    AddressState,
    Forbidden,
    Suppression,
    Why,
    forbidden,
    is_scope,
    sender_domain,
    tagged,
)

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
DAY = timedelta(days=1)
EMAIL = About("shop.test", {"list": "news", "campaign": "x=1"}, NOW)


def entry(scope: str = ALL, until: datetime | None = None, why: Why = Why.MANUAL) -> Suppression:
    return Suppression(scope, why, NOW - DAY, until)


def state(*entries: Suppression) -> AddressState:
    found = AddressState()
    for one in entries:
        found = found.suppressed(one)
    return found


@pytest.mark.parametrize(
    ("scope", "is_about"),
    [
        (ALL, True),
        (sender_domain("Shop.test"), True),
        (sender_domain("other.test"), False),
        (sender_domain("test"), False),
        (tagged("list", "news"), True),
        (tagged("list", "New"), False),
        (tagged("campaign", "x=1"), True),
        (tagged("campaign", "x"), False),
        (tagged("other", "news"), False),
    ],
)
def test_an_entry_is_about_the_mail_of_its_scope(scope: str, is_about: bool) -> None:
    by = entry(scope)
    assert forbidden(state(by), EMAIL, NOW) == (Forbidden(by) if is_about else None)


@pytest.mark.parametrize(
    ("until", "holds"),
    [(None, True), (NOW + DAY, True), (NOW, False), (NOW - DAY, False)],
)
def test_an_entry_holds_until_its_end(until: datetime | None, holds: bool) -> None:
    assert bool(forbidden(state(entry(until=until)), EMAIL, NOW)) is holds


def test_one_that_is_over_hides_no_other() -> None:
    by = entry(tagged("list", "news"))
    assert forbidden(state(entry(until=NOW - DAY), by), EMAIL, NOW) == Forbidden(by)


@pytest.mark.parametrize(
    ("published_at", "holds"), [(NOW - DAY, True), (NOW, True), (NOW + DAY, False)]
)
def test_an_erasure_is_about_what_was_published_before(published_at: datetime, holds: bool) -> None:
    about = About("shop.test", {}, published_at)
    found = forbidden(AddressState(erased_at=NOW), about, NOW + DAY)
    assert found == (Forbidden(None) if holds else None)


def test_nothing_known_forbids_nothing() -> None:
    assert forbidden(AddressState(), EMAIL, NOW) is None


@pytest.mark.parametrize(
    ("was", "new", "stays"),
    [
        (None, None, True),
        (None, NOW + DAY, True),
        (NOW + DAY, None, False),
        (NOW + DAY, NOW + 2 * DAY, False),
        (NOW + 2 * DAY, NOW + DAY, True),
        (NOW + DAY, NOW + DAY, True),
    ],
)
def test_of_two_entries_of_a_scope_the_longer_one_is_kept(
    was: datetime | None, new: datetime | None, stays: bool
) -> None:
    first, second = entry(until=was, why=Why.BOUNCE), entry(until=new, why=Why.IMPORT)
    assert state(first, second).suppressions == ((first if stays else second),)


def test_entries_of_two_scopes_stand_side_by_side_and_go_one_by_one() -> None:
    both = state(entry(), entry("tag:list=news"))
    assert [one.scope for one in both.suppressions] == [ALL, "tag:list=news"]
    assert [one.scope for one in both.lifted(ALL).suppressions] == ["tag:list=news"]
    assert both.lifted("tag:other=x") == both
    assert both.lifted() == AddressState()


def bounced(*days: float) -> AddressState:
    found = AddressState()
    for number, day in enumerate(days):
        found = found.soft_bounced(f"notice-{number}", NOW + day * DAY)
    return found


@pytest.mark.parametrize(
    ("days", "is_suppressed"),
    [
        ((0,), False),
        ((0, 1), False),
        ((0, 1, 2), True),
        ((0, 1, SOFT_BOUNCE_DAYS - 0.01), True),
        ((0, 1, SOFT_BOUNCE_DAYS), False),
        ((0, 20, 40, 60), False),
        ((0, 20, 40, 45), True),
        ((40, 20, 0), False),
        ((20, 40, 0), False),
        ((2, 0, 1), True),
        ((45, 40, 20), True),
    ],
)
def test_three_transient_bounces_within_thirty_days_are_a_suppression(
    days: tuple[float, ...], is_suppressed: bool
) -> None:
    assert bool(bounced(*days).suppressions) is is_suppressed


def test_a_notice_counts_once_and_lifting_forgives() -> None:
    twice = bounced(0, 1).soft_bounced("notice-1", NOW + 2 * DAY)
    assert (len(twice.soft_bounces), twice.suppressions) == (2, ())
    later = twice.lifted().soft_bounced("notice-9", NOW + 3 * DAY)
    assert (len(later.soft_bounces), later.suppressions) == (1, ())


def test_the_last_twenty_notices_count_once() -> None:
    found = AddressState()
    for number in range(21):
        found = found.noticed(str(number))
    assert found.notices == tuple(str(number) for number in range(1, 21))
    assert found.soft_bounced("1", NOW) == found


def test_the_third_transient_bounce_is_an_entry_of_its_scope_from_then_on() -> None:
    found = AddressState()
    for day in range(SOFT_BOUNCES):
        found = found.soft_bounced(f"notice-{day}", NOW + day * DAY, "domain:shop.test")
    assert found.suppressions == (Suppression("domain:shop.test", Why.BOUNCE, NOW + 2 * DAY),)


@pytest.mark.parametrize("days", [(0, 1, 2, 3), (3, 2, 1, 0), (1, 3, 0, 2)])
def test_of_more_transient_bounces_the_latest_are_kept(days: tuple[int, ...]) -> None:
    assert bounced(*days).soft_bounces == (NOW + DAY, NOW + 2 * DAY, NOW + 3 * DAY)


def test_an_erasure_keeps_suppressions_and_nothing_else() -> None:
    known = bounced(0, 1, 2).suppressed(msgspec.structs.replace(entry("tag:list=news"), by="ann"))
    erased = known.erased(NOW)
    assert [one.scope for one in erased.suppressions] == [ALL, "tag:list=news"]
    assert {one.by for one in erased.suppressions} == {""}
    assert (erased.soft_bounces, erased.notices, erased.erased_at) == ((), (), NOW)
    assert erased.erased(NOW - DAY).erased_at == NOW, "another operator's clock may be behind"


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("all", True),
        ("ALL", False),
        ("domain:shop.test", True),
        ("domain:", False),
        ("domain:localhost", False),
        ("tag:list=news", True),
        ("tag:list=a=b", True),
        ("tag:list", False),
        ("tag:=news", False),
        ("tag:list=", False),
        ("", False),
    ],
)
def test_what_a_scope_is(text: str, is_one: bool) -> None:
    assert is_scope(text) is is_one


moments = st.integers(0, 200).map(lambda hours: NOW + timedelta(hours=hours))
CHANGES: st.SearchStrategy[Callable[[AddressState], AddressState]] = st.one_of(
    st.builds(
        lambda scope, until: lambda was: was.suppressed(entry(scope, until)),
        st.sampled_from([ALL, "domain:shop.test", "tag:list=news"]),
        st.none() | moments,
    ),
    st.builds(
        lambda notice, at: lambda was: was.soft_bounced(str(notice), at),
        st.integers(0, 40),
        moments,
    ),
    st.builds(lambda notice: lambda was: was.noticed(str(notice)), st.integers(0, 40)),
    st.builds(lambda at: lambda was: was.erased(at), moments),
    st.builds(
        lambda scope: lambda was: was.lifted(scope),
        st.sampled_from([None, ALL, "tag:list=news"]),
    ),
)


@given(st.lists(CHANGES, max_size=60))
def test_whatever_happens_a_state_stays_small_and_is_read_as_it_was_written(
    changes: list[Callable[[AddressState], AddressState]],
) -> None:
    found = AddressState()
    for change in changes:
        found = change(found)
    scopes = [one.scope for one in found.suppressions]
    assert len(scopes) == len({*scopes})
    assert len(found.soft_bounces) <= SOFT_BOUNCES
    text = msgspec.json.encode(found)
    assert len(text) < 2500
    assert msgspec.json.decode(text, type=AddressState) == found


@given(st.lists(CHANGES, max_size=20), st.lists(CHANGES, max_size=3))
def test_a_change_that_is_made_twice_is_made_once(
    before: list[Callable[[AddressState], AddressState]],
    last: list[Callable[[AddressState], AddressState]],
) -> None:
    """So that one whose answer was lost may be asked for again."""
    found = AddressState()
    for change in before:
        found = change(found)
    for change in last:
        once = change(found)
        assert change(once) == once
        found = once
