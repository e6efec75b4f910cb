"""Replies in, octets out, on a connected socket."""

import asyncio
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from ion.outcome import Reply
from ion.smtp.waiting import Waiting

MAX_REPLY_BYTES = 32 * 1024
"""A whole reply; RFC 5321 section 4.5.3.1.5 asks for 512 octets a line, EHLO is a few KB."""
_PARTING = (b"421 ", b"421-", b"221 ", b"221-")
_READ_BYTES = 16 * 1024
_WRITE_BYTES = 64 * 1024
"""A slice of a body between two looks at what the server says meanwhile."""
_ONE_WRITE_BYTES = 16 * 1024
"""A body of this much goes out together with its dot: any kernel takes it at once. The dot of a
longer one goes by itself, when all before it has left."""
_DOT = b".\r\n"

_is_line = re.compile(rb"[2-5][0-9][0-9](?:[ -].*)?", re.DOTALL).fullmatch
_ENHANCED = re.compile(r"([245]\.[0-9]{1,3}\.[0-9]{1,3})(?:\s+|$)")


class StreamError(Exception):
    """The stream ended or can't be believed any more. The text says which."""


class OutOfStepError(StreamError):
    """The server's octets are no reply, or more than it was asked for."""


class Stream(asyncio.BufferedProtocol):
    """One SMTP stream from the client's side.

    Takes over a connected transport (`transport.set_protocol(stream)`), and with it the flow
    control. A `BufferedProtocol`, since a plain one allocates 256 KiB for each read.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        # asyncio's TLS layer writes into a copy, and the data is lost, if given the bytearray.
        self._buffer = memoryview(bytearray(_READ_BYTES))
        self._unread = bytearray()
        self._ended: str | None = None
        self._paused = False
        self._lost = False
        self._waiting = Waiting()
        # What the kernel hasn't taken pauses us, so that "written" can be told from "left".
        # 1 and not 0: asyncio's TLS transport pauses at `>= high`, and at 0 would never resume.
        transport.set_write_buffer_limits(high=1, low=0)
        if (below := _below_tls(transport)) is not None:
            below.set_write_buffer_limits(high=0)
        transport.set_protocol(self)

    # -- asyncio's side ------------------------------------------------------------------

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002, D102 - asyncio's interface
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:  # noqa: D102
        self._unread += self._buffer[:nbytes]
        if len(self._unread) > MAX_REPLY_BYTES:
            self._transport.abort()  # or it would go on filling the memory of an idle session
        self._waiting.wake()

    def eof_received(self) -> bool:  # noqa: D102
        self._end("connection closed by the server")
        return False

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: D102
        self._lost = True
        self._end(f"connection lost ({type(exc).__name__})" if exc else "connection lost")

    def pause_writing(self) -> None:  # noqa: D102
        self._paused = True

    def resume_writing(self) -> None:  # noqa: D102
        self._paused = False
        self._waiting.wake()

    def _end(self, why: str) -> None:
        self._ended = self._ended or why
        self._waiting.stop()
        self._waiting.wake()

    # -- our side ------------------------------------------------------------------------

    @property
    def quiet(self) -> bool:
        """True if the stream is open and the server has said nothing that wasn't asked for."""
        return self.open and not self._unread

    @property
    def open(self) -> bool:
        """True as far as is known."""
        return self._ended is None and not self._transport.is_closing()

    @property
    def unread(self) -> bool:
        """True if the server has said more than has been read."""
        return bool(self._unread)

    @property
    def parting(self) -> bool:
        """True if what is unread begins with 421 or 221: the server is about to close.

        A server that shuts down may say 421 without being asked (RFC 5321 section 3.8).
        """
        return self._unread[:4] in _PARTING

    def close(self) -> None:
        """Close without a word; what wasn't written is dropped."""
        self._end("closed")
        if not self._lost:  # asyncio's can't always be aborted twice
            self._transport.abort()

    def write(self, octets: bytes) -> None:
        """Hand octets to the transport.

        Raises:
            StreamError: the stream has ended; none of the octets have left.
        """
        if self.open:
            self._transport.write(octets)
            if not self._transport.is_closing():
                return
        raise StreamError(self._ended or "connection lost")

    async def send_body(self, lines: Sequence[bytes], timeout_seconds: float) -> None:
        """Send the content and the dot that ends it, as long as the server is silent.

        Args:
            lines: the content in pieces, dot-stuffed.
            timeout_seconds: for all of it.

        Raises:
            StreamError: the server spoke before its turn, or the lines didn't all leave. Then the
                dot hasn't left, and won't any more.
        """
        until = self._waiting.now() + timeout_seconds
        whole = sum(map(len, lines)) <= _ONE_WRITE_BYTES
        for some in () if whole else _slices(lines):
            self._refuse_to_talk_over()
            self.write(some)
            await asyncio.sleep(0)  # a kernel that takes everything would keep us from listening
            await self._left(until)
        self._refuse_to_talk_over()
        try:
            self.write(b"".join((*lines, _DOT)) if whole else _DOT)
            await self._left(until)
        except StreamError:
            self.close()  # the rest must not leave behind our back
            raise

    def _refuse_to_talk_over(self) -> None:
        if not self.quiet:
            raise StreamError(self._ended or "the server spoke during the body")

    async def _left(self, until: float) -> None:
        """Wait until the kernel has taken everything written.

        Raises:
            StreamError: it hasn't.
        """
        while self._paused:
            self._refuse_to_talk_over()
            if self._waiting.now() >= until:
                raise StreamError("timed out while writing")
            await self._waiting.wait(until)

    async def read_reply(self, timeout_seconds: float) -> Reply:
        """The next reply, and only that: what follows it stays unread.

        Raises:
            StreamError: the stream ended, or the time was up.
            OutOfStepError: this is no reply.
        """
        until = None
        while (reply := self._take_reply()) is None:
            if self._ended is not None:
                raise StreamError(self._ended)
            now = self._waiting.now()
            until = now + timeout_seconds if until is None else until
            if now >= until:
                raise StreamError("timed out waiting for the reply")
            await self._waiting.wait(until)
        return reply

    def _take_reply(self) -> Reply | None:
        """A complete reply off the buffer, or None.

        Raises:
            OutOfStepError: what is there can't become a reply.
        """
        if not self._unread:
            return None
        if len(self._unread) > MAX_REPLY_BYTES:
            raise OutOfStepError("reply longer than 32 KB")
        end = 0
        lines: list[bytes] = []
        while (newline := self._unread.find(b"\n", end)) >= 0:
            line = bytes(self._unread[end:newline]).rstrip(b"\r")
            end = newline + 1
            if not _is_line(line):
                raise OutOfStepError("malformed reply")
            lines.append(line)
            if line[:3] != lines[0][:3]:
                raise OutOfStepError("reply with two codes")
            if line[3:4] != b"-":
                del self._unread[:end]
                return _reply_in(tuple(lines))
        return None


@lru_cache(maxsize=64)  # servers repeat themselves: only the reply to the dot is new each time
def _reply_in(lines: tuple[bytes, ...]) -> Reply:
    text = b"\n".join([line[4:] for line in lines])
    return reply_of(int(lines[0][:3]), text.decode("utf-8", "replace"))


def _slices(pieces: Sequence[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        for start in range(0, len(piece), _WRITE_BYTES):
            yield piece[start : start + _WRITE_BYTES]


def _below_tls(transport: asyncio.Transport) -> asyncio.Transport | None:
    """The TCP transport under a TLS one.

    It has a buffer of its own, 64 KiB before it asks for a pause, and asyncio doesn't show it.
    Without it the dot is thought to have left too early: more doubt, never less.
    """
    below = getattr(getattr(transport, "_ssl_protocol", None), "_transport", None)
    return below if isinstance(below, asyncio.Transport) else None


def reply_of(code: int, text: str) -> Reply:
    """A reply from its code and its lines; the last line's enhanced code counts."""
    enhanced, lines = None, []
    for line in text.split("\n"):
        found = _ENHANCED.match(line)
        if found:
            enhanced = found[1]
        lines.append(line[found.end() :] if found else line)
    return Reply(code, enhanced, "\n".join(lines).strip())
