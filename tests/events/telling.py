"""Records of the ledger's stream, and an account in which their events can be heard."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from ion.events import handler
from wiring import topic_before

RECORDS = Path(__file__).with_name("records")
RELAY = "arn:aws:lambda:eu-west-1:123456789012:function:ion"
REGION = "eu-west-1"
WRITTEN_AT = 1_795_946_400.0
"""Seconds since the epoch, a little before all records."""

Json = dict[str, Any]


def record(name: str) -> Json:
    """One of the files: as Lambda hands it over."""
    content: Json = json.loads((RECORDS / f"{name}.json").read_text(encoding="utf-8"))
    return content


def numbers(*names: str) -> list[str]:
    """Their sequence numbers."""
    return [record(name)["dynamodb"]["SequenceNumber"] for name in names]


@dataclass
class Ear:
    """The outcome topic in moto, with a queue that hears all of it, and the failure queue."""

    topic_arn: str
    heard_url: str
    failure_url: str
    sns: Any
    sqs: Any

    @classmethod
    def new(cls) -> "Ear":
        make: Any = boto3.client
        sns, sqs = make("sns", region_name=REGION), make("sqs", region_name=REGION)
        heard, failures = (
            sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("heard", "failures")
        )
        return cls(topic_before(heard, sqs, sns, "ion-outcome-topic"), heard, failures, sns, sqs)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "EVENTS_TOPIC_ARN": self.topic_arn,
            "EVENTS_FAILURE_QUEUE_URL": self.failure_url,
            "EVENTS_SOURCE": RELAY,
        }

    def heard(self) -> list[Json]:
        """Events since the last call, in the order in which they came."""
        return [json.loads(one["Body"]) for one in self._messages(self.heard_url)]

    def failures(self) -> list[Json]:
        """What was set aside since the last call: as the function takes it again."""
        return [json.loads(one["Body"]) for one in self._messages(self.failure_url)]

    def _messages(self, url: str) -> list[Json]:
        found: list[Json] = []
        while messages := self.sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        ).get("Messages"):
            found += messages
            for one in messages:
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
        return found


class Context:
    """What Lambda hands over beside the event."""

    def __init__(self, milliseconds: int = 60_000) -> None:
        self.milliseconds = milliseconds

    def get_remaining_time_in_millis(self) -> int:
        return self.milliseconds


def run(*names: str, context: Context | None = None) -> list[str]:
    """An invocation with these records; the sequence numbers that it reports."""
    answer = handler.run({"Records": [record(name) for name in names]}, context or Context())
    return [one["itemIdentifier"] for one in answer["batchItemFailures"]]


def forget_clients() -> None:
    """A new execution environment."""
    for made in (handler._sns, handler._sqs):  # noqa: SLF001 - what Lambda would forget, too
        made.cache_clear()
