"""What is received and waits has a row, before anybody has tried it."""

import asyncio
import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from conftest import Log
from draining import email, ion_of, reasons, recipients, run
from emulated import Account, Held, failing
from ion.address_hash import address_hash
from ion.drain.deliver import Deliverer
from ion.mail import message_id_left
from ion.smtp.pool import Pool
from smtp_server import ScriptedServer
from template.rendering import Texts


def at(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat(timespec="seconds")


def due(account: Account, seconds: float = 7300, **parts: Any) -> ScriptedServer:  # noqa: ANN401
    """A run when all that waits is due."""
    account.shown("ion-later")
    server = ScriptedServer()
    run(account, server, now=lambda: time.time() + seconds, **parts)
    return server


def statuses(account: Account) -> dict[str, str]:
    return {str(row["email_id"]): str(row["status"]) for row in account.rows() if "status" in row}


def told(row: Mapping[str, str | int]) -> list[tuple[int, str, str]]:
    return [
        (one["n"], one["status"], one.get("reason", "")) for one in json.loads(str(row["timeline"]))
    ]


@pytest.mark.row(74)
def test_a_scheduled_email_has_a_row_that_says_so(account: Account) -> None:
    body = email(1, not_before=at(7200), email_id="a", tags={"list": "news"}, cc="cc@example.org")
    id_ = account.publish(body, url=account.bulk_url)
    run(account)
    (row,) = account.rows()
    key = asyncio.run(account.address_key().get())
    to = [address_hash(key, one) for one in ("to1@example.org", "cc@example.org")]
    assert (row["status"], row["fates"], row["attempts"]) == ("queued", "..", 0)
    assert str(row["recipients"]).split() == to
    assert row["header_message_id"] == f"<{message_id_left('a')}@example.org>"
    assert (row["lane"], row["message_id"], row["tags"]) == ("bulk", id_, '{"list":"news"}')
    assert told(row) == [(1, "deferred", "SCHEDULED")]
    assert "@example" not in str({**row, "header_message_id": ""})
    assert recipients(due(account)) == {"to1@example.org": 1, "cc@example.org": 1}
    (row,) = account.rows()
    assert (row["status"], row["attempts"]) == ("sent", 1)
    assert told(row) == [(1, "deferred", "SCHEDULED"), (2, "sent", "ACCEPTED")]


def test_it_is_written_with_the_records_and_costs_mail_that_goes_nothing(
    account: Account,
) -> None:
    for number in range(5):
        account.publish(email(number, not_before=at(7200)))
        account.publish(email(number + 5))
    dynamodb = account.dynamodb()
    summary = run(account, dynamodb=dynamodb)
    assert (summary.sent, summary.deferred) == (5, 5)
    written = [len(one["Statements"]) for one in dynamodb.asked("batch_execute_statement")]
    assert (written[0], sum(written), dynamodb.asked("batch_get_item")) == (5, 15, [])


def test_a_short_wait_needs_no_row(account: Account) -> None:
    account.publish(email(1, not_before=at(20)))
    assert run(account).deferred == 1
    assert statuses(account) == {}


def test_a_copy_of_what_waits_has_the_row_that_there_is(account: Account) -> None:
    body = email(1, not_before=at(7200), email_id="a")
    for _ in range(2):
        account.publish(body)
        run(account)
    (row,) = account.rows()
    assert told(row) == [(1, "deferred", "SCHEDULED")]
    assert recipients(due(account)) == {"to1@example.org": 1}
    assert recipients(due(account)) == {}
    assert (account.waiting(), account.dead()) == ([], [])


@pytest.mark.row(12)
def test_another_email_of_that_key_is_not_sent(account: Account) -> None:
    account.publish(email(1, not_before=at(7200), email_id="a"))
    run(account)
    account.publish(email(2, email_id="a"))
    server = ScriptedServer()
    run(account, server)
    assert (recipients(server), reasons(account)) == ({}, ["ID_REUSED"])
    assert recipients(due(account)) == {"to1@example.org": 1}


@pytest.mark.row(64)
def test_where_the_ledger_is_ill_it_waits_without_one(account: Account, log: Log) -> None:
    account.publish(email(1, not_before=at(7200)))
    run(account, dynamodb=account.dynamodb(batch_execute_statement=failing()))
    assert (len(account.held_in("later")), statuses(account)) == (1, {})
    assert "fates not recorded in the ledger" in [event["message"] for event in log.events]
    assert recipients(due(account)) == {"to1@example.org": 1}


@pytest.mark.row(74)
@pytest.mark.parametrize("bad", [{"cc": "no address"}, {"sender": "nobody"}])
def test_what_is_wrong_with_it_is_told_when_it_is_due(
    account: Account, bad: Mapping[str, str]
) -> None:
    """As it is told of an email that needn't wait; so there is no row of it yet."""
    account.publish(email(1, not_before=at(7200), email_id="a", **bad))
    run(account)
    assert (statuses(account), reasons(account)) == ({}, [])
    due(account)
    assert reasons(account) == ["INVALID_ADDRESS"]


# operators


@pytest.mark.row(76)
def test_it_can_be_cancelled(account: Account, log: Log) -> None:
    account.publish(email(1, not_before=at(7200), email_id="a"))
    run(account)
    account.publish('{"action": "cancel", "email_id": "a"}')
    run(account)
    (event,) = [event for event in log.events if event["message"] == "cancelled"]
    assert event["tried"] is False
    (row,) = account.rows()
    assert (row["status"], row["recipients"]) == ("cancelled", row["recipients"])
    assert [status for _, status, _ in told(row)] == ["deferred", "cancelled"]
    assert recipients(due(account)) == {}
    assert account.waiting() == []


@pytest.mark.row(77)
def test_a_stop_meets_it_when_it_is_due(account: Account) -> None:
    account.publish(email(1, not_before=at(1800), email_id="a", tags={"list": "news"}))
    run(account)
    account.publish('{"action": "stop", "where": {"tag": {"list": "news"}}}')
    run(account)
    assert statuses(account)["a"] == "queued"
    assert recipients(due(account, 1900)) == {}
    assert (statuses(account)["a"], reasons(account)) == ("bounced", ["STOPPED"])


@pytest.mark.row(75)
def test_it_expires(account: Account) -> None:
    account.publish(email(1, not_before=at(3600), expires_at=at(7200), email_id="a"))
    run(account)

    def late(pool: Pool) -> Deliverer:
        return Deliverer(pool, 345_600, now=lambda: time.time() + 7300)

    assert recipients(due(account, relay=late)) == {}
    assert (statuses(account), reasons(account)) == ({"a": "expired"}, ["EXPIRED"])


# what can't be read yet


def test_an_item_that_is_not_there_yet_has_a_row_under_its_key(account: Account) -> None:
    account.leave({"email_id": {"S": "other"}})
    account.publish('{"email_id": "a"}')
    run(account)
    assert statuses(account) == {}, "it is looked for again soon, and stays where it is"
    account.time_passes(300)
    run(account)
    (row,) = account.rows()
    assert (row["email_id"], row["status"], row["fates"]) == ("a", "queued", "")
    account.leave(
        {
            "email_id": {"S": "a"},
            "recipient": {"S": "to1@example.org"},
            "body_text": {"S": "x"},
        }
    )
    assert recipients(due(account, 700)) == {"to1@example.org": 1}
    assert statuses(account) == {"a": "sent"}


def test_a_pointer_into_s3_has_none_since_it_does_not_tell_its_key(account: Account) -> None:
    pointer = {"s3BucketName": "bucket", "s3Key": "k"}
    account.store("other", b"")
    account.publish(json.dumps(["software.amazon.payloadoffloading.PayloadS3Pointer", pointer]))
    account.time_passes(300)
    run(account)
    assert (len(account.waiting()), statuses(account)) == (1, {})


def test_what_a_pointer_is_about_may_be_scheduled(account: Account) -> None:
    stored = account.store("k", email(1, not_before=at(7200), email_id="a").encode())
    pointer = {"s3BucketName": stored["bucket"], "s3Key": stored["key"]}
    account.publish(json.dumps(["software.amazon.payloadoffloading.PayloadS3Pointer", pointer]))
    run(account)
    assert statuses(account) == {"a": "queued"}
    assert recipients(due(account)) == {"to1@example.org": 1}


# what dies when it is due, before anybody claims it


def broken(account: Account) -> Held:
    """A letter of an email that waited, and whose template can't be rendered now."""
    body = email(1, not_before=at(7200), email_id="a", template="broken", body_text=None)
    account.publish(body)
    run(account, templates=Texts({}))
    assert statuses(account) == {"a": "queued"}
    due(account, templates=Texts({"broken/body.txt.j2": "{{ oops"}))
    (letter,) = account.dead()
    assert letter.attributes["reason"][1] == "TEMPLATE_ERROR"
    return letter


@pytest.mark.parametrize("events", [False, True])
def test_its_row_says_so(account: Account, *, events: bool) -> None:
    body = email(1, not_before=at(7200), email_id="a", template="broken", body_text=None)
    account.publish(body)
    run(account, templates=Texts({}))
    due(account, templates=Texts({"broken/body.txt.j2": "{{ oops"}), events=events)
    (row,) = account.rows()
    assert (row["status"], row["reason"], row["stage"]) == ("bounced", "TEMPLATE_ERROR", "parse")
    assert told(row)[1:] == [(2, "dead_lettered", "TEMPLATE_ERROR")]


@pytest.mark.row(69)
def test_its_redrive_is_sent(account: Account) -> None:
    broken(account)
    account.publish('{"action": "redrive"}')
    server = ScriptedServer()
    texts = Texts({"broken/body.txt.j2": "mended"})
    run(account, server, templates=texts, now=lambda: time.time() + 7300)
    assert recipients(server) == {"to1@example.org": 1}
    assert statuses(account) == {"a": "sent"}


@pytest.mark.row(12)
def test_a_letter_of_a_twin_leaves_what_waits_alone(account: Account) -> None:
    """Or it would be taken for a copy when it is due, and be lost."""
    twin = email(2, not_before=at(3600), email_id="a", template="broken", body_text=None)
    account.publish(email(1, not_before=at(7200), email_id="a"))
    run(account)
    account.publish(twin)
    run(account, templates=Texts({}))
    account.shown("ion-later")
    texts = Texts({"broken/body.txt.j2": "{{ oops"})
    run(account, templates=texts, now=lambda: time.time() + 3700)
    assert (reasons(account), statuses(account)) == (["TEMPLATE_ERROR"], {"a": "queued"})
    assert recipients(due(account)) == {"to1@example.org": 1}


@pytest.mark.row(64)
def test_where_its_row_cannot_be_written_the_letter_is_there_all_the_same(
    account: Account,
) -> None:
    body = email(1, not_before=at(7200), email_id="a", template="broken", body_text=None)
    account.publish(body)
    run(account, templates=Texts({}))
    ill = account.dynamodb(batch_get_item=failing(), batch_execute_statement=failing())
    due(account, templates=Texts({"broken/body.txt.j2": "{{ oops"}), dynamodb=ill)
    assert (reasons(account), statuses(account)) == (["TEMPLATE_ERROR"], {"a": "queued"})
    assert ion_of(account.dead()[0])["email_id"] == "a"
    account.publish('{"action": "redrive"}')
    server = ScriptedServer()
    texts = Texts({"broken/body.txt.j2": "mended"})
    run(account, server, templates=texts, now=lambda: time.time() + 7300)
    assert recipients(server) == {"to1@example.org": 1}
