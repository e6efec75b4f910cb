"""Dead letters go back into the input queue, and none is lost on the way."""

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from clock import Clock
from conftest import Log
from emulated import (
    Account,
    Answer,
    Between,
    Held,
    Request,
    as_strict_as_sqs,
    at_once,
    failing,
    unreachable,
)
from ion.admit import Admitted
from ion.aws.queue import QueueError
from ion.deadline import Deadline
from ion.outcome import Delivery, Kind, Outcome, Reason, Scope, Stage, Status
from ion.provenance import provenance_of
from ion.redrive import redrive
from ion.settle import Settler
from ion.telemetry import Telemetry

LATER = 4_000_000_000.0
"""Began after all that is in the queue (it is the year 2096)."""
ODD_BODIES = ["{broken", ' \r\n{"a":"Grüße 🎉"}\n', "x", "\u2028", '{"action":"send"}']


class KilledError(BaseException):
    """The process dies here."""


def killed(_real: Callable[..., Any], _request: Request) -> Any:  # noqa: ANN401
    raise KilledError


def run(
    account: Account,
    sqs: Between | None = None,
    *,
    began_at: float = LATER,
    deadline: Deadline | None = None,
) -> tuple[int, bool]:
    sqs = sqs or account.sqs()
    return asyncio.run(
        redrive(
            account.dead_letters(sqs),
            account.input_queue(sqs),
            Telemetry(),
            began_at,
            deadline or Deadline.after(900),
        )
    )


def letter(body: str, **ion: object) -> tuple[str, dict[str, tuple[str, str | bytes]]]:
    record = {
        "email_id": "order-17",
        "stage": "rcpt",
        "path": "",
        "attempts": 5,
        "first_queued_at": "2026-11-22T08:30:15.250000Z",
        "failed_at": "2026-11-22T09:00:00Z",
        "original_message_id": "m-1",
        "redrives": 0,
    }
    return body, {
        "own": ("Number", "5"),
        "reason": ("String", "RCPT_REJECTED"),
        "reply": ("String", "550 no"),
        "ion": ("String", json.dumps(record | ion)),
    }


def bury(account: Account, *letters: tuple[str, dict[str, tuple[str, str | bytes]]]) -> None:
    for body, attributes in letters:
        account.publish(body, attributes, account.dead_url)


def ion_of(held: Held) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(held.attributes["ion"][1])
    return record


def bodies(held: list[Held]) -> list[str]:
    return [one.body for one in held]


@pytest.mark.row(69)
def test_a_dead_letter_comes_back_as_it_was_published(account: Account) -> None:
    bury(account, *(letter(body) for body in ODD_BODIES))
    assert run(account) == (len(ODD_BODIES), True)
    assert bodies(account.waiting()) == ODD_BODIES
    assert account.dead() == []
    for held in account.waiting():
        assert held.attributes.keys() == {"own", "ion"}
        assert held.attributes["own"] == ("Number", "5")
        assert held.visible


def test_its_key_and_first_time_are_kept_and_its_attempts_forgotten(account: Account) -> None:
    bury(account, letter("x", redrives=2, left=[1]))
    run(account)
    assert ion_of(account.waiting()[0]) == {
        "email_id": "order-17",
        "first_queued_at": "2026-11-22T08:30:15.250000Z",
        "original_message_id": "m-1",
        "redrives": 3,
        "left": [1],
    }


def test_a_letter_that_ion_did_not_write_comes_back_too(account: Account) -> None:
    """SQS's own redrive policy moves messages without a word."""
    id_ = account.publish("x", {"own": ("String", "y")}, account.dead_url)
    run(account)
    (held,) = account.waiting()
    record = ion_of(held)
    assert (record["email_id"], record["original_message_id"]) == (id_, id_)
    assert record["redrives"] == 1


@pytest.mark.row(69)
def test_the_key_lasts_over_deaths_and_redrives(account: Account) -> None:
    id_ = account.publish(ODD_BODIES[1], {"own": ("Binary", b"\0")})
    refused = Outcome(Stage.DOT, Kind.PERMANENT, Scope.MESSAGE, Reason.CONTENT_REJECTED)

    async def die() -> None:
        queue = account.input_queue()
        settler = Settler(queue, account.dead_letters(), account.ledger(), Telemetry())
        (message,) = await queue.receive(visibility_seconds=60, wait_seconds=0)
        dead = Delivery(Status.DEAD, refused)
        await settler.settle(Admitted(message, provenance_of(message), dead), [dead])
        await settler.flush()

    first_queued_at = ""
    for redrives in range(4):
        asyncio.run(die())
        (dead,) = account.dead()
        record = ion_of(dead)
        first_queued_at = first_queued_at or record["first_queued_at"]
        assert dead.body == ODD_BODIES[1]
        assert dead.attributes["own"] == ("Binary", b"\0")
        assert (record["email_id"], record["original_message_id"]) == (id_, id_)
        assert (record["redrives"], record["first_queued_at"]) == (redrives, first_queued_at)
        assert run(account) == (1, True)
    assert account.waiting()[0].id != id_, "SQS gave it another"


def test_many_are_moved_ten_a_call(account: Account) -> None:
    bury(account, *(letter(str(number)) for number in range(23)))
    sqs = account.sqs()
    assert run(account, sqs) == (23, True)
    assert sorted(bodies(account.waiting()), key=int) == [str(number) for number in range(23)]
    assert [len(one["Entries"]) for one in sqs.asked("send_message_batch")] == [10, 10, 3]


