"""The events function's entry: records of the ledger's stream in, outcome events out.

What isn't on the topic when it returns comes again, with all that was behind it in the stream: each
event is told at least once. What can't be told at all would keep the stream waiting for a day, so
it goes whole into the failure queue, as a request that the function takes again. Of a record that
is too large for the queue a stub goes there, which says whose row to look at.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

import boto3
from botocore.config import Config

from ion.aws.errors import AWS_ERRORS, code_of
from ion.events.change import UnreadableError, happenings
from ion.events.cloud_event import Message, cloud_event, message
from ion.events.stub import is_stub, is_too_large, stub_of
from ion.events.topic import Told, Topic

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

_GIVES_UP_SECONDS = 12 * 3600
"""A record that can't be published is set aside at this age; the stream forgets it after 24 h."""
_MARGIN_MILLISECONDS = 15_000
"""No call is begun with less left: the slowest takes 13 s, and the end is to be reported."""
_CONNECT_SECONDS = 2
_READ_SECONDS = 4


class Context(Protocol):
    """Lambda's context of an invocation, as far as it is read here."""

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the invocation is ended."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the function is told by its environment.

    Args:
        topic_arn: of the outcome topic.
        failure_queue_url: for what can't be told.
        source: the relay's ARN, which events name as theirs.
        attempts: whether attempts are told that are followed by others.
    """

    topic_arn: str
    failure_queue_url: str
    source: str
    attempts: bool

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Settings":
        """Read them.

        Raises:
            KeyError: a variable is missing.
        """
        return cls(
            topic_arn=environment["EVENTS_TOPIC_ARN"],
            failure_queue_url=environment["EVENTS_FAILURE_QUEUE_URL"],
            source=environment["EVENTS_SOURCE"],
            attempts=environment.get("EVENTS_ATTEMPTS", "off") == "on",
        )


@cache
def _sns() -> "SNSClient":
    """Made at the first invocation of an environment, and then kept."""
    return boto3.client("sns", config=_config())


@cache
def _sqs() -> "SQSClient":
    """The same; only what can't be told needs it."""
    return boto3.client("sqs", config=_config())


def _config() -> Config:
    return Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": 2},
    )


def run(event: Mapping[str, Any], context: Context) -> dict[str, list[dict[str, str]]]:
    """Tell what a batch of the stream's records says.

    Args:
        event: of the event source mapping: `Records`; or a message of the failure queue, which
            says `again`, too: what still can't be told is then reported, and stays there.
        context: Lambda's.

    Returns:
        The sequence number from which on the batch is to come again, if any
        (ReportBatchItemFailures).
    """
    settings = Settings.of(os.environ)
    topic = Topic(
        _sns(),
        settings.topic_arn,
        time.sleep,
        lambda: context.get_remaining_time_in_millis() < _MARGIN_MILLISECONDS,
        lambda code: _log("WARNING", "events not published", code=code),
    )
    set_aside = _left if event.get("again") else _set_aside
    return told(event["Records"], settings, topic, set_aside, time.time)


def told(
    records: Sequence[Mapping[str, Any]],
    settings: Settings,
    topic: Topic,
    set_aside: Callable[[Mapping[str, Any], str, str], bool],
    now: Callable[[], float],
) -> dict[str, list[dict[str, str]]]:
    """The same with its surroundings named."""
    hopeless: dict[int, str] = {}
    """Why, by the record's place in the batch."""
    events: list[tuple[int, Message]] = []
    for place, record in enumerate(records):
        try:
            events += [(place, one) for one in _messages(record, settings)]
        except UnreadableError as error:
            hopeless[place] = f"unreadable: {error}"
        except Exception as error:  # noqa: BLE001 - one record harms no other
            hopeless[place] = f"fault: {type(error).__name__}"
    failed: set[int] = set()
    for (place, _), how in zip(events, topic.publish([one for _, one in events]), strict=True):
        if how is Told.REFUSED:
            hopeless[place] = "refused by SNS"
        elif how is Told.FAILED and now() - _created(records[place]) > _GIVES_UP_SECONDS:
            hopeless[place] = "not published for 12 hours"
        elif how is Told.FAILED:
            failed.add(place)
    for place, why in hopeless.items():
        if not set_aside(records[place], settings.failure_queue_url, why):
            failed.add(place)
    first = [records[min(failed)]["dynamodb"]["SequenceNumber"]] if failed else []
    return {"batchItemFailures": [{"itemIdentifier": number} for number in first]}


def _messages(record: Mapping[str, Any], settings: Settings) -> list[Message]:
    if is_stub(record):
        raise UnreadableError("its row was left out")
    events = (
        cloud_event(one, settings.source, attempts=settings.attempts) for one in happenings(record)
    )
    return [message(one) for one in events if one is not None]


def _created(record: Mapping[str, Any]) -> float:
    """When it was written, in seconds since the epoch."""
    return float(record["dynamodb"].get("ApproximateCreationDateTime", 0))


def _set_aside(record: Mapping[str, Any], queue_url: str, why: str) -> bool:
    """Put a record into the failure queue, as the function takes it; False: it isn't there."""
    error = _sent(record, queue_url, why)
    what = "record set aside"
    if error and is_too_large(_request(record), code_of(error)):
        what = "stub set aside of a record that is too large"
        error = _sent(stub_of(record, why), queue_url, why)
    if error:
        _log("ERROR", "record not set aside", code=code_of(error))
        return False
    _log("ERROR", what, why=why, event_id=record.get("eventID", ""))
    return True


def _request(record: Mapping[str, Any]) -> str:
    return json.dumps({"Records": [record], "again": True})


def _sent(record: Mapping[str, Any], queue_url: str, why: str) -> Exception | None:
    """Send a record to the failure queue; what went wrong, None: it is there."""
    about: Any = {"reason": {"DataType": "String", "StringValue": why}}
    body = _request(record)
    try:
        _sqs().send_message(QueueUrl=queue_url, MessageBody=body, MessageAttributes=about)
    except AWS_ERRORS as error:
        return error
    return None


def _left(record: Mapping[str, Any], _queue_url: str, why: str) -> bool:
    """Leave a record in the failure queue, where it is still."""
    _log("ERROR", "record not told", why=why, event_id=record.get("eventID", ""))
    return False


def _log(level: str, what: str, **about: str) -> None:
    line = json.dumps({"level": level, "message": what, **about})
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
