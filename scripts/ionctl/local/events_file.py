"""A file of the outcome events, an event a line, that grows as they come."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Self

from ion.aws.errors import AWS_ERRORS
from ion.limits import BATCH

if TYPE_CHECKING:
    from pathlib import Path

    from mypy_boto3_sqs import SQSClient

_WAIT_SECONDS = 1
"""For more, at a time."""


class EventsFile:
    """Takes events out of a queue that hears the topic, inside the `with`.

    Args:
        sqs: a client.
        queue_url: of that queue, which nobody else reads.
        file: it; other lines stay in it.
    """

    def __init__(self, sqs: SQSClient, queue_url: str, file: Path) -> None:
        self._sqs = sqs
        self._queue_url = queue_url
        self._file = file
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="events", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                self._take()
            except AWS_ERRORS:  # the emulated AWS has ended, or is about to: others tell that
                self._ended.wait(_WAIT_SECONDS)

    def _take(self) -> None:
        answer = self._sqs.receive_message(
            QueueUrl=self._queue_url, MaxNumberOfMessages=BATCH, WaitTimeSeconds=_WAIT_SECONDS
        )
        messages = answer.get("Messages", [])
        with self._file.open("a", encoding="utf-8") as opened:
            opened.writelines(" ".join(one["Body"].splitlines()) + "\n" for one in messages)
        for one in messages:
            self._sqs.delete_message(QueueUrl=self._queue_url, ReceiptHandle=one["ReceiptHandle"])
