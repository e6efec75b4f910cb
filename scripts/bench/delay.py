"""A TCP proxy that adds a round-trip time; a process of its own.

python -m bench.delay 10 2525 2526 prints two ports, through which those two are 10 ms away. It ends
when its standard input does.
"""

import asyncio
import json
import sys
from collections import deque
from collections.abc import Sequence

from bench.task import HOST

_READ_BYTES = 256 * 1024


class Direction(asyncio.BufferedProtocol):
    """One end of a connection; what comes in here leaves at the other end, later.

    Each chunk is delayed by itself: whatever is said without waiting arrives without waiting. The
    order stays, and so does the end, which travels like everything else.

    Args:
        seconds: from one end to the other.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._buffer = memoryview(bytearray(_READ_BYTES))
        self._loop = asyncio.get_running_loop()
        self.under_way: deque[tuple[float, bytes]] = deque()
        """When each chunk is due, on the loop's clock, and what it is; empty: the end."""
        self.out: asyncio.Transport | None = None
        """The other end's transport; until it is connected, everything waits."""

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002, D102 - asyncio's interface
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:  # noqa: D102
        self._put(bytes(self._buffer[:nbytes]))

    def eof_received(self) -> bool:  # noqa: D102
        self._put(b"")
        return True  # the other direction may still have something to say

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002, D102
        self._put(b"")

    def connected_to(self, out: asyncio.Transport) -> None:
        """The other end is there."""
        self.out = out
        self._arrive()

    def _put(self, chunk: bytes) -> None:
        self.under_way.append((self._loop.time() + self._seconds, chunk))
        if len(self.under_way) == 1 and self.out is not None:
            self._loop.call_later(self._seconds, self._arrive)

    def _arrive(self) -> None:
        assert self.out is not None
        while self.under_way:
            due, chunk = self.under_way[0]
            if due > self._loop.time():
                self._loop.call_at(due, self._arrive)
                return
            self.under_way.popleft()
            if chunk and not self.out.is_closing():
                self.out.write(chunk)
            elif not chunk:
                self.out.close()


class Outer(Direction):
    """The end that a client has connected to; connects to the server for it.

    asyncio sets TCP_NODELAY on both sockets: nothing waits for more to share a packet with.
    """

    def __init__(self, seconds: float, port: int) -> None:
        super().__init__(seconds)
        self._port = port
        self._connecting: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:  # noqa: D102
        assert isinstance(transport, asyncio.Transport)
        self._connecting = asyncio.create_task(self._connect(transport))

    async def _connect(self, transport: asyncio.Transport) -> None:
        inner = Direction(self._seconds)
        try:
            upstream, _ = await self._loop.create_connection(lambda: inner, HOST, self._port)
        except OSError:
            transport.abort()
            return
        inner.connected_to(transport)
        self.connected_to(upstream)


async def serve(milliseconds: float, ports: Sequence[int]) -> None:
    """Serve until standard input ends."""
    loop = asyncio.get_running_loop()
    one_way = milliseconds / 2000
    servers = []
    for port in ports:
        make = lambda port=port: Outer(one_way, port)  # noqa: E731 - each its own port
        servers.append(await loop.create_server(make, HOST, 0, backlog=128))
    print(json.dumps([server.sockets[0].getsockname()[1] for server in servers]), flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1]), [int(port) for port in sys.argv[2:]]))
