"""Commands out and replies in: each reply to its command, for several emails on one stream."""

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from ion.deadline import Deadline
from ion.outcome import Reply, Stage
from ion.smtp.stream import OutOfStepError, Stream, StreamError


class Channel:
    """Pairs replies with commands.

    A `conversation` is the only way to write or to read: it holds the locks that keep two of them
    from mistaking each other's replies. Both locks are fair, so replies are read in the order of
    their commands.

    Args:
        stream: the stream; from here on it is this object's alone.
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._speaking = asyncio.Lock()
        self._listening = asyncio.Lock()
        self._awaited = 0
        self._in_step = True
        self.stage = Stage.MAIL
        """Stage of the email whose reply was read last."""
        self.farewell = False
        """The server has said that it closes the connection."""

    @property
    def sound(self) -> bool:
        """False once the server closed, or said anything that it wasn't asked."""
        return self._in_step and (self._stream.open if self._awaited else self._stream.quiet)

    @property
    def awaited(self) -> int:
        """Replies that the server still owes."""
        return self._awaited

    @property
    def open(self) -> bool:
        """True as long as the stream hasn't ended, in step or not."""
        return self._stream.open

    def conversation(self) -> "Conversation":
        """One email's, or one probe's, part in what is said here."""
        return Conversation(self, self._stream, self._speaking, self._listening)

    def out_of_step(self) -> None:
        """Something was said after which nothing that follows can be believed."""
        self._in_step = False

    def close(self) -> None:
        """Close without a word."""
        self._in_step = False
        self._stream.close()

    # -- the books, kept by conversations ------------------------------------------------

    def check_silence(self) -> None:
        """Refuse to ask while there is something unread that wasn't asked for.

        Raises:
            StreamError: the server has said that it closes the connection.
            OutOfStepError: the server spoke before it was asked.
        """
        if self.farewell:
            raise StreamError("the server closes the connection")
        if not self._awaited and self._stream.unread:
            raise OutOfStepError("the server spoke before it was asked")

    def asked(self, replies: int) -> None:
        """Note that the server owes so many more replies."""
        self._awaited += replies

    def answered(self, reply: Reply) -> None:
        """One reply fewer is owed.

        A server that has answered may say in the same breath that it closes the connection. That
        is a reply to no command, so the answer is believed, and nothing more is asked.

        Raises:
            OutOfStepError: there is one more than was asked for. It would be taken for the reply to
                the next command, or this one is the last command's: neither can be believed.
        """
        self._awaited -= 1
        self.farewell |= reply.closing
        if not self._awaited and self._stream.unread:
            if not self._stream.parting:
                raise OutOfStepError("more than one reply")
            self.farewell = True

    def check_in_step(self) -> None:
        """Refuse to read replies that may belong to other commands.

        Raises:
            StreamError: the connection lost the thread before.
        """
        if not self._in_step:
            raise StreamError("the connection lost the thread over another email")


class Conversation:
    """The right to speak on a connection, from the beginning; the right to listen, from `listen`.

    Both last until the end, but for `hand_over`. An exception ends the connection before another
    conversation can go on with it.
    """

    def __init__(
        self, channel: Channel, stream: Stream, speaking: asyncio.Lock, listening: asyncio.Lock
    ) -> None:
        self._channel = channel
        self._stream = stream
        self._speaking = speaking
        self._listening = listening
        self._speaks = self._listens = False

    async def __aenter__(self) -> Self:
        await self._speaking.acquire()
        self._speaks = True
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if exc is not None or not self._channel.sound:
            self._channel.close()
        if self._speaks:
            self.hand_over()
        if self._listens:
            self._listens = False
            self._listening.release()

    async def listen(self) -> None:
        """Wait until the conversations before this one have read all their replies."""
        await self._listening.acquire()
        self._listens = True

    def hand_over(self) -> None:
        """Let the next conversation speak, though the reply to this one's dot isn't read yet."""
        self._speaks = False
        self._speaking.release()

    @property
    def interrupted(self) -> bool:
        """True if the server has said more than has been read."""
        return self._stream.unread

    def say(self, *commands: str) -> None:
        """Send commands in one flight.

        Raises:
            StreamError: the stream has ended; nothing has left.
            OutOfStepError: the server spoke before it was asked.
        """
        assert self._speaks, "only the conversation whose turn it is may speak"
        self._channel.check_silence()
        self._stream.write(("\r\n".join(commands) + "\r\n").encode())
        self._channel.asked(len(commands))

    async def send_body(self, lines: Sequence[bytes], timeout_seconds: float) -> None:
        """Send the content and the dot that ends it; the server owes a reply from here on.

        Args:
            lines: the content in pieces, dot-stuffed.
            timeout_seconds: for all of it.

        Raises:
            StreamError: the server spoke before its turn, or the lines didn't all leave. Then the
                dot hasn't left, and won't any more.
        """
        assert self._speaks, "only the conversation whose turn it is may speak"
        assert self._listens, "the 354 was the answer to another conversation"
        self._channel.asked(1)
        await self._stream.send_body(lines, timeout_seconds)

    async def answer(self, seconds: float, deadline: Deadline) -> Reply:
        """The reply to the command whose turn it is.

        Raises:
            StreamError: the stream ended, or the time was up, or something was said before after
                which nothing can be believed. What lies there unread are answers to others, then.
            OutOfStepError: this is no reply, or there is one more than was asked for.
        """
        assert self._listens, "only the conversation whose reply it is may read"
        self._channel.check_in_step()
        reply = await self._stream.read_reply(deadline.clip(seconds))
        self._channel.answered(reply)
        return reply

    async def ask(self, command: str, seconds: float, deadline: Deadline) -> Reply:
        """One command, one reply. Raises as `say` and `answer` do."""
        self.say(command)
        return await self.answer(seconds, deadline)
