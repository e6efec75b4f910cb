"""The row of what waits and was never tried: it has no lease, and the first claim gets one."""

from dataclasses import replace

import pytest

from ion.delivery import Delivery, InDoubt, Status, scheduled
from ion.outcome import Kind, Outcome, Reason, Scope, Stage
from ion.policy.amendment import Amending, Content, amended
from ion.policy.lease import (
    CLAIMED,
    DEAD,
    PENDING,
    Row,
    RowStatus,
    Verdict,
    buried,
    cancelled,
    conclude,
    judge,
    queued,
)
from policy.rows import CLAIM, LEASE, NOW, REDRIVE

SINCE = "2026-11-22T08:30:15.000+00:00"
QUEUED = replace(
    queued("hash", 2, SINCE, scheduled(7200), "token of what waits", NOW), expires_at=NOW + 1e6
)
BLANK = replace(
    queued("", 0, SINCE, scheduled(7200), "token of what waits", NOW), expires_at=NOW + 1e6
)
"""Of what lies elsewhere, and couldn't be read yet."""


def letter(reason: Reason) -> Delivery:
    return Delivery(Status.DEAD, Outcome(Stage.PARSE, Kind.PERMANENT, Scope.MESSAGE, reason))


@pytest.mark.parametrize("policy", list(InDoubt))
@pytest.mark.parametrize("alone", [False, True])
def test_what_waits_is_leased_as_if_nothing_were_known(policy: InDoubt, alone: bool) -> None:
    judged = judge(QUEUED, replace(CLAIM, in_doubt=policy, alone=alone), NOW)
    assert (judged.verdict, judged.targets) == (Verdict.SEND, (0, 1))
    assert judged.row is not None
    leased = judged.row
    assert (leased.status, leased.token, leased.lease_until) == (RowStatus.SENDING, "mine", LEASE)
    assert (leased.fates, leased.doubts, leased.attempts) == (CLAIMED * 2, "00", 0)
    assert leased.used_ids == {"message-1"}
    assert (leased.queued_at, leased.timeline) == (SINCE, QUEUED.timeline)


@pytest.mark.row(12)
@pytest.mark.parametrize("other", [{"content_hash": "another"}, {"recipients": 3}], ids=str)
def test_the_key_belongs_to_what_was_there_first(other: dict[str, object]) -> None:
    assert judge(QUEUED, replace(CLAIM, **other), NOW).verdict is Verdict.REUSED  # type: ignore[arg-type]


def test_what_could_not_be_read_yet_may_turn_out_to_be_anything() -> None:
    judged = judge(BLANK, replace(CLAIM, content_hash="another", recipients=3), NOW)
    assert (judged.verdict, judged.targets) == (Verdict.SEND, (0, 1, 2))
    assert judged.row is not None
    assert (judged.row.content_hash, judged.row.timeline) == ("another", BLANK.timeline)


@pytest.mark.row(76)
@pytest.mark.parametrize("row", [QUEUED, BLANK], ids=["known", "blank"])
def test_what_waits_can_be_cancelled_and_is_not_sent_then(row: Row) -> None:
    gone = cancelled(row, "token of the cancel", NOW)
    assert gone is not None
    assert (gone.status, gone.token) == (RowStatus.CANCELLED, "token of the cancel")
    assert [one.status for one in gone.timeline] == ["deferred", "cancelled"]
    assert judge(gone, CLAIM, NOW).verdict is Verdict.CANCELLED
    assert cancelled(gone, "again", NOW) == replace(gone, token="again"), "and is told once"


@pytest.mark.row(76)
def test_what_waits_for_its_next_try_can_be_cancelled_and_what_has_its_fate_cannot() -> None:
    too_late = {status for status in RowStatus if cancelled(_in(status), "new", NOW) is None}
    can_be = {RowStatus.QUEUED, RowStatus.DEFERRED, RowStatus.CANCELLED}
    assert too_late == {*RowStatus} - can_be


def _in(status: RowStatus) -> Row:
    return replace(QUEUED, status=status)


@pytest.mark.row(76)
@pytest.mark.parametrize("status", [RowStatus.QUEUED, RowStatus.SENT, RowStatus.CANCELLED])
def test_a_cancel_of_a_row_that_has_expired_is_about_the_next_email_of_that_key(
    status: RowStatus,
) -> None:
    """DynamoDB takes its time to remove it."""
    gone = cancelled(replace(_in(status), expires_at=NOW), "new", NOW)
    assert gone == cancelled(None, "new", NOW)
    assert gone is not None
    assert [(one.n, one.status) for one in gone.timeline] == [(1, "cancelled")]