@pytest.mark.row(69)
def test_it_sends_before_it_deletes(account: Account) -> None:
    bury(account, *(letter(str(number)) for number in range(11)))
    sqs = account.sqs()
    run(account, sqs)
    verbs = [name for name, _ in sqs.calls if name != "receive_message"]
    assert verbs == ["send_message_batch", "delete_message_batch"] * 2


@pytest.mark.row(69)
def test_killed_between_send_and_delete_it_loses_nothing(account: Account) -> None:
    bury(account, *(letter(str(number), email_id=f"key-{number}") for number in range(12)))
    with pytest.raises(KilledError):
        run(account, account.sqs(delete_message_batch=killed))
    assert len(account.dead()) == 12
    assert len(account.waiting()) == 10

    account.time_passes()
    assert run(account) == (12, True)
    keys = [ion_of(held)["email_id"] for held in account.waiting()]
    assert set(keys) == {f"key-{number}" for number in range(12)}
    assert len(keys) == 22, "ten are there twice, each under its key"
    assert account.dead() == []


@pytest.mark.row(69)
def test_killed_before_the_send_it_loses_nothing(account: Account) -> None:
    bury(account, letter("x"))
    with pytest.raises(KilledError):
        run(account, account.sqs(send_message_batch=killed))
    account.time_passes()
    assert run(account) == (1, True)
    assert bodies(account.waiting()) == ["x"]


@pytest.mark.parametrize("answer", [failing("Throttling"), unreachable])
def test_what_can_not_be_sent_stays_dead(account: Account, log: Log, answer: Answer) -> None:
    bury(account, letter("x"))
    assert run(account, account.sqs(send_message_batch=answer)) == (0, True)
    assert (bodies(account.dead()), account.waiting()) == (["x"], [])
    assert [event["message"] for event in log.events] == ["redrive: not sent, stays dead"]


def test_only_what_was_sent_is_deleted(account: Account) -> None:
    bury(account, *(letter(body) for body in "abc"))

    def refuse_b(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        good = [entry for entry in request["Entries"] if entry["MessageBody"] != "b"]
        answer = real(**request | {"Entries": good}) if good else {}
        bad = [entry["Id"] for entry in request["Entries"] if entry not in good]
        return {**answer, "Failed": [{"Id": one, "Code": "InternalError"} for one in bad]}

    assert run(account, account.sqs(send_message_batch=refuse_b)) == (2, True)
    assert (bodies(account.waiting()), bodies(account.dead())) == (["a", "c"], ["b"])


def test_what_was_sent_but_not_deleted_is_said(account: Account, log: Log) -> None:
    bury(account, letter("x"))
    assert run(account, account.sqs(delete_message_batch=failing())) == (1, True)
    assert (bodies(account.waiting()), bodies(account.dead())) == (["x"], ["x"])
    assert [event["message"] for event in log.events] == ["redrive: sent but not deleted"]


def test_only_what_was_there_when_it_began_is_moved(account: Account) -> None:
    """What dies again meanwhile would go round for ever."""
    bury(account, letter("old"))
    account.time_passes(3600)

    def die_again(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        bury(account, letter("young"))
        return as_strict_as_sqs(real, request)

    sqs = account.sqs(send_message_batch=die_again)
    assert run(account, sqs, began_at=time.time() - 1800) == (1, True)
    assert bodies(account.waiting()) == ["old"]
    assert [(held.body, held.visible) for held in account.dead()] == [("young", True)]


def test_an_empty_poll_is_not_believed_at_once(account: Account) -> None:
    """SQS asks some of its servers only, and may miss what is there."""
    bury(account, letter("a"), letter("b"))
    polls = 0

    def every_other(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        nonlocal polls
        polls += 1
        return at_once(real, request | {"MaxNumberOfMessages": 1}) if polls % 2 else {}

    assert run(account, account.sqs(receive_message=every_other)) == (2, True)
    assert bodies(account.waiting()) == ["a", "b"]


@pytest.mark.row(27)
def test_out_of_time_it_stops_and_the_next_run_goes_on(account: Account) -> None:
    bury(account, *(letter(str(number)) for number in range(25)))
    clock = Clock()

    def slowly(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        clock.passes(40)
        return as_strict_as_sqs(real, request)

    sqs = account.sqs(send_message_batch=slowly)
    assert run(account, sqs, deadline=Deadline.after(100, clock)) == (20, False)
    assert (len(account.waiting()), len(account.dead())) == (20, 5)
    assert all(held.visible for held in account.dead()), "what is left can be had at once"
    assert run(account, sqs, deadline=Deadline.after(100, clock)) == (5, True)
    assert sorted(map(int, bodies(account.waiting()))) == list(range(25))
    assert account.dead() == []


def test_letters_are_hidden_longer_than_the_invocation_lives(account: Account) -> None:
    bury(account, letter("x"))
    sqs = account.sqs()
    run(account, sqs, deadline=Deadline.after(100, Clock()))
    assert {one["VisibilityTimeout"] for one in sqs.asked("receive_message")} == {160}


@pytest.mark.row(23)
def test_a_dead_letter_queue_that_can_not_be_read_is_an_error(account: Account) -> None:
    with pytest.raises(QueueError, match="receive: AccessDenied"):
        run(account, account.sqs(receive_message=failing("AccessDenied")))


def test_an_empty_dead_letter_queue_is_through_at_once(account: Account) -> None:
    sqs = account.sqs()
    assert run(account, sqs) == (0, True)
    assert {name for name, _ in sqs.calls} == {"receive_message"}


def test_large_letters_are_moved_too(account: Account) -> None:
    bury(account, *(letter("x" * 400_000) for _ in range(5)))
    assert run(account) == (5, True)
    assert [len(held.body) for held in account.waiting()] == [400_000] * 5
