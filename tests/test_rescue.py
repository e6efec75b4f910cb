"""Before the queue forgets: mail that waits while the mail server can't be used."""

import asyncio
import json

import pytest

from emulated import Account, Between, failing
from ion.deadline import Deadline
from ion.rescue import rescue
from ion.settle import Settler
from ion.telemetry import Telemetry

pytestmark = pytest.mark.row(24)

NEARLY_FORGOTTEN_SECONDS = 14 * 86_400 - 3600


def email(key: str) -> str:
    return json.dumps(
        {"action": "send", "email_id": key, "recipient": "a@example.org", "body_text": "x"}
    )


def run(account: Account, sqs: Between | None = None) -> int:
    sqs = sqs or account.sqs()
    queue = account.input_queue(sqs)
    settler = Settler(queue, account.dead_letters(sqs), account.ledger(), Telemetry())
    return asyncio.run(rescue(queue, settler, Deadline.after(900)))


def test_what_is_about_to_be_forgotten_is_dead_lettered_with_its_reason(account: Account) -> None:
    for number in range(23):
        account.publish(email(f"old-{number}"))
    account.time_passes(NEARLY_FORGOTTEN_SECONDS)
    account.publish(email("young"))
    assert run(account) == 23
    assert {held.attributes["reason"][1] for held in account.dead()} == {"EXPIRED"}
    assert {json.loads(held.attributes["ion"][1])["email_id"] for held in account.dead()} == {
        f"old-{number}" for number in range(23)
    }
    assert [(held.body, held.visible) for held in account.waiting()] == [(email("young"), True)]


def test_a_young_queue_is_looked_at_once(account: Account) -> None:
    for number in range(23):
        account.publish(email(str(number)))
    sqs = account.sqs()
    assert run(account, sqs) == 0
    assert len(sqs.asked("receive_message")) == 1
    assert all(held.visible for held in account.waiting())


def test_what_is_no_email_is_rescued_as_it_is(account: Account) -> None:
    account.publish("{broken")
    account.time_passes(NEARLY_FORGOTTEN_SECONDS)
    assert run(account) == 1
    assert [held.body for held in account.dead()] == ["{broken"]


def test_what_can_not_be_dead_lettered_stays(account: Account) -> None:
    account.publish(email("old"))
    account.time_passes(NEARLY_FORGOTTEN_SECONDS)
    run(account, account.sqs(send_message_batch=failing()))
    assert (len(account.waiting()), account.dead()) == (1, [])


def test_a_queue_that_can_not_be_read_waits_for_the_next_hour(account: Account) -> None:
    assert run(account, account.sqs(receive_message=failing())) == 0
