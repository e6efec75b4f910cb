"""One transaction: MAIL, RCPT, DATA, the body and its final dot.

Driven by us and not by a library, because everything hangs on one fact that only the process
that wrote the dot knows: whether it left.
"""

from collections.abc import Coroutine, Sequence
from enum import StrEnum

from ion.deadline import Deadline
from ion.limits import DOT_BUDGET_SECONDS
from ion.outcome import Kind, Outcome, Reason, Reply, Scope, Stage
from ion.settings import Pipelining
from ion.smtp.channel import Channel
from ion.smtp.replies import classify, leaves_in_step
from ion.smtp.stream import OutOfStepError, StreamError

# Time-outs in seconds, each clipped to what is left of the invocation. RFC 5321 section 4.5.3.2
# asks for longer ones on MAIL, RCPT and DATA; being impatient there costs a retry. At the dot it
# would cost a duplicate, so that one is (nearly) the RFC's.
COMMAND_SECONDS = 60.0
DATA_SECONDS = 120.0
DOT_SECONDS = 300.0
RSET_SECONDS = 10.0
SLOWEST_BYTES_PER_SECOND = 500

_GO_AHEAD = 354
"""The server awaits the content (RFC 5321 section 4.1.1.4)."""
_LOST = frozenset({Kind.OUT_OF_STEP, Kind.IN_DOUBT})


class Confusion(StrEnum):
    """Kinds of failure that speak against the server's PIPELINING."""

    BEHIND_A_DOT = "behind_a_dot"
    """It lost the thread, or the connection, over an envelope behind an unanswered dot."""
    IN_A_FLIGHT = "in_a_flight"
    """It answered an envelope in one flight with what no server says to valid commands."""
    BREAK = "break"
    """The connection broke, or fell silent, over an envelope in one flight: perhaps by chance."""


