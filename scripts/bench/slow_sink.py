"""A mail server that takes its time, so that whatever a relay may hold at a time is held.

python -m bench.slow_sink server.pem prints a port. It offers STARTTLS, reads a content slowly,
thinks before it answers a dot, and throws everything away. It ends when its standard input does.
"""

import asyncio
import socket
import ssl
import sys
from contextlib import suppress
from functools import partial

from bench.task import HOST

_READ_BYTES = 64 * 1024
_READ_SECONDS = 0.01
"""A pause after so many octets: 950 KB take a sixth of a second."""
_DOT_SECONDS = 0.2
_GREETING = b"220 slow ESMTP\r\n"
_EHLO = b"250-slow\r\n250-8BITMIME\r\n250-STARTTLS\r\n250-PIPELINING\r\n250 SIZE 0\r\n"


async def _serve(
    tls: ssl.SSLContext, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    writer.write(_GREETING)
    with suppress(ConnectionError, asyncio.IncompleteReadError):
        while not reader.at_eof():
            verb = (await reader.readuntil(b"\r\n"))[:4].upper()
            if verb in (b"EHLO", b"HELO"):
                writer.write(_EHLO)
            elif verb == b"STAR":
                writer.write(b"220 2.0.0 Ready\r\n")
                await writer.start_tls(tls)
            elif verb == b"DATA":
                writer.write(b"354 End with .\r\n")
                await _content(reader)
                writer.write(b"250 2.0.0 Ok\r\n")
            else:
                writer.write(b"250 2.0.0 Ok\r\n")
            if verb == b"QUIT":
                break
    writer.close()


async def _content(reader: asyncio.StreamReader) -> None:
    """Read up to the line with the dot, however long that takes."""
    taken = 0
    while (line := await reader.readuntil(b"\r\n")) != b".\r\n":
        taken += len(line)
        if taken > _READ_BYTES:
            taken = 0
            await asyncio.sleep(_READ_SECONDS)
    await asyncio.sleep(_DOT_SECONDS)


async def serve(certificate: str) -> None:
    """Serve until standard input ends."""
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate)
    listening = socket.create_server((HOST, 0), backlog=128)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _READ_BYTES)
    await asyncio.start_server(partial(_serve, tls), sock=listening, limit=_READ_BYTES)
    print(listening.getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
