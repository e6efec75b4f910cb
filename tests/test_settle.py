"""Each fate becomes the right verbs in the right order; what must be kept is written first."""

import asyncio
import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from conftest import Log
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
from ion.message import Message
from ion.outcome import Delivery, Kind, Outcome, Reason, Reply, Scope, Stage, Status
from ion.provenance import Provenance, provenance_of
from ion.settle import Settler
from ion.telemetry import Telemetry

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


def fate(status: Status, *left: int, delay: int = 0) -> Delivery:
    return Delivery(status, outcome(Kind.PERMANENT), delay_seconds=delay, left=left)


DEAD, SENT, HELD = fate(Status.DEAD), fate(Status.SENT), fate(Status.HELD)


def settle(
    account: Account, *fates: list[Delivery], sqs: Between | None = None
) -> tuple[Between, list[Message]]:
    """Receive as many messages as there are fates, and settle each; the calls made."""
    sqs = sqs or account.sqs()

    async def main() -> list[Message]:
        input_queue = account.input_queue(sqs)
        settler = Settler(input_queue, account.dead_letters(sqs), Telemetry())
        messages = await input_queue.receive(visibility_seconds=600, wait_seconds=0)
        for message, deliveries in zip(messages, fates, strict=True):
            await settler.settle(message, origin(message), deliveries)
        await settler.flush()
        return messages

    return sqs, asyncio.run(main())


def origin(message: Message) -> Provenance:
    return provenance_of(message)


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
    (asked,) = sqs.asked("change_message_visibility_batch")
    assert asked["Entries"][0]["VisibilityTimeout"] == 300
    assert verbs(sqs) == ["change_message_visibility_batch"]


def test_what_is_held_is_visible_at_once(account: Account) -> None:
    account.publish("x")
    settle(account, [HELD])
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
    account.publish("x")
    sqs = account.sqs(
        send_message_batch=only_for(account.dead_url, answer, otherwise=as_strict_as_sqs)
    )
    settle(account, fates, sqs=sqs)
    assert [held.body for held in account.waiting()] == ["x"]
    assert account.dead() == []
    (asked,) = sqs.asked("change_message_visibility_batch")
    assert asked["Entries"][0]["VisibilityTimeout"] == 60
    assert sqs.asked("delete_message_batch") == []
    assert [event["message"] for event in log.events] == ["fate not written, message kept"]


@pytest.mark.row(26)
def test_a_dead_letter_queue_that_answers_200_and_refuses_loses_nothing(account: Account) -> None:
    def refuse(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        failed = [{"Id": entry["Id"], "Code": "InternalError"} for entry in request["Entries"]]
        return {"Successful": [], "Failed": failed}

    account.publish("x")
    settle(account, [DEAD], sqs=account.sqs(send_message_batch=refuse))
    assert [held.body for held in account.waiting()] == ["x"]


def part_of(held: Held) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(held.attributes["ion"][1])
    return record


@pytest.mark.row(48)
def test_recipients_that_fare_differently_part_ways(account: Account) -> None:
    id_ = account.publish("body", {"own": ("String", "kept")})
    fates = [fate(Status.SENT, 0), fate(Status.DEAD, 1, 3), fate(Status.DEFERRED, 2, delay=300)]
    sqs, _ = settle(account, fates)
    (letter,), (copy,) = account.dead(), account.waiting()
    assert (letter.body, copy.body) == ("body", "body")
    assert (part_of(letter)["left"], part_of(copy)["left"]) == ([1, 3], [2])
    assert part_of(letter)["email_id"] == part_of(copy)["email_id"] == id_
    assert letter.attributes["own"] == copy.attributes["own"] == ("String", "kept")
    assert copy.delayed
    assert "reason" not in copy.attributes
    assert verbs(sqs) == ["send_message_batch", "send_message_batch", "delete_message_batch"]


@pytest.mark.row(48)
def test_a_part_that_is_held_comes_back_at_once_without_the_others(account: Account) -> None:
    account.publish("x")
    settle(account, [fate(Status.SENT, 0), fate(Status.HELD, 1)])
    (copy,) = account.waiting()
    assert (copy.visible, copy.receives, part_of(copy)["left"]) == (True, 0, [1])


def test_a_part_that_is_sent_at_last_leaves_nothing(account: Account) -> None:
    account.publish("x")
    settle(account, [fate(Status.SENT, 1)])
    assert (account.waiting(), account.dead()) == ([], [])


@pytest.mark.row(26)
def test_a_requeue_that_fails_keeps_the_message(account: Account) -> None:
    account.publish("x")
    sqs = account.sqs(
        send_message_batch=only_for(account.input_url, failing(), otherwise=as_strict_as_sqs)
    )
    settle(account, [fate(Status.SENT, 0), fate(Status.DEFERRED, 1)], sqs=sqs)
    assert [held.body for held in account.waiting()] == ["x"]


def test_deletes_wait_for_company_but_not_for_more_than_ten(account: Account) -> None:
    for number in range(10):
        account.publish(str(number))
    sqs = account.sqs()

    async def main() -> None:
        queue = account.input_queue(sqs)
        settler = Settler(queue, account.dead_letters(sqs), Telemetry())
        messages = await queue.receive(visibility_seconds=600, wait_seconds=0)
        for message in messages[:9]:
            await settler.settle(message, origin(message), [SENT])
        assert verbs(sqs) == []
        await settler.settle(messages[9], origin(messages[9]), [SENT])
        assert verbs(sqs) == ["delete_message_batch"]
        await settler.flush()

    asyncio.run(main())
    assert verbs(sqs) == ["delete_message_batch"]


def test_a_delete_does_not_wait_for_company_that_never_comes(account: Account) -> None:
    account.publish("x")
    deleted = threading.Event()

    def delete(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        answer = real(**request)
        deleted.set()
        return answer

    async def main() -> None:
        sqs = account.sqs(delete_message_batch=delete)
        queue = account.input_queue(sqs)
        settler = Settler(queue, account.dead_letters(sqs), Telemetry())
        async with asyncio.TaskGroup() as group:
            group.create_task(settler.run())
            (message,) = await queue.receive(visibility_seconds=600, wait_seconds=0)
            await settler.settle(message, origin(message), [SENT])
            await asyncio.to_thread(deleted.wait)
            settler.stop()

    asyncio.run(main())
    assert account.waiting() == []


def test_the_end_of_a_run_waits_for_a_flush_that_is_under_way(account: Account) -> None:
    """Cut short, it would leave what was sent to be sent again, and what is held hidden."""
    for number in range(2):
        account.publish(str(number))
    begun, go_on = threading.Event(), threading.Event()

    def delete(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        begun.set()
        go_on.wait()
        return real(**request)

    async def main() -> None:
        sqs = account.sqs(delete_message_batch=delete)
        queue = account.input_queue(sqs)
        settler = Settler(queue, account.dead_letters(sqs), Telemetry())
        async with asyncio.TaskGroup() as group:
            group.create_task(settler.run())
            first, second = await queue.receive(visibility_seconds=600, wait_seconds=0)
            await settler.settle(first, origin(first), [SENT])
            await settler.settle(second, origin(second), [HELD])
            await asyncio.to_thread(begun.wait)
            settler.stop()
            go_on.set()

    asyncio.run(main())
    assert [(held.body, held.visible) for held in account.waiting()] == [("1", True)]


@pytest.mark.parametrize("fates", [[SENT], [HELD]])
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
