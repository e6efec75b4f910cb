"""One connection's conversation: MAIL, RCPT, DATA, the body and its final dot.

Driven by us and not by a library, because everything hangs on one fact that only the process
that wrote the dot knows: whether it left.
"""

import re
from collections.abc import Mapping, Sequence

from ion.deadline import Deadline
from ion.envelope import Email
from ion.outcome import Kind, Outcome, Reason, Reply, Scope, Stage, Transaction
from ion.smtp.replies import classify, leaves_in_step
from ion.smtp.wire import OutOfStepError, Wire, WireError

# Time-outs in seconds, each clipped to what is left of the invocation. RFC 5321 section 4.5.3.2
# asks for longer ones on MAIL, RCPT and DATA; being impatient there costs a retry. At the dot it
# would cost a duplicate, so that one is (nearly) the RFC's.
COMMAND_SECONDS = 60.0
DATA_SECONDS = 120.0
DOT_SECONDS = 300.0
RSET_SECONDS = 10.0
QUIT_SECONDS = 2.0
SLOWEST_BYTES_PER_SECOND = 500

DOT_BUDGET_SECONDS = 30.0
"""No DATA is begun with less than this left to wait for the reply to its dot."""

RECIPIENTS_PER_TRANSACTION = 50
"""SES accepts 50; RFC 5321 section 4.5.3.1.8 would let us send 100."""


