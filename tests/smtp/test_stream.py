"""Replies from bytes, and whether what was written has left: over a socket whose peer is us."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ion.outcome import Reply
from ion.smtp.stream import MAX_REPLY_BYTES, OutOfStepError, Stream, StreamError, reply_of
from smtp.client import until
from smtp_server import Certificate
from smtp_server.certificates import server_context, trusted_ca_pem

SOON = 0.05
"""For what must not come."""
LONG = 60.0
"""For what must come."""
DOT = b"\r\n.\r\n"
LINES = b"0123456789abcdef" * 4 + b"\r\n"


@dataclass
class Peer:
    """The server's end, unbuffered: it reads only when told to."""

    sock: socket.socket
    tls: ssl.SSLObject | None = None
    came: ssl.MemoryBIO = field(default_factory=ssl.MemoryBIO)
    goes: ssl.MemoryBIO = field(default_factory=ssl.MemoryBIO)

    async def shake_hands(self) -> None:
        loop = asyncio.get_running_loop()
        context = server_context(Certificate.VALID)
        self.tls = context.wrap_bio(self.came, self.goes, server_side=True)
        shaken = False
        while not shaken:
            self.came.write(await loop.sock_recv(self.sock, 1 << 16))
            with suppress(ssl.SSLWantReadError):
                self.tls.do_handshake()
                shaken = True
            await loop.sock_sendall(self.sock, self.goes.read())

    def say(self, octets: bytes) -> None:
        self.sock.sendall(octets)

    async def hear(self) -> bytes:
        """All there is to come."""
        loop, heard = asyncio.get_running_loop(), bytearray()
        try:
            while octets := await loop.sock_recv(self.sock, 1 << 16):
                heard += octets
        except ConnectionResetError:
            pass
        return self._plain(bytes(heard)) if self.tls else bytes(heard)

    def _plain(self, octets: bytes) -> bytes:
        """As much of it as came in whole records."""
        assert self.tls is not None
        self.came.write(octets)
        plain = bytearray()
        with suppress(ssl.SSLError):
            while piece := self.tls.read(1 << 16):
                plain += piece
        return bytes(plain)

    async def hear_until(self, end: bytes) -> bytes:
        loop, heard = asyncio.get_running_loop(), bytearray()
        while not heard.endswith(end):
            heard += await loop.sock_recv(self.sock, 1 << 16)
        return bytes(heard)


@asynccontextmanager
async def streamed(
    buffer_bytes: int = 4096, *, tls: bool = False
) -> AsyncIterator[tuple[Stream, Peer]]:
    """A stream and its peer, with as little as possible between them."""
    ours, theirs = socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer_bytes)
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
    theirs.setblocking(False)
    loop = asyncio.get_running_loop()
    peer = Peer(theirs)
    if tls:
        context = ssl.create_default_context(cadata=trusted_ca_pem().decode())
        connecting = loop.create_connection(
            asyncio.Protocol, sock=ours, ssl=context, server_hostname="localhost"
        )
        (transport, _), _ = await asyncio.gather(connecting, peer.shake_hands())
    else:
        transport, _ = await loop.create_connection(asyncio.Protocol, sock=ours)
    stream = Stream(transport)
    try:
        yield stream, peer
    finally:
        stream.close()
        theirs.close()
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("raw", "reply"),
    [
        (b"250 ok\r\n", Reply(250, None, "ok")),
        (b"250\r\n", Reply(250, None, "")),
        (b"250 \r\n", Reply(250, None, "")),
        (b"250 ok\n", Reply(250, None, "ok")),
        (b"250-a\n250 b\n", Reply(250, None, "a\nb")),
        (b"250 2.0.0 ok\r\n", Reply(250, "2.0.0", "ok")),
        (b"250 2.0.0\r\n", Reply(250, "2.0.0", "")),
        (
            b"550-5.1.1 no\r\n550-5.1.1 such\r\n550 5.1.1 user\r\n",
            Reply(550, "5.1.1", "no\nsuch\nuser"),
        ),
        (b"550-5.1.1 no\r\n550 5.7.1 policy\r\n", Reply(550, "5.7.1", "no\npolicy")),
        (b"250-\r\n250-\r\n250 x\r\n", Reply(250, None, "x")),
        (b"550 caf\xe9 \xff\r\n", Reply(550, None, "caf\ufffd \ufffd")),
        ("550 zażółć\r\n".encode(), Reply(550, None, "zażółć")),
        (b"554 5.7.1234 no enhanced code\r\n", Reply(554, None, "5.7.1234 no enhanced code")),
        (b"599 x\r\n", Reply(599, None, "x")),
        (b"421 " + b"x" * 30_000 + b"\r\n", Reply(421, None, "x" * 30_000)),
    ],
)
async def test_a_reply_is_read_whatever_the_segments_it_comes_in(raw: bytes, reply: Reply) -> None:
    async with streamed() as (stream, peer):
        peer.say(raw)
        assert await stream.read_reply(LONG) == reply
        assert not stream.unread
        for octet in raw[:200] if len(raw) < MAX_REPLY_BYTES // 2 else b"":
            peer.say(bytes([octet]))
            await asyncio.sleep(0)
        if len(raw) <= 200:
            assert await stream.read_reply(LONG) == reply
        assert stream.quiet


