"""The emulated AWS of one soak: ministack, by the soak's clock, with a relay's queues and table."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ion.aws.control import ControlRow
from ion.contract import Pause
from ion.policy.control import Control
from ionctl.local.bare import clients, create
from ionctl.local.ministack import Ministack
from ionctl.local.peek import Queued, peek
from ionctl.local.stack import ministack_python
from soak.books import Letter
from soak.clock import CLOCKED, Clock
from soak.flow import BULK, NORMAL
from soak.orders import email_of
from soak.publisher import Post

if TYPE_CHECKING:
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
        self._sqs, self._dynamodb, _ = clients(endpoint)
        self._resources = create(endpoint, _NAME, _RETENTION_SECONDS)

    @property
    def dead_url(self) -> str:
        """Of the dead-letter queue."""
        return self._resources.dead_url

    @property
    def environment(self) -> Mapping[str, str]:
        """The function's, as far as the names in AWS are concerned."""
        return self._resources.environment

    async def publish(self, posts: Sequence[Post]) -> None:
        """By their doors: past the topics, which have no part in it."""
        for door, url in ((NORMAL, self._resources.input_url), (BULK, self._resources.bulk_url)):
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
        return self._resources.input_url, self._resources.bulk_url, self._resources.later_url

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
