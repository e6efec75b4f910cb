"""One transaction in one flight, its content with it: MAIL, RCPT, BDAT (RFC 3030)."""

from ion.outcome import Kind, Outcome, Stage
from ion.smtp.dialogue import (
    COMMAND_SECONDS,
    DOT_BUDGET_SECONDS,
    RSET_SECONDS,
    SLOWEST_BYTES_PER_SECOND,
    Dialogue,
    rcpt_command,
)
from ion.smtp.wire import OutOfStepError, WireError

LARGEST_CHUNK = 64 * 1024
"""More waits for the server's consent, which a refused recipient may keep it from giving."""


class ChunkedDialogue(Dialogue):
    """As a `Dialogue`, but it waits for nothing, so that many may be under way on a connection.

    The price: from the moment that its last octet has left, whatever breaks leaves it in doubt,
    and with it all the others whose answers are awaited.
    """

    _gone = False

    async def run(self) -> dict[str, Outcome]:
        """An outcome for each recipient; never raises for what a server or a network can do."""
        async with self._exchange.turn:
            rest = await self._unless_broken(self._say_all())
        if rest is None:  # nobody else can have come to listen before us: we have not waited
            async with self._exchange.heard:
                rest = await self._unless_broken(self._hear_all())
                if not self._exchange.sound:
                    self._exchange.close()
        return self._fates(rest)

    async def _say_all(self) -> Outcome | None:
        """The outcome if it can't be begun; None: all of it has left."""
        if self._deadline.remaining() < DOT_BUDGET_SECONDS:
            return self._no_time()
        self._at(Stage.MAIL)
        rcpt = [rcpt_command(recipient) for recipient in self._recipients]
        # What a refused BDAT leaves behind, RFC 3030 doesn't say, and the one before ours may be.
        self._exchange.say("RSET", self._mail, *rcpt, f"BDAT {len(self._content)} LAST")
        self._at(Stage.BODY)
        self._exchange.wire.write(self._content)
        patience = COMMAND_SECONDS + len(self._content) / SLOWEST_BYTES_PER_SECOND
        await self._exchange.wire.flush(
            self._deadline.earlier_by(DOT_BUDGET_SECONDS).clip(patience)
        )
        self._gone = True
        return None

    async def _hear_all(self) -> Outcome | None:
        said = await self._exchange.answer(COMMAND_SECONDS + RSET_SECONDS, self._deadline)
        if said.code == 421:
            raise WireError("closed by the server")
        if not said.positive:
            raise OutOfStepError("RSET refused")
        self._answers += 1
        rest = await self._envelope()
        if rest is not None and rest.kind is Kind.OUT_OF_STEP:
            self._refused.clear()
            return self._broken(rest.said)
        return rest

    async def _go_ahead(self) -> Outcome | None:
        """There is nothing to wait for: what comes now is the verdict.

        Unless the server has said one thing too many, and each reply is the one to the command
        before: with others always under way, nothing is left over that would show it. Then this
        was said about a recipient (RFC 3463 section 3.2), and who knows what about the content.
        """
        verdict = await self._verdict()
        reply = verdict.reply
        if verdict.kind is Kind.ACCEPTED and reply and (reply.enhanced or "").startswith("2.1."):
            self.bad_manners = True
            raise OutOfStepError("a reply about an address, where one about the content was due")
        return verdict

    @property
    def _dot_has_left(self) -> bool:
        return self._gone
