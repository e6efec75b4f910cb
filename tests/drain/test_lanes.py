"""Lanes, schedules and expiry in a run: what goes where, and in which order."""

import asyncio
import json
import threading
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from conftest import Log
from draining import delays, drain, email, ion_of, recipients, run, wide
from emulated import Account, Request, failing, only_for
from ion.drain import door, intake
from ion.drain.deliver import Deliverer
from ion.drain.line import Rank
from ion.limits import BATCH, LONGEST_DELAY_SECONDS, LONGEST_VISIBILITY_SECONDS, SKEW_SECONDS
from ion.policy.rate import Limits, Pace
from smtp_server import NORMAL, Action, Moment, ScriptedServer, Step, reply

LONG_ENOUGH_SECONDS = 0.5
"""For a queue to be asked once more, if it were to be."""


def at(seconds: float) -> str:
    """So many seconds from now."""
    return datetime.fromtimestamp(time.time() + seconds, UTC).isoformat()


def order(server: ScriptedServer) -> list[str]:
    return [one.recipients[0].partition("@")[0] for one in server.accepted]


# doors


@pytest.mark.row(73)
@pytest.mark.parametrize("lane", [None, "normal", "bulk"])
def test_what_comes_by_the_door_for_bulk_is_bulk(account: Account, lane: str | None) -> None:
    account.publish(email(1, lane=lane), url=account.bulk_url)
    account.publish(email(2))
    server = ScriptedServer()
    summary = run(account, server)
    assert (summary.received, summary.bulk, summary.sent) == (2, 1, 2)
    assert order(server) == ["to2", "to1"]
    assert account.waiting() == []


@pytest.mark.row(73)
def test_bulk_by_the_door_for_normal_mail_is_moved_once(account: Account, log: Log) -> None:
    attributes = {"own": ("String", "kept")}
    account.publish(email(1, lane="bulk", email_id="a"), attributes)
    server, sqs = ScriptedServer(), account.sqs()
    summary = run(account, server, sqs=sqs)
    assert (summary.received, summary.moved_to_bulk, summary.sent) == (2, 1, 1)
    assert recipients(server) == {"to1@example.org": 1}
    (sent,) = sqs.asked("send_message_batch")
    assert sent["QueueUrl"] == account.bulk_url
    assert sent["Entries"][0]["MessageAttributes"]["own"]["StringValue"] == "kept"
    assert [row["email_id"] for row in account.rows()] == ["a"]
    assert account.waiting() == []
    assert "moved_to_bulk" in [event["message"] for event in log.events]


@pytest.mark.row(73)
def test_bulk_that_cannot_be_moved_waits_where_it_is(account: Account) -> None:
    account.publish(email(1, lane="bulk"))
    sqs = account.sqs(send_message_batch=failing())
    assert run(account, sqs=sqs).sent == 0
    assert [held.body for held in account.held_in("input")] == [email(1, lane="bulk")]
    account.time_passes(60)
    assert run(account).sent == 1


def test_a_dead_letter_of_the_bulk_queue_comes_back_as_bulk(account: Account) -> None:
    account.publish(email(1), url=account.bulk_url)
    run(account, ScriptedServer({Step.RCPT: reply(550, "5.1.1 no")}))
    (letter,) = account.dead()
    assert ion_of(letter)["lane"] == "bulk"
    account.publish('{"action": "redrive"}')
    summary = run(account, ScriptedServer())
    assert (summary.moved_to_bulk, summary.bulk, summary.sent) == (1, 1, 1)


def test_the_tenants_group_is_kept_on_every_copy(account: Account) -> None:
    sqs = account.sqs()
    sqs.send_message_batch(
        QueueUrl=account.input_url,
        Entries=[
            {
                "Id": "0",
                "MessageBody": email(1, lane="bulk"),
                "MessageGroupId": "tenant-1",
                "MessageAttributes": {},
            }
        ],
    )
    sqs = account.sqs()
    run(account, ScriptedServer({Step.RCPT: reply(450, "4.7.1 greylisted")}), sqs=sqs)
    account.time_passes(3600)
    run(account, ScriptedServer({Step.RCPT: reply(550, "5.1.1 no")}), sqs=sqs)
    account.publish('{"action": "redrive"}')
    run(account, sqs=sqs)
    groups = [
        entry.get("MessageGroupId")
        for one in sqs.asked("send_message_batch")
        for entry in one["Entries"]
    ]
    # moved, deferred, dead-lettered, redriven, moved again
    assert groups == ["tenant-1"] * 5