class Session:
    """A logged-in connection. Kept as long as every reply was clean; then closed, never believed.

    Args:
        wire: the stream.
        extensions: EHLO keywords in lower case, to their parameters.
    """

    def __init__(self, wire: Wire, extensions: Mapping[str, str]) -> None:
        self._wire = wire
        self._extensions = extensions
        self._in_step = True
        self._stage = Stage.MAIL
        self.transactions = 0

    def __repr__(self) -> str:
        return f"<Session {'usable' if self.usable else 'closed'}, sent {self.transactions}>"

    @property
    def usable(self) -> bool:
        """False once the server closed, or said anything that it wasn't asked."""
        return self._in_step and self._wire.quiet

    async def send(self, email: Email, deadline: Deadline) -> Transaction:
        """Send one email; never raises for anything that a server or a network can do.

        Returns one outcome for each recipient, in order. More recipients than fit go in further
        transactions on the same connection.
        """
        recipients = email.envelope.recipients
        refused = self._refuse(email)
        if refused is not None:
            return Transaction.all(refused, len(recipients))
        try:
            fates = await self._send(email, tuple(dict.fromkeys(recipients)), deadline)
        except BaseException:
            self.close()
            raise
        return Transaction(tuple(fates[recipient] for recipient in recipients))

    async def _send(
        self, email: Email, recipients: Sequence[str], deadline: Deadline
    ) -> dict[str, Outcome]:
        """As many transactions as it takes."""
        fates: dict[str, Outcome] = {}
        waiting = recipients
        while waiting:
            now, waiting = (
                waiting[:RECIPIENTS_PER_TRANSACTION],
                waiting[RECIPIENTS_PER_TRANSACTION:],
            )
            fates |= await self._transact(email, now, deadline)
            # One too many in this transaction; with at least one accepted, this comes to an end.
            again = [r for r in now if fates[r].kind is Kind.TOO_MANY_RECIPIENTS]
            waiting = [*again, *waiting]
            if not self.usable:  # the rest shares the fate of the connection, before its MAIL
                lost = Outcome(
                    Stage.MAIL,
                    Kind.OUT_OF_STEP,
                    Scope.CONNECTION,
                    Reason.CONNECTION_LOST,
                    detail="connection lost before this recipient's turn",
                )
                fates |= dict.fromkeys(waiting, lost)
                break
        return fates

    async def quit(self) -> None:
        """Say goodbye, if the server still listens, and close."""
        try:
            if self.usable:
                self._wire.write(b"QUIT\r\n")
                await self._wire.read_reply(QUIT_SECONDS)
        except WireError:
            pass
        finally:
            self.close()

    def close(self) -> None:
        """Close without a word."""
        self._in_step = False
        self._wire.close()

    # -- one transaction -----------------------------------------------------------------

    async def _transact(
        self, email: Email, recipients: Sequence[str], deadline: Deadline
    ) -> dict[str, Outcome]:
        """One MAIL … dot. A verdict that was given stands, whatever the stream does later.

        Unless the server turns out to be out of step: then it may have answered something else.
        """
        self.transactions += 1
        verdicts: dict[str, Outcome] = {}
        try:
            rest = await self._converse(email, recipients, verdicts, deadline)
            lost_the_thread = rest.kind in (Kind.OUT_OF_STEP, Kind.IN_DOUBT)
        except WireError as error:
            rest = self._broken(str(error))
            lost_the_thread = isinstance(error, OutOfStepError)
        if lost_the_thread:
            verdicts.clear()
        if lost_the_thread or not self._in_step:
            self.close()
        elif rest.kind is not Kind.ACCEPTED:
            await self._reset(deadline)
        return {
            recipient: rest
            if recipient not in verdicts or verdicts[recipient].kind is Kind.ACCEPTED
            else verdicts[recipient]
            for recipient in recipients
        }

    async def _converse(
        self,
        email: Email,
        recipients: Sequence[str],
        verdicts: dict[str, Outcome],
        deadline: Deadline,
    ) -> Outcome:
        """The dialogue; fills `verdicts` by recipient, returns the outcome for those accepted."""
        said = await self._ask(Stage.MAIL, self._mail(email), COMMAND_SECONDS, deadline)
        if not said.positive:
            return classify(Stage.MAIL, said)
        verdict = classify(Stage.MAIL, said)
        accepted = False
        for recipient in recipients:
            command = f"RCPT TO:<{recipient}>"
            said = await self._ask(Stage.RCPT, command, COMMAND_SECONDS, deadline)
            verdict = classify(Stage.RCPT, said, after_accepted=accepted)
            verdicts[recipient] = verdict
            accepted = accepted or verdict.kind is Kind.ACCEPTED
            if not self._in_step:
                return verdict
        if not accepted:
            return verdict
        if deadline.remaining() < DOT_BUDGET_SECONDS:
            detail = "no time left to wait for the reply to a dot"
            return Outcome(Stage.DATA, Kind.UNAVAILABLE, Scope.SITE, Reason.DEADLINE, detail=detail)
        said = await self._ask(Stage.DATA, "DATA", DATA_SECONDS, deadline)
        if said.code != 354:  # RFC 5321 section 4.1.1.4
            return classify(Stage.DATA, said)
        return await self._body(email.content, deadline)

    async def _body(self, content: bytes, deadline: Deadline) -> Outcome:
        self._stage = Stage.BODY
        before_dot = deadline.earlier_by(DOT_BUDGET_SECONDS)
        if not before_dot.remaining():  # the 354 took its time
            raise WireError("no time left to wait for the reply to a dot")
        lines = _dot_stuffed(content)
        patience = COMMAND_SECONDS + len(lines) / SLOWEST_BYTES_PER_SECOND
        try:
            await self._wire.send_body(lines, before_dot.clip(patience))
        except WireError:
            # The server may have said why (an early 552), and then closed or stopped reading.
            if not self._wire.unread:
                raise
            early = await self._answer(RSET_SECONDS, deadline)
            self._in_step = False
            if early.positive:
                raise
            return classify(Stage.BODY, early)
        # All of it has left, the dot's line included.
        self._stage = Stage.DOT
        return classify(Stage.DOT, await self._answer(DOT_SECONDS, deadline))

    async def _reset(self, deadline: Deadline) -> None:
        """Clear a transaction that came to nothing. The verdict stands, whatever this does."""
        try:
            said = await self._ask(self._stage, "RSET", RSET_SECONDS, deadline)
        except WireError:
            self.close()
            return
        if not said.positive:
            self.close()

    async def _ask(self, stage: Stage, command: str, seconds: float, deadline: Deadline) -> Reply:
        """One command, one reply.

        Raises:
            WireError: the stream broke.
            OutOfStepError: the server spoke before it was asked, or said more.
        """
        self._stage = stage
        if self._wire.unread:
            raise OutOfStepError("the server spoke before it was asked")
        self._wire.write(command.encode() + b"\r\n")
        return await self._answer(seconds, deadline)

    async def _answer(self, seconds: float, deadline: Deadline) -> Reply:
        reply = await self._wire.read_reply(deadline.clip(seconds))
        if self._wire.unread:
            # Two replies to one command: the next command's answer would be mistaken for this
            # one's, or this one's was the last command's. Nothing said here can be believed.
            raise OutOfStepError("more than one reply")
        if not leaves_in_step(reply):
            # 354 is in order at DATA; it alone doesn't reach a caller that keeps the session.
            expected = self._stage is Stage.DATA and reply.code == 354
            self._in_step = self._in_step and expected
        return reply

    def _broken(self, detail: str) -> Outcome:
        """The stream ended, or can't be believed: in doubt if the dot may have left."""
        self.close()
        stage = self._stage
        if stage is Stage.DOT:
            kind, reason = Kind.IN_DOUBT, Reason.IN_DOUBT
        else:
            kind, reason = Kind.OUT_OF_STEP, Reason.CONNECTION_LOST
        return Outcome(stage, kind, Scope.CONNECTION, reason, detail=detail)

    # -- what can be known before MAIL ---------------------------------------------------

    def _refuse(self, email: Email) -> Outcome | None:
        """An email that this server has already said it can't take."""
        limit = self._extensions.get("size", "").strip()
        if re.fullmatch(r"\d{1,20}", limit) and 0 < int(limit) < len(email.content):  # RFC 1870
            detail = f"{len(email.content)} octets, the server takes {limit}"
            return Outcome(
                Stage.MAIL, Kind.PERMANENT, Scope.MESSAGE, Reason.TOO_LARGE, detail=detail
            )
        if email.envelope.smtputf8 and "smtputf8" not in self._extensions:
            detail = "an address isn't ASCII, and the server doesn't offer SMTPUTF8"
            return Outcome(
                Stage.MAIL,
                Kind.PERMANENT,
                Scope.MESSAGE,
                Reason.SMTPUTF8_UNSUPPORTED,
                detail=detail,
            )
        return None

    def _mail(self, email: Email) -> str:
        command = f"MAIL FROM:<{email.envelope.sender}>"
        if "size" in self._extensions:
            command += f" SIZE={len(email.content)}"
        if email.envelope.smtputf8:
            command += " BODY=8BITMIME SMTPUTF8"  # RFC 6531 section 3.4 has them together
        return command


def _dot_stuffed(content: bytes) -> bytes:
    """The content as DATA wants it (RFC 5321 section 4.5.2), without the line that ends it."""
    stuffed = content.replace(b"\r\n.", b"\r\n..")
    return b"." + stuffed if stuffed.startswith(b".") else stuffed
