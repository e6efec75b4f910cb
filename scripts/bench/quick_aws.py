"""An AWS that only answers: to see what a relay can do where AWS is not what is slow.

python -m bench.quick_aws 500 "4 KB" prints a port and serves a queue of 500 such emails, and a
ledger that says yes to everything. GET / tells how many are left. It ends when its standard input
does. It checks nothing and remembers nothing but what was deleted: whether a relay is right,
ministack says.
"""

import asyncio
import hashlib
import itertools
import json
import sys
import urllib.request
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

from bench.daemons import Daemon, module
from bench.large_emails import REDRIVE, STORED, Mail, body
from bench.task import HOST
from ionctl.local.ministack import CREDENTIALS, ISOLATION

_HEAD_END = b"\r\n\r\n"
_TYPE = "application/x-amz-json-1.0"
_DEAD = "-dead"
"""The dead-letter queue's name begins as the input queue's does, and ends so."""


class Account:
    """One relay's, from `__init__` to `delete`; as `bench.account.Account` is ministack's.

    Args:
        emails: how many wait in the queue.
        mail: what they are like.
    """

    def __init__(self, emails: int, mail: Mail = Mail.SMALL) -> None:
        self._daemon = Daemon(module("bench.quick_aws", emails, mail))
        self._daemon.__enter__()
        self.port = int(self._daemon.said)
        self.pid = self._daemon.pid

    @property
    def environment(self) -> dict[str, str]:
        """The function's, as far as AWS is concerned, but for the endpoint."""
        url = f"http://{HOST}:{self.port}/000000000000/quick"
        return {
            **CREDENTIALS,
            **ISOLATION,
            "ION_AWS_QUEUE_URL": url,
            "ION_AWS_BULK_QUEUE_URL": f"{url}-bulk",
            "ION_AWS_LATER_QUEUE_URL": f"{url}-later",
            "ION_AWS_DEAD_LETTER_QUEUE_URL": f"{url}{_DEAD}",
            "ION_AWS_ALARM_NAME": "quick",
            "ION_AWS_BULK_ALARM_NAME": "quick-bulk",
            "ION_AWS_LATER_ALARM_NAME": "quick-later",
            "ION_AWS_LEDGER_TABLE": "quick",
            "POWERTOOLS_SERVICE_NAME": "ion",
        }

    def left(self) -> int:
        """Messages that were not deleted; 0 after a good run."""
        with urllib.request.urlopen(f"http://{HOST}:{self.port}/") as answer:
            return int(answer.read())

    def delete(self) -> None:
        """End it."""
        self._daemon.__exit__()


class Service:
    """The queues and the ledger.

    Args:
        bodies: of the messages that wait.
        dead: of the dead letters.
    """

    def __init__(self, bodies: Iterable[str], dead: Iterable[str] = ()) -> None:
        self._count = itertools.count()
        self._left: set[str] = set()
        self._queues: dict[str, deque[dict[str, Any]]] = {
            queue: deque() for queue in ("", "-bulk", "-later", _DEAD)
        }
        for letter in dead:
            self._put(_DEAD, letter)
        for message in bodies:
            self._put("", message)

    def answer(self, operation: str, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        """What AWS says."""
        named = asked.get("QueueUrl", "").rpartition("/quick")[2]
        queue = self._queues[named]
        match operation:
            case "ReceiveMessage":
                most = min(asked["MaxNumberOfMessages"], len(queue))
                return {"Messages": [queue.popleft() for _ in range(most)]} if most else {}
            case "SendMessageBatch":
                for entry in asked["Entries"]:
                    self._put(named, entry["MessageBody"])
                return {}
            case "DeleteMessage":
                self._left.discard(asked["ReceiptHandle"])
                return {}
            case "DeleteMessageBatch":
                self._left -= {entry["ReceiptHandle"] for entry in asked["Entries"]}
                return {"Successful": [{"Id": entry["Id"]} for entry in asked["Entries"]]}
            case "BatchExecuteStatement":
                return {"Responses": [{"TableName": "quick"}] * len(asked["Statements"])}
            case "BatchGetItem":
                return {"Responses": {}, "UnprocessedKeys": {}}
            case _:
                return {}

    def _put(self, queue: str, body: str) -> None:
        message = _message(next(self._count), body)
        self._queues[queue].append(message)
        if queue != _DEAD:
            self._left.add(message["ReceiptHandle"])

    @property
    def left(self) -> int:
        """Messages that were not deleted, dead letters aside."""
        return len(self._left)


class Connection(asyncio.Protocol):
    """HTTP/1.1 as far as boto3 speaks it."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:  # noqa: D102
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:  # noqa: D102
        self._received += data
        while _HEAD_END in self._received:
            head, _, rest = self._received.partition(_HEAD_END)
            fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
            length = int(fields.get(b"content-length", 0))
            if len(rest) < length:
                return
            body, self._received = rest[:length], rest[length:]
            if b" /files/" in head.partition(b"\r\n")[0]:
                self._transport.writelines(_stored(head))
            else:
                self._transport.write(_response(self._said(head, body)))

    def _said(self, head: bytes, body: bytes) -> bytes:
        if head.startswith(b"GET"):
            return str(self._service.left).encode()
        operation = head.lower().partition(b"x-amz-target: ")[2].partition(b"\r\n")[0]
        if not operation:  # CloudWatch's CBOR: an empty map
            return b"\xa0"
        named = _OPERATIONS.get(operation.rpartition(b".")[2], "")
        answer = self._service.answer(named, json.loads(body))
        return json.dumps(answer, ensure_ascii=False).encode()


_OPERATIONS = {
    name.lower().encode(): name
    for name in (
        "ReceiveMessage",
        "DeleteMessage",
        "DeleteMessageBatch",
        "SendMessageBatch",
        "BatchExecuteStatement",
        "BatchGetItem",
    )
}


_OBJECT = bytes(range(250)) * (STORED // 250)
_ETAG = hashlib.sha256(_OBJECT).hexdigest()[:32]


def _stored(head: bytes) -> list[bytes]:
    """What S3 says: every object of the bucket `files` is the same."""
    answer = (
        f'HTTP/1.1 200 OK\r\nContent-Length: {STORED}\r\nETag: "{_ETAG}"\r\n'
        "Content-Type: application/pdf\r\n\r\n"
    ).encode()
    return [answer] if head.startswith(b"HEAD") else [answer, _OBJECT]


def _response(body: bytes) -> bytes:
    kind = "application/cbor" if body == b"\xa0" else _TYPE
    return (
        f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nsmithy-protocol: rpc-v2-cbor\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def _message(number: int, body: str) -> dict[str, Any]:
    return {
        "MessageId": f"00000000-0000-4000-8000-{number:012}",
        "ReceiptHandle": f"receipt-{number}",
        "Body": body,
        "Attributes": {"SentTimestamp": "1767322800000", "ApproximateReceiveCount": "1"},
    }


async def serve(service: Service) -> None:
    """Serve until standard input ends."""
    server = await asyncio.get_running_loop().create_server(lambda: Connection(service), HOST, 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    count, mail = int(sys.argv[1]), Mail(sys.argv[2])
    waiting = [body(mail, number, count) for number in range(count)]
    redriven = mail is Mail.REDRIVEN
    asyncio.run(serve(Service([REDRIVE], waiting) if redriven else Service(waiting)))
