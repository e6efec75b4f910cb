"""An AWS that only answers: to see what a relay can do where AWS is not what is slow.

python -m bench.quick_aws 500 "4 KB" 2000 prints a port and serves a queue of 500 such emails, one
of 2,000 small ones in bulk, and a ledger that says yes to everything. GET / tells how many are
left. It ends when its standard input does. It checks nothing, and remembers what a queue must, but
no row: whether a relay is right, ministack says.
"""

import asyncio
import hashlib
import itertools
import json
import sys
import urllib.request
from collections.abc import Iterable, Mapping
from typing import Any

from bench.daemons import Daemon, module
from bench.emails import published
from bench.large_emails import REDRIVE, STORED, Mail, body
from bench.quick_queue import Held, Queue, Reply
from bench.task import HOST
from ionctl.local.ministack import CREDENTIALS, ISOLATION

_HEAD_END = b"\r\n\r\n"
_TYPE = "application/x-amz-json-1.0"
_DEAD = "-dead"
"""The dead-letter queue's name begins as the input queue's does, and ends so."""
_VISIBILITY_SECONDS = 30
"""SQS's default."""


class Account:
    """One relay's, from `__init__` to `delete`; as `bench.account.Account` is ministack's.

    Args:
        emails: how many wait in the queue.
        mail: what they are like.
        bulk: how many small ones wait in the queue for bulk.
    """

    def __init__(self, emails: int, mail: Mail = Mail.SMALL, bulk: int = 0) -> None:
        self._daemon = Daemon(module("bench.quick_aws", emails, mail, bulk))
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

    def publish(self, body: str) -> None:
        """Put a message into the input queue."""
        request = urllib.request.Request(
            f"http://{HOST}:{self.port}/",
            json.dumps({"QueueUrl": "/quick", "MessageBody": body}).encode(),
            {"X-Amz-Target": "AmazonSQS.SendMessage"},
        )
        urllib.request.urlopen(request).close()  # noqa: S310 - it is http

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
        bulk: how many emails wait in the queue for bulk.
    """

    def __init__(self, bodies: Iterable[str], dead: Iterable[str] = (), bulk: int = 0) -> None:
        self._count = itertools.count()
        self._queues = {name: Queue(published) for name in ("", "-bulk", "-later", _DEAD)}
        self._queues[_DEAD].fill(Held(next(self._count), letter) for letter in dead)
        self._queues[""].fill(Held(next(self._count), message) for message in bodies)
        self._queues["-bulk"].fill(Held(next(self._count), None) for _ in range(bulk))

    def answer(self, operation: str, asked: Mapping[str, Any], reply: Reply) -> None:
        """Reply what AWS says."""
        match operation:
            case "SetAlarmState":
                reply({})
            case "BatchExecuteStatement":
                reply({"Responses": [{"TableName": "quick"}] * len(asked["Statements"])})
            case "BatchGetItem":
                reply({"Responses": {}, "UnprocessedKeys": {}})
            case "ReceiveMessage":
                self._queue(asked).receive(
                    asked["MaxNumberOfMessages"],
                    asked.get("VisibilityTimeout", _VISIBILITY_SECONDS),
                    asked.get("WaitTimeSeconds", 0),
                    reply,
                )
            case "GetQueueAttributes":
                found = self._queue(asked).attributes
                reply({"Attributes": {name: found[name] for name in asked["AttributeNames"]}})
            case _:
                for entry in asked.get("Entries", [asked]):
                    self._change(operation, self._queue(asked), entry)
                reply({"Successful": [{"Id": one["Id"]} for one in asked.get("Entries", ())]})

    def _queue(self, asked: Mapping[str, Any]) -> Queue:
        return self._queues[asked["QueueUrl"].rpartition("/quick")[2]]

    def _change(self, operation: str, queue: Queue, entry: Mapping[str, Any]) -> None:
        match operation.removesuffix("Batch"):
            case "SendMessage":
                attributes = entry.get("MessageAttributes", {})
                one = Held(next(self._count), entry["MessageBody"], attributes)
                queue.put(one, entry.get("DelaySeconds", 0))
            case "DeleteMessage":
                queue.delete(entry["ReceiptHandle"])
            case "ChangeMessageVisibility":
                queue.hide(entry["ReceiptHandle"], entry["VisibilityTimeout"])
            case _:
                raise NotImplementedError(operation)

    @property
    def left(self) -> int:
        """Messages that were not deleted, dead letters aside."""
        return sum(queue.left for name, queue in self._queues.items() if name != _DEAD)


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
                self._answer(head, body)

    def _answer(self, head: bytes, body: bytes) -> None:
        operation = head.lower().partition(b"x-amz-target: ")[2].partition(b"\r\n")[0]
        if head.startswith(b"GET"):
            self._transport.write(_response(str(self._service.left).encode()))
        elif not operation:  # CloudWatch's CBOR: an empty map
            self._transport.write(_response(b"\xa0"))
        else:
            named = _OPERATIONS[operation.rpartition(b".")[2]]
            self._service.answer(named, json.loads(body), self._reply)

    def _reply(self, answer: Mapping[str, Any]) -> None:
        self._transport.write(_response(json.dumps(answer, ensure_ascii=False).encode()))


_OPERATIONS = {
    name.lower().encode(): name
    for name in (
        "ReceiveMessage",
        "DeleteMessage",
        "DeleteMessageBatch",
        "SendMessage",
        "SendMessageBatch",
        "ChangeMessageVisibilityBatch",
        "GetQueueAttributes",
        "BatchExecuteStatement",
        "BatchGetItem",
        "SetAlarmState",
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


async def serve(service: Service) -> None:
    """Serve until standard input ends."""
    server = await asyncio.get_running_loop().create_server(lambda: Connection(service), HOST, 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    count, mail, bulk = int(sys.argv[1]), Mail(sys.argv[2]), int(sys.argv[3])
    waiting = [body(mail, number, count) for number in range(count)]
    redriven = mail is Mail.REDRIVEN
    asyncio.run(serve(Service([REDRIVE], waiting) if redriven else Service(waiting, bulk=bulk)))
