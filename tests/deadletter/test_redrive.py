"""Dead letters go back into the input queue, and none is lost on the way."""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
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
from ion.contract import Redrive, parse
from ion.deadletter.redrive import MOST_REDRIVES, Redriving, Report, resumption
from ion.deadline import Deadline
from ion.delivery import Delivery, Status
from ion.drain.settle import Settler
from ion.drain.work_item import WorkItem
from ion.history import read_history
from ion.message import Message
from ion.outcome import Kind, Outcome, Reason, Scope, Stage
from ion.report.telemetry import Telemetry

LATER = 4_000_000_000.0
"""Began after all that is in the queue (it is the year 2096)."""
ODD_BODIES = ["{broken", ' \r\n{"a":"Grüße 🎉"}\n', "x", "\u2028", '{"action":"send"}']


class KilledError(BaseException):
    """The process dies here."""


def killed(_real: Callable[..., Any], _request: Request) -> Any:  # noqa: ANN401
    raise KilledError


def ask(
    account: Account,
    query: str = "{}",
    sqs: Between | None = None,
    *,
    asked_at: float = LATER,
    moved_before: int = 0,
    deadline: Deadline | None = None,
) -> Report:
    """One run of the redrive that the JSON asks for."""
    action = parse(json.dumps(json.loads(query) | {"action": "redrive"}))
    assert isinstance(action, Redrive)
    sqs = sqs or account.sqs()
    redriving = Redriving(
        account.dead_letters(sqs),
        account.input_queue(sqs),
        Telemetry(),
        deadline or Deadline.after(900),
    )
    return asyncio.run(redriving.run(action, asked_at, moved_before))


def run(
    account: Account,
    sqs: Between | None = None,
    *,
    asked_at: float = LATER,
    deadline: Deadline | None = None,
) -> tuple[int, bool]:
    """One run of a redrive of everything: how many it moved, and whether that was all."""
    report = ask(account, sqs=sqs, asked_at=asked_at, deadline=deadline)
    return report.moved, report.complete


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
        settler = Settler(account.queues(), account.ledger(), Telemetry())
        (message,) = await queue.receive(visibility_seconds=60, wait_seconds=0)
        dead = Delivery(Status.DEAD, refused)
        await settler.settle(WorkItem(message, read_history(message), dead), [dead])
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
    verbs = [name for name, _ in sqs.calls if name.endswith("batch")]
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
    assert run(account, sqs, asked_at=time.time() - 1800) == (1, True)
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


@pytest.mark.row(69)
def test_a_look_hides_letters_for_two_minutes_and_not_for_the_whole_run(account: Account) -> None:
    """If the process dies, the next one finds them."""
    bury(account, letter("x"))
    sqs = account.sqs()
    run(account, sqs, deadline=Deadline.after(900, Clock()))
    assert {one["VisibilityTimeout"] for one in sqs.asked("receive_message")} == {120}


