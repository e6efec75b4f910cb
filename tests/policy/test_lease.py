"""What a claim may do, by example for each line of the table, and for every ledger there can be."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ion.delivery import Delivery, InDoubt, Status
from ion.limits import SKEW_SECONDS
from ion.outcome import Kind, Reason
from ion.policy.lease import (
    CLAIMED,
    DEAD,
    DOUBTED,
    PENDING,
    SENT,
    Judgement,
    Row,
    RowStatus,
    Verdict,
    conclude,
    judge,
)
from policy.rows import BURIED, CLAIM, CRASHED, DOUBTFUL, LEASE, NOW, REDRIVE, ROW, delivery

DEFERRED = replace(ROW, status=RowStatus.DEFERRED, lease_until=0, fates=PENDING * 2, attempts=3)


def lease_on(row: Row, message_id: str = "message-1", fates: str = CLAIMED * 2) -> Row:
    return replace(
        row,
        status=RowStatus.SENDING,
        token="mine",
        lease_until=LEASE,
        fates=fates,
        used_ids=row.used_ids | {message_id},
    )


# the table


@pytest.mark.row(65)
def test_an_unknown_email_is_leased_and_sent_to_all() -> None:
    leased = lease_on(Row(RowStatus.SENDING, "mine", LEASE, "hash", PENDING * 2, "00"))
    assert judge(None, CLAIM, NOW) == Judgement(Verdict.SEND, leased, (0, 1))


@pytest.mark.row(65)
def test_a_message_about_some_recipients_is_sent_to_those() -> None:
    judged = judge(None, replace(CLAIM, left=(1,)), NOW)
    assert judged.targets == (1,)
    assert judged.row is not None
    assert judged.row.fates == PENDING + CLAIMED


@pytest.mark.row(76)
def test_what_is_cancelled_is_not_sent_whatever_it_says() -> None:
    for row in (DEFERRED, replace(DEFERRED, content_hash="other", fates="", doubts="")):
        judged = judge(replace(row, status=RowStatus.CANCELLED), CLAIM, NOW)
        assert judged == Judgement(Verdict.CANCELLED)


@pytest.mark.row(65)
def test_our_own_token_means_go_on() -> None:
    ours = replace(ROW, token="mine")
    assert judge(ours, CLAIM, NOW) == Judgement(Verdict.SEND, ours, (0, 1))


@pytest.mark.row(16)
@pytest.mark.row(65)
def test_a_live_lease_of_another_is_waited_for_and_costs_nothing() -> None:
    judged = judge(ROW, CLAIM, NOW)
    assert judged == Judgement(Verdict.WAIT, wait_seconds=LEASE + SKEW_SECONDS - NOW)


@pytest.mark.row(11)
@pytest.mark.row(12)
@pytest.mark.row(17)
@pytest.mark.row(65)
@pytest.mark.parametrize("message_id", ["message-1", "message-2"])
def test_a_copy_of_what_was_sent_is_done(message_id: str) -> None:
    sent = replace(DEFERRED, status=RowStatus.SENT, fates=SENT * 2)
    judged = judge(sent, replace(CLAIM, message_id=message_id), NOW)
    assert judged == Judgement(Verdict.DONE)


def test_even_under_our_own_token_what_was_sent_is_done() -> None:
    """SQS may deliver one message twice with the same count of receives."""
    sent = replace(DEFERRED, status=RowStatus.SENT, fates=SENT * 2, token="mine")
    assert judge(sent, CLAIM, NOW) == Judgement(Verdict.DONE)


@pytest.mark.row(65)
def test_a_deferred_email_is_tried_again_and_its_attempts_are_remembered() -> None:
    assert judge(DEFERRED, CLAIM, NOW) == Judgement(Verdict.SEND, lease_on(DEFERRED), (0, 1))


def test_a_deferred_email_goes_only_to_those_who_are_left() -> None:
    row = replace(DEFERRED, fates=SENT + PENDING)
    assert judge(row, CLAIM, NOW).targets == (1,)


@pytest.mark.row(11)
@pytest.mark.row(65)
@pytest.mark.parametrize("status", [RowStatus.BOUNCED, RowStatus.EXPIRED, RowStatus.IN_DOUBT])
def test_a_message_that_was_dead_lettered_and_comes_again_is_done(status: RowStatus) -> None:
    assert judge(replace(BURIED, status=status), CLAIM, NOW) == Judgement(Verdict.DONE)


@pytest.mark.row(65)
@pytest.mark.row(69)
@pytest.mark.parametrize("status", [RowStatus.BOUNCED, RowStatus.EXPIRED, RowStatus.IN_DOUBT])
def test_a_dead_letter_that_is_brought_back_starts_anew(status: RowStatus) -> None:
    judged = judge(replace(BURIED, status=status), REDRIVE, NOW)
    fresh = replace(lease_on(BURIED, "message-2"), attempts=0, claimed_redrives=(1, 1))
    assert judged == Judgement(Verdict.SEND, fresh, (0, 1))


@pytest.mark.row(65)
@pytest.mark.row(69)
def test_only_who_was_told_of_a_doubt_is_past_it() -> None:
    """The first was dead-lettered in doubt; the second was refused, after a copy in doubt."""
    judged = judge(replace(BURIED, fates=DOUBTED + DEAD, doubts="21"), REDRIVE, NOW)
    assert judged.row is not None
    assert (judged.targets, judged.row.doubts) == ((0, 1), "01")


@pytest.mark.row(69)
@pytest.mark.parametrize("kind", [Kind.PERMANENT, Kind.IN_DOUBT])
def test_of_one_letter_that_came_back_twice_the_second_has_nothing_to_do(kind: Kind) -> None:
    """An acknowledgement was lost, and the letter was sent back again.

    The new letter that is made of the first one comes back once more often than both.
    """
    judged = judge(BURIED, REDRIVE, NOW)
    assert judged.row is not None
    row = conclude(judged.row, "message-2", [delivery(Status.DEAD, kind, 0, 1)], NOW)
    twin = replace(REDRIVE, message_id="message-3")
    assert judge(row, twin, NOW) == Judgement(Verdict.DONE)
    again = judge(row, replace(twin, message_id="message-4", redrives=2), NOW)
    assert (again.verdict, again.targets) == (Verdict.SEND, (0, 1))


@pytest.mark.row(69)
def test_letters_about_different_recipients_come_back_each_for_itself() -> None:
    first = judge(BURIED, replace(REDRIVE, left=(0,)), NOW)
    assert first.row is not None
    row = conclude(first.row, "message-2", [delivery(Status.DEAD, Kind.PERMANENT, 0)], NOW)
    second = judge(row, replace(REDRIVE, message_id="message-3", left=(1,)), NOW)
    assert (second.verdict, second.targets) == (Verdict.SEND, (1,))


@pytest.mark.row(69)
def test_a_letter_of_an_older_message_comes_back_all_the_same() -> None:
    """The one that had come back more often was put off, and its twin was dead-lettered."""
    judged = judge(BURIED, replace(REDRIVE, redrives=2), NOW)
    assert judged.row is not None
    row = conclude(judged.row, "message-2", [delivery(Status.DEFERRED, Kind.TRANSIENT, 0, 1)], NOW)
    older = judge(row, replace(REDRIVE, message_id="message-3", redrives=1), NOW)
    assert older.row is not None
    row = conclude(older.row, "message-3", [delivery(Status.DEAD, Kind.PERMANENT, 0, 1)], NOW)
    back = judge(row, replace(REDRIVE, message_id="message-4", redrives=2), NOW)
    assert (back.verdict, back.targets) == (Verdict.SEND, (0, 1))


@pytest.mark.row(69)
def test_a_dead_letter_about_some_brings_back_only_those() -> None:
    row = replace(BURIED, fates=DEAD + SENT)
    judged = judge(row, replace(REDRIVE, left=(0,)), NOW)
    assert judged.targets == (0,)
    assert judged.row is not None
    assert judged.row.fates == CLAIMED + SENT


def test_the_rest_of_an_email_does_not_go_to_its_dead() -> None:
    row = replace(DEFERRED, fates=DEAD + PENDING, used_ids=frozenset({"message-1"}))
    assert judge(row, CLAIM, NOW).targets == (1,)


def test_doubts_about_recipients_who_still_wait_outlive_a_redrive_of_others() -> None:
    row = replace(BURIED, status=RowStatus.DEFERRED, fates=DOUBTED + PENDING, doubts="11")
    judged = judge(row, replace(REDRIVE, left=(0,)), NOW)
    assert judged.targets == (0,)
    assert judged.row is not None
    assert judged.row.doubts == "01"


@pytest.mark.row(12)
@pytest.mark.parametrize(
    "row",
    [
        CRASHED,
        DEFERRED,
        BURIED,
        replace(DEFERRED, status=RowStatus.SENT, fates=SENT * 2),
    ],
    ids=lambda row: row.status.value,
)
@pytest.mark.parametrize("other", [{"content_hash": "another"}, {"recipients": 3}], ids=str)
def test_a_key_that_belongs_to_other_content_is_refused(row: Row, other: dict[str, object]) -> None:
    claim = replace(CLAIM, **other)  # type: ignore[arg-type]
    assert judge(row, claim, NOW) == Judgement(Verdict.REUSED)


# a sender that died


AFTER_ONE = {
    InDoubt.RESEND_ONCE: Verdict.SEND,
    InDoubt.RESEND: Verdict.SEND,
    InDoubt.PARK: Verdict.PARKED,
}

AFTER_TWO = AFTER_ONE | {InDoubt.RESEND_ONCE: Verdict.PARKED}


@pytest.mark.row(29)
@pytest.mark.row(30)
@pytest.mark.row(65)
@pytest.mark.parametrize(
    ("doubts", "policy", "verdict"),
    [(0, *case) for case in AFTER_ONE.items()] + [(1, *case) for case in AFTER_TWO.items()],
)
def test_an_expired_lease_in_sending_is_in_doubt(
    doubts: int, policy: InDoubt, verdict: Verdict
) -> None:
    row = replace(CRASHED, doubts=str(doubts) * 2)
    judged = judge(row, replace(CLAIM, in_doubt=policy), NOW)
    claimed = CLAIMED if verdict is Verdict.SEND else PENDING
    leased = lease_on(replace(row, doubts=str(doubts + 1) * 2, crashes=1), fates=claimed * 2)
    assert judged == Judgement(verdict, leased, (0, 1))


@pytest.mark.row(30)
@pytest.mark.row(48)
def test_only_those_that_the_dead_sender_was_at_are_in_doubt() -> None:
    """It was about the second recipient; the first has been waiting, and had no copy yet."""
    row = replace(CRASHED, fates=PENDING + CLAIMED)
    judged = judge(row, replace(CLAIM, in_doubt=InDoubt.PARK), NOW)
    assert (judged.verdict, judged.targets, judged.parked) == (Verdict.SEND, (0,), (1,))
    assert judged.row is not None
    assert (judged.row.fates, judged.row.doubts) == (CLAIMED + PENDING, "01")


@pytest.mark.row(30)
@pytest.mark.row(48)
@pytest.mark.parametrize(
    ("doubts", "verdict", "targets", "parked"),
    [
        ("00", Verdict.SEND, (0, 1), ()),
        ("10", Verdict.SEND, (1,), (0,)),
        ("11", Verdict.PARKED, (0, 1), ()),
    ],
)
def test_a_death_parks_those_for_whom_it_is_the_second_doubt(
    doubts: str, verdict: Verdict, targets: tuple[int, ...], parked: tuple[int, ...]
) -> None:
    judged = judge(replace(CRASHED, doubts=doubts), CLAIM, NOW)
    assert (judged.verdict, judged.targets, judged.parked) == (verdict, targets, parked)


@pytest.mark.row(29)
def test_whom_a_message_is_not_about_keeps_the_doubt_of_a_death() -> None:
    judged = judge(CRASHED, replace(CLAIM, left=(0,)), NOW)
    assert judged.row is not None
    assert (judged.row.fates, judged.row.doubts) == (CLAIMED + PENDING, "11")


@pytest.mark.row(28)
def test_without_a_row_nobody_can_have_sent() -> None:
    """Killed before the claim: no doubt, whatever the policy."""
    for policy in InDoubt:
        assert judge(None, replace(CLAIM, in_doubt=policy), NOW).verdict is Verdict.SEND


@pytest.mark.row(31)
@pytest.mark.parametrize(
    ("policy", "verdicts"),
    [
        (InDoubt.RESEND, ["send", "send", "send", "crash_loop", "crash_loop"]),
        (InDoubt.RESEND_ONCE, ["send", "send", "parked", "crash_loop"]),
        (InDoubt.PARK, ["send", "parked", "parked", "crash_loop"]),
    ],
)
def test_a_message_that_kills_every_sender_is_stopped(policy: InDoubt, verdicts: list[str]) -> None:
    row, now, found = None, NOW, []
    for number in range(len(verdicts)):
        claim = replace(CLAIM, token=f"run-{number}", lease_until=now + 960, in_doubt=policy)
        judged = judge(row, claim, now)
        found.append(judged.verdict.value)
        row, now = judged.row, now + 960 + SKEW_SECONDS
    assert found == verdicts


@pytest.mark.row(31)
def test_a_result_ends_the_count_of_crashes() -> None:
    row = conclude(replace(CRASHED, crashes=2), "message-1", [], NOW)
    assert row.crashes == 0


@pytest.mark.row(29)
@pytest.mark.row(69)
def test_a_redrive_whose_sender_died_is_as_doubtful_as_any_other() -> None:
    """Else a message that kills its sender would be sent for ever after its first redrive."""
    first = judge(DOUBTFUL, REDRIVE, NOW)
    later = LEASE + SKEW_SECONDS
    assert first.row is not None
    again = judge(first.row, replace(REDRIVE, token="next", in_doubt=InDoubt.PARK), later)
    assert again.verdict is Verdict.PARKED
    assert again.row is not None
    assert (again.row.doubts, again.row.crashes) == ("11", 1)


@pytest.mark.row(69)
def test_a_redrive_that_was_deferred_does_not_start_anew_each_time() -> None:
    first = judge(DOUBTFUL, REDRIVE, NOW)
    assert first.row is not None
    in_doubt = delivery(Status.DEFERRED, Kind.IN_DOUBT, 0)
    deferred = conclude(first.row, "message-2", [in_doubt], NOW)
    again = judge(deferred, replace(REDRIVE, token="next"), NOW)
    assert again.verdict is Verdict.SEND
    assert again.row is not None
    assert (again.row.attempts, again.row.doubts) == (1, "10")


# clocks


@pytest.mark.row(67)
@pytest.mark.row(68)
@pytest.mark.parametrize(
    ("since_the_end", "verdict", "wait"),
    [(0, "wait", 30), (29.5, "wait", 0.5), (30, "send", 0), (1e9, "send", 0)],
)
def test_a_lease_ends_for_others_half_a_minute_late(
    since_the_end: float, verdict: str, wait: float
) -> None:
    row = replace(ROW, expires_at=1e12)
    judged = judge(row, CLAIM, LEASE + since_the_end)
    assert (judged.verdict.value, judged.wait_seconds) == (verdict, wait)


@pytest.mark.row(67)
@given(st.floats(0, SKEW_SECONDS), st.floats(0, 900))
def test_no_clock_within_the_bound_takes_a_lease_from_a_living_sender(
    skew: float, worked: float
) -> None:
    row = judge(None, replace(CLAIM, token="other", lease_until=NOW + 900), NOW).row
    senders_clock = NOW + min(worked, 899.99)
    assert judge(row, CLAIM, senders_clock + skew).verdict is Verdict.WAIT


@pytest.mark.row(68)
@pytest.mark.parametrize("status", [RowStatus.SENT, RowStatus.BOUNCED, RowStatus.DEFERRED])
def test_an_expired_row_that_dynamodb_has_not_removed_yet_is_as_good_as_gone(
    status: RowStatus,
) -> None:
    row = replace(DEFERRED, status=status, fates=SENT * 2, content_hash="old", expires_at=NOW)
    assert judge(row, CLAIM, NOW) == judge(None, CLAIM, NOW)


@pytest.mark.row(68)
def test_a_row_holds_until_it_expires() -> None:
    row = replace(DEFERRED, status=RowStatus.SENT, fates=SENT * 2, expires_at=NOW + 1)
    assert judge(row, CLAIM, NOW).verdict is Verdict.DONE


# how an attempt ends


SENT_TO = delivery(Status.SENT, Kind.ACCEPTED, 0)

DEAD_1 = delivery(Status.DEAD, Kind.PERMANENT, 1)

LATER_1 = delivery(Status.DEFERRED, Kind.TRANSIENT, 1)


@pytest.mark.parametrize(
    ("deliveries", "status", "fates", "attempts"),
    [
        ([delivery(Status.SENT, Kind.ACCEPTED, 0, 1)], "sent", "ss", 1),
        ([SENT_TO, LATER_1], "deferred", "s.", 1),
        ([SENT_TO, DEAD_1], "bounced", "sd", 1),
        ([DEAD_1], "deferred", ".d", 1),
        ([delivery(Status.DEAD, Kind.IN_DOUBT, 0, 1, reason=Reason.IN_DOUBT)], "in_doubt", "??", 1),
        ([delivery(Status.DEAD, Kind.TRANSIENT, 0, 1, reason=Reason.EXPIRED)], "expired", "dd", 1),
        (
            [DEAD_1, delivery(Status.DEAD, Kind.TRANSIENT, 0, reason=Reason.EXPIRED)],
            "expired",
            "dd",
            1,
        ),
        ([delivery(Status.DEFERRED, Kind.GREYLISTED, 0, 1)], "deferred", "..", 1),
        ([delivery(Status.DEFERRED, Kind.OUT_OF_STEP, 0, 1)], "deferred", "..", 1),
        ([delivery(Status.DEFERRED, Kind.THROTTLED, 0, 1)], "deferred", "..", 0),
        ([delivery(Status.RELEASED, Kind.UNAVAILABLE, 0, 1)], "deferred", "..", 0),
        ([], "deferred", "..", 0),
    ],
)
def test_a_result_tells_what_became_of_each_recipient(
    deliveries: list[Delivery], status: str, fates: str, attempts: int
) -> None:
    row = conclude(replace(lease_on(ROW), used_ids=frozenset()), "message-1", deliveries, NOW)
    assert (row.status.value, row.fates, row.attempts) == (status, fates, attempts)
    assert row.lease_until == 0
    assert row.token == "mine"
    assert row.used_ids == ({"message-1"} if {DEAD, DOUBTED} & set(fates) else set())


@pytest.mark.row(48)
@pytest.mark.row(52)
def test_a_doubt_is_counted_for_the_recipients_that_it_is_about() -> None:
    in_doubt = delivery(Status.DEFERRED, Kind.IN_DOUBT, 1)
    once = conclude(lease_on(ROW), "message-1", [SENT_TO, in_doubt], NOW)
    assert once.doubts == "01"
    for _ in range(20):
        once = conclude(once, "message-1", [in_doubt], NOW)
    assert once.doubts == "09", "one digit each"
