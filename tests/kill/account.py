"""The emulated AWS of one test: its own queues, table and alarms, and the means to look and wait.

The emulator has no clock to turn. `time_passes` does what time would: it makes every message
visible again whose receipt the proxy has seen (the function's own calls go through unchanged), and
sets the leases of the dead to the past.
"""

import json
from collections.abc import Mapping
from uuid import uuid4

from ionctl.local.bare import clients, create
from ionctl.local.peek import Queued, peek
from kill.books import Life
from kill.proxy import Proxy


class Account:
    """One relay's.

    Args:
        endpoint: of the emulator.
        proxy: in front of it, through which the function goes.
    """

    def __init__(self, endpoint: str, proxy: Proxy) -> None:
        self._endpoint = endpoint
        self._proxy = proxy
        self._sqs, self._dynamodb, _ = clients(endpoint)
        self._resources = create(endpoint, f"kill-{uuid4()}")
        self._name = self._resources.name
        self._input, self._dead = self._resources.input_url, self._resources.dead_url
        proxy.dead_letter_queue = self._dead

    @property
    def environment(self) -> Mapping[str, str]:
        """The function's, as far as AWS is concerned."""
        return {"AWS_ENDPOINT_URL": self._proxy.endpoint, **self._resources.environment}

    def publish(self, body: str) -> None:
        self._sqs.send_message(QueueUrl=self._input, MessageBody=body)

    def waiting(self) -> tuple[Queued, ...]:
        return peek(self._endpoint, self._input)

    def dead(self) -> tuple[Queued, ...]:
        return peek(self._endpoint, self._dead)

    def dead_letters(self) -> list[tuple[str, str]]:
        """Key and reason of each."""
        return [(key_of(one.body), one.attributes.get("reason", "")) for one in self.dead()]

    def life(self, arrived: list[str]) -> Life:
        """What is on record at a death."""
        waiting = {key_of(one.body) for one in self.waiting()}
        return Life(
            arrived=tuple(arrived),
            open=frozenset(waiting & self._sending()),
            dying=frozenset(waiting & {key for key, _ in self.dead_letters()}),
        )

    def time_passes(self) -> None:
        """Every visibility timeout, postponement and lease has run out."""
        for queue, held in ((self._input, self.waiting()), (self._dead, self.dead())):
            hidden = [one.message_id for one in held if not one.visible]
            for message_id in hidden:
                self._sqs.change_message_visibility(
                    QueueUrl=queue,
                    ReceiptHandle=self._proxy.receipts[queue, message_id],
                    VisibilityTimeout=0,
                )
        for key in self._sending():
            self._dynamodb.update_item(
                TableName=self._name,
                Key={"email_id": {"S": key}},
                UpdateExpression="SET lease_until = :past",
                ExpressionAttributeValues={":past": {"N": "0"}},
            )

    def _sending(self) -> set[str]:
        """Keys without a result. Rows that are about no email (a hold, a pace) have no status."""
        rows = self._dynamodb.scan(TableName=self._name, ConsistentRead=True)["Items"]
        return {row["email_id"]["S"] for row in rows if row.get("status") == {"S": "sending"}}

    def delete(self) -> None:
        """The table and the queues: the emulator serves other tests too."""
        self._dynamodb.delete_table(TableName=self._name)
        for url in self._resources.queue_urls:
            self._sqs.delete_queue(QueueUrl=url)


def key_of(body: str) -> str:
    """What a test knows a message by."""
    try:
        message = json.loads(body)
    except json.JSONDecodeError:
        return body
    return str(message.get("email_id", message["action"]))
