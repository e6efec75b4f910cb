"""Each fate becomes the right verbs in the right order; what must be kept is written first."""

import asyncio
import json
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from conftest import Log
from draining import delays, ion_of
from emulated import (
    Account,
    Answer,
    Between,
    Held,
    Request,
    as_strict_as_sqs,
    failing,
    only_for,
    unreachable,
)
from ion.delivery import Delivery, InDoubt, Status
from ion.drain.about import about_email
from ion.drain.settle import Settler
from ion.drain.work_item import WorkItem
from ion.history import History, read_history
from ion.message import Message
from ion.outcome import Kind, Outcome, Reason, Reply, Scope, Stage
from ion.policy.lease import Claim, Row
from ion.report.telemetry import Telemetry

FAR = 4_000_000_000.0
"""When leases end, which is never."""
FIRST = datetime(2026, 11, 22, 8, 30, 15, tzinfo=UTC)
ODD_BODIES = [
    "{broken",
    ' \r\n\t{"a" : "Grüße 🎉"}\n \n',
    '{"a":"\\ud800"}',
    "\ufeff{}",
    "x",
    "\u2028\u0085",
]


def outcome(kind: Kind, reason: Reason = Reason.RCPT_REJECTED) -> Outcome:
    reply = Reply(550, "5.1.1", "<ann@example.org> no")
    return Outcome(Stage.RCPT, kind, Scope.RECIPIENT, reason, reply)


KINDS = {
    Status.SENT: Kind.ACCEPTED,
    Status.DEAD: Kind.PERMANENT,
    Status.DEFERRED: Kind.TRANSIENT,
    Status.RELEASED: Kind.UNAVAILABLE,
}


def fate(status: Status, *recipients: int, delay: int = 0) -> Delivery:
    said = "550 5.1.1 <address> no"
    return Delivery(status, outcome(KINDS[status]), delay, recipients, reply=said)


DEAD, SENT, RELEASED = fate(Status.DEAD), fate(Status.SENT), fate(Status.RELEASED)


def settle(
    account: Account,
    *fates: list[Delivery],
    recipients: int = 0,
    sqs: Between | None = None,
    dynamodb: Between | None = None,
) -> tuple[Between, list[Message]]:
    """Receive as many messages as there are fates, and settle each; the calls made.

    With `recipients` each has so many, and a row in the ledger with our lease on it.
    """
    sqs = sqs or account.sqs()

    async def main() -> list[Message]:
        input_queue = account.input_queue(sqs)
        ledger = account.ledger(dynamodb)
        settler = Settler(account.queues(sqs), ledger, Telemetry())
        messages = await input_queue.receive(visibility_seconds=600, wait_seconds=0)
        for message, deliveries in zip(messages, fates, strict=True):
            row = await leased(account, message, recipients) if recipients else None
            await settler.settle(admitted(message, row), deliveries)
        await settler.flush()
        return messages

    return sqs, asyncio.run(main())


def admitted(message: Message, row: Row | None = None) -> WorkItem:
    """A message of which it plays no part here what was to be done."""
    return WorkItem(message, read_history(message), SENT, row)


async def leased(account: Account, message: Message, recipients: int) -> Row | None:
    """The message's row, claimed."""
    key = read_history(message).email_id
    token = f"token-{message.id}-{message.receives}"
    claim = Claim(
        *(key, message.id, "hash", recipients, (), InDoubt.PARK, token, FAR),
        about=about_email(admitted(message)),
    )
    (judged,) = await account.ledger().claim([claim], 0)
    return judged.row


def verbs(sqs: Between) -> list[str]:
    return [name for name, _ in sqs.calls if name != "receive_message"]


def test_what_was_sent_is_deleted(account: Account) -> None:
    account.publish("x")
    sqs, _ = settle(account, [SENT])
    assert (account.waiting(), account.dead()) == ([], [])
    assert verbs(sqs) == ["delete_message_batch"]


