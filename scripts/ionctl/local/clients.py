"""boto3 clients that talk to the emulated AWS, and to nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from ionctl.local.ministack import CREDENTIALS, REGION
from ionctl.ops.account import Account

if TYPE_CHECKING:
    from ionctl.local.names import Names

_READ_SECONDS = 960
"""An invoked function answers when it has ended: its longest run is 900 s."""
_OF_A_RELAY = (
    *("cloudwatch", "dynamodb", "events", "functions", "iam"),
    *("logs", "s3", "sns", "sqs", "ssm"),
)


def connect(names: Names) -> Account:
    """Give the account that `names` are of, its clients made while the emulator still starts."""
    session = boto3.Session(
        aws_access_key_id=names.access_key,
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        region_name=REGION,
    )
    once = Config(
        read_timeout=_READ_SECONDS,
        retries={"total_max_attempts": 1},  # a wake-up must not be doubled behind our back
    )
    account = Account(session, names.endpoint, once)
    for service in _OF_A_RELAY:
        getattr(account, service)
    return account
