"""Between the function and the emulated AWS: names each call, and lets a test in on it."""

import http.client
import json
import threading
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

_TIMEOUT_SECONDS = 60
_QUIET_SECONDS = 10
_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length"})
"""Headers about one connection: each side has its own."""


class Call(StrEnum):
    """What the function asks of AWS."""

    HOLD = "hold"
    RECEIVE = "receive"
    CLAIM = "claim"
    LOOK = "look"
    """Reads rows that a claim collided with."""
    RECORD = "record"
    DELETE = "delete"
    POSTPONE = "postpone"
    DEAD_LETTER = "dead-letter"
    BULK_RECEIVE = "bulk-receive"
    BULK_SEND = "bulk-send"
    """Moves what came by the door for normal mail."""
    BULK_DELETE = "bulk-delete"
    BULK_POSTPONE = "bulk-postpone"
    LATER_RECEIVE = "later-receive"
    LATER_SEND = "later-send"
    """Moves what has to wait."""
    LATER_DELETE = "later-delete"
    LATER_POSTPONE = "later-postpone"
    """Most often of what isn't due yet."""
    REDRIVE_RECEIVE = "redrive-receive"
    REQUEUE = "requeue"
    REDRIVE_DELETE = "redrive-delete"
    REDRIVE_POSTPONE = "redrive-postpone"
    CONTROL = "control"
    """Reads what operators have asked for."""
    STEER = "steer"
    """Writes it."""
    CANCEL = "cancel"
    ALARM = "alarm"
    OTHER = "other"


_OF_A_QUEUE = {
    "ReceiveMessage": {
        "input": Call.RECEIVE,
        "bulk": Call.BULK_RECEIVE,
        "later": Call.LATER_RECEIVE,
        "dead": Call.REDRIVE_RECEIVE,
    },
    "SendMessageBatch": {
        "input": Call.REQUEUE,
        "bulk": Call.BULK_SEND,
        "later": Call.LATER_SEND,
        "dead": Call.DEAD_LETTER,
    },
    "DeleteMessageBatch": {
        "input": Call.DELETE,
        "bulk": Call.BULK_DELETE,
        "later": Call.LATER_DELETE,
        "dead": Call.REDRIVE_DELETE,
    },
    "ChangeMessageVisibilityBatch": {
        "input": Call.POSTPONE,
        "bulk": Call.BULK_POSTPONE,
        "later": Call.LATER_POSTPONE,
        "dead": Call.REDRIVE_POSTPONE,
    },
}
_CONTROL_KEY = " control "
_ADDRESS_KEY = " address-key "
_WRITES = {Call.STEER: _CONTROL_KEY, Call.CANCEL: "cancelled", Call.CLAIM: "sending"}
"""What is among the values of each; those of any other write to the table are results."""


class Phase(StrEnum):
    """When."""

    BEFORE = "before"
    """AWS hasn't heard of it."""
    AFTER = "after"
    """AWS has done it, and the answer hasn't arrived."""


Watch = Callable[[Call, Phase], bool]
"""Told of each call, from any thread; False: it goes no further."""


class Proxy:
    """Runs between `__enter__` and `__exit__`.

    Args:
        target: host and port of the emulated AWS.

    Attributes:
        watch: see `Watch`.
        queues: "bulk", "later", "dead", by their URLs; any other is the input queue.
    """

    def __init__(self, target: str) -> None:
        self.target = target
        self.watch: Watch = lambda _call, _phase: True
        self.queues: Mapping[str, str] = {}
        self._under_way = 0
        self._changed = threading.Condition()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.proxy = self
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def wait_quiet(self) -> None:
        """Until all connections are over: what the dead have asked for is done by then.

        A request may still lie in a connection that isn't read yet, or isn't accepted. Those are
        accepted in order, so a connection of our own comes behind them all.
        """
        host, port = self._server.server_address[:2]
        own = http.client.HTTPConnection(str(host), int(port), timeout=_QUIET_SECONDS)
        own.request("GET", "/")  # which isn't served
        own.getresponse().read()
        own.close()
        with self._changed:
            assert self._changed.wait_for(lambda: not self._under_way, _QUIET_SECONDS)

    def began(self, count: int) -> None:
        with self._changed:
            self._under_way += count
            self._changed.notify_all()

    def name(self, operation: str, body: bytes) -> Call:
        """What a request is for."""
        if operation == "SetAlarmState":
            return Call.ALARM
        asked: Any = json.loads(body)
        if operation in _OF_A_QUEUE:
            return _OF_A_QUEUE[operation][self.queues.get(asked["QueueUrl"], "input")]
        if operation == "BatchGetItem":
            keys = [key for table in asked["RequestItems"].values() for key in table["Keys"]]
            names = {key["email_id"]["S"] for key in keys}
            if names == {_CONTROL_KEY}:
                return Call.CONTROL
            return Call.HOLD if all(" " in name for name in names) else Call.LOOK
        if operation == "BatchExecuteStatement":
            values = [value["S"] for one in asked["Statements"] for value in _texts(one)]
            if _ADDRESS_KEY in values:  # made once, before anything is claimed
                return Call.OTHER
            for call, word in _WRITES.items():
                if word in values:
                    return call
            return Call.RECORD
        return Call.OTHER


def _texts(statement: Mapping[str, Any]) -> Iterator[Mapping[str, str]]:
    return (value for value in statement["Parameters"] if "S" in value)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    proxy: Proxy

    def handle_error(self, request: object, client_address: object) -> None:
        """The client was killed; nobody needs to hear of that."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def handle(self) -> None:
        self.server.proxy.began(1)
        try:
            super().handle()
        finally:
            self.server.proxy.began(-1)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._serve(self.server.proxy, body)

    def _serve(self, proxy: Proxy, body: bytes) -> None:
        self.close_connection = True
        call = proxy.name(self._operation(body), body)
        if not proxy.watch(call, Phase.BEFORE):
            return
        status, headers, answer = self._forward(body)
        if not proxy.watch(call, Phase.AFTER):
            return
        self.close_connection = False
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in _HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def _operation(self, body: bytes) -> str:
        """In each of AWS's protocols: JSON, CBOR, query."""
        if target := self.headers.get("X-Amz-Target"):
            return target.rpartition(".")[2]
        if "/operation/" in self.path:
            return self.path.rpartition("/")[2]
        return urllib.parse.parse_qs(body.decode()).get("Action", [""])[0]

    def _forward(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection(self.server.proxy.target, timeout=_TIMEOUT_SECONDS)
        try:
            headers = {n: v for n, v in self.headers.items() if n.lower() not in _HOP}
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        pass
