"""The emulated AWS of one soak: ministack, by the soak's clock, with a relay's queues and table."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import boto3

from ion.aws.control import ControlRow
from ion.contract import Pause
from ion.policy.control import Control
from ionctl.local.ministack import CREDENTIALS, REGION, Ministack
from ionctl.local.peek import Queued, peek
from ionctl.local.stack import ministack_python
from soak.books import Letter
from soak.clock import CLOCKED, Clock
from soak.flow import BULK, NORMAL
from soak.orders import email_of
from soak.publisher import Post

if TYPE_CHECKING:
    from mypy_boto3_sqs.literals import QueueAttributeNameType
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

_NAME = "soak"
_BATCH = 10
"""Messages a call (SQS); ten of the biggest here fit into its bytes."""
_RETENTION_SECONDS = 14 * 24 * 3600


class ClockedMinistack(Ministack):
    """Ministack that lives by another clock.

    Args:
        folder: for its files.
        clock: that.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        super().__init__(ministack_python(), folder)
        self._clock = clock

    def _environment(self) -> dict[str, str]:
        return {**super()._environment(), **self._clock.environment, "PYTHONPATH": str(CLOCKED)}


class Account:
    """Queues, table and alarms, as the Terraform module makes them.

    Args:
        endpoint: of the emulator.
        clock: that it lives by.
    """

    def __init__(self, endpoint: str, clock: Clock) -> None:
        self._endpoint = endpoint
        self._clock = clock
        self.address = (str(urlsplit(endpoint).hostname), int(urlsplit(endpoint).port or 0))
        session = boto3.Session(
            CREDENTIALS["AWS_ACCESS_KEY_ID"],
            CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            region_name=REGION,
        )
        self._sqs = session.client("sqs", endpoint_url=endpoint)
        self.dead_url = self._queue(f"{_NAME}-dead")
        self._input_url = self._queue(f"{_NAME}-in")
        self._bulk_url = self._queue(f"{_NAME}-bulk")
        self._later_url = self._queue(f"{_NAME}-later")
        self._dynamodb = session.client("dynamodb", endpoint_url=endpoint)
        self._dynamodb.create_table(
            TableName=_NAME,
            AttributeDefinitions=[{"AttributeName": "email_id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "email_id", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
        cloudwatch = session.client("cloudwatch", endpoint_url=endpoint)
        for alarm in (_NAME, f"{_NAME}-bulk", f"{_NAME}-later"):
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

    def _queue(self, name: str) -> str:
        kept: Mapping[QueueAttributeNameType, str] = {
            "MessageRetentionPeriod": str(_RETENTION_SECONDS)
        }
        return self._sqs.create_queue(QueueName=name, Attributes=kept)["QueueUrl"]

    @property
    def environment(self) -> Mapping[str, str]:
        """The function's, as far as the names in AWS are concerned."""
        return {
            "ION_AWS_QUEUE_URL": self._input_url,
            "ION_AWS_BULK_QUEUE_URL": self._bulk_url,
            "ION_AWS_LATER_QUEUE_URL": self._later_url,
            "ION_AWS_DEAD_LETTER_QUEUE_URL": self.dead_url,
            "ION_AWS_ALARM_NAME": _NAME,
            "ION_AWS_BULK_ALARM_NAME": f"{_NAME}-bulk",
            "ION_AWS_LATER_ALARM_NAME": f"{_NAME}-later",
            "ION_AWS_LEDGER_TABLE": _NAME,
        }

    async def publish(self, posts: Sequence[Post]) -> None:
        """By their doors: past the topics, which have no part in it."""
        for door, url in ((NORMAL, self._input_url), (BULK, self._bulk_url)):
            some = [post for post in posts if post.door == door]
            for start in range(0, len(some), _BATCH):
                entries = [_entry(n, post) for n, post in enumerate(some[start : start + _BATCH])]
                await asyncio.to_thread(self._sqs.send_message_batch, QueueUrl=url, Entries=entries)

    async def resume(self) -> None:
        """As an operator does it, past the queue."""
        await ControlRow(self._dynamodb, _NAME).change(lambda _: Control())

    async def pause(self) -> str:
        """For an hour, in the same way. Gives what is in force then."""
        row, now = ControlRow(self._dynamodb, _NAME), self._clock.now()
        return (await row.change(lambda was: was.with_pause(Pause(), now))).text

    def cancelled(self) -> dict[str, str]:
        """Fates of the recipients of emails that are cancelled, by the email's key."""
        pages = self._dynamodb.get_paginator("scan").paginate(TableName=_NAME)
        rows = [row for page in pages for row in page["Items"]]
        return {
            row["email_id"]["S"]: row["fates"]["S"]
            for row in rows
            if row.get("status") == {"S": "cancelled"}
        }

    async def depth(self) -> tuple[int, int]:
        """Of all queues but that of dead letters: visible, and hidden."""
        depths = await asyncio.gather(
            *(asyncio.to_thread(self._depth, url) for url in self._waiting_urls)
        )
        return sum(visible for visible, _ in depths), sum(hidden for _, hidden in depths)

    def _depth(self, url: str) -> tuple[int, int]:
        said = self._sqs.get_queue_attributes(
            QueueUrl=url,
            AttributeNames=[
                "ApproximateNumberOfMessages",
                "ApproximateNumberOfMessagesNotVisible",
                "ApproximateNumberOfMessagesDelayed",
            ],
        )
        visible, *hidden = (int(value) for value in said["Attributes"].values())
        return visible, sum(hidden)

    @property
    def _waiting_urls(self) -> tuple[str, ...]:
        return self._input_url, self._bulk_url, self._later_url

    def left(self) -> list[str]:
        """Names of what is in any queue but that of dead letters."""
        waiting = [one for url in self._waiting_urls for one in peek(self._endpoint, url)]
        return [email_of(one.body) or one.body for one in waiting]

    def letters(self) -> list[Letter]:
        """What is in the dead-letter queue."""
        return [_letter(one) for one in peek(self._endpoint, self.dead_url)]


def _entry(number: int, post: Post) -> "SendMessageBatchRequestEntryTypeDef":
    entry: SendMessageBatchRequestEntryTypeDef = {"Id": str(number), "MessageBody": post.body}
    if post.tenant:
        entry["MessageGroupId"] = post.tenant
    return entry


def _letter(one: Queued) -> Letter:
    history = json.loads(one.attributes.get("ion", "{}"))
    left = tuple(history.get("left", ()))
    return Letter(one.body, email_of(one.body), one.attributes.get("reason", ""), left)
