"""The row of an email: by what it is found, what happened to it, and what that costs."""

import asyncio
import hashlib
import json
from collections.abc import Mapping

import pytest

from conftest import Log
from draining import email, run
from emulated import Account, Between, failing
from ion.address_hash import address_hash
from ion.mail import message_id_left
from smtp_server import ScriptedServer, Step, reply

SES = "Ok 0102018f3a1b2c3d-4e5f6a7b-8c9d-0e1f-2a3b-4c5d6e7f8a9b-000000"
EXCHANGE = (
    "2.6.0 <20261129001332.4f2a@example.org> [InternalId=34544164013891, "
    "Hostname=AM0PR01MB1234.eurprd01.prod.exchangelabs.com] 8192 bytes in 0.123, 65.041 KB/sec "
    "Queued mail for delivery"
)
WRITE_UNIT_BYTES = 1024


def hashes(account: Account, *addresses: str) -> list[str]:
    key = asyncio.run(account.address_key().get())
    return [address_hash(key, one) for one in addresses]


def timeline(row: Mapping[str, str | int]) -> list[dict[str, object]]:
    told: list[dict[str, object]] = json.loads(str(row["timeline"]))
    return told


def octets(row: Mapping[str, str | int]) -> int:
    """As DynamoDB counts them: names, text in UTF-8, a number as half its digits and one or two."""
    return sum(
        len(name) + (len(str(value)) // 2 + 2 if isinstance(value, int) else len(value.encode()))
        for name, value in row.items()
    )


# by what an email is found


def test_a_row_is_found_by_recipient_and_message_id_and_names_nobody(account: Account) -> None:
    to = ["Ann@example.org", "bob@bücher.example"]
    account.publish(email(recipient=to[0], cc=to[1], email_id="order-17", tags={"list": "news"}))
    run(account, ScriptedServer({Step.DOT: reply(250, "2.0.0 Ok: queued as 4XyZ12abc9")}))
    (row,) = account.rows()
    assert str(row["recipients"]).split() == hashes(account, to[0], "bob@xn--bcher-kva.example")
    assert row["header_message_id"] == f"<{message_id_left('order-17')}@example.org>"
    assert (row["queue_id"], row["lane"]) == ("4XyZ12abc9", "normal")
    assert json.loads(str(row["tags"])) == {"list": "news"}
    for secret in ("ann", "bob", "bcher", hashlib.sha256(b"ann@example.org").hexdigest()[:16]):
        assert secret not in json.dumps(row).lower()


def test_the_message_id_is_that_of_the_email(account: Account) -> None:
    account.publish(email(1, sender="Shop <shop@shop.example>"))
    server = ScriptedServer()
    run(account, server)
    (row,), (sent,) = account.rows(), server.accepted
    assert f"Message-ID: {row['header_message_id']}\r\n".encode() in sent.content


def test_the_log_has_the_same(account: Account, log: Log) -> None:
    account.publish(email(recipient=["a@example.org", "no@example.org"], email_id="order-17"))
    said = reply(250, "2.0.0 Ok: queued as 4XyZ12abc9")
    refused = {"no@example.org": reply(550, "5.1.1 no such user")}
    run(account, ScriptedServer({Step.DOT: said}, recipients=refused))
    first, second = hashes(account, "a@example.org", "no@example.org")
    events = {one["message"]: one for one in log.events if one["message"] != "run ended"}
    sent, dead = events["sent"], events["dead_lettered"]
    assert (sent["addresses"], dead["addresses"]) == ([first], [second])
    assert (sent["recipients"], sent["queue_id"]) == (1, "4XyZ12abc9")
    assert "queue_id" not in dead
    name = f"<{message_id_left('order-17')}@example.org>"
    assert sent["header_message_id"] == dead["header_message_id"] == name


def test_what_was_redriven_says_so_and_of_which_message_it_is(account: Account) -> None:
    id_ = account.publish(email(1, email_id="order-17"))
    run(account, ScriptedServer({Step.RCPT: reply(550, "5.1.1 no such user")}))
    account.publish('{"action": "redrive"}')
    run(account)
    run(account)
    (row,) = account.rows()
    assert (row["status"], row["redrives"], row["original_message_id"]) == ("sent", 1, id_)
    assert row["message_id"] != id_


def test_bulk_is_in_its_lane(account: Account) -> None:
    account.publish(email(1, lane="bulk"))
    account.publish(email(2), url=account.bulk_url)
    run(account)
    assert [row["lane"] for row in account.rows()] == ["bulk", "bulk"]


# what happened to it


def test_each_attempt_is_in_the_timeline_and_who_fared_alike_are_one_entry(
    account: Account,
) -> None:
    account.publish(email(recipient=[f"{name}@example.org" for name in ("a", "b", "c", "d")]))
    busy, gone = reply(450, "4.2.1 busy"), reply(550, "5.1.1 no such user")
    recipients = {"b@example.org": busy, "c@example.org": gone, "d@example.org": busy}
    run(account, ScriptedServer(recipients=recipients))
    account.time_passes(3600)
    run(account, ScriptedServer())
    (row,) = account.rows()
    told = timeline(row)
    assert [one["n"] for one in told] == [1, 2, 3, 4]
    assert {(one["status"], tuple(one.get("to", ()))) for one in told[:3]} == {  # type: ignore[arg-type]
        ("sent", (0,)),
        ("deferred", (1, 3)),
        ("dead_lettered", (2,)),
    }
    assert (told[3]["status"], told[3]["to"], told[3]["code"]) == ("sent", [1, 3], 250)
    assert all(one["server"] == "smtp" and "@" not in str(one) for one in told)


def test_what_is_put_off_again_and_again_is_one_entry(account: Account) -> None:
    account.publish(email(1))
    for _ in range(3):
        run(account, ScriptedServer({Step.RCPT: reply(450, "4.2.1 busy")}))
        account.time_passes(3600)
    (row,) = account.rows()
    (told,) = timeline(row)
    assert (told["n"], told["times"], told["reason"]) == (3, 3, "TRY_LATER")
    assert str(told["last"]) > str(told["at"])


def test_a_row_of_an_earlier_version_goes_on_and_remembers_from_now_on(account: Account) -> None:
    account.publish(email(1))
    run(account, ScriptedServer({Step.RCPT: reply(450, "4.2.1 busy")}))
    (row,) = account.rows()
    later = {"timeline", "recipients", "header_message_id", "lane"}
    item = {
        name: {"N" if isinstance(value, int) else "S": str(value)}
        for name, value in row.items()
        if name not in later
    }
    account.dynamodb().put_item(TableName=account.table, Item=item)
    account.time_passes(3600)
    assert run(account).sent == 1
    (row,) = account.rows()
    assert row.keys() >= later
    assert [(one["n"], one["status"]) for one in timeline(row)] == [(1, "sent")]
    assert row["attempts"] == 2


@pytest.mark.row(76)
def test_a_cancel_is_in_the_timeline(account: Account) -> None:
    account.publish(email(1, email_id="a"))
    run(account, ScriptedServer({Step.RCPT: reply(450, "4.2.1 busy")}))
    for _ in range(2):
        account.publish('{"action": "cancel", "email_id": "a"}')
        run(account)
    (row,) = account.rows()
    assert [one["status"] for one in timeline(row)] == ["deferred", "cancelled"]


# what that costs


@pytest.mark.parametrize("said", [SES, EXCHANGE], ids=["SES", "Exchange"])
def test_a_row_that_was_sent_at_the_first_try_is_one_write_unit(
    account: Account, said: str
) -> None:
    """DynamoDB charges for each KB; with names and ids as long as they usually are."""
    tags = {"tenant": "acme-europe", "campaign": "2026-11-spring", "list": "newsletter"}
    account.publish(
        email(
            recipient="someone.with.a.name@example.org",
            email_id="0b7d5b0e-5f0a-4c57-9d0e-1d3f5e7a9b1c",
            sender="no-reply@notifications.example.com",
            tags=tags,
        )
    )
    assert run(account, ScriptedServer({Step.DOT: reply(250, said)})).sent == 1
    (row,) = account.rows()
    assert row.keys() >= {"queue_id", "recipients", "header_message_id", "timeline", "tags"}
    assert octets(row) < WRITE_UNIT_BYTES, row


def calls(dynamodb: Between) -> list[int]:
    """Statements of each call; nothing else may be called."""
    assert {name for name, _ in dynamodb.calls} <= {"batch_execute_statement"}
    return [len(one["Statements"]) for one in dynamodb.asked("batch_execute_statement")]


@pytest.mark.parametrize("emails", [1, 10])
def test_an_email_that_is_sent_at_once_costs_two_statements_as_ever(
    account: Account, emails: int
) -> None:
    for number in range(emails):
        account.publish(email(number))
    dynamodb = account.dynamodb()
    assert run(account, dynamodb=dynamodb).sent == emails
    assert sum(calls(dynamodb)) == 2 * emails


# without the key of the hashes


@pytest.mark.row(78)
@pytest.mark.parametrize("call", ["batch_get_item", "batch_execute_statement"])
def test_while_the_key_of_the_hashes_is_not_known_nothing_is_received(
    account: Account, log: Log, call: str
) -> None:
    account.publish(email(1))
    ill = account.dynamodb(**{call: failing("InternalServerError")})
    sqs, server = account.sqs(), ScriptedServer()
    summary = run(account, server, sqs=sqs, address_key=ill)
    assert (summary.stopped, summary.held, sqs.calls) == ("ledger", "ledger", [])
    assert server.sessions == []
    told = [event["message"] for event in log.events]
    assert told == ["the key of address hashes can't be read", "delivery suspended"]
    assert run(account).sent == 1


def test_a_key_that_ion_has_not_written_is_told_and_stays(account: Account) -> None:
    account.publish(email(1))
    item = {"email_id": {"S": " address-key "}, "key": {"S": "canary"}}
    account.dynamodb().put_item(TableName=account.table, Item=item)
    summary = run(account)
    assert (summary.stopped, summary.received) == ("ledger", 0)
    assert "AddressKeyUnreadable" in summary.error
