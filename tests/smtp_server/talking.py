"""A client of lines, for the scripted server's own tests."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from smtp_server import (
    Action,
    Offer,
    ScriptedServer,
    Step,
)

USERS = {"ion": "secret"}

LOGIN = "AUTH PLAIN AGlvbgBzZWNyZXQ="  # \0ion\0secret


@dataclass
class Client:
    """A raw socket that knows how long a reply is, and no more."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def reply(self) -> str:
        """All lines of a reply; empty at the connection's end."""
        lines = []
        while True:
            lines.append((await self.reader.readline()).decode())
            if lines[-1][3:4] != "-":
                return "".join(lines)

    def write(self, data: bytes | str) -> None:
        self.writer.write(data if isinstance(data, bytes) else f"{data}\r\n".encode())

    async def ask(self, data: bytes | str) -> str:
        self.write(data)
        return await self.reply()

    async def ask_all(self, *lines: bytes | str) -> list[int]:
        return [int((await self.ask(line))[:3]) for line in lines]

    async def ended(self) -> bool:
        return await self.reader.read() == b""


@asynccontextmanager
async def connected(
    server: ScriptedServer, context: ssl.SSLContext | None = None
) -> AsyncIterator[Client]:
    reader, writer = await asyncio.open_connection(server.host, server.port, ssl=context)
    try:
        yield Client(reader, writer)
    finally:
        writer.transport.abort()


@asynccontextmanager
async def served(
    script: dict[Step, Action | list[Action]] | None = None, offer: Offer | None = None
) -> AsyncIterator[tuple[ScriptedServer, Client]]:
    """A server without TLS and a client that has read its greeting."""
    async with ScriptedServer(script, offer=offer) as server, connected(server) as client:
        await client.reply()
        yield server, client
