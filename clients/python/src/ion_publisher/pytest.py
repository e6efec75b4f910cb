"""A plugin of pytest: the fixture `ion_outbox`, for tests of applications that publish email."""

import os
import sys
from collections.abc import Iterator

import pytest

from ion_publisher.outbox import Outbox
from ion_publisher.publisher import TOPIC_ARN

REGION = "us-east-1"

_PERSONAL = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SNS")
"""Of the developer's environment: it would lead past the emulation, or into an account."""


@pytest.fixture
def ion_outbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Outbox]:
    """The input topic of ion, emulated by moto in this process; ION_TOPIC_ARN is its name.

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
        sns, sqs = session.client("sns"), session.client("sqs")
        url = sqs.create_queue(QueueName="ion-outbox")["QueueUrl"]
        queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
        topic_arn = sns.create_topic(Name="ion-input-topic")["TopicArn"]
        sns.subscribe(
            TopicArn=topic_arn,
            Protocol="sqs",
            Endpoint=queue["QueueArn"],
            Attributes={"RawMessageDelivery": "true"},
        )

        def bodies() -> Iterator[str]:
            while found := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get(
                "Messages"
            ):
                for one in found:
                    sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
                    yield one["Body"]

        monkeypatch.setenv(TOPIC_ARN, topic_arn)
        _forget_publishers()
        yield Outbox(bodies)
        _forget_publishers()


def _forget_publishers() -> None:
    """Django's back end keeps its clients, and their credentials with them."""
    back_end = sys.modules.get("ion_publisher.django")
    if back_end:
        back_end.shared_publisher.cache_clear()
