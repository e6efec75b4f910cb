"""Commands out and replies in, each reply to its command, for several emails on one stream."""

from collections import deque
from collections.abc import Coroutine
from typing import Any, TypeVar

from ion.deadline import Deadline
from ion.outcome import Reply, Stage
from ion.smtp.strand import Line, Strand
from ion.smtp.turn import Turn
from ion.smtp.wire import OutOfStepError, Wire, WireError

T = TypeVar("T")


class Exchange:
    """Counts what has been asked and not been answered.

    With PIPELINING (RFC 2920) an email's commands go out together, while the reply to the dot of
    the one before is still awaited. Two locks keep them apart: whose `turn` it is speaks, until its
    dot has left; who is `heard` reads, until the reply to that dot. Both are fair, so replies are
    read in the order of their commands.

    Args:
        wire: the stream.
    """

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.turn = Turn(self.close)
        self.heard = Turn(self.close)
        self.stage = Stage.MAIL
        """Where the email is that has been heard of last."""
        self._awaited = 0
        self._in_step = True
        self._line: Line = deque()

    @property
    def sound(self) -> bool:
        """False once the server closed, or said anything that it wasn't asked."""
        return self._in_step and (self.wire.open if self._awaited else self.wire.quiet)

    @property
    def busy(self) -> bool:
        """True while an answer is awaited."""
        return self._awaited > 0

    async def go_through(self, part: Coroutine[Any, None, T]) -> T:
        """A part of the conversation, in which every reply is acted upon as it comes."""
        return await Strand(part, self._line).result()

    def out_of_step(self) -> None:
        """Something was said after which nothing that follows can be believed."""
        self._in_step = False

    def close(self) -> None:
        """Close without a word."""
        self._in_step = False
        self.wire.close()

    def say(self, *commands: str) -> None:
        """Send commands in one flight.

        Raises:
            WireError: the stream has ended; nothing has left.
            OutOfStepError: the server spoke before it was asked.
        """
        if not self._awaited and self.wire.unread:
            raise OutOfStepError("the server spoke before it was asked")
        self.wire.write(("\r\n".join(commands) + "\r\n").encode())
        self._awaited += len(commands)

    def said_a_body(self) -> None:
        """A body has left, and has an answer coming."""
        self._awaited += 1

    async def answer(self, seconds: float, deadline: Deadline) -> Reply:
        """The reply to the command whose turn it is.

        Raises:
            WireError: the stream ended, or the time was up, or something was said before after
                which nothing can be believed. What lies there unread are answers to others, then.
            OutOfStepError: this is no reply, or there is one more than was asked for.
        """
        if not self._in_step:
            raise WireError("the connection lost the thread over another email")
        reply = await self.wire.read_reply(deadline.clip(seconds))
        self._awaited -= 1
        if not self._awaited and self.wire.unread:
            # Two replies to one command: the next command's answer would be mistaken for this
            # one's, or this one's was the last command's. Nothing said here can be believed.
            raise OutOfStepError("more than one reply")
        return reply

    async def ask(self, command: str, seconds: float, deadline: Deadline) -> Reply:
        """One command, one reply. Raises as `say` and `answer` do."""
        self.say(command)
        return await self.answer(seconds, deadline)
