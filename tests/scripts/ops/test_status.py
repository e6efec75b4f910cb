"""A relay at a glance, as it is gathered from what its function has written."""

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from ion.contract import Pause, Stop, StopWhere
from ion.policy.backoff import Backoff
from ion.policy.rate import LearnedRate
from ionctl.ops.looks import latest_first
from ionctl.ops.result import Verdict
from ionctl.ops.status import status
from relays import Operated

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch.type_defs import MetricDataResultTypeDef


def ago(seconds: float) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=seconds)


def letter(relay: Operated, reason: str) -> None:
    relay.queued("{}", relay.names.dead_letter_queue_url, attributes={"reason": reason})


def test_a_new_relay_is_idle_and_all_of_it_is_seen(relay: Operated) -> None:
    seen = status(relay.deployment)
    assert (seen.verdict, seen.words, seen.ok) == (Verdict.IDLE, "Nothing waits.", True)
    assert (seen.name, seen.region) == ("ion", "us-east-1")
    assert (seen.dead_letters, seen.dead_letters_seen, seen.runs) == ([], 0, [])
    assert seen.unknown == []
    assert [(one.server, one.connections) for one in seen.pace] == [("smtp", 4)]
    assert {one.heard_by for one in seen.alarms} == {0}


def test_what_waits_is_counted_by_queue(relay: Operated) -> None:
    names = relay.names
    for url, count in ((names.queue_url, 3), (names.bulk_queue_url, 2)):
        for _ in range(count):
            relay.queued("{}", url)
    relay.queued("{}", names.later_queue_url, delay=600)
    relay.clients.sqs.receive_message(QueueUrl=names.queue_url)
    queues = status(relay.deployment).queues
    assert (queues.input.visible, queues.input.in_flight) == (2, 1)
    assert (queues.bulk.visible, queues.later.delayed) == (2, 1)


def test_dead_letters_are_told_by_reason_and_stay_visible(relay: Operated) -> None:
    for reason in ("RCPT_REJECTED", "STOPPED", "RCPT_REJECTED"):
        letter(relay, reason)
    seen = status(relay.deployment)
    assert [(one.reason, one.count) for one in seen.dead_letters or []] == [
        ("RCPT_REJECTED", 2),
        ("STOPPED", 1),
    ]
    assert seen.dead_letters_seen == 3
    assert seen.words.endswith("3 dead letters: ionctl dead list.")
    again = status(relay.deployment, letters=False)
    assert (again.dead_letters, again.queues.dead_letter.visible) == (None, 3)


def test_a_refused_login_is_told_with_its_words_and_the_next_try(relay: Operated) -> None:
    until = int(time.time()) + 300
    backoff = Backoff("auth", "AUTH at auth: 535 5.7.8 no", 1, until, "00")
    asyncio.run(relay.server_states.write("smtp", backoff))
    about = {"server": "smtp", "reason": "AUTH", "reply": "535 5.7.8 no", "stage": "auth"}
    relay.ran(ago(600), sent=4)
    relay.logged("delivery suspended", ago(61), **about)
    relay.ran(ago(60), stopped="auth", held="auth", held_by="smtp", error="AUTH at auth: 535")
    for _ in range(30):
        relay.queued("{}")
    seen = status(relay.deployment)
    assert seen.verdict is Verdict.HELD
    assert seen.words.startswith("30 emails wait: the mail server smtp refuses the login: 535")
    assert seen.advice.startswith("Put the right login into the secret")
    assert seen.words.endswith(seen.advice)
    (held,) = seen.held
    assert (held.server, held.reason, held.reply) == ("smtp", "AUTH", "535 5.7.8 no")
    assert held.next_try == datetime.fromtimestamp(until, UTC)
    assert not seen.ok
    assert seen.backlog_ends is None


def test_a_wrong_setting_is_told_in_the_relays_own_words(relay: Operated) -> None:
    error = "config-secrets.cfg: [smtp] port: must be a number"
    relay.ran(ago(60), stopped="settings", error=error)
    seen = status(relay.deployment)
    assert (seen.verdict, seen.ok) == (Verdict.MISCONFIGURED, False)
    assert error in seen.words


def test_a_function_that_may_not_run_is_told(relay: Operated) -> None:
    relay.clients.functions.put_function_concurrency(
        FunctionName="ion", ReservedConcurrentExecutions=0
    )
    assert status(relay.deployment).verdict is Verdict.DISABLED


def test_orders_are_told_as_they_were_given(relay: Operated) -> None:
    now = time.time()
    stop = Stop(where=StopWhere(tag={"campaign": "spring"}))
    asyncio.run(
        relay.control.change(
            lambda was: was.with_stop(stop, now, by="bob", why="wrong link", new_id="a1")
        )
    )
    seen = status(relay.deployment)
    assert seen.verdict is Verdict.STOPPING
    (one,) = seen.stops
    assert (one.id, one.by, one.stopped) == ("a1", "bob", 0)
    assert one.where == {"tag": {"campaign": "spring"}}
    asyncio.run(
        relay.control.change(lambda was: was.with_pause(Pause(), now, by="ann", why="a typo"))
    )
    seen = status(relay.deployment)
    assert seen.verdict is Verdict.PAUSED
    assert [(one.lane, one.by, one.why) for one in seen.pauses] == [(None, "ann", "a typo")]


