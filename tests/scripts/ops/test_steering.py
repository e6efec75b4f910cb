"""What an operator orders is obeyed by the next run, and leaves its trace."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError, NoCredentialsError

from draining import control_row, email, run
from emulated import Account, failing
from ion.contract import Lane, Pause, Stop, StopWhere
from ionctl.ops import letters, steering
from ionctl.problem import Problem
from operated import deployment, woken


@pytest.mark.row(77)
def test_a_pause_of_everything_is_made_and_ended_past_the_queue(account: Account) -> None:
    operated = deployment(account)
    before = datetime.now(UTC)
    done = steering.pause(operated, Pause(), by="ann", why="a typo")
    (one,) = done.pauses
    assert (one.lane, one.by, one.why) == (None, "ann", "a typo")
    assert one.at is not None
    assert before <= one.at <= datetime.now(UTC)
    assert one.until - one.at == timedelta(hours=1)
    assert done.words.startswith("everything is paused: every running function obeys by ")
    assert run(account).stopped == "paused"
    assert steering.in_force(operated).pauses == [one]
    assert woken(operated) == 0
    done = steering.resume(operated, by="bob")
    assert (done.pauses, done.stops, woken(operated)) == ([], [], 1)
    assert done.words == "every pause and every stop is over: the relay is awake"
    assert asyncio.run(control_row(account).read()).resumed_by == "bob"
    assert run(account).stopped == "empty"


@pytest.mark.row(79)
def test_a_stop_has_conditions_and_a_count(account: Account) -> None:
    operated = deployment(account)
    tag: dict[str, str | None] = {"campaign": "spring", "odd": "a=b ~"}
    where = StopWhere(tag=tag, recipient_domain="example.org")
    done = steering.stop(operated, Stop(where=where), by="ann")
    account.publish(email(tags=tag))
    assert run(account).by_stop == 1
    (one,) = steering.in_force(operated).stops
    assert (one.id, one.stopped) == (done.stops[0].id, 1)
    assert one.where == {"tag": tag, "recipient_domain": "example.org"}
    assert done.words.startswith(f"stop {one.id} is in force: every running function obeys by ")


@pytest.mark.row(77)
def test_a_stop_that_goes_on_is_told_by_the_id_that_it_has(account: Account) -> None:
    operated, order = deployment(account), Stop(where=StopWhere(email_id="order-17"))
    (first,) = steering.stop(operated, order, by="ann").stops
    again = steering.stop(operated, order, by="bob")
    assert again.words.startswith(f"stop {first.id} is in force: ")
    (one,) = again.stops
    assert (one.id, one.by) == (first.id, "bob")
    assert one.at is not None
    assert steering.resume(operated, by="ann", stop_id=first.id).stops == []


@pytest.mark.row(77)
def test_a_letter_says_which_stop_it_was_and_why(account: Account) -> None:
    operated = deployment(account)
    why = f"a wrong\tlink, says ann@example.org \udc80{'x' * 2000}"
    (stop,) = steering.stop(operated, Stop(), by="ann", why=why).stops
    account.publish(email())
    run(account)
    (letter,) = letters.look(operated).letters
    assert letter.reason == "STOPPED"
    assert letter.reply.startswith(f"stop {stop.id} by ann: a wrong link, says <address>  xxx")
    assert len(letter.reply) == 200


def test_a_stop_may_be_about_one_email(account: Account) -> None:
    steering.stop(deployment(account), Stop(where=StopWhere(email_id="order-17")), by="ann")
    for key in ("order-17", "order-18"):
        account.publish(email(email_id=key))
    summary = run(account)
    assert (summary.by_stop, summary.sent) == (1, 1)


def test_what_was_stopped_goes_out_after_a_redrive(account: Account) -> None:
    operated = deployment(account)
    steering.stop(operated, Stop(), by="ann")
    account.publish(email())
    run(account)
    steering.resume(operated, by="ann")
    assert letters.redrive(operated).done == 1
    assert run(account).sent == 1


@pytest.mark.row(77)
def test_one_stop_may_be_ended_alone(account: Account) -> None:
    operated = deployment(account)
    one, two = (
        steering.stop(operated, Stop(where=StopWhere(email_id=key)), by="ann").stops[-1].id
        for key in ("order-1", "order-2")
    )
    steering.pause(operated, Pause(lane=Lane.BULK), by="ann")
    done = steering.resume(operated, by="ann", stop_id=one)
    assert ([stop.id for stop in done.stops], len(done.pauses)) == ([two], 1)
    assert done.words == f"stop {one} is over: the relay is awake"
    for key in ("order-1", "order-2"):
        account.publish(email(email_id=key))
    assert run(account).by_stop == 1
    with pytest.raises(Problem, match=f"no stop {one} is in force: ionctl status"):
        steering.resume(operated, by="ann", stop_id=one)


@pytest.mark.row(77)
def test_the_pause_of_one_lane_may_be_ended_alone(account: Account) -> None:
    operated = deployment(account)
    for lane in Lane:
        steering.pause(operated, Pause(lane=lane), by="ann")
    done = steering.resume(operated, by="ann", lane=Lane.BULK)
    assert [one.lane for one in done.pauses] == ["normal"]
    with pytest.raises(Problem, match="bulk mail has no pause of its own: ionctl status"):
        steering.resume(operated, by="ann", lane=Lane.BULK)


def test_a_lane_is_paused_until_a_time(account: Account) -> None:
    order = Pause(lane=Lane.BULK, until="2999-01-01T00:00:00Z")
    (one,) = steering.pause(deployment(account), order, by="ann").pauses
    assert (one.lane, one.until.year) == ("bulk", 2999)


@pytest.mark.row(76)
def test_an_email_is_cancelled_or_it_is_too_late(account: Account) -> None:
    operated = deployment(account)
    account.publish(email(email_id="a"))
    run(account)
    done = steering.cancel(operated, "b", by="ann")
    assert done.how == "untried"
    assert done.words.startswith("cancelled; nothing of that id has been tried yet: ")
    assert steering.cancel(operated, "b").how == "cancelled"
    assert steering.cancel(operated, "a").how == "too_late"
    row = next(one for one in account.rows() if one["email_id"] == "b")
    assert row["cancelled_by"] == "ann"


def test_what_is_over_already_changes_nothing(account: Account) -> None:
    operated = deployment(account)
    with pytest.raises(Problem, match="until 2026-01-01T00:00:00Z: over already, nothing is chan"):
        steering.pause(operated, Pause(until="2026-01-01T00:00:00Z"), by="ann")
    with pytest.raises(Problem, match="over already"):
        steering.stop(operated, Stop(until="2026-01-01T00:00:00Z"), by="ann")
    assert steering.in_force(operated).words == "nothing is paused or stopped"


def test_more_stops_than_the_row_holds_are_refused(account: Account) -> None:
    operated = deployment(account)
    for number in range(50):
        steering.stop(operated, Stop(where=StopWhere(email_id=str(number))), by="ann")
    with pytest.raises(Problem, match="50 stops are in force: resume ends them"):
        steering.stop(operated, Stop(), by="ann")


@pytest.mark.row(78)
def test_a_damaged_row_is_told_with_what_mends_it(account: Account) -> None:
    operated = deployment(account)
    item: Any = {"email_id": {"S": " control "}, "control": {"S": "x"}}
    account.dynamodb().put_item(TableName=account.table, Item=item)
    with pytest.raises(Problem, match="ionctl resume writes it anew"):
        steering.in_force(operated)
    with pytest.raises(Problem, match="ionctl resume writes it anew"):
        steering.stop(operated, Stop(), by="ann")
    with pytest.raises(Problem, match="ionctl resume writes it anew"):
        steering.pause(operated, Pause(), by="ann")
    summary = run(account)
    assert (summary.stopped, summary.error) == ("ledger", "LEDGER at claim: ControlUnreadable")
    steering.resume(operated, by="ann")
    assert steering.in_force(operated).stops == []
    assert run(account).stopped == "empty"


@pytest.mark.parametrize(
    ("error", "helps"),
    [
        (NoCredentialsError(), "set AWS_PROFILE"),
        (EndpointConnectionError(endpoint_url="x"), "AWS_ENDPOINT_URL"),
    ],
)
def test_a_table_that_does_not_answer_is_told_with_what_helps(
    account: Account, error: Exception, helps: str
) -> None:
    def ask(*_: Any) -> None:  # noqa: ANN401
        raise error

    operated = deployment(account, dynamodb=account.dynamodb(batch_get_item=ask))
    with pytest.raises(Problem, match=rf"the table ion-ledger.* can't be used: .*{helps}"):
        steering.in_force(operated)


def test_the_relay_is_woken_and_its_run_is_not_waited_for(account: Account) -> None:
    operated = deployment(account)
    steering.wake(operated)
    functions: Any = operated.account.functions
    assert functions.invoked == [{"FunctionName": "ion", "InvocationType": "Event"}]


def test_a_relay_that_can_not_be_woken_is_told(account: Account) -> None:
    operated = deployment(account)
    functions: Any = operated.account.functions
    functions.invoke = lambda **_: failing("AccessDenied")(print, {})
    done = steering.resume(operated, by="ann")
    assert done.words.endswith(
        "what waits goes out when a message, an alarm or the schedule wakes the relay next"
    )
