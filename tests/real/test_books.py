"""The books notice what they are there for."""

from email.message import EmailMessage

import pytest

from real.books import Balance, Letter, balance
from real.emails import Email, written
from real.server import Stored

ODD = ('"{} odd"@mta.example',)
EMAILS = list(written(16, ODD))
LETTERS = [
    Letter(one.name, "RCPT_REJECTED", "550 5.1.1", (one.recipients.index(who),))
    for one in EMAILS
    for who in (*one.strangers, *one.odd)
]
FIRST = EMAILS[0]
"""To one recipient."""


def copy(email: Email, recipient: str, acceptance: str = "") -> Stored:
    message = EmailMessage()
    message["Subject"] = email.subject
    message.set_content(email.text)
    return Stored(recipient, acceptance or email.name, message.as_bytes())


COPIES = [copy(one, who) for one in EMAILS for who in one.good]


def count(
    copies: list[Stored] = COPIES,
    letters: list[Letter] = LETTERS,
    doubts: dict[str, int] | None = None,
) -> Balance:
    return balance(EMAILS, copies, letters, [], doubts or {})


def test_emails_have_some_of_everything() -> None:
    emails = list(written(32, ODD))

    assert max(len(one.recipients) for one in emails) > 25
    assert max(len(one.text) for one in emails) > 100_000
    assert min(len(one.text) for one in emails) < 1_000
    assert any(one.strangers and one.good for one in emails)
    assert any(one.odd and one.good for one in emails)
    assert any('"cc"' in one.body and '"bcc"' in one.body for one in emails)
    assert any('"body_html"' in one.body for one in emails)
    assert any("xn--" in who for one in emails for who in one.good)
    assert len({who for one in emails for who in one.recipients}) == sum(
        len(one.recipients) for one in emails
    )


def test_each_good_recipient_once_and_a_letter_for_each_other_is_in_order() -> None:
    books = count()

    assert not books.faults
    assert (books.lost, books.doubled, books.good_dead) == (0, 0, 0)
    assert books.stored == books.good == len(COPIES)


def test_a_recipient_without_copy_and_letter_is_lost() -> None:
    books = count(COPIES[1:])

    assert books.faults == (f"lost: {FIRST.good[0]}",)
    assert books.lost == 1


def test_a_second_copy_is_excused_by_a_doubt_alone() -> None:
    twice = [*COPIES, copy(FIRST, FIRST.good[0], "another")]

    assert count(twice).faults == (f"2 copies, in doubt 0 times: {FIRST.good[0]}",)
    assert not count(twice, doubts={FIRST.name: 1}).faults


def test_two_files_of_one_acceptance_are_the_servers_own() -> None:
    assert not count([*COPIES, COPIES[0]]).faults


def test_a_letter_for_somebody_who_is_good_is_a_fault_whether_served_or_not() -> None:
    letters = [*LETTERS, Letter(FIRST.name, "PROTOCOL", "503")]

    assert count(letters=letters).faults == (f"good, and dead as PROTOCOL 503: {FIRST.good[0]}",)
    assert count(COPIES[1:], letters).faults == count(letters=letters).faults


def test_an_email_that_was_in_doubt_twice_may_be_dead() -> None:
    letters = [*LETTERS, Letter(FIRST.name, "IN_DOUBT")]

    assert count(COPIES[1:], letters, {FIRST.name: 1}).faults
    assert not count(COPIES[1:], letters, {FIRST.name: 2}).faults


@pytest.mark.parametrize("reason", ["PROTOCOL", "SENDER_REJECTED"])
def test_a_refused_recipients_letter_tells_that_it_was_the_recipient(reason: str) -> None:
    letters = [Letter(LETTERS[0].name, reason, "", LETTERS[0].left), *LETTERS[1:]]

    (fault,) = count(letters=letters).faults
    assert f"dead as {reason}" in fault


def test_another_content_than_was_published_is_a_fault() -> None:
    swapped = [Stored(COPIES[0].recipient, "swapped", COPIES[1].content), *COPIES[1:]]

    assert count(swapped).faults == (f"not what was published: {FIRST.good[0]}",)


def test_a_copy_for_somebody_whom_nobody_wrote_to_is_a_fault() -> None:
    stray = copy(FIRST, "e9999.r0@mta.example")

    assert count([*COPIES, stray]).faults == ("nobody wrote to e9999.r0@mta.example",)


def test_what_is_still_queued_is_a_fault_and_not_lost() -> None:
    books = balance(EMAILS, COPIES[1:], LETTERS, [FIRST.name], {})

    assert books.faults == (f"still queued: {FIRST.name}",)
    assert books.lost == 0
