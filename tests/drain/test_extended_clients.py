"""What the extended clients that people have make of a large message is sent."""

import importlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest

from clients.topic import taken
from draining import email, recipients, run
from emulated import REGION, Account, Between, at_once
from ionctl.local import ministack
from real import npm
from real.unavailable import skipped_unless_available
from smtp_server import ScriptedServer
from wiring import topic_before

# PyPI


def extended(monkeypatch: pytest.MonkeyPatch, module: str, session: str) -> Any:  # noqa: ANN401
    """A session of an extended client; importing it puts that in boto3's place."""
    for place in (boto3, boto3.session):
        monkeypatch.setattr(place, "Session", boto3.session.Session)
    kind = getattr(importlib.import_module(module), session)
    for place in (boto3, boto3.session):
        monkeypatch.setattr(place, "Session", kind.__mro__[1])
    return kind(region_name=REGION)


@pytest.mark.parametrize("legacy", [False, True])
def test_what_the_extended_client_of_sqs_publishes_is_sent(
    account: Account, monkeypatch: pytest.MonkeyPatch, legacy: bool
) -> None:
    account.store("any", b"")
    session = extended(monkeypatch, "sqs_extended_client.client", "SQSExtendedClientSession")
    client = session.client("sqs")
    client.large_payload_support = "bucket"
    client.use_legacy_attribute = legacy
    body = email(1, body_text="ü" * 200_000)
    client.send_message(QueueUrl=account.input_url, MessageBody=body, MessageAttributes={})
    (held,) = account.waiting()
    assert len(held.body) < 1000
    server = ScriptedServer()
    assert run(account, server).sent == 1
    assert recipients(server) == {"to1@example.org": 1}


def test_what_the_extended_client_of_sns_publishes_is_sent(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.store("any", b"")
    session = extended(monkeypatch, "sns_extended_client.session", "SNSExtendedClientSession")
    client = session.client("sns")
    topic = client.create_topic(Name="ion")["TopicArn"]
    sqs = account.session.client("sqs")
    attributes = sqs.get_queue_attributes(QueueUrl=account.input_url, AttributeNames=["QueueArn"])
    client.subscribe(
        TopicArn=topic,
        Protocol="sqs",
        Endpoint=attributes["Attributes"]["QueueArn"],
        Attributes={"RawMessageDelivery": "true"},
    )
    client.large_payload_support = "bucket"
    client.publish(TopicArn=topic, Message=email(1, body_text="ü" * 200_000), MessageAttributes={})
    (held,) = account.waiting()
    assert len(held.body) < 1000
    server = ScriptedServer()
    assert run(account, server).sent == 1
    assert recipients(server) == {"to1@example.org": 1}


# npm

NODE = Path(__file__).parent / "node"
SECONDS = 100


class BigPayload:
    """sns-sqs-big-payload, with a topic, queues and a bucket that its process can reach."""

    def __init__(self, endpoint: str, modules: Path) -> None:
        self._endpoint, self._modules = endpoint, modules
        session = boto3.Session("test", "test", region_name=ministack.REGION)
        self._sqs = session.client("sqs", endpoint_url=endpoint)
        self._s3 = session.client("s3", endpoint_url=endpoint)
        sns = session.client("sns", endpoint_url=endpoint)
        self._name = f"npm-{uuid4()}"
        self._input_url, self._bulk_url, self._later_url, self._dead_url = (
            self._sqs.create_queue(QueueName=f"{self._name}-{kind}")["QueueUrl"]
            for kind in ("input", "bulk", "later", "dead")
        )
        self._topic_arn = topic_before(self._input_url, self._sqs, sns, self._name)
        self._s3.create_bucket(Bucket=self._name)

    def publish(self, *, compatible: bool, topic: str, queue: str) -> None:
        """Publish a message to the topic, and another to the queue behind it."""
        options = {
            "region": ministack.REGION,
            "topicArn": self._topic_arn,
            "snsEndpointUrl": self._endpoint,
            "queueUrl": self._input_url,
            "sqsEndpointUrl": self._endpoint,
            "largePayloadThoughS3": True,
            "s3Bucket": self._name,
            "extendedLibraryCompatibility": compatible,
        }
        s3 = {"endpoint": self._endpoint, "s3ForcePathStyle": True}
        messages = {"topic": [json.loads(topic)], "queue": [json.loads(queue)]}
        done = subprocess.run(
            ["node", str(NODE / "publish.js")],
            input=json.dumps({"options": options, "s3": s3} | messages),
            env={
                "NODE_PATH": str(self._modules),
                "PATH": os.environ["PATH"],
                **ministack.CREDENTIALS,
                **ministack.ISOLATION,
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
        assert done.returncode == 0, done.stderr

    @property
    def stored(self) -> int:
        """How many objects the bucket has."""
        return int(self._s3.list_objects_v2(Bucket=self._name)["KeyCount"])

    def run(self, account: Account, server: ScriptedServer) -> list[str]:
        """A run of ion over the queue; gives the bodies that it dead-lettered."""
        account.input_url, account.dead_url = self._input_url, self._dead_url
        account.bulk_url, account.later_url = self._bulk_url, self._later_url
        run(
            account,
            server,
            sqs=Between(self._sqs, {"receive_message": at_once}),
            s3=Between(self._s3, {}),
        )
        return taken(self._sqs, self._dead_url)


@pytest.fixture
def big_payload(dynamodb_endpoint: str) -> BigPayload:
    with skipped_unless_available():
        modules = npm.modules(NODE)
    return BigPayload(dynamodb_endpoint, modules)


def test_what_the_client_of_npm_publishes_is_sent(
    account: Account, big_payload: BigPayload
) -> None:
    topic, queue = (email(number, body_text="ü" * 200_000) for number in (1, 2))
    big_payload.publish(compatible=True, topic=topic, queue=queue)
    assert big_payload.stored == 2
    server = ScriptedServer()
    assert big_payload.run(account, server) == []
    assert recipients(server) == {"to1@example.org": 1, "to2@example.org": 1}


def test_without_its_compatibility_the_client_of_npm_writes_another_form(
    account: Account, big_payload: BigPayload
) -> None:
    topic, queue = (email(number, body_text="ü" * 200_000) for number in (1, 2))
    big_payload.publish(compatible=False, topic=topic, queue=queue)
    server = ScriptedServer()
    dead = big_payload.run(account, server)
    assert server.accepted == []
    assert [[*json.loads(body)] for body in dead] == [["S3Payload"]] * 2