def test_what_is_deferred_is_hidden_as_long_as_it_was_told(account: Account) -> None:
    account.publish("x")
    sqs, _ = settle(account, [fate(Status.DEFERRED, delay=300)])
    assert (delays(sqs), verbs(sqs)) == ([300], ["send_message_batch", "delete_message_batch"])
    assert [held.delayed for held in account.held_in("later")] == [True]
    assert account.held_in("input") == []


def test_a_short_wait_stays_where_it_is(account: Account) -> None:
    account.publish("x")
    sqs, _ = settle(account, [fate(Status.DEFERRED, delay=60)])
    assert (delays(sqs), verbs(sqs)) == ([60], ["change_message_visibility_batch"])
    assert len(account.held_in("input")) == 1


@pytest.mark.row(71)
@pytest.mark.parametrize("days", [6, 7])
def test_what_has_waited_for_a_week_is_put_there_anew(account: Account, days: int) -> None:
    """Or SQS would forget it. It stays as old as it was, and keeps what is known of it."""
    first = History(
        email_id="a",
        first_queued_at=FIRST,
        original_message_id="m-1",
        since=FIRST,
        message_id="m-2",
        receives=4,
        lane="bulk",
    )
    ion = ("String", msgspec.json.encode(first).decode())
    account.publish("{}", {"ion": ion}, url=account.later_url)
    sqs = account.sqs()

    async def main() -> None:
        queues = account.queues(sqs, lambda: time.time() + days * 86_400)
        (message,) = await queues.later.receive(visibility_seconds=600, wait_seconds=0)
        settler = Settler(queues, account.ledger(), Telemetry())
        await settler.settle(admitted(message), [fate(Status.DEFERRED, delay=7200)])
        await settler.flush()

    asyncio.run(main())
    (held,) = account.held_in("later")
    found = msgspec.json.decode(held.attributes["ion"][1], type=History)
    assert (held.delayed, found.due is not None) == (days == 7, days == 7)
    receives = 5 if held.delayed else 4
    assert found == msgspec.structs.replace(first, receives=receives, due=found.due)


def test_what_is_released_is_visible_at_once(account: Account) -> None:
    account.publish("x")
    settle(account, [RELEASED])
    assert [(held.visible, held.receives) for held in account.waiting()] == [(True, 1)]


@pytest.mark.row(1)
@pytest.mark.parametrize("body", ODD_BODIES)
def test_a_dead_letters_body_is_the_body(account: Account, body: str) -> None:
    account.publish(body, {"own": ("Number.int", "5"), "octets": ("Binary", b"\0\xff")})
    sqs, _ = settle(account, [DEAD])
    (letter,) = account.dead()
    assert letter.body == body
    assert letter.attributes["own"] == ("Number.int", "5")
    assert letter.attributes["octets"] == ("Binary", b"\0\xff")
    assert letter.attributes["reason"] == ("String", "RCPT_REJECTED")
    assert letter.attributes["reply"] == ("String", "550 5.1.1 <address> no")
    assert account.waiting() == []
    assert verbs(sqs) == ["send_message_batch", "delete_message_batch"]


@pytest.mark.parametrize("own", [8, 9, 10])
def test_a_message_with_many_attributes_still_dies_properly(account: Account, own: int) -> None:
    attributes: dict[str, tuple[str, str | bytes]] = {
        f"a{number}": ("String", str(number)) for number in range(own)
    }
    account.publish("x", attributes)
    settle(account, [DEAD])
    (letter,) = account.dead()
    assert len(letter.attributes) == 10
    assert letter.attributes.keys() >= {"ion", "reason", "reply", "a0", "a6"}
    assert account.waiting() == []


def test_what_does_not_fit_with_all_attributes_goes_with_ions_own(account: Account) -> None:
    """SQS counts attributes as part of the message, and publishers fill it to the brim."""
    body = "x" * (1_048_576 - 2_000)
    account.publish(body, {"own": ("String", "y" * 1_980)})
    sqs, _ = settle(account, [DEAD])
    (letter,) = account.dead()
    assert letter.body == body
    assert letter.attributes.keys() == {"ion", "reason", "reply"}
    assert account.waiting() == []
    assert verbs(sqs) == ["send_message_batch", "send_message_batch", "delete_message_batch"]