# the order of service


async def test_normal_mail_goes_before_bulk_that_was_there_first(account: Account) -> None:
    for number in range(40):
        account.publish(email(number, recipient=f"bulk{number}@example.org"), url=account.bulk_url)
    for number in range(20):
        account.publish(email(number))
    async with ScriptedServer() as server:
        summary = await drain(account, server, smtp=wide(1), workers=1)
    assert (summary.sent, summary.bulk) == (60, 40)
    normal = [number for number, one in enumerate(order(server)) if one.startswith("to")]
    assert normal[-1] < 45


async def test_bulk_is_claimed_while_there_is_more_normal_mail_than_can_be_claimed(
    account: Account,
) -> None:
    for number in range(60):
        account.publish(email(number))
    for number in range(20):
        account.publish(email(number, recipient=f"bulk{number}@example.org"), url=account.bulk_url)
    async with ScriptedServer() as server:
        assert (await drain(account, server, smtp=wide(1), workers=1)).sent == 80
    sent = ["bulk" if one.startswith("bulk") else "normal" for one in order(server)]
    last = len(sent) - sent[::-1].index("normal")
    assert sent[10:last].count("bulk") > 2, "one of ten"


async def test_normal_mail_that_comes_while_bulk_is_sent_goes_before_the_rest(
    account: Account,
) -> None:
    for number in range(40):
        account.publish(email(number, recipient=f"bulk{number}@example.org"), url=account.bulk_url)

    def script(moment: Moment) -> Action:
        if moment.step is Step.DOT and moment.nth == 5:
            account.publish(email(1))
        return NORMAL

    pace = Pace(Limits(20.0, 1), asyncio.get_running_loop().time())
    async with ScriptedServer(script) as server:
        await drain(account, server, pace=pace)
    assert 5 <= order(server).index("to1") < 35


# waiting


def test_what_is_deferred_waits_in_a_queue_of_its_own_and_is_sent_from_there(
    account: Account,
) -> None:
    account.publish(email(1, email_id="a"), {"own": ("String", "kept")})
    sqs = account.sqs()
    run(account, ScriptedServer({Step.RCPT: reply(450, "4.7.1 greylisted")}), sqs=sqs)
    (waits,) = account.held_in("later")
    assert (account.held_in("input"), waits.delayed) == ([], True)
    assert 240 <= delays(sqs)[0] <= 360
    record = ion_of(waits)
    assert record["email_id"] == "a"
    assert record["since"] == record["first_queued_at"]
    account.time_passes(300)
    summary = run(account, ScriptedServer())
    assert (summary.later, summary.sent) == (1, 1)
    assert account.waiting() == []


@pytest.mark.row(71)
def test_a_copy_beside_its_original_is_sent_once(account: Account) -> None:
    account.publish(email(1, email_id="a"))
    undeleted = account.sqs(delete_message_batch=failing())
    run(account, ScriptedServer({Step.RCPT: reply(450, "4.7.1 greylisted")}), sqs=undeleted)
    assert (len(account.held_in("input")), len(account.held_in("later"))) == (1, 1)
    account.time_passes(3600)
    server = ScriptedServer()
    run(account, server)
    account.time_passes(60)
    run(account)
    assert recipients(server) == {"to1@example.org": 1}
    assert account.waiting() == []


@pytest.mark.row(71)
def test_what_cannot_be_copied_waits_where_it_is(account: Account, log: Log) -> None:
    account.publish(email(1))
    ill = only_for(account.later_url, failing(), otherwise=lambda real, request: real(**request))
    sqs = account.sqs(send_message_batch=ill)
    run(account, ScriptedServer({Step.RCPT: reply(450, "4.7.1 greylisted")}), sqs=sqs)
    assert (len(account.held_in("input")), account.held_in("later")) == (1, [])
    assert "not moved, waits where it is" in [event["message"] for event in log.events]
    account.time_passes(3600)
    assert run(account, ScriptedServer()).sent == 1