def test_a_letter_that_comes_back_during_a_long_run_is_the_same(account: Account) -> None:
    bury(account, *(letter(str(number), redrives=MOST_REDRIVES) for number in range(8)))

    def and_back(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        return at_once(real, request | {"VisibilityTimeout": 0})

    report = ask(account, sqs=account.sqs(receive_message=and_back))
    assert (report.refused, report.complete) == (8, True)


# what someone else is looking at


@pytest.mark.row(69)
def test_what_is_hidden_is_told_and_waited_for(account: Account) -> None:
    bury(account, *(letter(str(number)) for number in range(12)))
    asyncio.run(account.dead_letters().receive(visibility_seconds=30, wait_seconds=0, most=2))
    first = ask(account)
    assert (first.moved, first.hidden, first.complete) == (10, 2, False)
    assert (first.goes_on, first.pause_seconds) == (True, 120)
    account.time_passes(30)
    second = ask(account)
    assert (second.moved, second.hidden, second.complete) == (2, 0, True)
    assert (second.goes_on, second.pause_seconds) == (False, 0)
    assert len(account.waiting()) == 12


def test_what_stays_hidden_is_not_waited_for_for_ever(account: Account) -> None:
    bury(account, letter("x"), letter("y"))
    asyncio.run(account.dead_letters().receive(visibility_seconds=43_200, wait_seconds=0, most=1))
    for minutes, goes_on in ((59, True), (61, False)):
        report = ask(account, asked_at=time.time() - 60 * minutes)
        assert (report.hidden, report.complete, report.goes_on) == (1, False, goes_on)


def test_what_is_kept_is_not_hidden(account: Account) -> None:
    bury(account, died("a", reason="EXPIRED"), died("b"))
    report = ask(account, '{"where": {"reason": "EXPIRED"}}')
    assert (report.moved, report.hidden, report.complete) == (1, 0, True)


def test_what_dies_meanwhile_makes_up_for_nothing_that_is_hidden(account: Account) -> None:
    bury(account, letter("old"), letter("hidden"))
    account.time_passes(60)

    def die_again(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        bury(account, letter("young"))
        return as_strict_as_sqs(real, request)

    def look(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        answer = at_once(real, request)
        letters = [one for one in answer.get("Messages", []) if one["Body"] != "hidden"]
        return {"Messages": letters}

    sqs = account.sqs(send_message_batch=die_again, receive_message=look)
    report = ask(account, sqs=sqs, asked_at=time.time() - 30)
    assert (report.moved, report.hidden, report.complete) == (1, 1, False)


def test_a_dry_run_tells_what_is_hidden_and_waits_for_nothing(account: Account) -> None:
    bury(account, letter("x"), letter("y"))
    asyncio.run(account.dead_letters().receive(visibility_seconds=30, wait_seconds=0, most=1))
    report = ask(account, '{"dry_run": true}')
    assert (report.meant, report.hidden, report.complete, report.goes_on) == (1, 1, False, False)


def test_who_has_moved_as_many_as_were_asked_for_waits_for_no_more(account: Account) -> None:
    bury(account, *(letter(str(number)) for number in range(3)))
    asyncio.run(account.dead_letters().receive(visibility_seconds=30, wait_seconds=0, most=1))
    report = ask(account, '{"max": 2}')
    assert (report.moved, report.complete, report.goes_on) == (2, True, False)


@pytest.mark.row(23)
def test_a_dead_letter_queue_that_can_not_be_counted_is_reported(account: Account) -> None:
    bury(account, letter("x"))
    report = ask(account, sqs=account.sqs(get_queue_attributes=failing("AccessDenied")))
    assert (report.moved, report.error, report.goes_on) == (0, "count: AccessDenied", True)


@pytest.mark.row(23)
def test_a_dead_letter_queue_that_can_not_be_read_is_reported(account: Account) -> None:
    report = ask(account, sqs=account.sqs(receive_message=failing("AccessDenied")))
    assert (report.error, report.complete) == ("receive: AccessDenied", False)


@pytest.mark.row(69)
def test_what_was_moved_before_it_can_not_be_read_is_told(account: Account) -> None:
    bury(account, *(letter(str(number)) for number in range(15)))
    looks = 0

    def once(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        nonlocal looks
        looks += 1
        return (at_once if looks == 1 else failing())(real, request)

    report = ask(account, sqs=account.sqs(receive_message=once))
    assert (report.moved, report.complete) == (10, False)
    assert report.error == "receive: InternalError"


def test_an_empty_dead_letter_queue_is_through_at_once(account: Account) -> None:
    sqs = account.sqs()
    assert run(account, sqs) == (0, True)
    assert {name for name, _ in sqs.calls} == {"get_queue_attributes", "receive_message"}


def test_large_letters_are_moved_too(account: Account) -> None:
    bury(account, *(letter("x" * 400_000) for _ in range(5)))
    assert run(account) == (5, True)
    assert [len(held.body) for held in account.waiting()] == [400_000] * 5


# as a query


def died(body: str, *, reason: str = "RCPT_REJECTED", ago: float = 0, **ion: object) -> Any:  # noqa: ANN401
    """A letter that died so many seconds before `LATER`."""
    failed_at = datetime.fromtimestamp(LATER - ago, UTC).isoformat()
    body, attributes = letter(body, failed_at=failed_at, **ion)
    return body, attributes | {"reason": ("String", reason)}


def to(*recipients: str, **fields: object) -> str:
    return json.dumps({"action": "send", "recipient": list(recipients), "body_text": "x", **fields})


def test_only_letters_with_the_reason_are_moved(account: Account) -> None:
    bury(account, died("a", reason="EXPIRED"), died("b"), died("c", reason="IN_DOUBT"))
    report = ask(account, '{"where": {"reason": "EXPIRED"}}')
    assert (report.moved, report.complete) == (1, True)
    assert bodies(account.waiting()) == ["a"]
    ask(account, '{"where": {"reason": ["BAD_JSON", "IN_DOUBT"]}}')
    assert bodies(account.waiting()) == ["a", "c"]
    (left,) = account.dead()
    assert left.visible, "what isn't meant can be had at once"


@pytest.mark.row(25)
def test_what_sqs_buried_without_a_word_goes_by_the_name_of_poison(account: Account) -> None:
    account.publish("x", {"own": ("String", "y")}, account.dead_url)
    bury(account, died("a"))
    report = ask(account, '{"where": {"reason": "POISON"}}')
    assert (bodies(account.waiting()), report.reasons) == (["x"], {"POISON": 1})


def test_only_letters_to_the_domain_are_moved(account: Account) -> None:
    bury(
        account,
        died(to("ann@example.org")),
        died(to("bob@sub.example.org", cc="cid@EXAMPLE.ORG")),
        died(to("dan@example.com", bcc=["Eve <eve@example.net>"])),
        died("{broken"),
        died(to("no address")),
        died('{"action": "redrive"}'),
    )
    assert ask(account, '{"where": {"recipient_domain": "Example.org"}}').moved == 2
    assert ask(account, '{"where": {"recipient_domain": "example.net"}}').moved == 1
    assert len(account.dead()) == 3


def test_a_domain_beyond_ascii_is_known_by_either_name(account: Account) -> None:
    for name in ("müller.example", "xn--mller-kva.example", "MÜLLER.example"):
        bury(account, died(to("ann@müller.example")), died(to("ann@xn--mller-kva.example")))
        assert ask(account, json.dumps({"where": {"recipient_domain": name}})).moved == 2


def test_a_letter_about_some_recipients_is_not_about_the_others(account: Account) -> None:
    body = to("ann@example.org", "bob@example.com")
    bury(account, died(body, left=[1]), died(body, left=[0, 7]))
    assert ask(account, '{"where": {"recipient_domain": "example.com"}}').moved == 1


@pytest.mark.parametrize(
    ("where", "moved"),
    [
        ({"older_than": "1h"}, {"2 h", "3 d"}),
        ({"younger_than": "1h"}, {"59 min"}),
        ({"older_than": "3600s", "younger_than": "1d"}, {"2 h"}),
        ({"older_than": "90m", "younger_than": "7d"}, {"2 h", "3 d"}),
        ({"older_than": "4d"}, set()),
    ],
)
def test_only_letters_of_the_age_are_moved(
    account: Account, where: dict[str, str], moved: set[str]
) -> None:
    bury(
        account,
        died("59 min", ago=59 * 60),
        died("2 h", ago=7200),
        died("3 d", ago=3 * 86_400),
    )
    ask(account, json.dumps({"where": where}))
    assert set(bodies(account.waiting())) == moved


def test_a_letter_that_does_not_say_when_it_died_did_when_it_came(account: Account) -> None:
    account.publish("x", {}, account.dead_url)
    account.time_passes(7200)
    now = time.time()
    assert ask(account, '{"where": {"older_than": "3h"}}', asked_at=now).moved == 0
    assert ask(account, '{"where": {"older_than": "1h"}}', asked_at=now).moved == 1


def test_all_of_it_must_be_true(account: Account) -> None:
    bury(account, died(to("ann@example.org"), ago=60), died(to("ann@example.org"), ago=7200))
    where = {"reason": "RCPT_REJECTED", "recipient_domain": "example.org", "older_than": "1h"}
    assert ask(account, json.dumps({"where": where | {"reason": "EXPIRED"}})).moved == 0
    assert ask(account, json.dumps({"where": where})).moved == 1


def test_no_more_than_asked_for_are_moved(account: Account) -> None:
    bury(account, *(letter(str(number)) for number in range(25)))
    report = ask(account, '{"max": 13}')
    assert (report.moved, report.complete) == (13, True)
    assert (len(account.waiting()), len(account.dead())) == (13, 12)
    assert all(held.visible for held in account.dead())


def test_what_earlier_runs_have_moved_counts(account: Account) -> None:
    bury(account, *(letter(str(number)) for number in range(25)))
    report = ask(account, '{"max": 13}', moved_before=9)
    assert (report.moved, report.complete) == (4, True)
    report = ask(account, '{"max": 13}', moved_before=13)
    assert (report.moved, report.complete) == (0, True)


def test_how_many_it_has_moved_goes_with_the_message_that_goes_on(account: Account) -> None:
    account.publish('{"action":"redrive", "max":13}', {"own": ("String", "y")})

    async def receive() -> Message:
        queue = account.input_queue()
        (message,) = await queue.receive(visibility_seconds=60, wait_seconds=0)
        return message

    message = asyncio.run(receive())
    first = resumption(message, read_history(message), Report(moved=4, pause_seconds=2000))
    assert (first.body, first.delay_seconds) == (message.body, 900)
    again = replace(message, id="another", sent_at=LATER, attributes=first.attributes)
    second = resumption(again, read_history(again), Report(moved=5))
    last = read_history(replace(again, attributes=second.attributes))
    assert (last.moved, second.delay_seconds) == (9, 0)
    assert last.first_queued_at.timestamp() == pytest.approx(message.sent_at, abs=0.001)
    assert second.attributes["own"] == first.attributes["own"]


def test_a_rate_is_kept_by_growing_delays(account: Account) -> None:
    bury(account, *(letter(str(number)) for number in range(25)))
    sqs = account.sqs()
    report = ask(account, '{"rate": 4}', sqs)
    sent = [one for call in sqs.asked("send_message_batch") for one in call["Entries"]]
    delays = {int(one["MessageBody"]): one["DelaySeconds"] for one in sent}
    assert delays == {number: number // 4 for number in range(25)}
    assert (report.moved, report.complete) == (25, True)


def test_a_rate_leaves_to_the_next_run_what_has_no_room_in_the_longest_delay(
    account: Account,
) -> None:
    bury(account, *(letter(str(number)) for number in range(15)))
    report = ask(account, '{"rate": 0.01}')  # one in 100 s: nine in 900 s, SQS's longest
    assert (report.moved, report.complete, report.pause_seconds) == (9, False, 900)
    assert (len(account.waiting()), len(account.dead())) == (9, 6)


def test_a_dry_run_counts_and_moves_nothing(account: Account) -> None:
    bury(account, *(died(str(n), reason="EXPIRED") for n in range(12)), died("a"))
    sqs = account.sqs()
    report = ask(account, '{"dry_run": true}', sqs)
    assert (report.meant, report.moved, report.complete) == (13, 0, True)
    assert report.reasons == {"EXPIRED": 12, "RCPT_REJECTED": 1}
    assert account.waiting() == []
    assert all(held.visible for held in account.dead())
    assert not sqs.asked("send_message_batch")
    assert not sqs.asked("delete_message_batch")
    report = ask(account, '{"dry_run": true, "max": 5, "where": {"reason": "EXPIRED"}}')
    assert (report.meant, report.reasons) == (5, {"EXPIRED": 5})


@pytest.mark.row(70)
def test_who_has_come_back_too_often_is_refused(account: Account) -> None:
    bury(account, letter("often", redrives=MOST_REDRIVES), letter("x", redrives=MOST_REDRIVES - 1))
    report = ask(account)
    assert (report.moved, report.refused, report.complete) == (1, 1, True)
    assert bodies(account.waiting()) == ["x"]
    assert [(held.body, held.visible) for held in account.dead()] == [("often", True)]
