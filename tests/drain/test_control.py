"""Pauses, stops and cancels, from the row and from the topic, in whole runs."""

import asyncio
import itertools
import json
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from conftest import Log
from draining import (
    GOOD_ION,
    control_row,
    delays,
    drain,
    email,
    ion_of,
    reasons,
    recipients,
    run,
    wide,
)
from emulated import Account, Request, failing
from ion.contract import Lane, Pause, Stop, StopWhere
from ion.drain import steering
from ion.drain.progress import Summary
from ion.message import Message, Source
from ion.policy.control import Control
from ion.policy.rate import Limits, Pace
from smtp_server import NORMAL, Action, Moment, ScriptedServer, Step, delay, reply

PATIENCE_SECONDS = 30


def change(account: Account, how: Callable[[Control], Control]) -> None:
    asyncio.run(control_row(account).change(how))


def pause(account: Account, lane: Lane | None = None) -> None:
    change(account, lambda was: was.with_pause(Pause(lane=lane), time.time()))


def stop(account: Account, **where: Any) -> None:  # noqa: ANN401
    asked = Stop(where=StopWhere(**where))
    change(account, lambda was: was.with_stop(asked, time.time(), new_id="s1"))


def in_force(account: Account) -> Control:
    return asyncio.run(control_row(account).read())


def attempts(account: Account) -> list[object]:
    return [
        (row["attempts"], row["doubts"])
        for row in account.rows()
        if " " not in str(row["email_id"])
    ]


def events(log: Log, name: str) -> list[dict[str, Any]]:
    return [one for one in log.events if one["message"] == name]


class Quick(ScriptedServer):
    """A server at whose first dot something happens; the answer waits for some looks."""

    def __init__(self, then: Callable[[], None]) -> None:
        def script(moment: Moment) -> Action:
            if moment.step is Step.DOT and moment.nth == 1:
                then()
                return delay(1)
            return NORMAL

        super().__init__(script)


@pytest.fixture
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steering, "LOOK_SECONDS", 0.02)


# pauses


@pytest.mark.row(77)
def test_a_paused_relay_receives_nothing_and_says_so(account: Account) -> None:
    account.publish(email())
    pause(account)
    sqs, server = account.sqs(), ScriptedServer()
    summary = run(account, server, sqs=sqs)
    assert (summary.stopped, summary.received, summary.paused) == ("paused", 0, "bulk, normal")
    assert summary.error.startswith("paused until ")
    assert (sqs.calls, server.sessions) == ([], [])


@pytest.mark.row(77)
def test_one_lane_is_paused_and_the_other_goes_out(account: Account) -> None:
    account.publish(email(1))
    account.publish(email(2), url=account.bulk_url)
    pause(account, Lane.BULK)
    server, sqs = ScriptedServer(), account.sqs()
    summary = run(account, server, sqs=sqs)
    assert (summary.stopped, summary.sent, summary.paused) == ("empty", 1, "bulk")
    assert recipients(server) == {"to1@example.org": 1}
    assert account.bulk_url not in {one["QueueUrl"] for one in sqs.asked("receive_message")}


@pytest.mark.row(77)
def test_what_waits_is_kept_waiting_while_its_lane_is_paused(account: Account) -> None:
    account.publish(email(1), url=account.bulk_url)
    account.publish(email(2))
    busy = ScriptedServer({Step.RCPT: [reply(451, "4.7.1 greylisted")] * 2})
    run(account, busy)
    account.time_passes(600)
    pause(account, Lane.BULK)
    server = ScriptedServer()
    assert run(account, server).sent == 1
    assert recipients(server) == {"to2@example.org": 1}
    (held,) = account.held_in("later")
    assert not held.visible
    assert min(map(str, attempts(account))) == "(1, '0')"


