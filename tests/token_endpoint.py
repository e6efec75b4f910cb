"""A token endpoint on loopback: real HTTPS, real connections, and whatever answers a test wants."""

import asyncio
import contextlib
import json
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import chain, repeat
from types import TracebackType
from typing import Final, Self
from urllib.parse import parse_qsl

from ion.settings import OAuth
from smtp_server.certificates import Certificate, server_context, trusted_ca_pem

Answer = bytes | Callable[[asyncio.StreamWriter], Awaitable[None]]
"""Octets, and the connection ends; or what is done with it."""


@dataclass(frozen=True)
class Request:
    """A request as it came."""

    line: str
    headers: dict[str, str]
    form: dict[str, str]


def answer(status: int, body: object, *headers: str) -> bytes:
    """An HTTP answer; what is no bytes becomes JSON."""
    octets = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = [f"HTTP/1.1 {status} x", f"Content-Length: {len(octets)}", *headers, "", ""]
    return "\r\n".join(head).encode() + octets


def issue(token: str, expires_in: object = 3600, **more: object) -> bytes:
    about = {"token_type": "Bearer", "expires_in": expires_in, "access_token": token}
    return answer(200, about | more, "Content-Type: application/json")


def refuse(error: str, status: int = 400, **more: object) -> bytes:
    return answer(status, {"error": error, "error_description": "canary-described", **more})


async def silent(_writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def trickle(writer: asyncio.StreamWriter) -> None:
    """An octet now and then, for ever: each read is quick."""
    writer.write(b"HTTP/1.1 200 OK\r\nX: ")
    while True:
        writer.write(b"x")
        await asyncio.sleep(0.01)


async def chatter(writer: asyncio.StreamWriter) -> None:
    """A body that ends when nobody reads it any more, or after a megabyte."""
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + b" " * 1_000_000)
    await writer.drain()


class TokenEndpoint:
    """Answers requests as it is told.

    Args:
        answers: one a request, the last for ever.
        certificate: a right one or a wrong one.

    Attributes:
        requests: in order of arrival.
        connections: that were made, whether a request came or not.
    """

    host: Final = "127.0.0.1"
    port: int

    def __init__(self, *answers: Answer, certificate: Certificate = Certificate.VALID) -> None:
        self.requests: list[Request] = []
        self.connections = 0
        self.answers(*answers)
        self._certificate = certificate
        self._tasks: set[asyncio.Task[None]] = set()

    def answers(self, *answers: Answer) -> None:
        """From now on, these."""
        self._answers = chain(answers, repeat(answers[-1]))

    @property
    def url(self) -> str:
        return f"https://{self.host}:{self.port}/tenant/token?x=y"

    def oauth(self, **changes: str) -> OAuth:
        """What an application may show here."""
        shown = {"client_id": "canary-id", "client_secret": "canary-secret", "scope": "a b"}
        return OAuth(self.url, **(shown | changes))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        with contextlib.suppress(OSError, EOFError, asyncio.CancelledError):
            await self._reply(reader, writer)
        writer.close()
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await writer.wait_closed()

    async def _reply(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        line, *fields = head.strip().split("\r\n")
        headers = dict(field.lower().split(": ", 1) for field in fields)
        body = await reader.readexactly(int(headers["content-length"]))
        self.requests.append(Request(line, headers, dict(parse_qsl(body.decode()))))
        said = next(self._answers)
        if isinstance(said, bytes):
            writer.write(said)
            await writer.drain()
        else:
            await said(writer)

    async def __aenter__(self) -> Self:
        context = server_context(self._certificate)
        self._server = await asyncio.start_server(self._serve, self.host, 0, ssl=context)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def trusting() -> ssl.SSLContext:
    """A client's context that trusts the CA of the tests, and nothing else, and checks the name."""
    return ssl.create_default_context(cadata=trusted_ca_pem().decode())
