"""What the soak's proxy notes of orders, and of copies in the queues of what waits."""

import boto3
import pytest

from ion.aws.table import Table
from soak.notes import Notes, Statement, parse
from soak.orders import cancel
from soak.steered import Steered
from soak.witness import Witness

NAME = "m0000001"
BODY = f"body of {NAME}"


def steered(*states: str, before: tuple[str, ...] = ()) -> Steered:
    """A cancel that is received after some writes to the email's row, and deleted after more."""
    seen = Steered(lambda: 0.0)
    for state in before:
        seen.wrote(NAME, state)
    seen.received("receipt", cancel(NAME), "in", "")
    for state in states:
        seen.wrote(NAME, state)
    seen.deleted("receipt")
    return seen


@pytest.mark.parametrize(
    ("before", "states", "ignored"),
    [
        ((), ("cancelled",), False),
        ((), (), True),
        (("sending", "deferred"), (), True),
        (("queued",), (), True),
        (("queued",), ("cancelled",), False),
        (("sending", "deferred"), ("cancelled",), False),
        (("sending",), (), False),
        (("sending", "sent"), (), False),
        (("sending",), ("deferred",), False),  # it was under way when it was asked for
    ],
)
def test_a_cancel_is_too_late_only_for_what_was_begun(
    before: tuple[str, ...], states: tuple[str, ...], *, ignored: bool
) -> None:
    faults = steered(*states, before=before).faults
    assert faults == ([f"not cancelled: {NAME}, which hadn't been begun"] if ignored else [])


def test_a_cancel_that_is_put_off_is_not_carried_out_yet() -> None:
    seen = Steered(lambda: 0.0)
    seen.received("receipt", cancel(NAME), "in", "")
    seen.sent(cancel(NAME), "later", "")
    seen.deleted("receipt")
    assert seen.faults == []
    seen.received("another", cancel(NAME), "later", "")
    seen.deleted("another")
    assert seen.faults == [f"not cancelled: {NAME}, which hadn't been begun"]


def test_a_copy_without_its_tenant_is_found() -> None:
    seen = Steered(lambda: 0.0)
    seen.received("receipt", BODY, "in", "tenant-1")
    seen.sent(BODY, "later", "tenant-1")
    assert seen.faults == []
    seen.sent(BODY, "dead", "", "EXPIRED")
    assert seen.faults == [f"tenant lost: {NAME} went to dead as no tenant's"]


@pytest.mark.parametrize("is_done", [True, False])
def test_what_waits_is_as_good_in_one_queue_as_in_another(*, is_done: bool) -> None:
    """A death between copy and delete leaves a message too many, and no letter too many."""
    witness = Witness()
    notes = Notes(1, witness, "soak-dead")
    for queue in ("soak-later", "soak-bulk", "soak-in"):
        entry = {"Id": "0", "MessageBody": BODY}
        asked = {"QueueUrl": queue, "Entries": [entry]}
        if is_done:
            notes.done("SendMessageBatch", asked, {"Successful": [{"Id": "0"}]}, heard=False)
        else:
            notes.not_done("SendMessageBatch", asked)
        assert (NAME in witness.hindered) is (queue == "soak-in")
    assert witness.held[NAME] == 3 * is_done


def test_an_order_about_an_email_is_not_the_email() -> None:
    witness = Witness()
    notes = Notes(1, witness, "soak-dead")
    message = {"MessageId": "1", "ReceiptHandle": "receipt", "Body": cancel(NAME)}
    notes.done("ReceiveMessage", {"QueueUrl": "soak-in"}, {"Messages": [message]}, heard=True)
    entries = {"QueueUrl": "soak-in", "Entries": [{"Id": "0", "ReceiptHandle": "receipt"}]}
    notes.done("DeleteMessageBatch", entries, {"Successful": [{"Id": "0"}]}, heard=True)
    assert NAME not in witness.held


def test_statements_are_told_apart() -> None:
    """As ion's own table writes them."""
    table = Table(boto3.client("dynamodb", "eu-central-1"), "soak")
    new = {"token": "t", "status": "sending"}
    claims = [table.insert(NAME, new), table.update(NAME, new, {"token": "was"})]
    result = table.update(NAME, {"status": "sent"}, {"token": "t"})
    called_off = {"token": "t", "status": "cancelled"}
    cancels = [
        table.insert(NAME, called_off),
        table.update(NAME, called_off, {"token": "was", "status": "deferred"}),
    ]
    controls = [
        table.insert(" control ", {"control": "{}", "version": "1"}),
        table.update(" control ", {"control": "{}", "version": "2"}, {"version": "1"}),
    ]
    hold = table.insert(" rescue ", {"due": 1})
    waits = table.insert(NAME, {"token": "t", "status": "queued"})
    found = [parse(one) for one in (*claims, result, *cancels, *controls, hold, waits)]
    assert found == [
        Statement(NAME, "t", "", "sending"),
        Statement(NAME, "t", "was", "sending"),
        Statement(NAME, "t", "t", "sent"),
        Statement(NAME, "t", "", "cancelled"),
        Statement(NAME, "t", "was", "cancelled"),
        Statement(" control ", control="{}"),
        Statement(" control ", control="{}"),
        None,
        Statement(NAME, "t", "", "queued"),
    ]
    kinds = [
        (one.is_claim, one.is_result, one.is_cancel) for one in found if one and one.key == NAME
    ]
    claim, of_result, of_cancel = (True, False, False), (False, True, False), (False, False, True)
    assert kinds == [claim, claim, of_result, of_cancel, of_cancel, (False, False, False)]
