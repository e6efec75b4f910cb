"""One way in: a conversation holds the locks before it writes or reads."""

import asyncio

import pytest

from ion.smtp.channel import Channel
from ion.smtp.stream import Stream, StreamError
from smtp.client import soon, until


class Transport(asyncio.Transport):
    """Takes everything at once."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.aborted = False

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.stream = protocol

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self.aborted

    def abort(self) -> None:
        self.aborted = True


def channel() -> tuple[Channel, Transport]:
    transport = Transport()
    return Channel(Stream(transport)), transport


def hear(transport: Transport, octets: bytes) -> None:
    stream = transport.stream
    assert isinstance(stream, Stream)
    stream.get_buffer(-1)[: len(octets)] = octets
    stream.buffer_updated(len(octets))


async def test_speaking_without_the_turn_is_a_fault_of_ours() -> None:
    one, transport = channel()
    with pytest.raises(AssertionError, match="may speak"):
        one.conversation().say("NOOP")
    assert not transport.written


async def test_reading_without_listening_is_a_fault_of_ours() -> None:
    one, transport = channel()
    hear(transport, b"250 ok\r\n")
    with pytest.raises(AssertionError, match="may read"):
        await one.conversation().answer(1, soon())


async def test_replies_are_read_in_the_order_of_the_commands() -> None:
    one, transport = channel()
    heard: list[tuple[str, int]] = []

    async def converse(name: str) -> None:
        async with one.conversation() as talk:
            talk.say(name)
            await talk.listen()
            talk.hand_over()
            heard.append((name, (await talk.answer(1, soon())).code))

    async with asyncio.TaskGroup() as group:
        for name in ("A", "B", "C", "D"):
            group.create_task(converse(name))
        for code in (201, 202, 203, 204):
            await until(lambda: one.awaited > 0)
            hear(transport, b"%d ok\r\n" % code)
            await until(lambda code=code: bool(heard) and heard[-1][1] == code)  # type: ignore[misc]
    assert heard == [("A", 201), ("B", 202), ("C", 203), ("D", 204)]


async def test_a_conversation_speaks_while_the_one_before_it_still_listens() -> None:
    one, transport = channel()
    async with one.conversation() as first:
        first.say("FIRST")
        await first.listen()
        first.hand_over()
        async with one.conversation() as second:
            second.say("SECOND")
            listening = asyncio.ensure_future(second.listen())
            hear(transport, b"250 one\r\n")
            assert (await first.answer(1, soon())).text == "one"
            assert not listening.done()
            listening.cancel()
            await asyncio.wait([listening])
    assert transport.written == b"FIRST\r\nSECOND\r\n"


async def test_who_is_thrown_out_ends_the_connection_before_the_next_one_speaks() -> None:
    one, transport = channel()

    async def thrown_out() -> None:
        async with one.conversation() as talk:
            talk.say("FIRST")
            await talk.listen()
            raise ValueError

    async def next_one() -> None:
        async with one.conversation() as talk:
            talk.say("SECOND")

    found = await asyncio.gather(thrown_out(), next_one(), return_exceptions=True)
    assert [type(error) for error in found] == [ValueError, StreamError]
    assert transport.written == b"FIRST\r\n"
    assert transport.aborted
    assert not one.sound


async def test_a_body_is_owed_a_reply() -> None:
    one, _ = channel()
    async with one.conversation() as talk:
        await talk.listen()
        await talk.send_body([b"x\r\n"], 1)
        assert one.awaited == 1
