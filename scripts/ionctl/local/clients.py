"""boto3 clients that talk to the emulated AWS, and to nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from ionctl.local.ministack import CREDENTIALS, REGION

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_ssm import SSMClient

    from ionctl.local.names import Names

_READ_SECONDS = 960
"""An invoked function answers when it has ended: its longest run is 900 s."""


@dataclass(frozen=True, slots=True)
class Clients:
    """One client for each service that ion uses, all of one account."""

    cloudwatch: CloudWatchClient
    dynamodb: DynamoDBClient
    events: EventBridgeClient
    functions: LambdaClient
    iam: IAMClient
    logs: CloudWatchLogsClient
    s3: S3Client
    sns: SNSClient
    sqs: SQSClient
    ssm: SSMClient


def connect(names: Names) -> Clients:
    """Give the clients of the account that `names` are of."""
    session = boto3.Session(
        aws_access_key_id=names.access_key,
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        region_name=REGION,
    )
    url = names.endpoint
    config = Config(
        proxies={},  # not None, which would mean: as the environment says
        read_timeout=_READ_SECONDS,
        retries={"total_max_attempts": 1},  # a wake-up must not be doubled behind our back
    )
    return Clients(
        cloudwatch=session.client("cloudwatch", endpoint_url=url, config=config),
        dynamodb=session.client("dynamodb", endpoint_url=url, config=config),
        events=session.client("events", endpoint_url=url, config=config),
        functions=session.client("lambda", endpoint_url=url, config=config),
        iam=session.client("iam", endpoint_url=url, config=config),
        logs=session.client("logs", endpoint_url=url, config=config),
        s3=session.client("s3", endpoint_url=url, config=config),
        sns=session.client("sns", endpoint_url=url, config=config),
        sqs=session.client("sqs", endpoint_url=url, config=config),
        ssm=session.client("ssm", endpoint_url=url, config=config),
    )
