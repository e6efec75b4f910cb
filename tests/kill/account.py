"""The emulated AWS of one test: its queues, table and alarms, and the means to look and wait."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from ion.aws.control import ControlRow
from ionctl.local.bare import clients, create
from ionctl.local.peek import Queued, peek
from kill.books import Life
from kill.proxy import Proxy
from soak.account import ClockedMinistack
from soak.clock import Clock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

_LONG_SECONDS = 3600
"""Beyond an invocation with its lease, its visibility timeouts, and the first rungs of the
ladder."""


@dataclass(frozen=True)
class Emulator:
    """An emulated AWS whose clock can be turned: what waits for an hour is due at once."""

    endpoint: str
    clock: Clock


@contextmanager
def emulator(folder: Path) -> Iterator[Emulator]:
    """Run one, with its files in this folder."""
    clock = Clock(folder / "clock")
    with ClockedMinistack(folder, clock) as ministack:
        yield Emulator(ministack.endpoint, clock)


class Account:
    """One relay's.

    Args:
        aws: where it is.
        proxy: in front of it, through which the function goes.
    """

    def __init__(self, aws: Emulator, proxy: Proxy) -> None:
        self._endpoint, self.clock = aws.endpoint, aws.clock
        self._proxy = proxy
        self._sqs, self._dynamodb, _ = clients(aws.endpoint)
        self._resources = create(aws.endpoint, f"kill-{uuid4()}")
        self._name = self._resources.name
        proxy.queues = {
            self._resources.bulk_url: "bulk",
            self._resources.later_url: "later",
            self._resources.dead_url: "dead",
        }

    @property
    def environment(self) -> Mapping[str, str]:
        """The function's, as far as AWS and its clock are concerned."""
        return {"AWS_ENDPOINT_URL": self._proxy.endpoint, **self._resources.environment}

    @property
    def control(self) -> ControlRow:
        """What operators ask for, past the proxy."""
        return ControlRow(self._dynamodb, self._name)

    def publish(self, body: str, *, by_bulk_door: bool = False) -> None:
        url = self._resources.bulk_url if by_bulk_door else self._resources.input_url
        self._sqs.send_message(QueueUrl=url, MessageBody=body)

    def waiting(self) -> tuple[Queued, ...]:
        """What is to be sent some time: visible, hidden, or delayed."""
        *queues, _dead = self._resources.queue_urls
        return tuple(one for url in queues for one in peek(self._endpoint, url))

    def dead(self) -> tuple[Queued, ...]:
        return peek(self._endpoint, self._resources.dead_url)

    def dead_letters(self) -> list[tuple[str, str]]:
        """Key and reason of each."""
        return [(key_of(one.body), one.attributes.get("reason", "")) for one in self.dead()]

    def life(self, arrived: list[str]) -> Life:
        """What is on record at a death."""
        waiting = {key_of(one.body) for one in self.waiting()}
        return Life(
            arrived=tuple(arrived),
            open=frozenset(waiting & self.having("sending")),
            dying=frozenset(waiting & {key for key, _ in self.dead_letters()}),
        )

    def time_passes(self, seconds: float = _LONG_SECONDS) -> None:
        """By default, timeouts, leases and all short waits have run out."""
        self.clock.turn(seconds)

    def having(self, status: str) -> set[str]:
        """Keys of emails by the ledger. Rows that are about no email (a hold) have no status."""
        return {row["email_id"]["S"] for row in self._rows() if row.get("status") == {"S": status}}

    def attempts(self) -> dict[str, int]:
        """How often each email was tried, by the ledger."""
        rows = [row for row in self._rows() if "attempts" in row]
        return {row["email_id"]["S"]: int(row["attempts"]["N"]) for row in rows}

    def _rows(self) -> "list[dict[str, AttributeValueTypeDef]]":
        return self._dynamodb.scan(TableName=self._name, ConsistentRead=True)["Items"]

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
    return str(message["email_id"] if message.get("action") == "send" else message["action"])
