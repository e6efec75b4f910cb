"""Email that SNS can't put into its topic's queue: where it goes, and who hears of it.

What SNS does upon a client-side error (a queue policy that says no, a key that it may not use, a
message too large for the queue) only AWS can show: the emulator keeps a subscription's redrive
policy and doesn't act on it. Shown here is all that this hangs on, as far as it can be tried.
"""

import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ionctl.local import clients, deploy
from ionctl.local.names import Names, names_of
from ionctl.local.peek import peek
from ionctl.local.stack import ROOT
from ionctl.local.variables import Variables
from ionctl.ops.account import Account

pytestmark = [pytest.mark.system, pytest.mark.row(10)]

ACCOUNT = "101010101010"
MOST_BYTES_OF_SNS = 262_144
"""A message that a topic takes (SNS)."""
BODY = '{"action": "send"}'
ITS_OWN = {("queue", "topic_arn"), ("bulk_queue", "bulk_topic_arn")}
"""Subscribed by the deployment: subscribing once more gives the same subscription."""
WAIT_SECONDS = 20


@dataclass(frozen=True)
class Deployment:
    """The relay's resources in an account of their own, and a topic of a person's."""

    names: Names
    aws: Account
    operators: str

    def publish(self, body: str, topic_arn: str | None = None) -> None:
        self.aws.sns.publish(TopicArn=topic_arn or self.names.topic_arn, Message=body)

    def held(self, url: str) -> list[str]:
        return [message.body for message in peek(self.names.endpoint, url)]

    def subscribe(self, topic_arn: str, queue_arn: str) -> str:
        return self.aws.sns.subscribe(
            TopicArn=topic_arn,
            Protocol="sqs",
            Endpoint=queue_arn,
            Attributes={"RawMessageDelivery": "true"},
            ReturnSubscriptionArn=True,
        )["SubscriptionArn"]


@pytest.fixture(scope="module")
def deployment(
    dynamodb_endpoint: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    names = names_of(dynamodb_endpoint, ACCOUNT)
    aws = clients.connect(names)
    # A package that can't run: nothing is to leave the queue.
    source = ROOT / "lambda_src" / "ion" / "contract"
    package = shutil.make_archive(str(tmp_path_factory.mktemp("package") / "p"), "zip", source)
    operators = aws.sns.create_topic(Name="operators")["TopicArn"]
    variables = Variables(Path(package), names.secret_arn, alarm_topic_arns=(operators,))
    deploy.deploy(aws, names, variables)
    yield Deployment(names, aws, operators)
    aws.functions.delete_function(FunctionName=names.function)


@pytest.mark.parametrize(
    ("topic", "queue"), [("topic_arn", "queue_arn"), ("bulk_topic_arn", "bulk_queue_arn")]
)
def test_what_the_queue_refuses_is_meant_for_the_dead_letter_queue(
    deployment: Deployment, topic: str, queue: str
) -> None:
    sns, names = deployment.aws.sns, deployment.names
    topic_arn, queue_arn = getattr(names, topic), getattr(names, queue)
    (attributes,) = [
        sns.get_subscription_attributes(SubscriptionArn=one["SubscriptionArn"])["Attributes"]
        for one in sns.list_subscriptions_by_topic(TopicArn=topic_arn)["Subscriptions"]
        if one["Endpoint"] == queue_arn
    ]
    policy = json.loads(attributes["RedrivePolicy"])
    assert policy == {"deadLetterTargetArn": names.dead_letter_queue_arn}


@pytest.mark.parametrize(
    ("queue", "topics"),
    [
        ("queue", {"topic_arn"}),
        ("bulk_queue", {"bulk_topic_arn"}),
        ("later_queue", set()),
        ("dead_letter_queue", {"topic_arn", "bulk_topic_arn"}),
    ],
)
def test_a_queue_takes_from_its_own_topics_and_from_no_other(
    deployment: Deployment, queue: str, topics: set[str]
) -> None:
    """The emulator holds SNS to the queues' policies, as AWS does."""
    sns, names = deployment.aws.sns, deployment.names
    url, arn = getattr(names, f"{queue}_url"), getattr(names, f"{queue}_arn")
    tried = {name: getattr(names, name) for name in ("topic_arn", "bulk_topic_arn")}
    tried["other"] = sns.create_topic(Name="other")["TopicArn"]
    for topic, topic_arn in tried.items():
        deployment.aws.sqs.purge_queue(QueueUrl=url)
        subscription = deployment.subscribe(topic_arn, arn)
        deployment.publish(BODY, topic_arn)
        if (queue, topic) not in ITS_OWN:
            sns.unsubscribe(SubscriptionArn=subscription)
        assert set(deployment.held(url)) == ({BODY} if topic in topics else set())


@pytest.mark.parametrize("queue", ["queue_url", "bulk_queue_url", "dead_letter_queue_url"])
def test_no_message_that_the_topic_takes_is_too_large_for_a_queue(
    deployment: Deployment, queue: str
) -> None:
    limits = deployment.aws.sqs.get_queue_attributes(
        QueueUrl=getattr(deployment.names, queue), AttributeNames=["MaximumMessageSize"]
    )["Attributes"]
    assert int(limits["MaximumMessageSize"]) >= MOST_BYTES_OF_SNS


def test_the_largest_message_arrives_as_it_was_published(deployment: Deployment) -> None:
    largest = json.dumps({"body": "x" * (MOST_BYTES_OF_SNS - 12)})
    assert len(largest) == MOST_BYTES_OF_SNS
    deployment.publish(largest)
    assert largest in deployment.held(deployment.names.queue_url)


def test_one_email_that_sns_redrives_rings(deployment: Deployment) -> None:
    """The emulator counts no deliveries by itself, so the count is put in as CloudWatch would.

    It looks at a metric's name alone: the alarms of both topics ring.
    """
    aws, names = deployment.aws, deployment.names
    pager = aws.sqs.create_queue(QueueName="pager")["QueueUrl"]
    arn = aws.sqs.get_queue_attributes(QueueUrl=pager, AttributeNames=["QueueArn"])
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn["Attributes"]["QueueArn"],
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    aws.sqs.set_queue_attributes(QueueUrl=pager, Attributes={"Policy": policy})
    deployment.subscribe(deployment.operators, arn["Attributes"]["QueueArn"])
    aws.cloudwatch.put_metric_data(
        Namespace="AWS/SNS",
        MetricData=[
            {
                "MetricName": "NumberOfNotificationsRedrivenToDlq",
                "Dimensions": [{"Name": "TopicName", "Value": names.topic}],
                "Timestamp": datetime.now(tz=UTC),
                "Value": 1,
            }
        ],
    )
    until = time.monotonic() + WAIT_SECONDS
    while len(heard := undelivered(deployment.held(pager))) < 2 and time.monotonic() < until:
        time.sleep(0.05)
    assert {one["AlarmName"] for one in heard} == {
        "ion-undelivered-input-redriven-alarm",
        "ion-undelivered-bulk-redriven-alarm",
    }
    assert {one["NewStateValue"] for one in heard} == {"ALARM"}
    assert names.dead_letter_queue in heard[0]["AlarmDescription"]


def undelivered(bodies: list[str]) -> list[dict[str, str]]:
    """What alarms on undelivered mail said; others ring as the package can't run."""
    told: list[dict[str, str]] = [json.loads(body) for body in bodies]
    return [one for one in told if "undelivered" in one["AlarmName"]]
