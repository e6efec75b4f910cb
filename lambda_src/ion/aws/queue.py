"""SQS: receive, delete, postpone and send, ten messages a call."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ion.aws.errors import AWS_ERRORS, code_of
from ion.limits import BATCH, LONGEST_DELAY_SECONDS, LONGEST_VISIBILITY_SECONDS, MOST_MESSAGE_BYTES
from ion.message import Attribute, Draft, Message, Source

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType

_TRIES = 3
"""For the entries that a batch call refused; boto3 itself repeats calls that failed as a whole."""


class QueueError(Exception):
    """SQS can't be used just now. The text has the operation and AWS's code."""


class Queue:
    """One SQS queue.

    Args:
        client: boto3's; its connection pool should be as large as calls run side by side.
        url: the queue's.
        source: which one it is.
    """

    def __init__(self, client: "SQSClient", url: str, source: Source = Source.INPUT) -> None:
        self._client = client
        self._url = url
        self.source = source

    async def receive(
        self, *, visibility_seconds: int, wait_seconds: int, most: int = BATCH
    ) -> list[Message]:
        """Up to `most` messages, hidden from others for `visibility_seconds`.

        Args:
            visibility_seconds: 0-43,200; more is cut off.
            wait_seconds: how long to wait for the first, 0-20.
            most: 1-10.

        Raises:
            QueueError: nothing was received.
        """
        try:
            answer = await asyncio.to_thread(
                self._client.receive_message,
                QueueUrl=self._url,
                MaxNumberOfMessages=most,
                VisibilityTimeout=min(visibility_seconds, LONGEST_VISIBILITY_SECONDS),
                WaitTimeSeconds=wait_seconds,
                MessageAttributeNames=["All"],
                MessageSystemAttributeNames=[
                    "SentTimestamp",
                    "ApproximateReceiveCount",
                    "MessageGroupId",
                ],
            )
        except AWS_ERRORS as error:
            raise QueueError(f"receive: {code_of(error)}") from error
        return [self._message(received) for received in answer.get("Messages", [])]

    async def delete(self, messages: Sequence[Message]) -> list[Message]:
        """Forget messages. Returns those that are not deleted: they will be received again."""
        entries = [{"ReceiptHandle": message.receipt} for message in messages]
        done = await self._batched(self._client.delete_message_batch, entries)
        return [message for message, ok in zip(messages, done, strict=True) if not ok]

    async def postpone(self, messages: Sequence[tuple[Message, int]]) -> list[Message]:
        """Hide each message for so many seconds from now; 0 puts it back at once.

        Returns those that stay hidden as long as they were.
        """
        entries = [
            {"ReceiptHandle": message.receipt, "VisibilityTimeout": seconds}
            for message, seconds in messages
        ]
        done = await self._batched(self._client.change_message_visibility_batch, entries)
        return [message for (message, _), ok in zip(messages, done, strict=True) if not ok]

    async def send(self, drafts: Sequence[Draft]) -> list[bool]:
        """Put messages into the queue. True for each that is in it, as far as is known."""
        done: list[bool] = []
        for group in _by_size(drafts):
            entries = [_entry(draft) for draft in group]
            done += await self._batched(self._client.send_message_batch, entries)
        return done

    async def count(self) -> int:
        """About how many messages it has, those that are hidden just now included.

        Raises:
            QueueError: it can't be known.
        """
        return sum(await self.depth())

    async def depth(self) -> tuple[int, int]:
        """About how many messages can be received, and how many are in flight: hidden just now.

        Raises:
            QueueError: it can't be known.
        """
        wanted: list[QueueAttributeNameType] = [
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
        ]
        try:
            answer = await asyncio.to_thread(
                self._client.get_queue_attributes, QueueUrl=self._url, AttributeNames=wanted
            )
        except AWS_ERRORS as error:
            raise QueueError(f"count: {code_of(error)}") from error
        visible, hidden = (int(answer["Attributes"].get(name, 0)) for name in wanted)
        return visible, hidden

    def _message(self, received: Mapping[str, Any]) -> Message:
        system = received["Attributes"]
        attributes = {}
        for name, value in received.get("MessageAttributes", {}).items():
            content = value.get("BinaryValue", value.get("StringValue", ""))
            attributes[name] = Attribute(value["DataType"], content)
        return Message(
            id=received["MessageId"],
            receipt=received["ReceiptHandle"],
            body=received["Body"],
            attributes=attributes,
            sent_at=int(system["SentTimestamp"]) / 1000,
            receives=int(system["ApproximateReceiveCount"]),
            source=self.source,
            group=system.get("MessageGroupId", ""),
        )

    async def _batched(
        self, call: Callable[..., Any], entries: Sequence[dict[str, Any]]
    ) -> list[bool]:
        """One call for every ten entries, again for the entries that it refused."""
        done = [False] * len(entries)
        for start in range(0, len(entries), BATCH):
            left = list(range(start, min(start + BATCH, len(entries))))
            for _ in range(_TRIES):
                numbered = [{"Id": str(i), **entries[i]} for i in left]
                try:
                    answer = await asyncio.to_thread(call, QueueUrl=self._url, Entries=numbered)
                except AWS_ERRORS:
                    break  # boto3 has tried again already
                refused = {int(one["Id"]): one for one in answer.get("Failed", [])}
                for i in left:
                    done[i] = i not in refused
                left = [i for i, one in refused.items() if not one.get("SenderFault")]
                if not left:
                    break
        return done


def _entry(draft: Draft) -> dict[str, Any]:
    attributes = {
        name: {
            "DataType": attribute.type,
            "BinaryValue" if isinstance(attribute.value, bytes) else "StringValue": attribute.value,
        }
        for name, attribute in draft.attributes.items()
    }
    entry = {
        "MessageBody": draft.body,
        "MessageAttributes": attributes,
        "DelaySeconds": min(draft.delay_seconds, LONGEST_DELAY_SECONDS),
    }
    return entry | {"MessageGroupId": draft.group} if draft.group else entry


def _by_size(drafts: Sequence[Draft]) -> Iterator[list[Draft]]:
    """Groups that fit into one call each."""
    group: list[Draft] = []
    for draft in drafts:
        if group and sum(one.size for one in group) + draft.size > MOST_MESSAGE_BYTES:
            yield group
            group = []
        group.append(draft)
    if group:
        yield group
