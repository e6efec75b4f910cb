"""What a notice does: to what is known of the address, and to the row of the email."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from conftest import Log
from emulated import Account, failing
from feedback.receiving import (
    ANN,
    BOB,
    Feedback,
    bounce,
    complaint,
    delivery,
    transient,
)
from ion.aws.table import TableError
from ion.policy import timeline
from ion.policy.suppression import ALL, About, Suppression, Why, forbidden

NOW = datetime(2026, 11, 29, 1, 2, 3, tzinfo=UTC)
ABOUT = About("example.com", {}, NOW)


def suppressed(feedback: Feedback, address: str = ANN) -> bool:
    return forbidden(feedback.state(address), ABOUT, NOW) is not None


def days_ago(days: float) -> str:
    return (NOW - timedelta(days=days)).isoformat()


def test_a_permanent_bounce_suppresses_the_address_for_all_mail(feedback: Feedback) -> None:
    feedback.sent(ANN)
    feedback.take(bounce(timestamp="2026-11-29T01:02:03.000Z"))
    assert feedback.state().suppressions == (
        Suppression(ALL, Why.BOUNCE, NOW, by="feedback: Permanent/General"),
    )
    assert not suppressed(feedback, BOB)


def test_a_complaint_suppresses_the_address(feedback: Feedback) -> None:
    feedback.sent(ANN)
    feedback.take(complaint(timestamp="2026-11-29T01:02:03.000Z"))
    assert feedback.state().suppressions == (
        Suppression(ALL, Why.COMPLAINT, NOW, by="feedback: abuse"),
    )


def test_a_complaint_of_one_of_several_suppresses_each_and_says_so(feedback: Feedback) -> None:
    both = [{"emailAddress": ANN}, {"emailAddress": BOB}]
    feedback.take(complaint(complainedRecipients=both))
    for address in (ANN, BOB):
        (one,) = feedback.state(address).suppressions
        assert one.by == "feedback: abuse: one of 2 who may have complained"


@pytest.mark.parametrize("kind", ["not-spam", "auth-failure"])
def test_a_report_by_which_nobody_complains_suppresses_nobody(
    feedback: Feedback, kind: str
) -> None:
    feedback.sent(ANN)
    feedback.take(complaint(complaintFeedbackType=kind))
    assert not suppressed(feedback)
    assert feedback.statuses() == ["sent"]


def test_three_transient_bounces_within_thirty_days_suppress_the_address(
    feedback: Feedback,
) -> None:
    feedback.take(*(transient(timestamp=days_ago(days)) for days in (29, 15)))
    assert not suppressed(feedback)
    feedback.take(transient(timestamp=days_ago(0)))
    assert suppressed(feedback)


def test_transient_bounces_further_apart_do_not(feedback: Feedback) -> None:
    feedback.take(*(transient(timestamp=days_ago(days)) for days in (45, 31, 15, 0)))
    assert not suppressed(feedback)


def test_what_is_the_emails_fault_or_an_automatic_reply_is_not_held_against_the_address(
    feedback: Feedback,
) -> None:
    away = [{"emailAddress": ANN}]
    for _ in range(4):
        feedback.take(
            transient(bounceSubType="MessageTooLarge"),
            transient(bounceSubType="General", bouncedRecipients=away),
        )
    assert feedback.state().soft_bounces == ()


@pytest.mark.parametrize(
    "written", ["Ann@Example.ORG", "Ann <ann@example.org>", " ann@example.org"]
)
def test_the_address_is_found_however_it_is_written(feedback: Feedback, written: str) -> None:
    feedback.take(bounce(written))
    assert suppressed(feedback)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (bounce, "bounced"),
        (transient, "bounced"),
        (complaint, "complained"),
        (delivery, "delivered"),
    ],
)
def test_it_stands_in_the_timeline_of_the_email_and_as_the_last_word_of_the_recipient(
    feedback: Feedback, body: Callable[..., str], status: str
) -> None:
    feedback.sent(BOB, ANN)
    feedback.take(body(ANN))
    sent, told = feedback.timeline()
    assert (sent.status, told.status, told.n, told.to) == ("sent", status, 2, (1,))
    (index,) = feedback.last()
    assert (index, feedback.last()["1"].type) == ("1", status)


def test_the_servers_words_are_kept_without_an_address(feedback: Feedback) -> None:
    feedback.sent(ANN)
    said = f"smtp; 550 5.1.1 <{ANN}>: mailbox unavailable, my dear Gwendolyn"
    feedback.take(bounce(bouncedRecipients=[{"emailAddress": ANN, "diagnosticCode": said}]))
    _, told = feedback.timeline()
    assert (told.code, told.reason) == (550, "Permanent/General")
    assert told.reply == "550 5.1.1 <address>: mailbox unavailable, my ***"
    assert feedback.last()["0"].detail == told.reply
    for row in feedback.account.rows():
        assert "ann" not in json.dumps(row).lower()
        assert "gwendolyn" not in json.dumps(row).lower()


def test_a_providers_word_that_is_none_is_not_kept(feedback: Feedback) -> None:
    feedback.sent(ANN)
    feedback.take(bounce(bounceSubType=f"of {ANN}"))
    assert feedback.timeline()[-1].reason == ""
    assert feedback.state().suppressions[0].by == "feedback"


def test_nothing_else_of_the_row_changes(feedback: Feedback) -> None:
    feedback.sent(ANN)
    before = feedback.row()
    feedback.take(bounce())
    after = feedback.row()
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert changed == {"timeline", "feedback", "updated_at", "token"}


def test_an_email_is_found_by_its_key_as_well(feedback: Feedback) -> None:
    feedback.sent(ANN, message_id="<another@example.org>")
    feedback.take(generic(email_id="order-1"))
    assert feedback.statuses() == ["sent", "bounced"]


@pytest.mark.row(83)
@pytest.mark.parametrize("key", [" address-key ", " control ", " address 00ff"])
def test_rows_of_no_email_are_left_alone(feedback: Feedback, key: str) -> None:
    feedback.take(generic())
    before = feedback.account.rows()
    feedback.take(generic(email_id=key, id="another"))
    assert [row for row in feedback.account.rows() if "feedback" in row or "timeline" in row] == []
    assert len(feedback.account.rows()) == len(before)


def test_a_bounce_that_a_forwarding_mailbox_made_is_the_only_recipients(
    feedback: Feedback,
) -> None:
    feedback.sent(ANN)
    feedback.take(bounce("ann.at.home@example.com"))
    assert feedback.timeline()[-1].to == (0,)
    assert suppressed(feedback, "ann.at.home@example.com")
    assert not suppressed(feedback)


@pytest.mark.parametrize("body", [bounce, transient, complaint, delivery])
def test_what_is_about_no_recipient_of_several_is_not_told_of_them_all(
    feedback: Feedback, body: Callable[..., str]
) -> None:
    feedback.sent(ANN, BOB)
    before = feedback.row()
    feedback.take(
        body("ann.at.home@example.com"), generic(recipient="carl@x.org", email_id="order-1")
    )
    assert feedback.row() == before
    assert suppressed(feedback, "carl@x.org")
    assert suppressed(feedback, "ann.at.home@example.com") is (body in (bounce, complaint))


def test_of_one_notice_about_two_addresses_the_row_is_told_of_its_own(feedback: Feedback) -> None:
    feedback.sent(ANN, BOB)
    both = [{"emailAddress": "ann.at.home@example.com"}, {"emailAddress": BOB}]
    feedback.take(bounce(bouncedRecipients=both))
    assert [one.to for one in feedback.timeline()] == [(), (1,)]
    assert list(feedback.last()) == ["1"]


def test_a_complaint_that_names_nobody_is_told_of_the_email_and_suppresses_nobody(
    feedback: Feedback,
) -> None:
    feedback.sent(ANN, BOB)
    feedback.take(complaint(complainedRecipients=[]))
    assert (feedback.statuses(), list(feedback.last())) == (["sent", "complained"], ["*"])
    assert not suppressed(feedback)
    assert not suppressed(feedback, BOB)


@pytest.mark.parametrize("days", [(2, 0), (0, 2)], ids=["in order", "the later one came first"])
def test_of_two_bounces_the_later_one_is_the_last_word(
    feedback: Feedback, days: tuple[int, int]
) -> None:
    feedback.sent(ANN)
    for ago in days:
        subtype = "General" if ago else "MailboxFull"
        feedback.take(bounce(timestamp=days_ago(ago), bounceSubType=subtype))
    assert (feedback.last()["0"].reason, feedback.last()["0"].at) == ("Permanent/MailboxFull", NOW)


def test_last_words_that_cannot_be_read_are_written_anew(feedback: Feedback) -> None:
    feedback.sent(ANN)
    feedback.account.dynamodb().update_item(
        TableName=feedback.account.table,
        Key={"email_id": {"S": "order-1"}},
        UpdateExpression="SET feedback = :f",
        ExpressionAttributeValues={":f": {"S": '{"0": "canary"}'}},
    )
    feedback.take(bounce())
    assert feedback.last()["0"].type == "bounced"
    assert feedback.statuses() == ["sent", "bounced"]


def test_what_names_nobody_is_about_the_whole_email(feedback: Feedback) -> None:
    feedback.sent(ANN, BOB)
    feedback.take(bounce(bouncedRecipients=[]))
    assert (feedback.statuses(), feedback.timeline()[-1].to) == (["sent", "bounced"], ())
    assert list(feedback.last()) == ["*"]


def generic(**fields: Any) -> str:  # noqa: ANN401 - JSON
    least = {"type": "bounced", "recipient": ANN, "at": "2026-11-29T01:02:03Z"}
    return json.dumps(least | fields)


# the failure matrix


@pytest.mark.row(83)
def test_of_an_email_that_is_not_known_only_the_address_is_noted(feedback: Feedback) -> None:
    feedback.sent(BOB)
    before = feedback.row()
    feedback.take(bounce(message_id="<unknown@example.org>"))
    assert suppressed(feedback)
    assert feedback.row() == before


@pytest.mark.row(83)
@pytest.mark.parametrize("body", [bounce(), complaint(), delivery(), transient(), generic()])
def test_what_comes_twice_changes_nothing_the_second_time(feedback: Feedback, body: str) -> None:
    feedback.sent(ANN)
    feedback.take(body)
    rows = feedback.account.rows()
    feedback.take(body, body)
    assert feedback.account.rows() == rows


@pytest.mark.row(83)
def test_a_copy_of_a_bounce_that_was_counted_with_one_before_is_not_counted_again(
    feedback: Feedback,
) -> None:
    feedback.sent(ANN)
    first, second = (transient(timestamp=days_ago(days)) for days in (2, 1))
    feedback.take(first, second, second, first)
    assert (feedback.statuses(), feedback.timeline()[-1].times) == (["sent", "bounced"], 2)


@pytest.mark.row(83)
def test_an_address_that_an_operator_took_off_the_list_is_not_put_back_by_a_copy(
    feedback: Feedback,
) -> None:
    body = bounce()
    feedback.take(body)
    addresses = feedback.receiver().addresses
    asyncio.run(addresses.change(feedback.hashed(ANN), lambda was: was.lifted()))
    feedback.take(body)
    assert not suppressed(feedback)
    feedback.take(bounce())
    assert suppressed(feedback)


@pytest.mark.row(83)
def test_a_delivery_that_is_told_after_the_bounce_does_not_hide_it(feedback: Feedback) -> None:
    feedback.sent(ANN)
    feedback.take(bounce(), delivery())
    assert feedback.statuses() == ["sent", "bounced", "delivered"]
    assert feedback.last()["0"].type == "bounced"
    feedback.take(complaint(), bounce())
    assert feedback.last()["0"].type == "complained"


@pytest.mark.row(83)
@pytest.mark.parametrize("type_", ["bounced", "complained", "delivered"])
def test_a_time_more_than_a_day_ahead_is_taken_as_now_and_its_copy_changes_nothing(
    feedback: Feedback, type_: str
) -> None:
    feedback.sent(ANN)
    body = generic(type=type_, email_id="order-1", at="9999-12-31T23:59:59Z")
    asyncio.run(replace(feedback.receiver(), now=NOW.timestamp).take(body))
    rows = feedback.account.rows()
    later = (NOW + timedelta(minutes=5)).timestamp
    asyncio.run(replace(feedback.receiver(), now=later).take(body))
    assert feedback.account.rows() == rows
    assert feedback.timeline()[-1].at == feedback.last()["0"].at == NOW
    assert {one.since for one in feedback.state().suppressions} <= {NOW}


def test_a_clock_that_is_less_than_a_day_ahead_is_believed(feedback: Feedback) -> None:
    feedback.sent(ANN)
    body = generic(email_id="order-1", at=(NOW + timedelta(hours=23)).isoformat())
    asyncio.run(replace(feedback.receiver(), now=NOW.timestamp).take(body))
    assert feedback.timeline()[-1].at == NOW + timedelta(hours=23)


@pytest.mark.row(83)
def test_while_a_run_sends_the_email_its_row_waits_and_the_address_does_not(
    feedback: Feedback,
) -> None:
    feedback.leased(ANN)
    before = feedback.row()
    body = generic(email_id="order-1")
    with pytest.raises(TableError, match="RowBusy"):
        feedback.take(body)
    assert suppressed(feedback)
    assert feedback.row() == before


@pytest.mark.row(83)
def test_a_lease_whose_run_has_died_holds_nothing_up(feedback: Feedback) -> None:
    feedback.leased(ANN, seconds=-60)
    feedback.take(generic(email_id="order-1"))
    assert feedback.statuses() == ["bounced"]
    assert feedback.row()["status"] == "sending"


@pytest.mark.row(83)
def test_another_who_writes_the_row_meanwhile_is_not_written_over(
    feedback: Feedback, account: Account
) -> None:
    feedback.sent(ANN)
    theirs = delivery()

    def faster(real: Callable[..., Any], request: dict[str, Any]) -> Any:  # noqa: ANN401
        statement = request["Statements"][0]["Statement"]
        if "feedback" in statement and "delivered" not in feedback.statuses():
            feedback.take(theirs)
        return real(**request)

    feedback.take(bounce(), dynamodb=account.dynamodb(batch_execute_statement=faster))
    assert feedback.statuses() == ["sent", "delivered", "bounced"]
    assert feedback.last()["0"].type == "bounced"


@pytest.mark.row(83)
def test_a_run_that_takes_the_lease_at_the_same_moment_does_not_undo_it(
    feedback: Feedback, account: Account
) -> None:
    feedback.sent(ANN, BOB, left=(1,))
    told = bounce()

    def slower(real: Callable[..., Any], request: dict[str, Any]) -> Any:  # noqa: ANN401
        if "UPDATE" in request["Statements"][0]["Statement"] and len(feedback.statuses()) == 1:
            feedback.take(told)
        return real(**request)

    dynamodb = account.dynamodb(batch_execute_statement=slower)
    row = feedback.claimed(ANN, BOB, ledger=account.ledger(dynamodb), token="another")
    assert [one.status for one in row.timeline] == ["sent", "bounced"]
    assert feedback.statuses() == ["sent", "bounced"]
    assert feedback.row()["status"] == "sending"


@pytest.mark.row(83)
@pytest.mark.parametrize("call", ["query", "batch_get_item", "batch_execute_statement"])
def test_a_throttled_table_is_no_answer_and_the_next_time_all_is_done_once(
    feedback: Feedback, account: Account, call: str
) -> None:
    feedback.sent(ANN)
    body = bounce()
    ill = account.dynamodb(**{call: failing("ThrottlingException")})
    with pytest.raises(TableError, match="ThrottlingException"):
        feedback.take(body, dynamodb=ill)
    feedback.take(body)
    assert suppressed(feedback)
    assert feedback.statuses() == ["sent", "bounced"]
    assert feedback.timeline()[-1].times == 1


@pytest.mark.row(83)
@pytest.mark.parametrize("nth", range(2))
def test_a_write_whose_answer_is_lost_is_not_done_twice(
    feedback: Feedback, account: Account, nth: int
) -> None:
    """The first is of the address, the second of the email."""
    feedback.sent(ANN)
    body, writes = transient(), []

    def lost(real: Callable[..., Any], request: dict[str, Any]) -> Any:  # noqa: ANN401
        answer = real(**request)
        writes.append(request)
        return failing("InternalServerError")(real, request) if len(writes) == nth + 1 else answer

    with pytest.raises(TableError):
        feedback.take(body, dynamodb=account.dynamodb(batch_execute_statement=lost))
    feedback.take(body)
    assert len(feedback.state().soft_bounces) == 1
    assert feedback.statuses() == ["sent", "bounced"]
    assert feedback.timeline()[-1].times == 1


@pytest.mark.parametrize(
    ("fates", "statuses"),
    [({"fates": {"S": "s"}}, ["bounced"]), ({"fates": {"S": "ss"}}, []), ({}, [])],
    ids=["one recipient", "two", "nobody knows how many"],
)
def test_a_row_of_an_earlier_version_gets_a_timeline_if_it_had_one_recipient(
    feedback: Feedback, fates: dict[str, Any], statuses: list[str]
) -> None:
    """It has no hashes: of several recipients nobody can say whom the notice is about."""
    feedback.account.dynamodb().put_item(
        TableName=feedback.account.table,
        Item={
            "email_id": {"S": "old"},
            "token": {"S": "t"},
            "status": {"S": "sent"},
            "lease_until": {"N": "0"},
            "updated_at": {"S": "2026-11-01T00:00:00.000+00:00"},
            **fates,
        },
    )
    feedback.take(generic(email_id="old"))
    assert suppressed(feedback)
    told = timeline.read(str(feedback.row("old").get("timeline", "")))
    assert [one.status for one in told] == statuses


def test_the_log_has_hashes_and_no_address(log: Log, feedback: Feedback) -> None:
    feedback.sent(ANN)
    assert feedback.batch(bounce(), delivery(), complaint(message_id="<x@y>"), SEND, "junk") == [
        "4"
    ]
    events = {event["message"]: event for event in log.events}
    assert events["bounced"]["address"] == feedback.hashed(ANN)
    assert events["bounced"]["email_id"] == "order-1"
    assert events["bounced"]["consequence"] == "suppressed"
    assert events["complained"]["email_id"] == ""
    assert events["malformed notice"]["message_id"] == "4"
    assert log.metrics == {
        "Bounced": [1],
        "Delivered": [1],
        "Complained": [1],
        "NoticesIgnored": [1],
    }
    assert "ann@" not in log.text
    assert "junk" not in log.text


SEND = '{"eventType": "Send", "mail": {}}'
