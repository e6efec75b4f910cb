"""How much a queue holds, as SQS counts it: approximately, and without receiving anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ionctl.ops.result import Depth

if TYPE_CHECKING:
    from ionctl.ops.account import Account


def depth(account: Account, url: str) -> Depth:
    """Messages in the queue. Raises botocore's errors."""
    counts = account.sqs.get_queue_attributes(
        QueueUrl=url,
        AttributeNames=[
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed",
        ],
    )["Attributes"]
    return Depth(
        visible=int(counts.get("ApproximateNumberOfMessages", 0)),
        in_flight=int(counts.get("ApproximateNumberOfMessagesNotVisible", 0)),
        delayed=int(counts.get("ApproximateNumberOfMessagesDelayed", 0)),
    )