@pytest.mark.row(77)
@pytest.mark.usefixtures("quick_looks")
@pytest.mark.parametrize("lane", [None, Lane.NORMAL])
def test_a_pause_in_the_middle_of_a_batch_releases_what_is_not_begun(
    account: Account, lane: Lane | None
) -> None:
    for number in range(8):
        account.publish(email(number))

    server = Quick(lambda: pause_beside(account, lane))
    summary = run(account, server)
    assert (summary.sent, summary.released) == (1, 7)
    assert summary.stopped == ("empty" if lane else "paused")
    assert [held.visible for held in account.waiting()] == [True] * 7
    assert sorted(attempts(account), key=str) == [(0, "0")] * 7 + [(1, "0")]
    change(account, lambda _: Control())
    after = ScriptedServer()
    assert run(account, after).sent == 7
    assert recipients(server) + recipients(after) == {f"to{n}@example.org": 1 for n in range(8)}


@pytest.mark.row(77)
@pytest.mark.usefixtures("quick_looks")
def test_what_was_only_received_before_its_lane_is_paused_is_put_back_unclaimed(
    account: Account,
) -> None:
    for number in range(40):
        account.publish(email(number))
    server = Quick(lambda: pause_beside(account, Lane.NORMAL))
    summary = run(account, server)
    assert (summary.sent, summary.released) == (1, summary.received - 1)
    assert len(attempts(account)) < summary.received
    assert [held.visible for held in account.waiting()] == [True] * 39


@pytest.mark.row(77)
def test_what_is_due_after_its_pause_is_hidden_until_then(account: Account) -> None:
    """Each look costs a receive, of which SQS allows a thousand."""
    in_two_hours = datetime.fromtimestamp(time.time() + 7200, UTC).isoformat()
    account.publish(email(1, not_before=in_two_hours))
    run(account)
    account.shown("ion-later")
    pause(account, Lane.NORMAL)
    sqs = account.sqs()
    run(account, sqs=sqs)
    (hidden,) = delays(sqs)
    assert hidden > 7000


@pytest.mark.row(77)
async def test_in_a_pause_of_weeks_mail_is_not_received_until_sqs_buries_it(
    account: Account,
) -> None:
    sqs = account.sqs(change_message_visibility_batch=lambda _real, _request: {})
    waits = [
        Message(str(n), str(n), "{}", {}, time.time(), n, Source.LATER) for n in (1, 500, 501, 999)
    ]
    assert await account.queues(sqs, time.time).due(waits, {Lane.NORMAL}) == []
    assert delays(sqs) == [900, 900, 43_200, 43_200]


@pytest.mark.row(24)
@pytest.mark.row(77)
@pytest.mark.parametrize(("days", "dead"), [(11, 0), (13, 1)])
def test_in_a_pause_of_weeks_what_waits_is_kept_from_being_forgotten(
    account: Account, days: int, dead: int
) -> None:
    """It is hidden between the runs, so nothing but a run sees it."""
    was_due = datetime.fromtimestamp(time.time() + (days - 1) * 86_400, UTC)  # a day ago, by then
    due = was_due.isoformat(timespec="seconds")
    history = {**GOOD_ION, "lane": "bulk", "due": due, "since": due}
    account.publish(email(1), {"ion": ("String", json.dumps(history))}, account.later_url)
    account.time_passes(days * 86_400)
    pause(account, Lane.BULK)
    summary = run(account)
    assert (summary.received, summary.sent, summary.dead_lettered) == (dead, 0, dead)
    assert reasons(account) == ["EXPIRED"] * dead
    assert len(account.waiting()) == 1 - dead


def pause_beside(account: Account, lane: Lane | None) -> None:
    in_thread(lambda: pause(account, lane))


def in_thread(call: Callable[[], None]) -> None:
    """Beside the loop that is running."""
    thread = threading.Thread(target=call)
    thread.start()
    thread.join()


@pytest.mark.row(77)
def test_a_pause_by_the_topic_is_obeyed_at_once_and_its_message_is_gone(account: Account) -> None:
    account.publish('{"action": "pause"}')
    assert run(account).stopped == "paused"
    assert (account.waiting(), account.dead()) == ([], [])
    (one,) = in_force(account).pauses
    assert 3590 < one.until.timestamp() - time.time() <= 3600