class Transaction:
    """One email to some recipients.

    Args:
        channel: of the connection.
        mail: the MAIL command.
        recipients: their addresses.
        pieces: the content, cut where lines begin.
        deadline: by which everything has been said.
        pipelining: what goes out in one flight.
    """

    def __init__(
        self,
        channel: Channel,
        mail: str,
        recipients: Sequence[str],
        pieces: Sequence[bytes],
        deadline: Deadline,
        *,
        pipelining: Pipelining,
    ) -> None:
        self._channel = channel
        self._talk = channel.conversation()
        self._mail = mail
        self._recipients = recipients
        self._pieces = pieces
        self._deadline = deadline
        self._pipelining = pipelining
        self._pipelined = pipelining is not Pipelining.OFF
        self._behind_a_dot = False
        self._stage = Stage.MAIL
        self._answers = 0
        self._refused: dict[str, Outcome] = {}
        self.confusion: Confusion | None = None
        """The failure of this transaction that speaks against the server's PIPELINING, if any."""
        self.flew = False
        """The server took the whole envelope in one flight, in step to its end."""

    async def run(self) -> dict[str, Outcome]:
        """An outcome for each recipient; never raises for what a server or a network can do."""
        handed_over = False
        async with self._talk:
            rest = await self._unless_broken(self._up_to_the_dot())
            if rest is None:
                if handed_over := self._pipelining is Pipelining.DEEP:
                    self._talk.hand_over()
                rest = await self._unless_broken(self._verdict())
            assert rest is not None, "a verdict is never empty"
            if self._answers and not handed_over:
                rest = await self._tidy_up(rest)
        # Who was accepted, or not asked about, shares the fate of the whole.
        return dict.fromkeys(self._recipients, rest) | self._refused

    async def _unless_broken(self, step: Coroutine[None, None, Outcome | None]) -> Outcome | None:
        """The outcome of a step; a broken stream is an outcome, too."""
        try:
            rest = await step
            lost_the_thread = rest is not None and rest.kind in _LOST
        except StreamError as error:
            lost_the_thread = isinstance(error, OutOfStepError)
            self._note_confusion(out_of_step=lost_the_thread)
            rest = self._broken(str(error))
        else:
            if lost_the_thread:
                self._note_confusion(out_of_step=True)
        if lost_the_thread:
            self._refused.clear()
            self._channel.close()
        return rest

    def _note_confusion(self, *, out_of_step: bool) -> None:
        """Note a failure that speaks against PIPELINING, before the server had the envelope."""
        in_envelope = self._stage in (Stage.MAIL, Stage.RCPT, Stage.DATA)
        if not (self._pipelined and in_envelope) or self._channel.farewell:
            return
        if not (out_of_step or self._deadline.remaining()):  # the fault is our own impatience
            return
        if self._behind_a_dot:
            self.confusion = Confusion.BEHIND_A_DOT
        elif out_of_step:
            self.confusion = Confusion.IN_A_FLIGHT
        # A connection that ends before any answer had most likely been idle for too long.
        elif self._answers or self._channel.open:
            self.confusion = Confusion.BREAK

    def _broken(self, detail: str) -> Outcome:
        """The stream ended, or can't be believed: in doubt if the dot may have left."""
        self._channel.close()
        if self._dot_has_left:
            kind, reason = Kind.IN_DOUBT, Reason.IN_DOUBT
        else:
            kind, reason = Kind.OUT_OF_STEP, Reason.CONNECTION_LOST
        return Outcome(self._stage, kind, Scope.CONNECTION, reason, detail=detail)

    @property
    def _dot_has_left(self) -> bool:
        return self._stage is Stage.DOT

    # -- the conversation ----------------------------------------------------------------

    async def _up_to_the_dot(self) -> Outcome | None:
        """The outcome if the dot isn't reached; None once it has left."""
        if self._deadline.remaining() < DOT_BUDGET_SECONDS and self._pipelined:
            return self._no_time()
        if self._pipelined:
            self._at(Stage.MAIL)
            rcpt = [_rcpt_command(recipient) for recipient in self._recipients]
            self._behind_a_dot = self._channel.awaited > 0
            self._talk.say(self._mail, *rcpt, "DATA")
        await self._talk.listen()
        return await self._envelope() or await self._body()

    async def _envelope(self) -> Outcome | None:
        """The outcome if it ends there; None: the server awaits the body."""
        said = await self._hear(Stage.MAIL, self._mail, COMMAND_SECONDS)
        if not said.positive:
            verdict = classify(Stage.MAIL, said)
            await self._hear_out(len(self._recipients) + 1, after=said)
            return verdict
        accepted = False
        for recipient in self._recipients:
            said = await self._hear(Stage.RCPT, _rcpt_command(recipient), COMMAND_SECONDS)
            if said.positive:  # and shares the fate of the whole
                accepted = True
                continue
            self._refused[recipient] = classify(Stage.RCPT, said, after_accepted=accepted)
            if not leaves_in_step(Stage.RCPT, said):
                return self._refused[recipient]
        if not accepted:
            await self._hear_out(1, after=said)
            return self._refused[self._recipients[-1]]
        if not self._pipelined and self._deadline.remaining() < DOT_BUDGET_SECONDS:
            return self._no_time()
        return await self._go_ahead()

    async def _go_ahead(self) -> Outcome | None:
        """Whether the server wants the body."""
        said = await self._hear(Stage.DATA, "DATA", DATA_SECONDS)
        if said.code != _GO_AHEAD:
            return classify(Stage.DATA, said)
        self.flew = self._pipelined
        return None

    async def _body(self) -> Outcome | None:
        """The outcome if the server didn't want all of it; None: the dot has left."""
        self._at(Stage.BODY)
        before_dot = self._deadline.earlier_by(DOT_BUDGET_SECONDS)
        if not before_dot.remaining():  # the 354 took its time
            raise StreamError("no time left to wait for the reply to a dot")
        lines = [_dot_stuffed(piece) for piece in self._pieces]
        patience = COMMAND_SECONDS + sum(map(len, lines)) / SLOWEST_BYTES_PER_SECOND
        try:
            await self._talk.send_body(lines, before_dot.clip(patience))
        except StreamError:
            # The server may have said why (an early 552), and then closed or stopped reading.
            if not self._talk.interrupted:
                raise
            early = await self._talk.answer(RSET_SECONDS, self._deadline)
            self._channel.out_of_step()
            if early.positive:
                raise
            return classify(Stage.BODY, early)
        self._at(Stage.DOT)  # all of it has left, the dot's line included
        return None

    async def _verdict(self) -> Outcome:
        """The server's answer to the dot."""
        self._at(Stage.DOT)
        said = await self._talk.answer(DOT_SECONDS, self._deadline)
        if not leaves_in_step(Stage.DOT, said):
            self._channel.out_of_step()
        return classify(Stage.DOT, said)

    async def _tidy_up(self, rest: Outcome) -> Outcome:
        """Clear a transaction that came to nothing. The verdict stands, even if this fails.

        But for one thing: of several replies that came together, one too many may have made each
        the answer to something else. That shows here at the latest.
        """
        shifted = False
        try:
            if self._channel.sound and rest.kind is not Kind.ACCEPTED:
                said = await self._talk.ask("RSET", RSET_SECONDS, self._deadline)
                shifted = said.code == _GO_AHEAD
                if not said.positive:
                    self._channel.close()
        except StreamError as error:
            shifted = isinstance(error, OutOfStepError)
            self._channel.close()
        if shifted and self._pipelined:
            behind = self._behind_a_dot
            self.confusion = Confusion.BEHIND_A_DOT if behind else Confusion.IN_A_FLIGHT
            self._refused.clear()
            return self._broken("more than one reply")
        return rest

    async def _hear(self, stage: Stage, command: str, seconds: float) -> Reply:
        """The reply to a command, which has been said already if pipelined."""
        self._at(stage)
        if not self._pipelined:
            self._talk.say(command)
        said = await self._talk.answer(seconds, self._deadline)
        self._answers += 1
        expected = said.code == _GO_AHEAD if stage is Stage.DATA else said.positive
        if not (expected or leaves_in_step(stage, said)):
            self._channel.out_of_step()
        return said

    async def _hear_out(self, replies: int, after: Reply) -> None:
        """Read the replies to commands that are void; a 354 makes the server wait for a body.

        A dot would end that, but an empty email without recipients is an untested thing to ask for.

        Raises:
            OutOfStepError: it says that one of them succeeded, so the refusal was of another.
        """
        if not self._pipelined or not leaves_in_step(self._stage, after):
            return
        try:
            said = [
                await self._talk.answer(COMMAND_SECONDS, self._deadline) for _ in range(replies)
            ]
        except StreamError as error:
            if isinstance(error, OutOfStepError):
                raise
            self._channel.close()
            return
        if any(reply.positive for reply in said):
            raise OutOfStepError("success where there could be none")
        if any(reply.code == _GO_AHEAD or reply.closing for reply in said):
            self._channel.out_of_step()

    def _at(self, stage: Stage) -> None:
        self._stage = self._channel.stage = stage

    def _no_time(self) -> Outcome:
        detail = "no time left to wait for the reply to a dot"
        return Outcome(Stage.DATA, Kind.UNAVAILABLE, Scope.SITE, Reason.DEADLINE, detail=detail)


def _rcpt_command(recipient: str) -> str:
    """RFC 5321 section 4.1.1.3, without parameters."""
    return f"RCPT TO:<{recipient}>"


def _dot_stuffed(lines: bytes) -> bytes:
    """Lines as DATA wants them (RFC 5321 section 4.5.2); no copy where none begins with a dot."""
    stuffed = lines.replace(b"\r\n.", b"\r\n..")
    return b"." + stuffed if stuffed.startswith(b".") else stuffed
