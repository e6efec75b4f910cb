"""Batches of the ledger's stream through the function, with a topic and queues of moto's."""

import json
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.exceptions import ClientError

from events.telling import WRITTEN_AT, Context, Ear, Json, numbers, record, run
from ion.events import handler
from ion.events.topic import Topic

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient


def aside(record: Json) -> Json:
    """As the failure queue has it."""
    return {"Records": [record], "again": True}


def types(events: list[Json]) -> list[str]:
    return [one["type"].removeprefix("ion.email.") for one in events]


def subscribed(ear: Ear, policy: Json) -> str:
    """URL of a queue that hears only what passes a filter."""
    url: str = ear.sqs.create_queue(QueueName="filtered")["QueueUrl"]
    about = ear.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    ear.sns.subscribe(
        TopicArn=ear.topic_arn,
        Protocol="sqs",
        Endpoint=about["Attributes"]["QueueArn"],
        Attributes={"RawMessageDelivery": "true", "FilterPolicy": json.dumps(policy)},
    )
    return url


def test_a_batch_becomes_its_events(ear: Ear) -> None:
    assert run("claimed", "sent", "address", "released", "bounced", "bad_input", "removed") == []
    assert types(ear.heard()) == ["sent", "bounced", "bounced"]
    assert ear.failures() == []