def test_a_row_that_has_expired_is_none() -> None:
    over = replace(QUEUED, expires_at=NOW)
    judged = judge(over, replace(CLAIM, content_hash="another"), NOW)
    assert judged.verdict is Verdict.SEND
    assert judged.row is not None
    assert judged.row.timeline == ()


@pytest.mark.row(75)
def test_an_attempt_is_added_to_the_waiting() -> None:
    row = judge(QUEUED, CLAIM, NOW).row
    assert row is not None
    late = Delivery(
        Status.DEAD,
        Outcome(Stage.CLAIM, Kind.PERMANENT, Scope.MESSAGE, Reason.EXPIRED),
        recipients=(0, 1),
    )
    done = conclude(row, "message-1", [late], NOW)
    assert done.status is RowStatus.EXPIRED
    told = [(one.n, one.status, one.reason) for one in done.timeline]
    assert told == [(1, "deferred", "SCHEDULED"), (2, "dead_lettered", "EXPIRED")]


# what died before anybody had claimed it


@pytest.mark.parametrize(
    ("reason", "status"),
    [(Reason.TEMPLATE_ERROR, RowStatus.BOUNCED), (Reason.EXPIRED, RowStatus.EXPIRED)],
)
def test_a_letter_made_of_it_is_its_end(reason: Reason, status: RowStatus) -> None:
    dead = buried(QUEUED, "message-1", letter(reason), NOW)
    assert (dead.status, dead.fates, dead.attempts) == (status, DEAD * 2, 0)
    assert [one.reason for one in dead.timeline] == ["SCHEDULED", reason]


@pytest.mark.row(69)
def test_its_message_is_done_with_and_its_redrive_is_not() -> None:
    dead = buried(QUEUED, "message-1", letter(Reason.TEMPLATE_ERROR), NOW)
    assert judge(dead, CLAIM, NOW).verdict is Verdict.DONE
    judged = judge(dead, REDRIVE, NOW)
    assert (judged.verdict, judged.targets) == (Verdict.SEND, (0, 1))


@pytest.mark.row(69)
def test_its_message_is_done_with_though_a_redrive_had_brought_it() -> None:
    """It comes again where its delete was lost; only another message brings the email back."""
    dead = buried(QUEUED, REDRIVE.message_id, letter(Reason.TEMPLATE_ERROR), NOW)
    assert judge(dead, REDRIVE, NOW).verdict is Verdict.DONE
    assert judge(dead, replace(REDRIVE, message_id="message-3"), NOW).verdict is Verdict.SEND


@pytest.mark.row(69)
def test_of_what_was_never_read_a_redrive_may_be_anything() -> None:
    dead = buried(BLANK, "message-1", letter(Reason.CLAIM_MISSING), NOW)
    assert dead.status is RowStatus.BOUNCED
    assert judge(dead, replace(REDRIVE, content_hash="x"), NOW).verdict is Verdict.SEND


# a person who corrects a letter


def test_what_waits_is_not_corrected_by_a_letter_of_its_twin() -> None:
    old, new = Content("hash", ("a", "b")), replace(REDRIVE, content_hash="new")
    assert amended(QUEUED, new, old, ("a", "b"), NOW).how is Amending.WAITING


def test_a_letter_that_was_never_read_may_be_corrected_freely() -> None:
    dead = buried(BLANK, "message-1", letter(Reason.CLAIM_MISSING), NOW)
    new = replace(REDRIVE, content_hash="new")
    amendment = amended(dead, new, Content("", ()), ("a", "b"), NOW)
    assert (amendment.how, amendment.row) == (Amending.UNKNOWN, None)


def test_pending_recipients_of_a_queued_row_are_as_many_as_there_are() -> None:
    assert (QUEUED.fates, QUEUED.doubts, BLANK.fates) == (PENDING * 2, "00", "")
    assert (QUEUED.is_blank, BLANK.is_blank) == (False, True)


def test_the_hash_of_what_could_not_be_read_is_of_no_content() -> None:
    blank = queued("hash of a pointer", 0, SINCE, scheduled(7200), "token", NOW)
    assert (blank.content_hash, blank.queued_at) == ("", SINCE)
