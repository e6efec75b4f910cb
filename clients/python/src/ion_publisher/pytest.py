"""A plugin of pytest: the fixture `ion_outbox`, for tests of applications that publish email."""

import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from ion_publisher.outbox import Outbox, Published
from ion_publisher.topics import BULK_TOPIC_ARN, TOPIC_ARN

if TYPE_CHECKING:
    from boto3.session import Session

REGION = "us-east-1"

_PERSONAL = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SNS")
"""Of the developer's environment: it would lead past the emulation, or into an account."""


@pytest.fixture
def ion_outbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Outbox]:
    """The topics of ion, emulated by moto in this process; ION_TOPIC_ARN names the input topic.

    It gives the emails that the relay would make of what is published.
    """
    # only now: every run of pytest loads its plugins, and moto is large
    import boto3  # noqa: PLC0415 - as said
    from moto import mock_aws  # noqa: PLC0415 - as said

    for name in (*_PERSONAL, "AWS_ENDPOINT_URL_SQS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    with mock_aws():
        session = boto3.session.Session(region_name=REGION)
        normal, bulk = _Topic(session, "ion-input-topic"), _Topic(session, "ion-bulk-topic")

        def published() -> Iterator[Published]:
            for topic in (normal, bulk):
                for body, tenant in topic.messages():
                    yield Published(body, topic is bulk, tenant)

        monkeypatch.setenv(TOPIC_ARN, normal.arn)
        monkeypatch.setenv(BULK_TOPIC_ARN, bulk.arn)
        _forget_publishers()
        yield Outbox(published)
        _forget_publishers()


class _Topic:
    """A topic with a queue behind it."""

    def __init__(self, session: "Session", name: str) -> None:
        sns, self._sqs = session.client("sns"), session.client("sqs")
        self._url = self._sqs.create_queue(QueueName=f"{name}-outbox")["QueueUrl"]
        queue = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
        self.arn = sns.create_topic(Name=name)["TopicArn"]
        sns.subscribe(
            TopicArn=self.arn,
            Protocol="sqs",
            Endpoint=queue["Attributes"]["QueueArn"],
            Attributes={"RawMessageDelivery": "true"},
        )

    def messages(self) -> Iterator[tuple[str, str | None]]:
        """Bodies and MessageGroupIds of what is new."""
        while found := self._sqs.receive_message(
            QueueUrl=self._url, MaxNumberOfMessages=10, AttributeNames=["MessageGroupId"]
        ).get("Messages"):
            for one in found:
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=one["ReceiptHandle"])
                yield one["Body"], one.get("Attributes", {}).get("MessageGroupId")


def _forget_publishers() -> None:
    """Django's back end keeps its clients, and their credentials with them."""
    back_end = sys.modules.get("ion_publisher.django")
    if back_end:
        back_end.shared_publisher.cache_clear()