def test_what_is_not_due_is_hidden_until_it_is(account: Account) -> None:
    account.publish(email(1, not_before=at(3600), email_id="a"))
    run(account)
    rows = account.rows()
    account.shown("ion-later")  # SQS's longest delay is over
    sqs, dynamodb, server = account.sqs(), account.dynamodb(), ScriptedServer()
    summary = run(account, server, sqs=sqs, dynamodb=dynamodb)
    assert (summary.received, summary.sent) == (0, 0)
    (hidden,) = delays(sqs)
    assert 3500 < hidden <= 3600 + SKEW_SECONDS
    assert (account.rows(), dynamodb.calls) == (rows, []), "it costs the ledger nothing"


def test_what_is_due_in_days_is_hidden_for_as_long_as_sqs_hides_anything(account: Account) -> None:
    account.publish(email(1, not_before=at(3 * 86_400)))
    sqs = account.sqs()
    run(account, sqs=sqs)
    (sent,) = sqs.asked("send_message_batch")
    assert sent["Entries"][0]["DelaySeconds"] == LONGEST_DELAY_SECONDS
    account.shown("ion-later")
    sqs = account.sqs()
    run(account, sqs=sqs)
    assert delays(sqs) == [LONGEST_VISIBILITY_SECONDS]


@pytest.mark.row(71)
def test_what_waits_for_days_and_cannot_be_copied_is_hidden_as_long_as_may_be(
    account: Account,
) -> None:
    account.publish(email(1, not_before=at(3 * 86_400)))
    sqs = account.sqs(send_message_batch=failing())
    run(account, sqs=sqs)
    asked = sqs.asked("change_message_visibility_batch")
    hidden = [entry["VisibilityTimeout"] for one in asked for entry in one["Entries"]]
    assert hidden == [LONGEST_VISIBILITY_SECONDS]


def test_what_is_due_is_found_behind_what_is_not(account: Account) -> None:
    """Ten at a time are received: that none of these is due doesn't make the queue empty."""
    for number in range(BATCH):
        account.publish(email(number, not_before=at(3600)))
    run(account)
    account.shown("ion-later")
    account.publish(email(99), url=account.later_url)
    server = ScriptedServer()
    run(account, server)
    assert order(server) == ["to99"]


# schedule and expiry


@pytest.mark.row(74)
def test_a_scheduled_email_waits_and_goes_when_it_is_due(account: Account, log: Log) -> None:
    account.publish(email(1, not_before=at(7200), email_id="a", tags={"campaign": "spring"}))
    summary = run(account)
    assert (summary.deferred, summary.sent) == (1, 0)
    assert [row["status"] for row in account.rows()] == ["queued"]
    (waits,) = account.held_in("later")
    assert 7100 < datetime.fromisoformat(ion_of(waits)["since"]).timestamp() - time.time() < 7300
    (event,) = [event for event in log.events if event["message"] == "deferred"]
    assert (event["reason"], event["tags"]) == ("SCHEDULED", {"campaign": "spring"})
    account.shown("ion-later")
    summary = run(account, now=lambda: time.time() + 7300)
    assert (summary.later, summary.sent) == (1, 1)


@pytest.mark.row(74)
def test_a_time_that_is_past_is_now(account: Account) -> None:
    account.publish(email(1, not_before=at(-5)))
    assert run(account, ScriptedServer()).sent == 1


@pytest.mark.row(74)
def test_a_time_too_far_ahead_is_refused(account: Account) -> None:
    account.publish(email(1, not_before=at(14 * 86_400)))
    assert run(account, ScriptedServer()).dead_lettered == 1
    (letter,) = account.dead()
    assert (letter.attributes["reason"][1], ion_of(letter)["path"]) == (
        "INVALID_SCHEMA",
        "$.not_before",
    )


