"""The checker of the soak finds what it is there to find, and excuses only what was injected."""

from dataclasses import replace

import pytest

from soak.books import PARK, RESEND_ONCE, Balance, Excuses, Letter, balance
from soak.mail import Mail
from soak.witness import Copy

A = Mail("m0000001", "body of m0000001", ("m0000001.0@example.org",))
TWO = Mail("m0000002", "body of m0000002", ("m0000002.0@example.org", "m0000002.1@example.org"))
BAD = Mail("m0000003", "body of m0000003", (), "BAD_JSON")
PART = Mail("m0000004", "body of m0000004", ("m0000004.0@x.org", "m0000004.1.malformed@x.org"))
MAILS = {mail.name: mail for mail in (A, TWO, BAD)}
LETTER = Letter(BAD.body, BAD.name, "BAD_JSON")


def copy(mail: Mail, *which: int, doubt: str = "", content: bytes = b"1") -> Copy:
    recipients = tuple(mail.recipients[i] for i in which) or mail.recipients
    return Copy(mail.name, recipients, content, b"Date", doubt)


def counted(
    copies: list[Copy] | None = None,
    letters: list[Letter] | None = None,
    left: tuple[str, ...] = (),
    excuses: Excuses | None = None,
    policy: str = RESEND_ONCE,
) -> Balance:
    copies = [copy(A), copy(TWO)] if copies is None else copies
    letters = [LETTER] if letters is None else letters
    return balance(MAILS, copies, letters, left, excuses or Excuses(), policy)


@pytest.mark.parametrize("policy", [RESEND_ONCE, PARK])
def test_a_soak_without_a_fault_balances(policy: str) -> None:
    books = counted(policy=policy)
    assert books.faults == ()
    assert (books.published, books.sent, books.dead_lettered, books.lost) == (4, 3, 1, 0)


@pytest.mark.parametrize(
    ("books", "fault"),
    [
        (counted([copy(TWO)]), "lost: m0000001 m0000001.0@example.org"),
        (counted([copy(A), copy(TWO, 1)]), "lost: m0000002 m0000002.0@example.org"),
        (counted(letters=[]), "lost: m0000003"),
        (counted(left=(A.name,)), "still queued: m0000001"),
        (
            counted([copy(A), copy(A), copy(TWO)]),
            "undue copy: m0000001 m0000001.0@example.org has another after copy 1",
        ),
        (
            counted([copy(A), copy(TWO), copy(TWO, 1)]),
            "undue copy: m0000002 m0000002.1@example.org has another after copy 1",
        ),
        (
            counted([copy(A), copy(TWO), Copy("m0000009", ("x@example.org",), b"", b"")]),
            "unexpected: a copy of m0000009 at x@example.org",
        ),
        (
            counted([copy(A), copy(TWO), Copy(A.name, TWO.recipients[:1], b"1", b"Date")]),
            "unexpected: a copy of m0000001 at m0000002.0@example.org",
        ),
        (
            counted([copy(A), copy(TWO), Copy(BAD.name, ("m0000003.0@example.org",), b"", b"")]),
            "unexpected: a copy of m0000003 at m0000003.0@example.org",
        ),
        (
            counted([copy(A, doubt="dot"), copy(A, content=b"2"), copy(TWO)]),
            "unexpected: two copies of m0000001 that differ",
        ),
        (
            counted(letters=[LETTER, Letter("changed", A.name, "RCPT_REJECTED")]),
            "unexpected: a letter of m0000001",
        ),
        (
            counted(letters=[LETTER, Letter(A.body, A.name, "RCPT_REJECTED")]),
            "sent and dead: m0000001 m0000001.0@example.org",
        ),
        (
            counted([copy(TWO)], [LETTER, Letter(A.body, A.name, "RCPT_REJECTED")]),
            "undue letter: m0000001 RCPT_REJECTED",
        ),
        (
            counted([copy(TWO)], [LETTER, Letter(A.body, A.name, "EXPIRED")]),
            "undue letter: m0000001 EXPIRED",
        ),
        (
            counted(
                [copy(TWO)],
                [LETTER, Letter(A.body, A.name, "IN_DOUBT")],
                excuses=Excuses(doubts={A.name: 1}),
            ),
            "undue letter: m0000001 IN_DOUBT",
        ),
    ],
)
def test_what_was_planted_is_found(books: Balance, fault: str) -> None:
    assert fault in books.faults


def test_losses_and_duplicates_are_counted_by_recipient() -> None:
    books = counted([copy(TWO, 0), copy(TWO, 0)], [])
    assert (books.sent, books.lost, books.extra_copies) == (1, 3, 1)
    assert books.duplicated == {TWO.name}


def test_a_copy_after_one_in_doubt_is_excused() -> None:
    books = counted([copy(A, doubt="kill"), copy(A), copy(TWO)])
    assert books.faults == ()
    assert books.extra_copies == 1


