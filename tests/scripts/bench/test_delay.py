"""The proxy that adds a round-trip time, as the process that it is."""

import asyncio
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.daemons import Daemon, module
from bench.delay import Direction

HOST = "127.0.0.1"
SCRIPTS = Path(__file__).parents[3] / "scripts"
HOUR = 3600


@contextmanager
def both_ends(milliseconds: float) -> Iterator[tuple[socket.socket, socket.socket]]:
    with socket.create_server((HOST, 0)) as server:
        command = module("bench.delay", milliseconds, server.getsockname()[1])
        with Daemon(command, {"PYTHONPATH": str(SCRIPTS)}) as daemon:
            (port,) = json.loads(daemon.said)
            with socket.create_connection((HOST, port)) as near:
                far, _ = server.accept()
                with far:
                    yield near, far


def everything(end: socket.socket) -> bytes:
    with end.makefile("rb") as stream:
        return stream.read()


def test_everything_arrives_in_order_and_then_the_end() -> None:
    chunks = [b"%d\n" % number for number in range(1000)]
    with both_ends(2) as (near, far):
        for chunk in chunks:
            near.sendall(chunk)
        near.shutdown(socket.SHUT_WR)
        assert everything(far) == b"".join(chunks)


def test_the_way_back_is_open_too() -> None:
    with both_ends(2) as (near, far):
        near.sendall(b"NOOP\r\n")
        assert far.makefile("rb").readline() == b"NOOP\r\n"
        far.sendall(b"250 Ok\r\n")
        far.close()
        assert everything(near) == b"250 Ok\r\n"


async def test_what_is_said_without_waiting_travels_side_by_side() -> None:
    """Or PIPELINING would look as slow as command by command: all of it is on its way at once."""
    loop = asyncio.get_running_loop()
    direction = Direction(HOUR)  # nothing arrives while we look
    latest = []
    for chunk in (b"MAIL", b"RCPT", b"DATA"):
        direction.get_buffer(-1)[: len(chunk)] = chunk
        direction.buffer_updated(len(chunk))
        latest.append(loop.time() + HOUR)
    assert [chunk for _, chunk in direction.under_way] == [b"MAIL", b"RCPT", b"DATA"]
    assert all(due <= late for (due, _), late in zip(direction.under_way, latest, strict=True))
