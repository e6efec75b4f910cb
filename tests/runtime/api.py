"""Lambda's Runtime API: hands invocations to a runtime, and takes what comes of them.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, Queue
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

FUNCTION_ARN = "arn:aws:lambda:us-east-1:000000000000:function:ion"

_PATH = "/2018-06-01/runtime/"
_PATIENCE_SECONDS = 60
"""Far more than any of these tests needs; then the runtime has died, or hangs."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """What the runtime is to call the handler with.

    Attributes:
        deadline: seconds since the epoch.
    """

    request_id: str
    event: object
    deadline: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of an invocation.

    Attributes:
        request_id: of the invocation; empty: the runtime hasn't come to the first.
        function_error: "errorType", "errorMessage", "stackTrace"; None: the handler returned.
    """

    request_id: str
    payload: Any
    function_error: Mapping[str, Any] | None = None


class RuntimeApi:
    """Runs between `__enter__` and `__exit__`.

    Attributes:
        address: host and port, for AWS_LAMBDA_RUNTIME_API.
        idle: set while the runtime waits for an invocation: only then does Lambda freeze it.
    """

    def __init__(self) -> None:
        self.idle = threading.Event()
        self._invocations: Queue[Invocation | None] = Queue()
        self._answers: Queue[Answer] = Queue()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.api = self
        self.address = f"127.0.0.1:{self._server.server_address[1]}"

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
        self._invocations.put(None)
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def begin(self, event: object, seconds: float) -> str:
        """Have an invocation ready that may run for so long; give its id."""
        one = Invocation(str(uuid4()), event, time.time() + seconds)
        self._invocations.put(one)
        return one.request_id

    def end(self, request_id: str) -> Answer:
        """Wait for its answer.

        Raises:
            TimeoutError: there is none.
        """
        try:
            answer = self._answers.get(timeout=_PATIENCE_SECONDS)
        except Empty:
            raise TimeoutError(f"no answer within {_PATIENCE_SECONDS} s") from None
        assert answer.request_id in ("", request_id)
        return answer

    def next(self) -> Invocation | None:
        """Wait for an invocation; None: there will be none."""
        self.idle.set()
        invocation = self._invocations.get()
        self.idle.clear()
        return invocation

    def answered(self, answer: Answer) -> None:
        self._answers.put(answer)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    api: RuntimeApi

    def handle_error(self, request: object, client_address: object) -> None:
        """The runtime was ended in the middle of a request."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        assert self.path == f"{_PATH}invocation/next"
        invocation = self.server.api.next()
        if invocation is None:
            self.close_connection = True
            return
        event = json.dumps(invocation.event).encode()
        self.send_response_only(HTTPStatus.OK)
        for name, value in (
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(event))),
            ("Lambda-Runtime-Aws-Request-Id", invocation.request_id),
            ("Lambda-Runtime-Deadline-Ms", str(int(invocation.deadline * 1000))),
            ("Lambda-Runtime-Invoked-Function-Arn", FUNCTION_ARN),
            ("Lambda-Runtime-Trace-Id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0"),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(event)

    def do_POST(self) -> None:
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        match self.path.removeprefix(_PATH).split("/"):
            case ["invocation", request_id, "response"]:
                answer = Answer(request_id, said)
            case ["invocation", request_id, "error"]:
                answer = Answer(request_id, None, said)
            case ["init", "error"]:
                answer = Answer("", None, said)
            case _:
                raise AssertionError(self.path)
        self.send_response_only(HTTPStatus.ACCEPTED)
        self.send_header("Content-Length", "0")
        self.end_headers()
        self.server.api.answered(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        pass
