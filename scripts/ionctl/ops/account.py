"""The AWS account that a command works in, with a client for each service that ion uses."""

from __future__ import annotations

import os
import threading
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, NoRegionError
from botocore.session import Session as BotocoreSession

from ionctl.problem import Problem

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_ssm import SSMClient

    from ionctl.ops.local_stack import LocalStack

_CONNECT_SECONDS = 10
_READ_SECONDS = 60
"""Of one call. What takes longer, as a run of the function may, is asked for and not waited for."""


class Account:
    """boto3 clients, each made when it is first asked for, by whichever thread.

    Args:
        session: whose credentials and region they use.
        endpoint_url: of an emulated AWS; None: the real one.
        config: what is other than usual.
    """

    def __init__(
        self,
        session: boto3.Session,
        endpoint_url: str | None = None,
        config: Config | None = None,
    ) -> None:
        self.session = session
        self.endpoint_url = endpoint_url
        usual = Config(
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            # loopback is reached without a proxy; None: as the environment says
            proxies={} if endpoint_url else None,
        )
        merged = usual.merge(config) if config else usual
        self._how: dict[str, Any] = {"endpoint_url": endpoint_url, "config": merged}
        self._making = threading.Lock()
        """Threads may share clients, but not a session that makes them (boto3's guide)."""

    @property
    def region(self) -> str:
        """Name of the region."""
        return self.session.region_name or ""

    @cached_property
    def cloudwatch(self) -> CloudWatchClient:
        """Alarms and metrics."""
        with self._making:
            return self.session.client("cloudwatch", **self._how)

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        """The ledger's table, and the outbox."""
        with self._making:
            return self.session.client("dynamodb", **self._how)

    @cached_property
    def events(self) -> EventBridgeClient:
        """The schedule."""
        with self._making:
            return self.session.client("events", **self._how)

    @cached_property
    def functions(self) -> LambdaClient:
        """Lambda."""
        with self._making:
            return self.session.client("lambda", **self._how)

    @cached_property
    def iam(self) -> IAMClient:
        """The function's role."""
        with self._making:
            return self.session.client("iam", **self._how)

    @cached_property
    def logs(self) -> CloudWatchLogsClient:
        """The function's log."""
        with self._making:
            return self.session.client("logs", **self._how)

    @cached_property
    def s3(self) -> S3Client:
        """Files, templates and whole messages."""
        with self._making:
            return self.session.client("s3", **self._how)

    @cached_property
    def secretsmanager(self) -> SecretsManagerClient:
        """Where the mail server's login may be kept."""
        with self._making:
            return self.session.client("secretsmanager", **self._how)

    @cached_property
    def sns(self) -> SNSClient:
        """Topics."""
        with self._making:
            return self.session.client("sns", **self._how)

    @cached_property
    def sqs(self) -> SQSClient:
        """Queues."""
        with self._making:
            return self.session.client("sqs", **self._how)

    @cached_property
    def ssm(self) -> SSMClient:
        """The other place where the mail server's login may be kept."""
        with self._making:
            return self.session.client("ssm", **self._how)


def account(profile: str | None = None, region: str | None = None) -> Account:
    """The account of the person's own AWS configuration.

    Args:
        profile: of it; None: AWS_PROFILE, else the default one.
        region: None: as the configuration says.

    Raises:
        Problem: there is no such profile, or no region.
    """
    try:
        session = boto3.Session(profile_name=profile, region_name=region)
    except BotoCoreError as error:
        raise Problem(f"{error}: see aws configure list-profiles") from error
    if session.region_name is None:
        raise Problem(f"{NoRegionError.fmt} Say where ion is: --region, or AWS_REGION")
    return Account(session)


def local_account(stack: LocalStack) -> Account:
    """The emulated account of a running ./run.sh, whatever the person's own configuration says."""
    alone = BotocoreSession(session_vars={"profile": (None, None, None, None)})
    for file in ("config_file", "credentials_file"):
        alone.set_config_variable(file, os.devnull)
    session = boto3.Session(
        botocore_session=alone,
        aws_access_key_id=stack.access_key_id,
        aws_secret_access_key=stack.secret_access_key,
        region_name=stack.region,
    )
    return Account(session, stack.endpoint_url)
