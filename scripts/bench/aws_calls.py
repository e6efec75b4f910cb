"""Counts what leaves for AWS: requests, their time, and what AWS charges for besides."""

import threading
import time
from collections import Counter
from typing import Any

import boto3


class Calls:
    """What all clients of all sessions made inside `counted` have asked for."""

    def __init__(self) -> None:
        self.requests: Counter[str] = Counter()
        """By operation, "sqs.ReceiveMessage"; a repeated request counts again."""
        self.seconds: dict[str, float] = {}
        """From a request's leaving to its answer's being read, all of an operation together."""
        self.cpu_seconds = 0.0
        """Of the threads that asked, from a call's parameters to its parsed answer."""
        self._began = threading.local()
        self.written = 0
        """Rows that were or should have been written: a write unit each, up to 1 KB."""
        self.read = 0
        """Rows asked for: a read unit each, up to 4 KB and read consistently."""

    def watch(self, client: Any) -> None:  # noqa: ANN401 - whatever boto3 makes
        """Count what this client sends."""
        client.meta.events.register("provide-client-params", self._called)
        client.meta.events.register("before-send", self._sent)
        client.meta.events.register("after-call", self._answered)
        client.meta.events.register("provide-client-params.dynamodb", self._dynamodb)

    def _called(self, **_: object) -> None:
        self._began.cpu = time.thread_time()

    def _sent(self, event_name: str, **_: object) -> None:
        self.requests[event_name.removeprefix("before-send.")] += 1
        self._began.at = time.perf_counter()

    def _answered(self, event_name: str, **_: object) -> None:
        name, seconds = event_name.removeprefix("after-call."), time.perf_counter() - self._began.at
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds
        self.cpu_seconds += time.thread_time() - self._began.cpu

    def _dynamodb(self, params: dict[str, Any], **_: object) -> None:
        self.written += len(params.get("Statements", ()))
        keys = [table["Keys"] for table in params.get("RequestItems", {}).values()]
        self.read += sum(map(len, keys))
        if "Key" in params and "UpdateExpression" not in params:
            self.read += 1


def watched(calls: Calls) -> type[boto3.Session]:
    """Give a Session whose clients are counted."""

    class Session(boto3.Session):
        def client(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
            client = super().client(*args, **kwargs)
            calls.watch(client)
            return client

    return Session
