"""As much HTTP/1.1 as boto3 and the emulator speak with each other."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

_LIMIT_BYTES = 4 * 1024 * 1024


@dataclass
class Packet:
    """A request or an answer.

    Args:
        start: the first line.
        headers: in order, names in lower case.
        body: all of it.
    """

    start: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name), "")

    @property
    def status(self) -> int:
        return int(self.start.split(" ")[1])

    def encode(self) -> bytes:
        kept = [(n, v) for n, v in self.headers if n not in ("content-length", "connection")]
        lines = [self.start, *(f"{name}: {value}" for name, value in kept)]
        head = "\r\n".join([*lines, f"content-length: {len(self.body)}", "", ""])
        return head.encode("latin-1") + self.body


def answer(status: int, body: dict[str, Any], headers: list[tuple[str, str]]) -> Packet:
    text = json.dumps(body).encode()
    return Packet(f"HTTP/1.1 {status} -", [*headers, ("content-type", "application/json")], text)


async def read(reader: asyncio.StreamReader) -> Packet | None:
    """The next; None: there is none any more."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        start, *lines = head[:-4].decode("latin-1").split("\r\n")
        headers = [(n.lower(), v.strip()) for n, _, v in (line.partition(":") for line in lines)]
        packet = Packet(start, headers, b"")
        assert not packet.header("transfer-encoding"), "chunks are not spoken here"
        size = int(packet.header("content-length") or "0")
        assert size <= _LIMIT_BYTES
        packet.body = await reader.readexactly(size)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    return packet


class Upstream:
    """Connections to the emulator, kept.

    Args:
        host: its.
        port: its.
    """

    def __init__(self, host: str, port: int) -> None:
        self._address = host, port
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def ask(self, request: Packet) -> Packet:
        while True:
            kept = self._kept()
            reader, writer = kept or await asyncio.open_connection(*self._address)
            writer.write(request.encode())
            said = await read(reader)
            if said is not None:
                self._idle.append((reader, writer))
                return said
            writer.close()
            # It hangs up on connections that were idle for a while, maybe just now.
            assert kept is not None, "the emulator hung up"

    def _kept(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        while self._idle:
            reader, writer = self._idle.pop()
            if not reader.at_eof():
                return reader, writer
            writer.close()
        return None

    def close(self) -> None:
        for _, writer in self._idle:
            writer.close()
        self._idle.clear()
