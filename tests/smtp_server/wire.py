"""The server's end of one connection, read only as far as asked."""

import asyncio
import socket
import ssl
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import cast

from smtp_server.actions import Ending

_EARLY_SECONDS = 0.001
"""A look at the socket takes a few turns of the event loop, and more under TLS."""


class DisconnectedError(Exception):
    """The client has left, or the script has ended the connection."""


class Stream(asyncio.Protocol):
    """Bytes in and out.

    A protocol and not a pair of streams: a client that isn't read from feels it (no read-ahead),
    what is buffered can be looked at, and one class serves before and after STARTTLS.
    """

    def __init__(self, on_connect: Callable[["Stream"], None]) -> None:
        self.buffer = bytearray()
        self.tls = False
        self._on_connect = on_connect
        self._ended = False
        self._deaf = False
        self._shaking_hands = False
        self._news = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()

    # what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = self._raw = cast("asyncio.Transport", transport)
        self._socket = cast("socket.socket", transport.get_extra_info("socket"))
        self._transport.pause_reading()
        self._transport.set_write_buffer_limits(high=0)  # send() returns when it's all written
        self._on_connect(self)

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            return
        self.buffer += data
        if not self._shaking_hands:  # it may be over before start_tls knows: not `_raw`'s to pause
            self._transport.pause_reading()
        self._news.set()

    def eof_received(self) -> bool:
        self._end()
        return not (self.tls or self._deaf)  # a client may close its half and still read

    def connection_lost(self, exc: Exception | None) -> None:
        self._end()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def _end(self) -> None:
        self._ended = True
        self._news.set()
        self._writable.set()

    # what the conversation calls

    async def more(self) -> None:
        """Waits for input; it is in `buffer` then.

        Raises:
            DisconnectedError: There won't be any.
        """
        if not self._ended:
            self._news.clear()
            before = len(self.buffer)
            self._transport.resume_reading()
            await self._news.wait()
            if len(self.buffer) > before:
                return
        raise DisconnectedError

    def take(self, count: int) -> bytes:
        """Up to that many bytes of what is there."""
        taken = bytes(self.buffer[:count])
        del self.buffer[:count]
        return taken

    def put_back(self, data: bytes) -> None:
        """Takes back what was taken too much."""
        self.buffer[:0] = data

    async def line(self, limit: int) -> bytes:
        """A line with its newline; of one longer than the limit, its first `limit` + 1 bytes."""
        begin = b""
        while (end := self.buffer.find(b"\n")) < 0:
            begin = (begin + self.take(len(self.buffer)))[: limit + 1]
            await self.more()
        return (begin + self.take(end + 1))[: limit + 1]

    async def early(self) -> bool:
        """True if there is input already, in the buffer or just behind it."""
        if not self.buffer:
            with suppress(TimeoutError, DisconnectedError):
                await asyncio.wait_for(self.more(), _EARLY_SECONDS)
        return bool(self.buffer)

    async def send(self, data: bytes, piece_bytes: int = 0, pause_seconds: float = 0) -> None:
        """Writes it all in one segment, or in pieces with pauses.

        Raises:
            DisconnectedError: It couldn't be written.
        """
        size = piece_bytes if pause_seconds else len(data)
        for begin in range(0, len(data), size or 1):
            if begin:
                await asyncio.sleep(pause_seconds)
            if self._transport.is_closing():
                raise DisconnectedError
            self._transport.write(data[begin : begin + size])
            await self._writable.wait()

    async def start_tls(self, context: ssl.SSLContext) -> bytes:
        """Shakes hands; gives the plaintext that came too early and is thrown away (RFC 3207 4.2).

        Raises:
            OSError: The handshake failed.
        """
        early = self.take(len(self.buffer))
        self._shaking_hands = True
        loop = asyncio.get_running_loop()
        transport = await loop.start_tls(self._raw, self, context, server_side=True)
        self._shaking_hands = False
        if transport is None:
            raise ConnectionAbortedError
        self._transport = transport
        self._transport.set_write_buffer_limits(high=1, low=0)  # asyncio's TLS pauses at >= high
        self.tls = True
        return early

    def finish(self, ending: Ending) -> None:
        """Ends the connection as told.

        Short of RST the socket stays open until the client leaves, and what it sends is thrown
        away: closing with unread bytes would send an RST, which can overtake the last reply.
        """
        if ending is Ending.RESET:
            with suppress(OSError):
                self._socket.setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                )
            self._raw.abort()
            return
        self._deaf = True
        self._transport.resume_reading()
        if ending is Ending.CLOSE and self.tls:
            self._transport.close()  # asyncio waits for the client's close_notify
        elif ending is not Ending.HANG:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Closes, unless the connection was ended."""
        if not (self._deaf or self._transport.is_closing()):
            self._transport.close()

    async def gone(self) -> None:
        """Closes for good; the socket is closed when this returns."""
        self._raw.abort()
        while self._socket.fileno() != -1:  # noqa: ASYNC110  # the loop tells nobody when
            await asyncio.sleep(0)