def test_a_resume_by_the_topic_ends_everything(account: Account) -> None:
    pause(account, Lane.BULK)
    stop(account)
    account.publish('{"action": "resume"}')
    account.publish(email(1), url=account.bulk_url)
    run(account)
    assert (in_force(account).pauses, in_force(account).stops) == ((), ())
    assert run(account).stopped == "empty"
    assert account.waiting() == []


@pytest.mark.row(77)
def test_many_orders_at_once_are_all_obeyed_at_once(account: Account) -> None:
    for number in range(40):
        where = {"tag": {"campaign": str(number)}}
        account.publish(json.dumps({"action": "stop", "where": where}))
    summary = run(account)
    assert (summary.deferred, account.waiting(), account.dead()) == (0, [], [])
    assert len(in_force(account).stops) == 40


@pytest.mark.row(77)
@pytest.mark.parametrize("order", ["stop", "pause"])
def test_an_order_that_is_older_than_the_last_resume_does_nothing(
    account: Account, log: Log, order: str
) -> None:
    """As one that couldn't be written, and comes back when another has ended everything."""
    account.publish(json.dumps({"action": order}))
    change(account, lambda was: was.resumed(time.time() + 0.01))
    account.publish(email(1))
    assert run(account).sent == 1
    assert (in_force(account).pauses, in_force(account).stops) == ((), ())
    (told,) = events(log, "steered")
    assert told["without_effect"] == "a later resume has ended it"
    assert account.waiting() == []


def test_an_order_that_is_over_already_does_nothing_and_says_so(account: Account, log: Log) -> None:
    account.publish('{"action": "pause", "until": "2026-01-01T00:00:00Z"}')
    assert run(account).stopped == "empty"
    assert in_force(account) == Control()
    (told,) = events(log, "steered")
    assert (told["without_effect"], told["pauses"]) == ("over already", {})


# the row can't be read


@pytest.mark.row(78)
def test_what_can_not_be_known_is_not_sent(account: Account, log: Log) -> None:
    account.publish(email())
    sqs, server = account.sqs(), ScriptedServer()
    ill = account.dynamodb(batch_get_item=failing("ThrottlingException"))
    summary = run(account, server, sqs=sqs, control=ill)
    assert (summary.stopped, summary.received) == ("ledger", 0)
    assert [one["reply"] for one in events(log, "delivery suspended")] == ["ThrottlingException"]
    assert (sqs.calls, server.sessions, attempts(account)) == ([], [], [])


