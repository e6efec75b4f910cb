"""A message that is bad in itself dies as it is, and harms no other."""

import json
from typing import Any

import pytest

from conftest import Log
from draining import GOOD_ION, delays, email, ion_of, recipients, run, wide
from emulated import (
    Account,
)
from ion.deadline import Deadline
from ion.delivery import Delivery
from ion.drain.deliver import Deliverer
from ion.drain.work_item import Job
from ion.message import Message
from ion.report.telemetry import Telemetry
from smtp_server import (
    NORMAL,
    Action,
    Offer,
    ScriptedServer,
    reply,
)

BAD = {
    "not json": "BAD_JSON",
    '{"action": "send", "recipient": 5}': "INVALID_SCHEMA",
    '{"action": "send", "recipient": "a@b.example", "body_text": "\\ud800"}': "INVALID_UNICODE",
    email(recipient="nobody"): "INVALID_ADDRESS",
    email(recipient="a@b.example>\r\nRCPT TO:<c@d.example"): "INVALID_ADDRESS",
    email(subject="a\r\nBcc: c@d.example"): "HEADER_INJECTION",
    email(headers={"Received": "x"}): "HEADER_NAME",
    email(headers={"List-Unsubscribe": "<https://bücher.example>"}): "HEADER_VALUE",
    email(recipient="jürgen@b.example"): "SMTPUTF8_UNSUPPORTED",
    email(body_text="x" * 2000): "TOO_LARGE",
}


@pytest.mark.row(1)
@pytest.mark.row(2)
@pytest.mark.row(5)
@pytest.mark.row(6)
@pytest.mark.parametrize("connections", [1, 4])
def test_a_bad_message_dies_as_it_is_and_harms_no_other(account: Account, connections: int) -> None:
    for number, bad in enumerate(BAD):
        account.publish(email(number))
        account.publish(bad, {"own": ("String", "kept")})
    account.publish(email(99))
    server = ScriptedServer(offer=Offer(smtputf8=False, size_bytes=1500))
    summary = run(account, server, smtp=wide(connections))
    assert {held.body: held.attributes["reason"][1] for held in account.dead()} == BAD
    assert all(held.attributes["own"] == ("String", "kept") for held in account.dead())
    assert recipients(server) == {f"to{n}@example.org": 1 for n in [*range(len(BAD)), 99]}
    assert account.waiting() == []
    assert (summary.sent, summary.dead_lettered) == (len(BAD) + 1, len(BAD))
    attempts = {held.attributes["reason"][1]: ion_of(held)["attempts"] for held in account.dead()}
    # Two of them only the server's offer could tell.
    asked = {"SMTPUTF8_UNSUPPORTED", "TOO_LARGE"}
    assert attempts == {reason: int(reason in asked) for reason in BAD.values()}
    assert len(account.rows()) == len(BAD) + 1 + len(asked), "the ledger never hears of the others"


@pytest.mark.row(2)
def test_bad_input_says_where_and_not_what(account: Account, log: Log) -> None:
    id_ = account.publish(email(cc=["a@b.example", {"canary": "canary@example.org"}]))
    run(account)
    (letter,) = account.dead()
    assert letter.attributes.keys() == {"reason", "ion"}
    record = ion_of(letter)
    assert (record["email_id"], record["stage"]) == (id_, "parse")
    assert record["path"].startswith("$.cc[1]")
    (event,) = [event for event in log.events if event["message"] == "dead_lettered"]
    assert (event["path"], event["problem"]) == (record["path"], record["problem"])
    assert "canary@" not in log.text


@pytest.mark.row(95)
def test_an_address_that_only_looks_fine_is_told_by_its_index(account: Account, log: Log) -> None:
    seen = [f"to{number}@example.org" for number in range(3)]
    account.publish(email(1, recipient=[*seen, "to3\u200b@example.org"]))
    account.publish(email(2))
    server = ScriptedServer(offer=Offer(smtputf8=False))
    run(account, server)
    (letter,) = account.dead()
    assert letter.attributes["reason"][1] == "INVALID_ADDRESS"
    assert ion_of(letter)["path"] == "$.recipient[3]"
    assert recipients(server) == {"to2@example.org": 1}
    assert "to3" not in log.text


@pytest.mark.row(2)
def test_a_misspelt_field_is_told_with_the_one_that_was_meant(account: Account, log: Log) -> None:
    body = json.dumps({"action": "send", "recipeint": "ann@example.org", "body_text": "x"})
    account.publish(body)
    run(account)
    (letter,) = account.dead()
    assert (letter.body, letter.attributes["reason"][1]) == (body, "INVALID_SCHEMA")
    (event,) = [event for event in log.events if event["message"] == "dead_lettered"]
    for told in (ion_of(letter), event):
        said = (told["path"], told["problem"], told["did_you_mean"])
        assert said == ("$.recipeint", "unknown", "recipient")


@pytest.mark.parametrize(
    "forged",
    [
        {"attempts": -1000},
        {"attempts": 2**63 - 1},
        {"redrives": 2**64 - 1},
        {"failed_at": "2026-11-22T08:30:15"},
        {"first_queued_at": "0001-01-01T00:00:00+14:00"},
        {"left": [-1, 0]},
        {"email_id": "\uffff"},
    ],
    ids=str,
)
@pytest.mark.parametrize("action", [NORMAL, reply(450, "4.2.1 busy"), reply(550, "5.1.1 no")])
def test_a_forged_origin_harms_nobody(
    account: Account, log: Log, forged: dict[str, Any], action: Action
) -> None:
    id_ = account.publish(email(1), {"ion": ("String", json.dumps(GOOD_ION | forged))})
    account.publish(email(2))
    server = ScriptedServer(recipients={"to1@example.org": action})
    summary = run(account, server)
    assert recipients(server)["to2@example.org"] == 1
    assert summary.sent + summary.deferred + summary.dead_lettered == 2
    assert [event["attempt"] for event in log.events if event.get("email_id") == id_] == [1]


class Faulty(Deliverer):
    """Has a fault of its own with some messages."""

    async def deliver(self, job: Job, message: Message, deadline: Deadline) -> list[Delivery]:
        if "canary-subject" in message.body:
            raise LookupError(message.body)
        return await super().deliver(job, message, deadline)


def test_a_fault_of_ions_own_harms_one_message_and_is_put_off(account: Account, log: Log) -> None:
    account.publish(email(1, subject="canary-subject"))
    account.publish(email(2))
    server = ScriptedServer()
    sqs = account.sqs()
    summary = run(account, server, sqs=sqs, relay=lambda pool: Faulty(pool, 345_600))
    assert (summary.sent, summary.deferred, summary.stopped) == (1, 1, "empty")
    assert delays(sqs) == [300]
    assert "deferred" in [row["status"] for row in account.rows()], "its lease is let go"
    fault = next(event for event in log.events if event["message"] == "fault")
    assert fault["error"] == "LookupError"
    assert "raise LookupError(message.body)" in fault["traceback"]
    assert "canary" not in log.text


class Fragile(Telemetry):
    """Breaks where nothing is meant to."""

    def accepted(self, seconds: float) -> None:
        if self.told_of:
            raise LookupError
        self.told_of += 1

    told_of = 0


def test_what_was_sent_is_deleted_even_if_the_run_breaks(account: Account) -> None:
    for number in range(4):
        account.publish(email(number))
    server = ScriptedServer()
    with pytest.raises(ExceptionGroup):
        run(account, server, telemetry=Fragile())
    assert recipients(server) == {"to0@example.org": 1, "to1@example.org": 1}
    assert [held.body for held in account.waiting()] == [email(2), email(3)]
