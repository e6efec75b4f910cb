"""What a relay needs of the emulated AWS, made by hand: two queues, a table, an alarm.

For what wants many relays on one emulator, and none of Terraform's names.
"""

from functools import cache
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from ionctl.local.ministack import CREDENTIALS, REGION

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient


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


def create(endpoint: str, name: str) -> tuple[str, str]:
    """A relay's resources; the table and the alarm have its name.

    Returns:
        The URLs of the input queue and of the dead-letter queue.
    """
    sqs, dynamodb, cloudwatch = clients(endpoint)
    waiting, dead = (
        sqs.create_queue(QueueName=f"{name}-{which}")["QueueUrl"] for which in ("in", "dead")
    )
    dynamodb.create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": "email_id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "email_id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        ComparisonOperator="GreaterThanThreshold",
        EvaluationPeriods=1,
        MetricName="ApproximateNumberOfMessagesVisible",
        Namespace="AWS/SQS",
        Period=60,
        Statistic="Maximum",
        Threshold=0,
    )
    return waiting, dead