@pytest.mark.row(26)
@pytest.mark.parametrize("answer", [failing("AccessDenied"), failing("Throttling"), unreachable])
@pytest.mark.parametrize("fates", [[DEAD], [fate(Status.SENT, 0), fate(Status.DEAD, 1)]])
def test_what_can_not_be_dead_lettered_is_kept(
    account: Account, log: Log, answer: Answer, fates: list[Delivery]
) -> None:
    recipients = 2 if len(fates) > 1 else 0
    account.publish("x")
    sqs = account.sqs(
        send_message_batch=only_for(account.dead_url, answer, otherwise=as_strict_as_sqs)
    )
    settle(account, fates, sqs=sqs, recipients=recipients)
    assert [held.body for held in account.waiting()] == ["x"]
    assert account.dead() == []
    (asked,) = sqs.asked("change_message_visibility_batch")
    assert asked["Entries"][0]["VisibilityTimeout"] == 60
    assert sqs.asked("delete_message_batch") == []
    assert [event["message"] for event in log.events] == ["fate not written, message kept"]
    assert [row["fates"] for row in account.rows()] == ["s."] * (recipients // 2), (
        "who has it is known, and the other is still to be buried"
    )


@pytest.mark.row(26)
def test_a_row_tells_of_no_fate_that_could_not_be_written(account: Account) -> None:
    """It says that the email is to be tried again, and not for what it died."""
    account.publish("x")
    put_off = replace(fate(Status.DEFERRED, 0), outcome=outcome(Kind.TRANSIENT, Reason.TRY_LATER))
    ill = account.sqs(send_message_batch=failing())
    told = []
    for fates, sqs in (([put_off], None), ([fate(Status.DEAD, 0)], ill)):
        settle(account, fates, recipients=1, sqs=sqs)
        told += [(row["status"], row["reason"]) for row in account.rows()]
        account.time_passes(3600)
    settle(account, [fate(Status.DEAD, 0)], recipients=1)
    told += [(row["status"], row["reason"]) for row in account.rows()]
    assert told == [("deferred", "TRY_LATER")] * 2 + [("bounced", "RCPT_REJECTED")]


