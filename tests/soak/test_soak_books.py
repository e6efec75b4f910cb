"""The checker of the soak finds what it is there to find, and excuses only what was injected."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ion.settings import Pipelining
from soak.aws_chaos import AwsChaos, Fault
from soak.books import PARK, RESEND_ONCE, Balance, Excuses, Letter, balance
from soak.clock import Clock
from soak.flow import BULK, CAMPAIGNS, NORMAL
from soak.mail import (
    BEFORE,
    WITH,
    Mail,
    is_bounced,
    is_malformed,
    is_refused,
    name_of,
    written,
)
from soak.manner import Manner
from soak.notes import Notes
from soak.orders import (
    REDRIVE,
    REDRIVE_ALL_BUT_THE_DOUBTED,
    cancel,
    cancelled_by,
    is_order,
)
from soak.publisher import Post, Publisher
from soak.smtp_chaos import SmtpChaos
from soak.witness import Copy, Sort, Witness


def now() -> float:
    return 1_800_000_000.0


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


# -- the witness -----------------------------------------------------------------------------

CONTENT = f"Date: now\r\n\r\nThis is {A.name}.\r\n".encode()


def took(witness: Witness, *, told: bool = True, life: int = 1) -> None:
    witness.accepted(life, A.name, A.recipients, CONTENT, told=told)


def claimed() -> Witness:
    """One life's claim is in the ledger, and the message in the queue."""
    witness = Witness()
    witness.held[A.name] = 1
    witness.claimed(1, A.name, "token", heard=True)
    return witness


def settled(witness: Witness) -> None:
    took(witness)
    witness.recorded(1, A.name, done=True)
    witness.ended(1, Sort.KILL)


def killed_before_the_record(witness: Witness) -> None:
    took(witness)
    witness.ended(1, Sort.KILL)


def deleted_before_the_record(witness: Witness) -> None:
    witness.received("id", "receipt", A.name)
    took(witness)
    witness.deleted(1, "receipt")
    witness.ended(1, Sort.KILL)


def never_told(witness: Witness) -> None:
    took(witness, told=False)
    witness.recorded(1, A.name, done=True)
    witness.ended(1, Sort.AWS)


def never_recorded(witness: Witness) -> None:
    took(witness)
    witness.recorded(1, A.name, done=False)
    witness.ended(1, Sort.AWS)


@pytest.mark.parametrize(
    ("happens", "doubt"),
    [
        (settled, ""),
        (killed_before_the_record, Sort.KILL),
        (deleted_before_the_record, ""),  # one acknowledgement is enough
        (never_told, Sort.DOT),
        (never_recorded, Sort.AWS),
    ],
)
def test_a_copy_is_in_doubt_only_without_any_acknowledgement(
    happens: Callable[[Witness], None], doubt: str
) -> None:
    witness = claimed()
    happens(witness)
    assert [one.doubt for one in witness.copies] == [doubt]
    assert witness.doubts.total() == bool(doubt)
    assert witness.faults == []


def test_a_claim_that_was_given_up_without_a_fault_is_no_event() -> None:
    witness = claimed()
    took(witness)
    witness.ended(1, Sort.AWS)
    assert witness.faults == [f"no result: {A.name} was given up without a fault"]
    assert not witness.copies[0].doubt


def test_an_email_without_a_lease_is_found() -> None:
    witness = claimed()
    took(witness, life=2)
    assert witness.faults == [f"undue copy: {A.name} sent without a lease"]


def test_an_email_with_anothers_content_is_found() -> None:
    witness = claimed()
    witness.accepted(1, A.name, A.recipients, CONTENT.replace(b"1.", b"2."), told=True)
    assert witness.faults == [f"unexpected: {A.name} with other content"]


def test_a_letter_over_a_doubt_that_is_put_back_is_noted() -> None:
    witness = Witness()
    notes = Notes(1, witness, "dead")
    for queue, reason in (("dead", "IN_DOUBT"), ("input", "IN_DOUBT")):
        attributes = {"reason": {"StringValue": reason}}
        entry = {"Id": "0", "MessageBody": A.name, "MessageAttributes": attributes}
        said = {"Successful": [{"Id": "0"}]}
        asked = {"QueueUrl": queue, "Entries": [entry]}
        notes.done("SendMessageBatch", asked, said, heard=True)
    assert witness.redriven[A.name] == 1
    assert witness.held[A.name] == 2


# -- the mail --------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_mail_of_every_sort() -> None:
    mails = list(written(7, 2000, now))
    assert mails == list(written(7, 2000, now))
    assert mails != list(written(8, 2000, now))
    assert {mail.due for mail in mails} == {
        "",
        "BAD_JSON",
        "INVALID_SCHEMA",
        "INVALID_ADDRESS",
    }
    assert {len(mail.recipients) for mail in mails} == {0, 1, 2, 3, 4}
    assert any(mail.twice for mail in mails)
    assert not [mail for mail in mails if mail.twice and "email_id" not in mail.body]
    assert any("email_id" not in mail.body for mail in mails)