@pytest.mark.row(75)
def test_what_would_be_late_is_not_sent(account: Account) -> None:
    body = email(1, expires_at=at(-1), email_id="a", tags={"campaign": "spring"})
    account.publish(body)
    server = ScriptedServer()
    assert run(account, server).dead_lettered == 1
    (letter,), (row,) = account.dead(), account.rows()
    record = ion_of(letter)
    assert (letter.attributes["reason"][1], record["path"]) == ("EXPIRED", "$.expires_at")
    assert (record["tags"], record["attempts"]) == ({"campaign": "spring"}, 1)
    assert (row["status"], json.loads(str(row["tags"]))) == ("expired", {"campaign": "spring"})
    assert server.accepted == []


@pytest.mark.row(75)
def test_what_would_be_late_at_its_next_try_is_given_up(account: Account) -> None:
    account.publish(email(1, expires_at=at(60)))
    greylisted = ScriptedServer({Step.RCPT: reply(450, "4.7.1 greylisted")})
    assert run(account, greylisted).dead_lettered == 1
    assert account.waiting() == []


@pytest.mark.row(75)
def test_what_expires_while_it_waits_is_not_sent(account: Account) -> None:
    account.publish(email(1, expires_at=at(900)))
    run(account, ScriptedServer({Step.RCPT: reply(450, "4.7.1 greylisted")}))
    assert len(account.held_in("later")) == 1
    account.time_passes(300)
    server = ScriptedServer()
    late = run(
        account, server, relay=lambda pool: Deliverer(pool, 345_600, lambda: time.time() + 901)
    )
    assert (late.sent, late.dead_lettered, server.accepted) == (0, 1, [])


# the end of a run


def test_an_empty_queue_is_not_asked_again_while_another_is_asked(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or long polls that don't end together would keep a run with nothing to do alive."""
    monkeypatch.setattr(door, "_LOOK_AGAIN_SECONDS", dict.fromkeys(Rank, 0.01))
    bulk: list[Request] = []
    again = threading.Event()

    def receive(real: Any, request: Request) -> Any:  # noqa: ANN401 - boto3's
        if request["QueueUrl"] == account.input_url:
            again.wait(LONG_ENOUGH_SECONDS)
        elif request["QueueUrl"] == account.bulk_url:
            bulk.append(request)
            if len(bulk) > 1:
                again.set()
        return real(**request)

    assert run(account, sqs=account.sqs(receive_message=receive)).stopped == "empty"
    assert len(bulk) == 1


# the in-flight limit


@pytest.mark.row(72)
def test_an_empty_answer_while_the_queue_counts_mail_is_told(
    account: Account, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the limit SQS answers a long poll as if there were nothing."""
    monkeypatch.setattr(intake, "NEARLY_ALL_IN_FLIGHT", 2)
    for number in range(3):
        account.publish(email(number))
    account.publish(email(9), url=account.bulk_url)
    account.sqs().receive_message(
        QueueUrl=account.input_url, MaxNumberOfMessages=2, VisibilityTimeout=600
    )

    def at_its_limit(real: Any, request: Request) -> Any:  # noqa: ANN401 - boto3's
        return {} if request["QueueUrl"] == account.input_url else real(**request)

    server = ScriptedServer()
    summary = run(account, server, sqs=account.sqs(receive_message=at_its_limit))
    assert (summary.stopped, order(server)) == ("in_flight_limit", ["to9"])
    assert "the input queue is at its in-flight limit" in [e["message"] for e in log.events]
    account.time_passes(600)
    assert run(account).sent == 3


@pytest.mark.row(72)
def test_a_queue_that_is_being_worked_on_is_not_at_its_limit(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has nothing more to give."""
    monkeypatch.setattr(intake, "NEARLY_ALL_IN_FLIGHT", 1)
    account.publish(email(1))
    account.sqs().receive_message(QueueUrl=account.input_url, VisibilityTimeout=600)
    assert run(account).stopped == "empty"


@pytest.mark.parametrize("source", ["input", "bulk"])
def test_a_run_that_had_mail_asks_no_queue_how_much_is_in_flight(
    account: Account, source: str
) -> None:
    """But the input queue, if that gave nothing: at its limit it could have given nothing."""
    account.publish(email(1), url=account.bulk_url if source == "bulk" else None)
    sqs = account.sqs()
    assert run(account, sqs=sqs).sent == 1
    asked = [one["QueueUrl"] for one in sqs.asked("get_queue_attributes")]
    assert asked == ([account.input_url] if source == "bulk" else [])
