"""A topic with a queue behind it, as ion's module wires them, emulated by moto in this process."""

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

import boto3

from emulated import REGION, Answer, Between
from ion_publisher import Publisher
from wiring import topic_before

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient


class Topic:
    """What is published to it can be read back."""

    def __init__(self) -> None:
        self._sqs = boto3.client("sqs", region_name=REGION)
        self._real_sns = boto3.client("sns", region_name=REGION)
        self.arn, self._url = self._topic_and_queue("ion-input-topic")
        self.bulk_arn, self._bulk_url = self._topic_and_queue("ion-bulk-topic")

    def _topic_and_queue(self, name: str) -> tuple[str, str]:
        url = self._sqs.create_queue(QueueName=f"behind-{name}")["QueueUrl"]
        return topic_before(url, self._sqs, self._real_sns, name), url

    def sns(self, **answers: Answer) -> Between:
        """An SNS client that behaves, but for the answers given."""
        return Between(self._real_sns, answers)

    def publisher(
        self, sns: Between | None = None, *, bulk_topic_arn: str | None = None
    ) -> Publisher:
        """One that doesn't pause between its tries."""
        client = cast("SNSClient", sns or self.sns())
        return Publisher(self.arn, bulk_topic_arn, sns=client, sleep=lambda _: None)

    @property
    def bodies(self) -> list[str]:
        """What has been published since this was asked last."""
        return taken(self._sqs, self._url)

    @property
    def groups(self) -> dict[str, str]:
        """MessageGroupIds of the same, by email_id; empty: a message has none."""
        return {json.loads(body)["email_id"]: group for body, group in read(self._sqs, self._url)}

    @property
    def bulk(self) -> list[dict[str, Any]]:
        """What has been published to the topic for bulk."""
        return [json.loads(body) for body in taken(self._sqs, self._bulk_url)]

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The same, decoded."""
        return [json.loads(body) for body in self.bodies]


def failing(*refused: Mapping[str, tuple[str, bool]]) -> Answer:
    """PublishBatch that refuses, call by call, some messages: part of their text to code and fault.

    Calls beyond those that are told take everything.
    """
    calls = list(refused)

    def answer(real: Callable[..., Any], request: dict[str, Any]) -> Any:  # noqa: ANN401 - AWS's answer
        told = calls.pop(0) if calls else {}
        taken, failed = [], []
        for entry in request["PublishBatchRequestEntries"]:
            part = next((part for part in told if part in entry["Message"]), None)
            if part is None:
                taken.append(entry)
            else:
                code, fault = told[part]
                failed.append({"Id": entry["Id"], "Code": code, "SenderFault": fault})
        real_answer = (
            real(**request | {"PublishBatchRequestEntries": taken}) if taken else {"Successful": []}
        )
        return real_answer | {"Failed": failed}

    return answer


def taken(sqs: Any, url: str) -> list[str]:  # noqa: ANN401 - boto3's, or one in between
    """Bodies of all messages of a queue, which is empty afterwards."""
    return [body for body, _ in read(sqs, url)]


def read(sqs: Any, url: str) -> list[tuple[str, str]]:  # noqa: ANN401 - as above
    """The same with their MessageGroupIds; empty: there is none."""
    found: list[tuple[str, str]] = []
    while messages := sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["MessageGroupId"]
    ).get("Messages"):
        for one in messages:
            found.append((one["Body"], one.get("Attributes", {}).get("MessageGroupId", "")))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
    return found