def test_everything_of_a_message_carries_its_name() -> None:
    for mail in written(7, 500, now):
        assert {name_of(text) for text in (mail.body, *mail.recipients)} == {mail.name}
        refused = [one for one in mail.recipients if mail.due_of(one) == "RCPT_REJECTED"]
        assert refused == [*filter(is_refused, mail.recipients)]
        assert all(mail.due_of(fate) == mail.due for fate in mail.fates if fate not in refused)
    several = [mail for mail in written(7, 2000, now) if len(mail.recipients) > 1]
    for kind in (is_bounced, is_malformed):
        assert any(sum(map(kind, mail.recipients)) == 1 for mail in several)


@pytest.mark.parametrize("policy", [RESEND_ONCE, PARK])
def test_everything_is_published_and_twins_twice(policy: str) -> None:
    posts = Counter[Post]()
    mails: list[Mail] = []
    portions = list(Publisher(1010, 7, policy, now).portions())
    for portion in portions:
        mails += portion.mails
        posts.update(portion.posts)
    assert sum(portion.then_a_lull for portion in portions) > 20
    redrive = REDRIVE if policy == RESEND_ONCE else REDRIVE_ALL_BUT_THE_DOUBTED
    assert posts.pop(Post(redrive)) == 2
    of_mail = {post: count for post, count in posts.items() if not is_order(post.body)}
    assert of_mail == {
        Post(mail.body, mail.flow.door, mail.flow.tenant): 1 + mail.twice for mail in mails
    }
    cancels = {cancelled_by(post.body) for post in posts} - {""}
    assert cancels == {mail.name for mail in mails if mail.cancelled}
    assert mails == list(written(7, 1010, now))


def test_cancels_come_before_with_and_after_the_email() -> None:
    bodies = [
        post.body
        for portion in Publisher(2000, 7, RESEND_ONCE, now).portions()
        for post in portion.posts
    ]
    for mail in (one for one in written(7, 2000, now) if one.cancelled):
        at, order = bodies.index(mail.body), bodies.index(cancel(mail.name))
        assert (order < at) is (mail.cancelled == BEFORE)
        assert mail.cancelled != WITH or order == at + 1


def test_orders_of_every_sort_are_published() -> None:
    asked = [
        json.loads(post.body)
        for portion in Publisher(1010, 7, RESEND_ONCE, now).portions()
        for post in portion.posts
        if is_order(post.body)
    ]
    assert {one["action"] for one in asked} == {"redrive", "cancel", "stop", "pause", "resume"}
    assert {one["lane"] for one in asked if one["action"] == "pause"} == {None, "bulk", "normal"}


def test_emails_travel_in_every_way() -> None:
    flows = [mail.flow for mail in written(7, 2000, now)]
    ways = {(flow.door, flow.lane) for flow in flows}
    assert ways == {(door, lane) for door in (NORMAL, BULK) for lane in ("", NORMAL, BULK)}
    for moments in ([one.not_before for one in flows], [one.expires_at for one in flows]):
        ahead = [moment - now() for moment in moments if moment]
        assert min(ahead) < 120
        assert max(ahead) > 3600
    assert {flow.tags.get("campaign", "") for flow in flows} == {"", *CAMPAIGNS}
    assert len({flow.tenant for flow in flows}) > 3
    assert not [one for one in flows if one.expires_at and one.expires_at <= one.not_before]


# -- the clock and the faults ----------------------------------------------------------------


def test_the_clock_stops_at_the_end_of_an_invocation_that_lives(tmp_path: Path) -> None:
    clock = Clock(tmp_path / "clock")
    clock.began(1, 900)
    clock.began(2, 60)
    before = clock.now()
    clock.turn(1000)
    assert clock.is_over(2)
    assert not clock.is_over(1)
    assert clock.now() - before == pytest.approx(60, abs=5)
    clock.ended(2)
    clock.ended(1)
    clock.turn(1000)
    assert clock.now() - before == pytest.approx(1060, abs=5)


@pytest.mark.parametrize("way", [Manner(mode) for mode in Pipelining], ids=[*Pipelining])
def test_the_faults_are_as_many_as_promised_and_end_when_told(way: Manner) -> None:
    aws, smtp = AwsChaos(7), SmtpChaos(7)
    drawn = [aws.draw("ReceiveMessage", 1) for _ in range(5000)]
    befallen = [smtp.of_transaction(f"m{number:07}", way) for number in range(5000)]
    assert sum(fault is not None for fault in drawn) > 0.04 * 5000
    assert sum(fault is not None for fault in befallen) > 0.08 * 5000
    probed = [smtp.of_probe(str(number)) for number in range(5000)]
    assert sum(fault is not None and fault.loses_the_thread for fault in probed) > 0.02 * 5000
    assert Fault.PARTLY not in drawn
    aws.on = smtp.on = False
    assert not any(aws.draw("ReceiveMessage", 1) for _ in range(500))
    assert not any(smtp.of_transaction(A.name, way) for _ in range(500))