@pytest.mark.row(26)
def test_a_dead_letter_queue_that_answers_200_and_refuses_loses_nothing(account: Account) -> None:
    def refuse(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        failed = [{"Id": entry["Id"], "Code": "InternalError"} for entry in request["Entries"]]
        return {"Successful": [], "Failed": failed}

    account.publish("x")
    settle(account, [DEAD], sqs=account.sqs(send_message_batch=refuse))
    assert [held.body for held in account.waiting()] == ["x"]


@pytest.mark.row(26)
def test_a_dead_letter_that_sqs_would_not_take_once_keeps_its_attributes(account: Account) -> None:
    """They are left out where there is no room for them, and for nothing else."""
    account.publish("x", {"own": ("String", "kept")})
    answers = iter([failing("Throttling")])

    def not_at_first(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        return next(answers, as_strict_as_sqs)(real, request)

    settle(account, [DEAD], sqs=account.sqs(send_message_batch=not_at_first))
    assert ([held.body for held in account.waiting()], account.dead()) == (["x"], [])
    account.time_passes(60)
    settle(account, [DEAD])
    (letter,) = account.dead()
    assert letter.attributes["own"] == ("String", "kept")
    assert account.waiting() == []


def part_of(held: Held) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(held.attributes["ion"][1])
    return record


@pytest.mark.row(48)
def test_each_recipients_fate_is_remembered_and_only_the_dead_leave_the_queue(
    account: Account,
) -> None:
    id_ = account.publish("body", {"own": ("String", "kept")})
    fates = [fate(Status.SENT, 0), fate(Status.DEAD, 1, 3), fate(Status.DEFERRED, 2, delay=300)]
    sqs, _ = settle(account, fates, recipients=4)
    (letter,), (message,), (row,) = account.dead(), account.held_in("later"), account.rows()
    assert (letter.body, letter.attributes["own"]) == ("body", ("String", "kept"))
    record = part_of(letter)
    assert (record["left"], record["email_id"], record["attempts"]) == ([1, 3], id_, 1)
    assert (message.body, message.attributes["own"]) == ("body", ("String", "kept"))
    assert ion_of(message)["original_message_id"] == id_
    assert delays(sqs) == [300]
    assert verbs(sqs) == ["send_message_batch", "send_message_batch", "delete_message_batch"]
    assert (row["email_id"], row["status"], row["fates"]) == (id_, "deferred", "sd.d")
    assert (row["attempts"], row["lease_until"], row["used_ids"]) == (1, 0, id_)


@pytest.mark.row(48)
def test_a_part_that_is_released_comes_back_at_once(account: Account) -> None:
    account.publish("x")
    settle(account, [fate(Status.SENT, 0), fate(Status.RELEASED, 1)], recipients=2)
    assert [(held.visible, held.attributes) for held in account.waiting()] == [(True, {})]
    assert [row["fates"] for row in account.rows()] == ["s."]


@pytest.mark.row(48)
def test_the_earliest_of_two_tries_is_the_messages(account: Account) -> None:
    account.publish("x")
    fates = [fate(Status.DEFERRED, 0, delay=300), fate(Status.RELEASED, 1, delay=20)]
    sqs, _ = settle(account, fates, recipients=2)
    (asked,) = sqs.asked("change_message_visibility_batch")
    assert asked["Entries"][0]["VisibilityTimeout"] == 20


def test_the_last_part_that_is_sent_ends_the_message(account: Account) -> None:
    account.publish("x")
    settle(account, [fate(Status.SENT, 0), fate(Status.DEFERRED, 1)], recipients=2)
    account.time_passes()
    settle(account, [fate(Status.SENT, 1)], recipients=2)
    assert (account.waiting(), account.dead()) == ([], [])
    (row,) = account.rows()
    assert (row["status"], row["fates"], row["attempts"]) == ("sent", "ss", 2)


def test_an_email_that_dies_whole_leaves_no_one_out(account: Account) -> None:
    account.publish("x")
    settle(account, [fate(Status.DEAD, 0, 1)], recipients=2)
    (letter,) = account.dead()
    assert "left" not in part_of(letter)
    assert [row["status"] for row in account.rows()] == ["bounced"]


def test_a_part_that_has_become_bad_input_stays_that_part(account: Account) -> None:
    """A later ion may refuse what this one took: a redrive must not go to the others again."""
    record = {
        "email_id": "order-17",
        "first_queued_at": "2026-11-22T08:30:15Z",
        "original_message_id": "m-1",
        "left": [1],
    }
    account.publish("x", {"ion": ("String", json.dumps(record))})
    settle(account, [DEAD])
    (letter,) = account.dead()
    assert (part_of(letter)["left"], part_of(letter)["attempts"]) == ([1], 0)


# what is remembered


def test_a_row_says_to_people_what_happened_and_to_nobody_whom_it_was_for(
    account: Account,
) -> None:
    id_ = account.publish("x")
    deferred = fate(Status.DEFERRED, 0, delay=60)
    settle(account, [deferred], recipients=1)
    (row,) = account.rows()
    assert (row["stage"], row["reason"]) == ("rcpt", "RCPT_REJECTED")
    assert row["reply"] == "550 5.1.1 <address> no"
    assert row["message_id"] == id_
    assert not {"original_message_id", "redrives"} & row.keys(), "they would say nothing"
    assert row.keys() >= {"first_queued_at", "updated_at", "expires_at"}
    assert "@" not in str(row)


@pytest.mark.row(66)
@pytest.mark.parametrize("answer", [failing("InternalServerError"), unreachable])
def test_what_was_sent_is_deleted_though_it_can_not_be_recorded(
    account: Account, log: Log, answer: Answer
) -> None:
    account.publish("x")
    dynamodb = account.dynamodb(batch_execute_statement=answer)
    settle(account, [fate(Status.SENT, 0)], recipients=1, dynamodb=dynamodb)
    assert (account.waiting(), account.dead()) == ([], [])
    assert len(dynamodb.asked("batch_execute_statement")) == 3
    assert [event["message"] for event in log.events] == ["fates not recorded in the ledger"]
    assert "canary" not in log.text


@pytest.mark.row(66)
def test_a_record_is_tried_three_times(account: Account, log: Log) -> None:
    account.publish("x")
    left = [2]

    def twice_ill(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        left[0] -= 1
        return failing()(real, request) if left[0] >= 0 else real(**request)

    dynamodb = account.dynamodb(batch_execute_statement=twice_ill)
    settle(account, [fate(Status.SENT, 0)], recipients=1, dynamodb=dynamodb)
    assert [row["status"] for row in account.rows()] == ["sent"]
    assert log.events == []


@pytest.mark.row(18)
@pytest.mark.row(20)
def test_what_was_sent_is_recorded_though_it_can_not_be_deleted(account: Account) -> None:
    account.publish("x")
    sqs = account.sqs(delete_message_batch=failing())
    settle(account, [fate(Status.SENT, 0)], recipients=1, sqs=sqs)
    assert [held.body for held in account.waiting()] == ["x"]
    assert [row["status"] for row in account.rows()] == ["sent"]


def test_what_is_to_be_tried_again_is_put_back_after_its_lease_is(account: Account) -> None:
    """Who receives it at once would find a lease that nobody holds any more."""
    account.publish("x")
    order: list[str] = []

    def noting(name: str) -> Answer:
        def answer(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
            done = real(**request)
            order.append(name)
            return done

        return answer

    settle(
        account,
        [fate(Status.RELEASED, 0)],
        recipients=1,
        sqs=account.sqs(change_message_visibility_batch=noting("put back")),
        dynamodb=account.dynamodb(batch_execute_statement=noting("let go")),
    )
    assert order == ["let go", "put back"]


@pytest.mark.row(67)
async def test_a_worker_that_comes_too_late_changes_no_row(account: Account, log: Log) -> None:
    account.publish("x")

    queue, ledger = account.input_queue(), account.ledger()
    settler = Settler(account.queues(), ledger, Telemetry())
    (message,) = await queue.receive(visibility_seconds=600, wait_seconds=0)
    stale = await leased(account, message, 1)
    taken = Claim(message.id, message.id, "hash", 1, (), InDoubt.RESEND, "other", FAR)
    await account.ledger().claim([taken], FAR + 60)
    await settler.settle(admitted(message, stale), [fate(Status.DEFERRED, 0)])
    await settler.flush()
    (row,) = account.rows()
    assert (row["token"], row["status"], row["attempts"]) == ("other", "sending", 0)
    assert log.events == [], "somebody else knows better: that is no trouble"


# in company


async def test_deletes_wait_for_company_but_not_for_more_than_ten(account: Account) -> None:
    for number in range(10):
        account.publish(str(number))
    sqs = account.sqs()

    queue = account.input_queue(sqs)
    settler = Settler(account.queues(sqs), account.ledger(), Telemetry())
    messages = await queue.receive(visibility_seconds=600, wait_seconds=0)
    for message in messages[:9]:
        await settler.settle(admitted(message), [SENT])
    assert verbs(sqs) == []
    await settler.settle(admitted(messages[9]), [SENT])
    assert verbs(sqs) == ["delete_message_batch"]
    await settler.flush()
    assert verbs(sqs) == ["delete_message_batch"]


async def test_a_worker_goes_on_while_others_are_settled_but_not_for_long(account: Account) -> None:
    """What is unsettled is what is in doubt if the process dies."""
    for number in range(30):
        account.publish(str(number))
    go_on = threading.Event()

    def delete(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        go_on.wait()
        return real(**request)

    sqs = account.sqs(delete_message_batch=delete)
    queue, ledger = account.input_queue(sqs), account.ledger()
    settler = Settler(account.queues(sqs), ledger, Telemetry(), most=20)
    messages = [
        message
        for _ in range(3)
        for message in await queue.receive(visibility_seconds=600, wait_seconds=0)
    ]
    try:
        for message in messages[:19]:
            await settler.settle(admitted(message), [SENT])
        one_too_many = asyncio.create_task(settler.settle(admitted(messages[19]), [SENT]))
        for _ in range(100):
            await asyncio.sleep(0)
        assert not one_too_many.done()
    finally:
        go_on.set()
    await one_too_many
    for message in messages[20:]:
        await settler.settle(admitted(message), [SENT])
    await settler.flush()
    assert account.waiting() == []


async def test_what_waits_for_a_flush_shares_the_next_one(account: Account) -> None:
    for number in range(30):
        account.publish(str(number))
    dynamodb = account.dynamodb()
    sqs = account.sqs()

    queue, ledger = account.input_queue(sqs), account.ledger(dynamodb)
    settler = Settler(account.queues(sqs), ledger, Telemetry(), most=40)
    messages = [
        message
        for _ in range(3)
        for message in await queue.receive(visibility_seconds=600, wait_seconds=0)
    ]
    rows = [await leased(account, message, 1) for message in messages]
    for message, row in zip(messages, rows, strict=True):
        await settler.settle(admitted(message, row), [fate(Status.SENT, 0)])
    await settler.flush()
    recorded = [len(one["Statements"]) for one in dynamodb.asked("batch_execute_statement")]
    assert (sum(recorded), max(recorded)) == (30, 20)
    assert {len(one["Entries"]) for one in sqs.asked("delete_message_batch")} == {10}
    assert account.waiting() == []


async def test_a_delete_does_not_wait_for_company_that_never_comes(account: Account) -> None:
    account.publish("x")
    deleted = threading.Event()

    def delete(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        answer = real(**request)
        deleted.set()
        return answer

    sqs = account.sqs(delete_message_batch=delete)
    queue = account.input_queue(sqs)
    settler = Settler(account.queues(sqs), account.ledger(), Telemetry())
    async with asyncio.TaskGroup() as group:
        group.create_task(settler.run())
        (message,) = await queue.receive(visibility_seconds=600, wait_seconds=0)
        await settler.settle(admitted(message), [SENT])
        await asyncio.to_thread(deleted.wait)
        settler.stop()
    assert account.waiting() == []


async def test_the_end_of_a_run_waits_for_a_flush_that_is_under_way(account: Account) -> None:
    """Cut short, it would leave what was sent to be sent again, and what is released hidden."""
    for number in range(2):
        account.publish(str(number))
    begun, go_on = threading.Event(), threading.Event()

    def delete(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        begun.set()
        go_on.wait()
        return real(**request)

    sqs = account.sqs(delete_message_batch=delete)
    queue = account.input_queue(sqs)
    settler = Settler(account.queues(sqs), account.ledger(), Telemetry())
    async with asyncio.TaskGroup() as group:
        group.create_task(settler.run())
        first, second = await queue.receive(visibility_seconds=600, wait_seconds=0)
        await settler.settle(admitted(first), [SENT])
        await settler.settle(admitted(second), [RELEASED])
        await asyncio.to_thread(begun.wait)
        settler.stop()
        go_on.set()
    assert [(held.body, held.visible) for held in account.waiting()] == [("1", True)]


@pytest.mark.parametrize("fates", [[SENT], [RELEASED]])
def test_what_can_not_be_settled_is_said_and_raises_nothing(
    account: Account, log: Log, fates: list[Delivery]
) -> None:
    account.publish("x")
    sqs = account.sqs(delete_message_batch=failing(), change_message_visibility_batch=unreachable)
    settle(account, fates, sqs=sqs)
    assert [held.visible for held in account.waiting()] == [False]
    assert [event["level"] for event in log.events] == ["WARNING"]


def test_when_it_died_is_now(account: Account) -> None:
    account.publish("x")
    before = datetime.now(UTC)
    settle(account, [DEAD])
    failed_at = datetime.fromisoformat(part_of(account.dead()[0])["failed_at"])
    assert before <= failed_at <= datetime.now(UTC)