def test_mail_that_was_put_off_is_counted_once_an_email(relay: Operated) -> None:
    for seconds, key, wait in ((900, "a", 60), (600, "a", 900), (60, "b", 3600)):
        relay.logged("deferred", ago(seconds), email_id=key, retry_in_seconds=wait)
    relay.logged("deferred", ago(9), email_id="c", retry_in_seconds=86_400, reason="SCHEDULED")
    seen = status(relay.deployment)
    assert seen.deferred == 2
    assert seen.next_retry is not None
    assert abs(seen.next_retry - datetime.now(UTC) - timedelta(seconds=300)) < timedelta(minutes=1)


def test_what_is_due_already_is_no_next_retry(relay: Operated) -> None:
    for seconds, key, wait in ((900, "a", 60), (60, "b", 3600)):
        relay.logged("deferred", ago(seconds), email_id=key, retry_in_seconds=wait)
    seen = status(relay.deployment)
    assert seen.next_retry is not None
    assert seen.next_retry > seen.at


def test_a_backlog_ends_at_the_pace_of_the_last_runs(relay: Operated) -> None:
    relay.ran(ago(30), sent=50, seconds=10.0)
    relay.ran(ago(1200), sent=9000, seconds=10.0)
    for _ in range(10):
        relay.queued("{}")
    seen = status(relay.deployment)
    assert seen.verdict is Verdict.SENDING
    assert seen.backlog_ends == seen.at + timedelta(seconds=2)


def test_what_throttles_taught_is_told(relay: Operated) -> None:
    learned = LearnedRate(2, int(time.time()), "00", "", rate=5.0)
    asyncio.run(relay.server_states.write("smtp", learned))
    (pace,) = status(relay.deployment).pace
    assert (pace.learned, pace.rate, pace.connections) == (True, 5.0, 2)


def test_the_last_runs_come_the_latest_first(relay: Operated) -> None:
    for minutes in range(12):
        relay.ran(ago(60 * minutes + 5), received=minutes)
    seen = status(relay.deployment)
    assert [one.received for one in seen.runs] == list(range(10))


def test_what_may_not_be_looked_at_is_named_and_ends_nothing(relay: Operated) -> None:
    deployment = relay.deployment
    for client in ("cloudwatch", "dynamodb", "functions", "logs", "sqs"):
        getattr(deployment.account, client).meta.events.register("before-send.*", _denied)
    seen = status(deployment)
    assert seen.verdict is Verdict.IDLE
    assert seen.words == "As far as can be seen, nothing waits."
    told = {one.partition(":")[0] for one in seen.unknown}
    assert told == {
        *("ages and rates in CloudWatch", "emails that were put off", "pauses and stops"),
        *("the alarms", "the bulk queue", "the dead-letter queue", "the function's concurrency"),
        *("the input queue", "the later queue", "the log", "what is known of the mail servers"),
    }
    assert all("AccessDenied" in one for one in seen.unknown)
    assert seen.dead_letters is None


def _denied(**_: object) -> None:
    raise ClientError({"Error": {"Code": "AccessDenied", "Message": "…"}}, "Operation")


def test_a_damaged_control_row_names_its_remedy(relay: Operated) -> None:
    relay.row(" control ", control="{", version="1")
    (why,) = status(relay.deployment).unknown
    assert why == "pauses and stops: ControlUnreadable: ionctl resume writes that row anew"


def test_a_status_is_json(relay: Operated) -> None:
    import msgspec  # noqa: PLC0415

    text = msgspec.json.encode(status(relay.deployment))
    assert json.loads(text)["verdict"] == "idle"


@pytest.mark.parametrize("count", [1, 40])
def test_looking_takes_none_of_the_mail(relay: Operated, count: int) -> None:
    for _ in range(count):
        relay.queued("{}")
    status(relay.deployment)
    counts = relay.clients.sqs.get_queue_attributes(
        QueueUrl=relay.names.queue_url, AttributeNames=["ApproximateNumberOfMessages"]
    )
    assert counts["Attributes"]["ApproximateNumberOfMessages"] == str(count)


def test_the_age_of_the_oldest_is_of_the_latest_minute(relay: Operated) -> None:
    minute = datetime.now(UTC).replace(second=0, microsecond=0)
    for ago, seconds in ((2, 120.0), (1, 180.0), (3, 60.0)):
        relay.account.cloudwatch.put_metric_data(
            Namespace="AWS/SQS",
            MetricData=[
                {
                    "MetricName": "ApproximateAgeOfOldestMessage",
                    "Dimensions": [
                        {"Name": "QueueName", "Value": relay.names.queue_url.split("/")[-1]}
                    ],
                    "Timestamp": minute - timedelta(minutes=ago),
                    "Value": seconds,
                }
            ],
        )
    assert status(relay.deployment).queues.input.oldest_seconds == 180


def test_values_are_by_their_times_and_not_by_their_places_in_the_answer() -> None:
    minute = datetime(2026, 11, 28, 12, tzinfo=UTC)
    times = [minute + timedelta(minutes=one) for one in (1, 3, 0, 2)]
    answer: MetricDataResultTypeDef = {"Timestamps": times, "Values": [1.0, 3.0, 0.0, 2.0]}
    assert latest_first(answer) == [3.0, 2.0, 1.0, 0.0]