@pytest.mark.row(78)
@pytest.mark.usefixtures("quick_looks")
def test_a_row_that_can_not_be_read_any_more_ends_the_run(account: Account) -> None:
    for number in range(5):
        account.publish(email(number))
    ill = [False]

    def read(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        return failing()(real, request) if ill[0] else real(**request)

    server = Quick(lambda: ill.__setitem__(0, True))
    summary = run(account, server, control=account.dynamodb(batch_get_item=read))
    assert (summary.stopped, summary.sent, summary.released) == ("ledger", 1, 4)
    assert sorted(attempts(account), key=str) == [(0, "0")] * 4 + [(1, "0")]


@pytest.mark.row(78)
@pytest.mark.usefixtures("quick_looks")
def test_a_row_that_is_not_answered_for_in_time_can_not_be_read(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """boto3 alone would wait for minutes, and an order is obeyed within ten seconds."""
    monkeypatch.setattr(steering, "_ANSWER_SECONDS", 0.1)
    for number in range(5):
        account.publish(email(number))
    slow, answers = [False], threading.Event()

    def read(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        if slow[0]:
            answers.wait(10)
        return real(**request)

    async def main() -> Summary:
        async with Quick(lambda: slow.__setitem__(0, True)) as server:
            control = account.dynamodb(batch_get_item=read)
            try:
                return await drain(account, server, control=control)
            finally:
                answers.set()

    summary = asyncio.run(main())
    assert (summary.stopped, summary.sent, summary.released) == ("ledger", 1, 4)


@pytest.mark.row(77)
@pytest.mark.usefixtures("quick_looks")
def test_a_pause_during_a_late_claim_is_obeyed(account: Account) -> None:
    account.publish(email(in_doubt="park"))
    looked = threading.Event()

    def read(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        answer = real(**request)
        if "pauses" in str(answer):
            looked.set()
        return answer

    def claim(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        if not looked.is_set():
            pause(account)
            looked.wait(10)
        return real(**request)

    server = ScriptedServer()
    parts = {
        "control": account.dynamodb(batch_get_item=read),
        "dynamodb": account.dynamodb(batch_execute_statement=claim),
    }
    summary = run(account, server, **parts)
    assert (summary.stopped, summary.sent, summary.released) == ("paused", 0, 1)
    assert (server.accepted, attempts(account)) == ([], [(0, "0")])


@pytest.mark.row(78)
@pytest.mark.usefixtures("quick_looks")
def test_a_look_that_fails_now_and_then_ends_no_run(account: Account) -> None:
    for number in range(5):
        account.publish(email(number))
    looks = itertools.count()

    def read(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        return failing()(real, request) if next(looks) % 2 else real(**request)

    server = Quick(lambda: None)
    summary = run(account, server, control=account.dynamodb(batch_get_item=read))
    assert (summary.stopped, summary.sent) == ("empty", 5)
    assert next(looks) > 4, "two of them failed"


@pytest.mark.row(78)
@pytest.mark.usefixtures("quick_looks")
def test_after_a_look_that_failed_another_follows_at_once(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not only when its time has come, or it would be too late for an order."""
    monkeypatch.setattr(steering, "_ANSWER_SECONDS", 0.1)
    for number in range(5):
        account.publish(email(number))
    ill = [False]

    def read(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        if not ill[0]:
            return real(**request)
        monkeypatch.setattr(steering, "LOOK_SECONDS", 3600)
        return failing()(real, request)

    server = Quick(lambda: ill.__setitem__(0, True))
    summary = run(account, server, control=account.dynamodb(batch_get_item=read))
    assert (summary.stopped, summary.sent) == ("ledger", 1)


# stops


@pytest.mark.row(77)
def test_a_stop_dead_letters_what_it_is_about_and_counts(account: Account) -> None:
    for number in range(3):
        account.publish(email(number, tags={"campaign": "spring"}))
    account.publish(email(3))
    stop(account, tag={"campaign": "spring"})
    server = ScriptedServer()
    summary = run(account, server)
    assert (summary.sent, summary.dead_lettered, summary.by_stop) == (1, 3, 3)
    assert recipients(server) == {"to3@example.org": 1}
    assert reasons(account) == ["STOPPED"] * 3
    assert [ion_of(held)["attempts"] for held in account.dead()] == [0] * 3
    assert [one.stopped for one in in_force(account).stops] == [3]


@pytest.mark.row(77)
def test_what_was_stopped_is_sent_by_a_redrive_once_the_stop_has_ended(account: Account) -> None:
    account.publish(email(1))
    stop(account)
    assert run(account).by_stop == 1
    account.publish('{"action": "resume"}')
    run(account)
    account.publish('{"action": "redrive", "where": {"reason": "STOPPED"}}')
    assert run(account).sent == 1
    assert account.dead() == []


@pytest.mark.row(77)
def test_a_redrive_is_no_email_to_be_stopped_but_what_it_moves_is(account: Account) -> None:
    account.publish(email(1))
    run(account, ScriptedServer({Step.RCPT: reply(550, "5.1.1 no")}))
    stop(account)
    account.publish('{"action": "redrive"}')
    summary = run(account)
    assert (summary.redriven, summary.sent, summary.by_stop) == (1, 0, 1)
    assert reasons(account) == ["STOPPED"]


@pytest.mark.row(77)
@pytest.mark.usefixtures("quick_looks")
def test_a_stop_in_the_middle_of_a_batch_harms_nothing_under_way(account: Account) -> None:
    for number in range(6):
        account.publish(email(number))
    server = Quick(lambda: in_thread(lambda: stop(account)))
    summary = run(account, server)
    assert (summary.sent, summary.by_stop) == (1, 5)
    assert [one.stopped for one in in_force(account).stops] == [5]


@pytest.mark.row(77)
def test_what_comes_back_after_a_resume_is_not_stopped_by_a_run_that_has_not_seen_it(
    account: Account,
) -> None:
    """A redrive that follows the resume at once, say. The run looks every five seconds."""
    stop(account, tag={"campaign": "spring"})
    account.publish(email(1))

    def resumed_and_redriven() -> None:
        change(account, lambda was: was.resumed(time.time()))
        account.publish(email(2, tags={"campaign": "spring"}))

    server = Quick(lambda: in_thread(resumed_and_redriven))
    summary = run(account, server)
    assert (summary.sent, summary.by_stop) == (2, 0)


@pytest.mark.row(77)
def test_an_email_that_no_stop_is_about_costs_no_look(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steering, "LOOK_SECONDS", 3600)
    monkeypatch.setattr(steering, "_STALE_SECONDS", -1)  # any look is too old for a stop
    for number in range(5):
        account.publish(email(number))
    stop(account, tag={"campaign": "spring"})
    control = account.dynamodb()
    summary = run(account, control=control)
    assert (summary.sent, summary.by_stop) == (5, 0)
    assert len(control.asked("batch_get_item")) == 1


@pytest.mark.row(77)
def test_emails_that_must_not_be_sent_twice_are_stopped_too(account: Account) -> None:
    account.publish(email(1, in_doubt="park"))
    stop(account)
    assert run(account, smtp=wide(2)).by_stop == 1


@pytest.mark.row(77)
async def test_what_is_stopped_takes_no_token(account: Account) -> None:
    for number in range(5):
        account.publish(email(number))
    await control_row(account).change(lambda was: was.with_stop(Stop(), time.time(), new_id="s1"))
    pace = Pace(Limits(0.01, 1), asyncio.get_running_loop().time())
    async with ScriptedServer() as server:
        summary = await asyncio.wait_for(drain(account, server, pace=pace), PATIENCE_SECONDS)
    assert summary.by_stop == 5


@pytest.mark.row(79)
@pytest.mark.parametrize(
    ("where", "stopped"),
    [
        ({"email_id": "order-17"}, 1),
        ({"email_id": "order-18"}, 0),
        ({"sender": "ion@example.org"}, 1),  # the relay's, for this email names none
    ],
)
def test_a_stop_is_about_an_email_as_it_would_be_sent(
    account: Account, where: dict[str, str], stopped: int
) -> None:
    account.publish(email(1, email_id="order-17"))
    stop(account, **where)
    assert run(account).by_stop == stopped


@pytest.mark.row(79)
def test_a_stop_is_not_about_whom_an_email_was_sent_to_already(account: Account) -> None:
    account.publish(email(recipient=["ann@one.example", "bob@two.example"]))
    run(account, ScriptedServer({Step.RCPT: [NORMAL, reply(451, "4.7.1 greylisted")]}))
    stop(account, recipient_domain="one.example")
    account.time_passes(600)
    server = ScriptedServer()
    summary = run(account, server)
    assert (summary.by_stop, recipients(server)) == (0, {"bob@two.example": 1})


@pytest.mark.row(77)
def test_a_stop_by_the_topic_has_the_name_of_its_message(account: Account) -> None:
    for name in ("spring", "autumn"):
        account.publish(json.dumps({"action": "stop", "where": {"tag": {"campaign": name}}}))
    run(account)
    one, two = in_force(account).stops
    assert len({one.id, two.id, ""}) == 3, "each is counted by its own"
    assert [one.by, two.by] == [f"message {one.id}", f"message {two.id}"]


@pytest.mark.row(77)
def test_a_stop_that_is_one_too_many_is_dead_lettered_and_says_so(account: Account) -> None:
    def fifty(was: Control) -> Control:
        for number in range(50):
            where = StopWhere(tag={"n": str(number)})
            was = was.with_stop(Stop(where=where), time.time(), new_id=str(number))
        return was

    change(account, fifty)
    account.publish('{"action": "stop"}')
    assert run(account).dead_lettered == 1
    (letter,) = account.dead()
    assert "resume ends them" in str(letter.attributes["reply"][1])
    assert len(in_force(account).stops) == 50


@pytest.mark.row(79)
def test_a_stop_by_the_topic_that_matches_nothing_stops_nothing(account: Account) -> None:
    where = {"tag": {"odd": "\"'\\{}"}, "sender": "x@y", "recipient_domain": "\u2603.example"}
    account.publish(json.dumps({"action": "stop", "where": where}))
    run(account)
    account.publish(email(1))
    summary = run(account)
    assert (summary.sent, summary.by_stop) == (1, 0)
    assert [one.stopped for one in in_force(account).stops] == [0]


@pytest.mark.row(78)
def test_an_order_that_can_not_be_written_comes_back(account: Account, log: Log) -> None:
    account.publish('{"action": "pause"}')
    ill = account.dynamodb(batch_execute_statement=failing())
    assert run(account, control=ill).deferred == 1
    (waits,) = account.waiting()
    (told,) = events(log, "deferred")
    (trouble,) = events(log, "an order can't be written")
    assert told["message_id"] == trouble["message_id"] == waits.id
    assert (told["reason"], told["retry_in_seconds"]) == ("LEDGER", 60)


@pytest.mark.row(77)
def test_an_order_that_others_always_overtake_comes_back_soon(account: Account, log: Log) -> None:
    account.publish('{"action": "pause"}')
    refused = {"Responses": [{"Error": {"Code": "ConditionalCheckFailed"}}]}
    overtaken = account.dynamodb(batch_execute_statement=lambda *_: refused)
    summary = run(account, control=overtaken)
    assert (summary.deferred, summary.held) == (1, "")
    assert [one["retry_in_seconds"] for one in events(log, "deferred")] == [5]


# cancels


@pytest.mark.row(76)
def test_an_email_is_cancelled_before_it_was_ever_seen(account: Account, log: Log) -> None:
    account.publish('{"action": "cancel", "email_id": "order-17"}')
    run(account)
    account.publish(email(1, email_id="order-17"))
    server = ScriptedServer()
    summary = run(account, server)
    assert (summary.sent, summary.dead_lettered, server.submissions) == (0, 0, [])
    assert (account.waiting(), account.dead()) == ([], [])
    assert [row["status"] for row in account.rows()] == ["cancelled"]
    assert [one["reason"] for one in events(log, "done")] == ["ACCEPTED", "CANCELLED"]
    (told,) = events(log, "cancelled")
    assert (told["email_id"], told["tried"]) == ("order-17", False)


@pytest.mark.row(76)
async def test_what_waits_is_cancelled_and_what_was_sent_is_not(account: Account, log: Log) -> None:
    for name in ("a", "b"):
        account.publish(email(1, email_id=name))
    server = ScriptedServer({Step.RCPT: [reply(450, "4.2.1 busy")]})
    async with server:
        await drain(account, server)
        for name in ("a", "b", "a", "b"):
            account.publish(json.dumps({"action": "cancel", "email_id": name}))
        await drain(account, server)
        account.time_passes(3600)
        await drain(account, server)
    assert len(server.accepted) == 1
    assert sorted(str(row["status"]) for row in account.rows()) == ["cancelled", "sent"]
    assert (account.waiting(), account.dead()) == ([], [])
    assert [one["tried"] for one in events(log, "cancelled")] == [True, True]
    assert len(events(log, "too_late")) == 2
