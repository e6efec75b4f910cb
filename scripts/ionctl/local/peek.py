"""What a queue of the emulated AWS holds. Looking changes nothing, unlike receiving."""

import json
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import Any

_TIMEOUT_SECONDS = 10

_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Loopback is reached without anybody's proxy."""


@dataclass(frozen=True, slots=True)
class Queued:
    """One message in a queue, whether visible, in flight or delayed.

    Args:
        queue: name of the queue that it is in.
        attributes: its message attributes, those of type String and Number.
    """

    queue: str
    message_id: str
    body: str
    visible: bool
    receive_count: int
    attributes: dict[str, str]


def peek(endpoint: str, queue_url: str) -> tuple[Queued, ...]:
    """Give all messages of a queue, the oldest first."""
    query = urllib.parse.urlencode({"QueueUrl": queue_url})
    with _direct.open(
        f"{endpoint}/_ministack/sqs/messages?{query}", timeout=_TIMEOUT_SECONDS
    ) as response:
        accounts: dict[str, dict[str, dict[str, list[dict[str, Any]]]]] = json.load(response)[
            "messages"
        ]
    return tuple(
        Queued(
            queue=queue_url.rpartition("/")[2],
            message_id=message["MessageId"],
            body=message["Body"],
            visible=message["IsVisible"],
            receive_count=message["ReceiveCount"],
            attributes={
                name: value["StringValue"]
                for name, value in message["MessageAttributes"].items()
                if "StringValue" in value
            },
        )
        for regions in accounts.values()
        for queues in regions.values()
        for messages in queues.values()
        for message in messages
    )