def test_attempts_are_told_where_the_variable_says_so(
    ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("deferred", "deferred_again")
    assert ear.heard() == []
    monkeypatch.setenv("EVENTS_ATTEMPTS", "on")
    run("deferred", "deferred_again")
    assert [one["data"].get("times", 1) for one in ear.heard()] == [1, 2]


def test_a_subscriber_hears_what_its_filter_lets_through(ear: Ear) -> None:
    url = subscribed(ear, {"tag_list": ["news"], "type": ["ion.email.bounced"]})
    run("sent", "bounced", "cancelled")
    heard = ear.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert types([json.loads(one["Body"]) for one in heard]) == ["bounced"]


@pytest.mark.row(82)
def test_a_batch_that_comes_twice_makes_the_same_events(ear: Ear) -> None:
    for _ in range(2):
        run("sent", "some_bounced")
    ids = [one["id"] for one in ear.heard()]
    assert sorted(ids[:4]) == sorted(ids[4:])


@pytest.mark.row(81)
def test_a_poison_record_is_set_aside_whole_and_the_rest_goes_on(
    ear: Ear, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("sent", "poison", "bounced", "poison_told", "cancelled") == []
    assert types(ear.heard()) == ["sent", "bounced", "cancelled"]
    assert ear.failures() == [aside(record(name)) for name in ("poison", "poison_told")]
    (first, second) = map(json.loads, capsys.readouterr().out.splitlines())
    assert first["message"] == second["message"] == "record set aside"
    assert first["event_id"] == record("poison")["eventID"]


@pytest.mark.row(81)
def test_what_was_set_aside_is_told_once_the_function_can(ear: Ear) -> None:
    run("poison")
    (request,) = ear.failures()
    failed = handler.run(request, Context())["batchItemFailures"]
    assert [one["itemIdentifier"] for one in failed] == numbers("poison")
    assert ear.failures() == []  # a person who tries too soon makes no second one
    timeline = record("sent")["dynamodb"]["NewImage"]["timeline"]
    request["Records"][0]["dynamodb"]["NewImage"]["timeline"] = timeline
    assert handler.run(request, Context()) == {"batchItemFailures": []}
    assert types(ear.heard()) == ["sent"]


@pytest.mark.row(81)
def test_poison_that_cannot_be_set_aside_is_reported(ear: Ear) -> None:
    ear.sqs.delete_queue(QueueUrl=ear.failure_url)
    assert run("sent", "poison", "bounced") == numbers("poison")
    assert types(ear.heard()) == ["sent", "bounced"]


def large(name: str, characters: int, *images: str) -> Json:
    """A record in whose images the timeline's last entry has a reason of so many characters."""
    one = record(name)
    for image in images:
        row = one["dynamodb"].setdefault(image, {})
        timeline = json.loads(one["dynamodb"]["NewImage"]["timeline"]["S"])
        timeline[-1]["reason"] = image[0] * characters
        row["timeline"] = {"S": json.dumps(timeline)}
    return one


@pytest.mark.row(81)
@pytest.mark.parametrize(
    ("allowed", "one"),
    [
        (262_144, large("bounced", 300_000, "NewImage")),
        (1_048_576, large("bounced", 600_000, "OldImage", "NewImage")),
    ],
    ids=["256 KiB", "1 MiB"],
)
def test_of_a_record_too_large_for_topic_and_failure_queue_a_stub_is_set_aside(
    ear: Ear, capsys: pytest.CaptureFixture[str], allowed: int, one: Json
) -> None:
    ear.sqs.set_queue_attributes(
        QueueUrl=ear.failure_url, Attributes={"MaximumMessageSize": str(allowed)}
    )
    batch = {"Records": [record("sent"), one, record("cancelled")]}
    assert handler.run(batch, Context()) == {"batchItemFailures": []}
    assert types(ear.heard()) == ["sent", "cancelled"]
    (request,) = ear.failures()
    (stub,) = request["Records"]
    assert stub["eventID"] == one["eventID"]
    assert ":table/ion-ledger/" in stub["eventSourceARN"]
    names = ("Keys", "SequenceNumber", "ApproximateCreationDateTime")
    change = {name: one["dynamodb"][name] for name in names}
    assert stub["dynamodb"].items() >= change.items()
    assert "refused by SNS" in stub["left_out"]
    assert "NewImage" not in stub["dynamodb"]
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (said["level"], said["event_id"]) == ("ERROR", one["eventID"])
    again = handler.run(request, Context())["batchItemFailures"]  # it isn't taken for told
    assert [failure["itemIdentifier"] for failure in again] == numbers("bounced")


@pytest.mark.row(81)
def test_a_record_too_large_for_the_topic_alone_is_set_aside_whole(ear: Ear) -> None:
    one = large("bounced", 300_000, "NewImage")
    assert handler.run({"Records": [one, record("sent")]}, Context()) == {"batchItemFailures": []}
    assert types(ear.heard()) == ["sent"]
    assert ear.failures() == [aside(one)]


@pytest.mark.row(81)
def test_a_fault_of_our_own_over_a_record_harms_no_other(ear: Ear) -> None:
    naive = record("sent")
    naive["dynamodb"]["NewImage"]["first_queued_at"]["S"] = "2026-11-29T10:00:00"  # without a zone
    batch = {"Records": [naive, record("bounced")]}
    assert handler.run(batch, Context()) == {"batchItemFailures": []}
    assert types(ear.heard()) == ["bounced"]
    assert ear.failures() == [aside(naive)]


@pytest.mark.row(81)
def test_without_its_topic_everything_is_to_come_again(
    ear: Ear, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ear.sns.delete_topic(TopicArn=ear.topic_arn)
    monkeypatch.setattr("time.time", lambda: WRITTEN_AT)
    assert run("claimed", "sent", "bounced") == numbers("sent")
    assert json.loads(capsys.readouterr().out)["code"] == "NotFound"
    assert ear.failures() == []


@pytest.mark.row(81)
@pytest.mark.parametrize(
    ("hours", "count"), [(11.9, 0), (12.1, 2)], ids=["before 12 hours", "after 12 hours"]
)
def test_what_cannot_be_published_for_half_a_day_is_set_aside(
    ear: Ear, monkeypatch: pytest.MonkeyPatch, hours: float, count: int
) -> None:
    """The stream forgets it after a day."""
    ear.sns.delete_topic(TopicArn=ear.topic_arn)
    monkeypatch.setattr("time.time", lambda: WRITTEN_AT + 3600 * hours)
    assert run("sent", "bounced") == ([] if count else numbers("sent"))
    assert len(ear.failures()) == count


class Throttled:
    """Takes so many messages, and no more for now."""

    def __init__(self, sns: "SNSClient", takes: int) -> None:
        self._sns = sns
        self.left = takes

    def publish_batch(self, **request: object) -> object:
        entries = cast("list[Json]", request["PublishBatchRequestEntries"])
        if not self.left:
            error = {"Error": {"Code": "Throttling", "Message": ""}}
            raise ClientError(error, "PublishBatch")  # type: ignore[arg-type]
        taken, over = entries[: self.left], entries[self.left :]
        self.left -= len(taken)
        publish: Any = self._sns.publish_batch
        answer: Json = publish(**request | {"PublishBatchRequestEntries": taken})
        failed = [{"Id": one["Id"], "Code": "Throttling", "SenderFault": False} for one in over]
        return answer | {"Failed": failed}


@pytest.mark.row(81)
def test_a_throttled_topic_costs_no_event(ear: Ear) -> None:
    names = ["sent", "some_bounced", "bounced", "expired", "stopped", "cancelled", "complained"]
    batch = [record(name) for name in names]
    heard: list[Json] = []
    for _ in range(20):
        sns = Throttled(handler._sns(), 3)  # noqa: SLF001 - a client of the function's own
        topic = Topic(
            cast("SNSClient", sns), ear.topic_arn, lambda _: None, lambda: False, lambda _: None
        )
        settings = handler.Settings.of(ear.environment)
        answer = handler.told(batch, settings, topic, lambda *_: False, lambda: WRITTEN_AT)
        heard += ear.heard()
        if not answer["batchItemFailures"]:
            break
        assert heard
        (first,) = answer["batchItemFailures"]
        places = [one["dynamodb"]["SequenceNumber"] for one in batch]
        batch = batch[places.index(first["itemIdentifier"]) :]
    run(*names)
    assert {one["id"] for one in heard} == {one["id"] for one in ear.heard()}


def test_near_its_end_the_function_reports_what_it_has_not_begun(
    ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The slowest call takes 13 seconds: two tries of six, and a second between them."""
    monkeypatch.setattr("time.time", lambda: WRITTEN_AT)
    assert run("sent", context=Context(13_000)) == numbers("sent")
    assert ear.heard() == []


@pytest.mark.parametrize("name", ["EVENTS_TOPIC_ARN", "EVENTS_FAILURE_QUEUE_URL", "EVENTS_SOURCE"])
def test_a_variable_that_is_missing_fails_the_whole_batch(
    ear: Ear, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.delenv(name)
    with pytest.raises(KeyError, match=name):
        run("sent")
    assert ear.heard() == []
