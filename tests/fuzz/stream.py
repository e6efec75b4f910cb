"""The real reply parser, fed by hand: bytes in, replies out, no socket and no waiting."""

import asyncio
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any

from ion.outcome import Reply
from ion.smtp.stream import MAX_REPLY_BYTES, Stream, StreamError

READ_BYTES = 16 * 1024
"""What asyncio hands over at most, as the stream's own buffer has it."""
MOST_UNREAD_BYTES = MAX_REPLY_BYTES + READ_BYTES
"""The stream must have given up by then, or a server could fill the memory."""
_LONG_SECONDS = 3600.0


class NoSocket(asyncio.Transport):
    """A transport whose other end is the fuzzer."""

    def __init__(self) -> None:
        super().__init__()
        self.aborted = False

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        pass

    def is_closing(self) -> bool:
        return self.aborted

    def abort(self) -> None:
        self.aborted = True


@dataclass
class Heard:
    """What came of a stream.

    Args:
        replies: as far as they could be read.
        end: what the parser said when it couldn't go on.
        most_unread: octets that it held at once.
    """

    replies: list[Reply] = field(default_factory=list)
    end: StreamError | None = None
    most_unread: int = 0

    @property
    def told(self) -> tuple[list[Reply], str]:
        """For comparing: exceptions don't."""
        return self.replies, f"{type(self.end).__name__}: {self.end}"


async def hear(chunks: Iterable[bytes], *, at_once: bool, parser: type[Stream] = Stream) -> Heard:
    """Everything a server says, to the end of the stream. Inside a task: time-outs want one.

    Args:
        chunks: what each read of the socket gives, at most `READ_BYTES`.
        at_once: nobody reads before the last of them, as on an idle session.
        parser: the parser.
    """
    transport = NoSocket()
    stream = parser(transport)
    reader = _Reader(stream)
    heard = reader.heard
    for chunk in chunks:
        if transport.aborted:
            break
        stream.get_buffer(-1)[: len(chunk)] = chunk
        stream.buffer_updated(len(chunk))
        unread = len(stream._unread)  # noqa: SLF001 - it tells nobody how much it holds
        heard.most_unread = max(heard.most_unread, unread)
        if not at_once:
            reader.read()
            if heard.end:
                return heard
    if transport.aborted:
        stream.connection_lost(None)
    else:
        stream.eof_received()
    reader.read()
    return heard


class _Reader:
    """Reads replies as a session does, and steps aside where that would wait.

    Stepping the coroutine by hand does a task's work without its loop: half a microsecond
    instead of fifty, which is what makes a million of them feasible.
    """

    def __init__(self, stream: Stream) -> None:
        self.heard = Heard()
        self._stream = stream
        self._reading: Coroutine[Any, Any, Reply] | None = None

    def read(self) -> None:
        while self.heard.end is None:
            self._reading = self._reading or self._stream.read_reply(_LONG_SECONDS)
            try:
                self._reading.send(None)
            except StopIteration as done:
                self.heard.replies.append(done.value)
                self._reading = None
            except StreamError as error:
                self.heard.end = error
            else:
                return  # it waits for more
