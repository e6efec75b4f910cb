"""In front of the emulated AWS, one for each life of the function: does the faults, takes notes."""

import asyncio
import json
import urllib.parse
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from soak.aws_chaos import AwsChaos, Fault
from soak.http1 import Packet, Upstream, answer, read
from soak.notes import Notes
from soak.witness import Witness

_QUEUE_ERRORS = {Fault.THROTTLED: ("RequestThrottled", 400), Fault.ERROR: ("InternalFailure", 500)}
_TABLE_ERRORS = {
    Fault.THROTTLED: ("ProvisionedThroughputExceededException", 400),
    Fault.ERROR: ("InternalServerError", 500),
}
_ENTRY_ERROR = {"Code": "InternalError", "Message": "soak", "SenderFault": False}
_STATEMENT_ERROR = {"Code": "InternalServerError", "Message": "soak"}


class Front:
    """A proxy on loopback.

    Args:
        life: number of whoever calls here.
        upstream: the emulator.
        chaos: draws the faults.
        witness: told what was done, and what was kept from being heard.
        dead_letters: URL of that queue.
        moment: told of each call, before and after it is done; it may kill the caller.
    """

    def __init__(
        self,
        life: int,
        upstream: Upstream,
        chaos: AwsChaos,
        witness: Witness,
        dead_letters: str,
        moment: Callable[[], None],
    ) -> None:
        self._life = life
        self._upstream = upstream
        self._chaos = chaos
        self._notes = Notes(life, witness, dead_letters)
        self._moment = moment
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.endpoint = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.close()
        await self.quiet()

    async def quiet(self) -> None:
        """Until the caller has left, and what it asked for is done. It must be dead."""
        await asyncio.gather(*self._tasks)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            while (request := await read(reader)) is not None:
                said = await self._answer(request)
                if said is None:
                    break
                writer.write(said.encode())
                with suppress(ConnectionError):
                    await writer.drain()
        finally:
            writer.close()

    async def _answer(self, request: Packet) -> Packet | None:
        """What the caller is to hear; None: the connection breaks."""
        operation = _operation(request)
        self._moment()
        fault = self._chaos.draw(operation, self._life)
        json_ = operation != "SetAlarmState"  # that one speaks CBOR, and concerns nobody's fate
        asked: dict[str, Any] = json.loads(request.body) if json_ else {}
        if fault in (Fault.UNSENT, Fault.THROTTLED, Fault.ERROR):
            self._notes.not_done(operation, asked)
            if fault is Fault.UNSENT or not json_:
                return None
            return _refusal(fault, operation)
        refused = self._take_out(request, asked) if fault is Fault.PARTLY else {}
        said = (
            answer(200, {"Responses": []}, [])
            if _is_empty(asked)
            else await self._upstream.ask(request)
        )
        if json_ and said.status == 200:
            done: dict[str, Any] = json.loads(said.body)
            self._notes.done(operation, asked, done, heard=fault is not Fault.UNHEARD)
            if operation == "ReceiveMessage":
                await self._deliver_twice(request, asked, done)
            if refused:
                said.body = json.dumps(_with_refused(done, refused)).encode()
                said.headers = [(n, v) for n, v in said.headers if n != "x-amz-crc32"]
        self._moment()
        return None if fault is Fault.UNHEARD else said

    # -- faults in part ------------------------------------------------------------------

    def _take_out(self, request: Packet, asked: dict[str, Any]) -> dict[int, dict[str, Any]]:
        """Entries that AWS never sees, by their place in the batch."""
        field = "Statements" if "Statements" in asked else "Entries"
        entries = asked[field]
        out = self._chaos.some(len(entries))
        operation = _operation(request)
        self._notes.not_done(operation, asked | {field: [entries[i] for i in out]})
        asked[field] = [entry for i, entry in enumerate(entries) if i not in out]
        request.body = json.dumps(asked).encode()
        return {i: entries[i] for i in out}

    async def _deliver_twice(
        self, request: Packet, asked: dict[str, Any], done: dict[str, Any]
    ) -> None:
        """At least once: what has just been received is there for others too."""
        for message in done.get("Messages", []):
            if not self._chaos.delivers_twice():
                continue
            again = {
                "QueueUrl": asked["QueueUrl"],
                "ReceiptHandle": message["ReceiptHandle"],
                "VisibilityTimeout": 0,
            }
            headers = [
                (n, "AmazonSQS.ChangeMessageVisibility" if n == "x-amz-target" else v)
                for n, v in request.headers
            ]
            await self._upstream.ask(Packet(request.start, headers, json.dumps(again).encode()))


def _operation(request: Packet) -> str:
    """In each of AWS's protocols: JSON, CBOR, query."""
    if target := request.header("x-amz-target"):
        return target.rpartition(".")[2]
    path = request.start.split(" ")[1]
    if "/operation/" in path:
        return path.rpartition("/")[2]
    return urllib.parse.parse_qs(request.body.decode()).get("Action", [""])[0]


def _is_empty(asked: dict[str, Any]) -> bool:
    """Every entry has been taken out of the batch."""
    return asked.get("Entries") == [] or asked.get("Statements") == []


def _refusal(fault: Fault, operation: str) -> Packet:
    of_table = operation in ("BatchExecuteStatement", "BatchGetItem")
    code, status = (_TABLE_ERRORS if of_table else _QUEUE_ERRORS)[fault]
    return answer(status, {"__type": code, "message": "soak"}, [])


def _with_refused(said: dict[str, Any], refused: dict[int, dict[str, Any]]) -> dict[str, Any]:
    """The answer, with the entries in it that were taken out."""
    if "Statement" in next(iter(refused.values())):
        responses = list(said.get("Responses", []))
        for i in sorted(refused):
            responses.insert(i, {"Error": _STATEMENT_ERROR})
        return said | {"Responses": responses}
    failed = [{"Id": entry["Id"], **_ENTRY_ERROR} for entry in refused.values()]
    return said | {"Failed": [*said.get("Failed", []), *failed]}
