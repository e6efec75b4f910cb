"""The checker of the kill tests finds what it is there to find."""

import pytest

from kill.books import CANCELLED, CRASH_LOOP, IN_DOUBT, PARK, RESEND, RESEND_ONCE, SENT, Books, Life

DUE = {"a": SENT, "b": SENT, "bad": "BAD_JSON"}
DEAD = [("bad", "BAD_JSON")]
WELL = Life(("a", "b"))


def died(*arrived: str, open_: str = "", dying: str = "") -> Life:
    return Life(arrived, frozenset(open_.split()), frozenset(dying.split()))


@pytest.mark.parametrize("policy", [RESEND_ONCE, RESEND, PARK])
def test_a_run_without_a_kill_balances(policy: str) -> None:
    assert Books(DUE, [WELL], DEAD, policy=policy).faults() == []


@pytest.mark.parametrize(
    ("books", "fault"),
    [
        (Books(DUE, [Life(("a",))], DEAD), "lost: b"),
        (Books(DUE, [WELL], []), "lost: bad"),
        (Books(DUE, [WELL], DEAD, left=["b"]), "still queued: b"),
        (Books(DUE, [Life(("a", "b", "c"))], DEAD), "unexpected: c"),
        (Books(DUE, [WELL], [*DEAD, ("c", "BAD_JSON")]), "unexpected: c"),
        (Books(DUE, [WELL], [*DEAD, ("a", "EXPIRED")]), "a: ['EXPIRED', 'sent'], due: sent"),
        (Books(DUE, [Life(("a",))], [*DEAD, ("b", "EXPIRED")]), "b: ['EXPIRED'], due: sent"),
        (Books(DUE, [Life(("a",))], [*DEAD, ("b", IN_DOUBT)]), "b: ['IN_DOUBT'], due: sent"),
        (Books(DUE, [WELL], DEAD, cancelled={"a"}), "a: ['cancelled', 'sent'], due: sent"),
        (Books(DUE, [Life(("a",))], DEAD, cancelled={"b"}), "b: ['cancelled'], due: sent"),
        (Books({"c": CANCELLED}, [Life()]), "lost: c"),
        (Books(DUE, [WELL], [*DEAD, *DEAD]), "undue dead letter: bad has 2, 0 excused"),
    ],
)
def test_what_was_planted_is_found(books: Books, fault: str) -> None:
    assert fault in books.faults()


@pytest.mark.parametrize(
    ("lives", "policy"),
    [
        ([died("a"), WELL], RESEND_ONCE),  # it was settled when the function died
        ([died(open_="a"), Life(("a", "a", "b"))], RESEND_ONCE),  # not in the life that ended
        ([died("b", open_="a b"), Life(("a", "a"))], RESEND_ONCE),
        ([died("a", open_="a"), died("a", open_="a"), WELL], RESEND_ONCE),  # a third
        ([died("a", open_="a"), WELL], PARK),
        ([died("a", "a", open_="a"), Life(("b",))], RESEND),
    ],
)
def test_an_undue_copy_is_found(lives: list[Life], policy: str) -> None:
    faults = Books(DUE, lives, DEAD, policy=policy).faults()
    assert [fault for fault in faults if fault.startswith("undue copy: a")]


@pytest.mark.parametrize(
    ("lives", "policy"),
    [
        ([died("a", open_="a b"), WELL], RESEND_ONCE),
        ([died(open_="a b"), WELL], RESEND_ONCE),
        ([died("a", open_="a"), died("a", open_="a"), WELL], RESEND),
    ],
)
def test_a_copy_of_what_was_open_is_excused(lives: list[Life], policy: str) -> None:
    assert Books(DUE, lives, DEAD, policy=policy).faults() == []


@pytest.mark.parametrize("reason", [IN_DOUBT, CRASH_LOOP])
def test_who_is_in_doubt_may_be_dead_lettered_whether_it_arrived_or_not(reason: str) -> None:
    lives = [died("a", open_="a b"), Life()]
    letters = [*DEAD, ("a", reason), ("b", reason)]
    assert Books(DUE, lives, letters, policy=PARK).faults() == []


def test_a_second_letter_is_excused_if_the_function_died_between_letter_and_delete() -> None:
    lives = [died(dying="bad"), WELL]
    assert Books(DUE, lives, [*DEAD, *DEAD]).faults() == []
