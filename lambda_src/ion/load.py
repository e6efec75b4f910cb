"""The load publisher's entry: test emails, by which a relay is tuned before it goes live.

A schedule calls it once a minute, and it publishes that minute's emails, evenly spread.
"""

import json
import os
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

import boto3

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sns.type_defs import PublishBatchRequestEntryTypeDef

BATCH = 10
"""Messages a call (SNS PublishBatch)."""
MINUTE_SECONDS = 60.0


class NotPublishedError(Exception):
    """SNS refused some of the emails; the text says how many, and why."""


class Context(Protocol):
    """Lambda's context of an invocation, as far as it is read here."""

    @property
    def aws_request_id(self) -> str:
        """Of the invocation, and of its repetitions."""


@dataclass(frozen=True, slots=True)
class Load:
    """What is published.

    Args:
        topic_arn: of the lane's topic.
        emails: a minute.
        recipients: addresses that take turns.
        sender: None: the relay's own.
        tag: value of each email's tag `load`, by which a `stop` ends them all.
    """

    topic_arn: str
    emails: int
    recipients: tuple[str, ...]
    sender: str | None
    tag: str

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Load":
        """Read it from the environment, which Terraform's variable `load` makes.

        Raises:
            KeyError: a variable is missing.
            ValueError: the number isn't one.
        """
        return cls(
            topic_arn=environment["LOAD_TOPIC_ARN"],
            emails=int(environment["LOAD_MESSAGES_PER_MINUTE"]),
            recipients=tuple(environment["LOAD_RECIPIENTS"].split(",")),
            sender=environment.get("LOAD_SENDER"),
            tag=environment["LOAD_TAG"],
        )


@cache
def _sns() -> "SNSClient":
    """Made at the first invocation of an environment, and then kept."""
    return boto3.client("sns")


def run(event: Mapping[str, Any] | None, context: Context) -> dict[str, int]:
    """Publish a minute's emails.

    Args:
        event: of EventBridge. It may come twice, with the same id: its emails then have the same
            `email_id`, and are sent once.
        context: Lambda's.

    Returns:
        How many were published.

    Raises:
        NotPublishedError: some were not.
    """
    load = Load.of(os.environ)
    minute = (event or {}).get("id", context.aws_request_id)
    publish(_sns(), load.topic_arn, emails(load, minute))
    return {"published": load.emails}


def emails(load: Load, minute: str) -> list[str]:
    """The messages of a minute, under ids of their own."""
    return [
        json.dumps(
            {
                "action": "send",
                "email_id": f"load-{minute}-{number}",
                "sender": load.sender,
                "recipient": load.recipients[number % len(load.recipients)],
                "subject": f"Load test, {number + 1} of {load.emails}",
                "body_text": f"{number + 1} of the {load.emails} emails of a minute.",
                "tags": {"load": load.tag},
            }
        )
        for number in range(load.emails)
    ]


def publish(
    sns: "SNSClient",
    topic_arn: str,
    messages: Sequence[str],
    now: Callable[[], float] = time.monotonic,
    wait: Callable[[float], None] = time.sleep,
) -> None:
    """Publish messages in as few calls as there can be, each in its part of the minute.

    Raises:
        NotPublishedError: SNS refused some.
    """
    calls = [messages[at : at + BATCH] for at in range(0, len(messages), BATCH)]
    began = now()
    refused: Counter[str] = Counter()
    for number, batch in enumerate(calls):
        wait(max(0.0, began + MINUTE_SECONDS * number / len(calls) - now()))
        entries: list[PublishBatchRequestEntryTypeDef] = [
            {"Id": str(place), "Message": message} for place, message in enumerate(batch)
        ]
        answer = sns.publish_batch(TopicArn=topic_arn, PublishBatchRequestEntries=entries)
        refused.update(one["Code"] for one in answer.get("Failed", []))
    if refused:
        reasons = ", ".join(f"{code}: {count}" for code, count in refused.most_common())
        raise NotPublishedError(
            f"{refused.total()} of {len(messages)} emails are not on {topic_arn} ({reasons})"
        )