@pytest.mark.parametrize(
    ("copies", "policy"),
    [
        ([copy(A, doubt="dot"), copy(A, doubt="dot"), copy(A)], RESEND_ONCE),
        ([copy(A, doubt="dot"), copy(A)], PARK),
        ([copy(A), copy(A, doubt="dot")], RESEND_ONCE),  # the first was certain
    ],
)
def test_a_copy_too_many_is_found(copies: list[Copy], policy: str) -> None:
    books = counted([*copies, copy(TWO)], policy=policy)
    assert any(fault.startswith("undue copy: m0000001") for fault in books.faults)


def test_a_person_who_brings_back_a_doubt_is_answerable_for_the_copy() -> None:
    copies = [*[copy(A, doubt="dot")] * 3, copy(A), copy(TWO)]
    assert counted(copies, excuses=Excuses(redriven={A.name: 1})).faults == ()
    assert counted([copy(A, doubt="dot"), *copies], excuses=Excuses(redriven={A.name: 1})).faults


@pytest.mark.parametrize(
    ("reason", "excuses", "policy"),
    [
        ("RCPT_REJECTED", Excuses(refused={A.name: {"RCPT_REJECTED"}}), RESEND_ONCE),
        ("IN_DOUBT", Excuses(doubts={A.name: 2}), RESEND_ONCE),
        ("IN_DOUBT", Excuses(doubts={A.name: 1}), PARK),
        ("CRASH_LOOP", Excuses(doubts={A.name: 3}), RESEND_ONCE),
    ],
)
def test_a_letter_over_what_was_injected_is_due(reason: str, excuses: Excuses, policy: str) -> None:
    letters = [LETTER, Letter(A.body, A.name, reason)]
    books = counted([copy(TWO)], letters, excuses=excuses, policy=policy)
    assert books.faults == ()
    assert books.dead_lettered == 2


@pytest.mark.parametrize("twice", [False, True])
def test_what_was_refused_is_not_sent_as_well(*, twice: bool) -> None:
    mail = replace(A, twice=twice)
    letter = Letter(A.body, A.name, "RCPT_REJECTED")
    refused = Excuses(refused={A.name: {"RCPT_REJECTED"}})
    assert balance({A.name: mail}, [copy(A)], [letter], (), refused).faults


def counted_with_part(copies: list[Copy], *reasons: str, left: tuple[int, ...]) -> Balance:
    """An email to two, of whom the server refuses the second."""
    letters = [Letter(PART.body, PART.name, reason, left) for reason in reasons]
    return balance({PART.name: PART}, copies, letters, (), Excuses())


def test_who_is_always_refused_is_dead_lettered_and_the_others_served() -> None:
    books = counted_with_part([copy(PART, 0)], "RCPT_REJECTED", left=(1,))
    assert books.faults == ()
    assert (books.sent, books.dead_lettered) == (1, 1)


@pytest.mark.parametrize(
    ("books", "fault"),
    [
        (
            counted_with_part([copy(PART)], left=()),
            "unexpected: a copy of m0000004 at m0000004.0@x.org, m0000004.1.malformed@x.org",
        ),
        (
            counted_with_part([], "RCPT_REJECTED", left=()),
            "undue letter: m0000004 RCPT_REJECTED",
        ),
        (
            counted_with_part([copy(PART, 0)], "PROTOCOL", left=(1,)),
            "undue letter: m0000004 PROTOCOL",
        ),
        (
            counted_with_part([copy(PART, 0)], left=()),
            "lost: m0000004 m0000004.1.malformed@x.org",
        ),
    ],
)
def test_a_refusal_that_takes_others_along_or_is_ignored_is_found(
    books: Balance, fault: str
) -> None:
    assert fault in books.faults


def test_a_refusal_of_one_recipient_excuses_no_letter_of_another() -> None:
    first, _ = TWO.recipients
    refused = Excuses(refused={first: {"RCPT_REJECTED"}})
    for left, due in [((0,), True), ((1,), False), ((), False)]:
        letter = Letter(TWO.body, TWO.name, "RCPT_REJECTED", left)
        books = balance({TWO.name: TWO}, [], [letter], (), refused)
        assert (f"undue letter: {TWO.name} RCPT_REJECTED" not in books.faults) is due


def test_a_letter_about_some_recipients_says_nothing_about_the_others() -> None:
    letters = [LETTER, Letter(TWO.body, TWO.name, "RCPT_REJECTED", left=(1,))]
    excuses = Excuses(refused={TWO.name: {"RCPT_REJECTED"}})
    assert counted([copy(A), copy(TWO, 0)], letters, excuses=excuses).faults == ()
    assert counted([copy(A)], letters, excuses=excuses).lost == 1
