"""The emulated AWS of one drain: its own queues, ledger and alarms, and messages that wait."""

import uuid
from collections.abc import Sequence

from bench.emails import published
from ionctl.local.bare import clients, create
from ionctl.local.ministack import CREDENTIALS, ISOLATION

_BATCH = 10


class Account:
    """One relay's, from `__init__` to `delete`.

    Args:
        endpoint: of ministack.
        emails: how many wait in the queue.
    """

    def __init__(self, endpoint: str, emails: int) -> None:
        self._sqs, self._dynamodb, _ = clients(endpoint)
        self._resources = create(endpoint, f"bench-{uuid.uuid4()}")
        self._publish([published(number) for number in range(emails)])

    def _publish(self, bodies: Sequence[str]) -> None:
        for start in range(0, len(bodies), _BATCH):
            entries = [
                {"Id": str(number), "MessageBody": body}
                for number, body in enumerate(bodies[start : start + _BATCH])
            ]
            self._sqs.send_message_batch(QueueUrl=self._resources.input_url, Entries=entries)  # type: ignore[arg-type]

    @property
    def environment(self) -> dict[str, str]:
        """The function's, as far as AWS is concerned, but for the endpoint."""
        return {
            **CREDENTIALS,
            **ISOLATION,
            **self._resources.environment,
            "POWERTOOLS_SERVICE_NAME": "ion",
        }

    def left(self) -> int:
        """Messages that are still somewhere in the queues; 0 after a good run."""
        count = 0
        for url in self._resources.queue_urls:
            attributes = self._sqs.get_queue_attributes(
                QueueUrl=url,
                AttributeNames=[
                    "ApproximateNumberOfMessages",
                    "ApproximateNumberOfMessagesNotVisible",
                    "ApproximateNumberOfMessagesDelayed",
                ],
            )["Attributes"]
            count += sum(map(int, attributes.values()))
        return count

    def delete(self) -> None:
        """Make room: the emulator keeps everything in memory."""
        self._dynamodb.delete_table(TableName=self._resources.name)
        for url in self._resources.queue_urls:
            self._sqs.delete_queue(QueueUrl=url)
