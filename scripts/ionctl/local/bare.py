"""What a relay needs of the emulated AWS, made by hand: its queues, a table, its alarms.

For what wants many relays on one emulator, and none of Terraform's names.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from ionctl.local.ministack import CREDENTIALS, REGION

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient

_RETENTION_SECONDS = 4 * 24 * 3600
"""What SQS keeps a message for where nothing is said."""


@cache
def clients(endpoint: str) -> "tuple[SQSClient, DynamoDBClient, CloudWatchClient]":
    """Of the emulator; made once, since that takes a while."""
    session = boto3.Session(
        CREDENTIALS["AWS_ACCESS_KEY_ID"], CREDENTIALS["AWS_SECRET_ACCESS_KEY"], region_name=REGION
    )
    config = Config(proxies={})
    return (
        session.client("sqs", endpoint_url=endpoint, config=config),
        session.client("dynamodb", endpoint_url=endpoint, config=config),
        session.client("cloudwatch", endpoint_url=endpoint, config=config),
    )


@dataclass(frozen=True, slots=True)
class Resources:
    """One relay's.

    Args:
        name: of the table and of the input queue's alarm; the other alarms' names begin with it.
    """

    name: str
    input_url: str
    bulk_url: str
    later_url: str
    dead_url: str

    @property
    def queue_urls(self) -> tuple[str, ...]:
        """Give the addresses of all its queues."""
        return self.input_url, self.bulk_url, self.later_url, self.dead_url

    @property
    def alarms(self) -> tuple[str, ...]:
        """Give the names of the alarms that wake the relay: of input, bulk and later queue."""
        return self.name, f"{self.name}-bulk", f"{self.name}-later"

    @property
    def environment(self) -> Mapping[str, str]:
        """Give the function's environment, as far as names in AWS are concerned."""
        alarm, bulk_alarm, later_alarm = self.alarms
        return {
            "ION_AWS_QUEUE_URL": self.input_url,
            "ION_AWS_BULK_QUEUE_URL": self.bulk_url,
            "ION_AWS_LATER_QUEUE_URL": self.later_url,
            "ION_AWS_DEAD_LETTER_QUEUE_URL": self.dead_url,
            "ION_AWS_ALARM_NAME": alarm,
            "ION_AWS_BULK_ALARM_NAME": bulk_alarm,
            "ION_AWS_LATER_ALARM_NAME": later_alarm,
            "ION_AWS_LEDGER_TABLE": self.name,
        }


def create(endpoint: str, name: str, retention_seconds: int = _RETENTION_SECONDS) -> Resources:
    """Make a relay's resources; its queues keep a message for so long."""
    sqs, dynamodb, cloudwatch = clients(endpoint)
    resources = Resources(
        name,
        *(
            sqs.create_queue(
                QueueName=f"{name}-{which}",
                Attributes={"MessageRetentionPeriod": str(retention_seconds)},
            )["QueueUrl"]
            for which in ("in", "bulk", "later", "dead")
        ),
    )
    dynamodb.create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": "email_id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "email_id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    for alarm in resources.alarms:
        cloudwatch.put_metric_alarm(
            AlarmName=alarm,
            ComparisonOperator="GreaterThanThreshold",
            EvaluationPeriods=1,
            MetricName="ApproximateNumberOfMessagesVisible",
            Namespace="AWS/SQS",
            Period=60,
            Statistic="Maximum",
            Threshold=0,
        )
    return resources
