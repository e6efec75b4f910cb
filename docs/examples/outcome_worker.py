"""A consumer of outcome events: python outcome_worker.py QUEUE_URL. Needs boto3.

Reads a queue that is subscribed to the outcome topic, and hands each event over once. What it
remembers here in memory belongs into your database, beside what an event changes there.
"""

import json
import sys
from collections.abc import Callable
from typing import Any

import boto3


def work(queue_url: str, handle: Callable[[dict[str, Any]], None], *, forever: bool = True) -> None:
    """Hand over events as they come; one that `handle` raises for comes again."""
    sqs = boto3.client("sqs")
    seen: set[str] = set()
    while True:
        messages = sqs.receive_message(
            QueueUrl=queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=20 if forever else 0
        ).get("Messages", [])
        for message in messages:
            event = json.loads(message["Body"])
            if event["id"] not in seen:  # else it is told twice
                handle(event)
                seen.add(event["id"])
            sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
        if not (forever or messages):
            return


def show(event: dict[str, Any]) -> None:
    """Print it in a line."""
    data = event["data"]
    print(event["time"], event["type"], event["subject"], data["reason"], data.get("reply", ""))


if __name__ == "__main__":
    work(sys.argv[1], show)