@pytest.mark.row(55)
@pytest.mark.parametrize(
    "raw",
    [
        b"hello\r\n",
        b"\r\n",
        b"25 ok\r\n",
        b"2500 ok\r\n",
        b"250x\r\n",
        b"250\tok\r\n",
        b" 250 ok\r\n",
        b"199 ok\r\n",
        b"600 ok\r\n",
        b"-1 ok\r\n",
        b"+25 ok\r\n",
        b"2\xb50 ok\r\n",
        b"\xff\xfe? not a reply\r\n",
        b"250-ok\r\n550 no\r\n",
        b"250-ok\r\n251 ok\r\n",
        b"250-ok\r\nmore\r\n",
        b"x" * (MAX_REPLY_BYTES + 1),
        b"250-" + b"x" * MAX_REPLY_BYTES,
        b"250-x\r\n" * (MAX_REPLY_BYTES // 7 + 1),
        "\N{ARABIC-INDIC DIGIT TWO}50 ok\r\n".encode(),
    ],
    ids=range(20),
)
async def test_what_is_no_reply_is_out_of_step(raw: bytes) -> None:
    async with streamed(1 << 16) as (stream, peer):
        peer.say(raw)
        with pytest.raises(OutOfStepError):
            await stream.read_reply(LONG)


async def read_to_the_end(stream: Stream) -> None:
    while True:
        assert 200 <= (await stream.read_reply(LONG)).code <= 599


@given(st.lists(st.binary(max_size=40) | st.sampled_from([b"250 ok\r\n", b"250-", b"\n"])))
@settings(max_examples=150)
async def test_any_bytes_are_a_reply_or_a_wire_error(pieces: list[bytes]) -> None:
    async with streamed() as (stream, peer):
        for piece in pieces:
            peer.say(piece)
        peer.sock.shutdown(socket.SHUT_WR)
        with pytest.raises(StreamError):
            await read_to_the_end(stream)


@given(st.integers(200, 599), st.text(max_size=80))
def test_a_reply_is_made_of_any_text(code: int, text: str) -> None:
    reply = reply_of(code, text)
    assert reply.code == code
    assert reply.enhanced is None or reply.enhanced in text


@pytest.mark.row(56)
async def test_what_follows_a_reply_stays_unread() -> None:
    async with streamed() as (stream, peer):
        peer.say(b"250 ok\r\n550 surprise\r\n")
        assert (await stream.read_reply(LONG)).code == 250
        assert stream.unread
        assert not stream.quiet


async def test_a_reply_counts_though_the_server_closes_behind_it() -> None:
    async with streamed() as (stream, peer):
        peer.say(b"421 bye\r\n")
        peer.sock.close()
        assert (await stream.read_reply(LONG)).code == 421
        await until(lambda: not stream.quiet)
        with pytest.raises(StreamError, match="clos"):
            await stream.read_reply(LONG)


@pytest.mark.parametrize("begun", [b"", b"25", b"250 ok", b"250-ok\r\n", b"250-ok\r\n250 ok"])
async def test_half_a_reply_is_none(begun: bytes) -> None:
    async with streamed() as (stream, peer):
        peer.say(begun)
        with pytest.raises(StreamError, match="timed out"):
            await stream.read_reply(SOON)
        peer.sock.close()
        with pytest.raises(StreamError, match="closed"):
            await stream.read_reply(LONG)


async def test_no_time_left_is_a_time_out() -> None:
    async with streamed() as (stream, _):
        with pytest.raises(StreamError, match="timed out"):
            await stream.read_reply(0)


async def test_a_server_that_talks_without_end_to_an_idle_wire_is_cut_off() -> None:
    async with streamed() as (stream, peer):
        loop = asyncio.get_running_loop()
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            await loop.sock_sendall(peer.sock, b"250 x\r\n" * 1_000_000)
        assert not stream.quiet


async def test_nothing_is_written_on_a_wire_that_has_ended() -> None:
    async with streamed() as (stream, peer):
        peer.sock.close()
        await until(lambda: not stream.quiet)
        with pytest.raises(StreamError):
            stream.write(b"NOOP\r\n")
        with pytest.raises(StreamError):
            await stream.send_body([LINES], LONG)


async def test_a_wire_on_a_transport_that_has_closed_meanwhile_has_ended() -> None:
    ours, theirs = socket.socketpair()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_connection(asyncio.Protocol, sock=ours)
    theirs.close()
    await until(transport.is_closing)
    await asyncio.sleep(0)  # connection_lost has been told, to the protocol before us
    stream = Stream(transport)
    assert not stream.quiet
    with pytest.raises(StreamError):
        stream.write(b"NOOP\r\n")


@pytest.mark.parametrize("octets", [66, 1_000, 16_000, 20_000, 1_500_000])
async def test_a_body_leaves_as_it_is_with_one_dot_behind_it(octets: int) -> None:
    lines = LINES * (octets // len(LINES))
    async with streamed() as (stream, peer):
        heard, _ = await asyncio.gather(peer.hear_until(DOT), stream.send_body([lines], LONG))
        assert heard == lines + b".\r\n"
        peer.say(b"250 ok\r\n")
        assert (await stream.read_reply(LONG)).code == 250


@pytest.mark.row(51)
@pytest.mark.row(58)
@pytest.mark.parametrize(
    ("octets", "tls"),
    [
        *[(octets, False) for octets in (12_000, 16_000, 20_000, 70_000, 100_000, 1_500_000)],
        *[(octets, True) for octets in (20_000, 70_000, 100_000, 1_500_000)],
    ],
)
async def test_the_dot_of_a_body_that_was_given_up_never_leaves(octets: int, *, tls: bool) -> None:
    lines = LINES * (octets // len(LINES))
    async with streamed(tls=tls) as (stream, peer):
        with pytest.raises(StreamError, match="timed out while writing"):
            await stream.send_body([lines], SOON)
        stream.close()
        heard = await peer.hear()  # now it reads
        assert len(heard) < len(lines)
        assert lines.startswith(heard)


@pytest.mark.row(58)
@pytest.mark.parametrize("octets", [16_000, 1_500_000])
async def test_a_server_that_speaks_and_stops_reading_is_heard_without_delay(octets: int) -> None:
    lines = LINES * (octets // len(LINES))
    async with streamed() as (stream, peer):
        sending = asyncio.ensure_future(stream.send_body([lines], LONG))
        await asyncio.sleep(0)
        peer.say(b"552 5.3.4 too big\r\n")
        with pytest.raises(StreamError, match="spoke"):
            await sending
        assert (await stream.read_reply(LONG)).code == 552
        stream.close()
        assert DOT not in await peer.hear()


@pytest.mark.row(51)
@pytest.mark.parametrize("octets", [16_000, 20_000, 1_500_000])
async def test_a_half_closed_connection_doesnt_get_the_dot(octets: int) -> None:
    lines = LINES * (octets // len(LINES))
    async with streamed() as (stream, peer):
        sending = asyncio.ensure_future(stream.send_body([lines], LONG))
        await asyncio.sleep(0)
        peer.sock.shutdown(socket.SHUT_WR)
        with pytest.raises(StreamError, match="closed by the server"):
            await sending
        assert DOT not in await peer.hear()


@pytest.mark.row(51)
async def test_the_time_is_for_the_whole_body_and_not_for_each_slice() -> None:
    lines = LINES * 30_000
    async with streamed() as (stream, peer):
        loop = asyncio.get_running_loop()

        async def reads_a_little_now_and_then() -> None:
            while await loop.sock_recv(peer.sock, 1 << 14):  # noqa: ASYNC110  # it is slow
                await asyncio.sleep(SOON)

        reading = asyncio.ensure_future(reads_a_little_now_and_then())
        with pytest.raises(StreamError, match="timed out while writing"):
            await stream.send_body([lines], 4 * SOON)
        reading.cancel()


async def test_a_connection_reset_before_a_small_body_is_known_not_to_have_taken_it() -> None:
    async with streamed() as (stream, peer):
        peer.sock.close()  # and the loop hasn't had the time to notice
        with pytest.raises(StreamError):
            await stream.send_body([LINES], LONG)
