"""One connection: emails in, fates out, as many at a time as the server's extensions allow."""

import re
import time
from collections.abc import Callable, Mapping, Sequence

from ion.deadline import Deadline
from ion.envelope import Email
from ion.outcome import Kind, Outcome, Reason, Scope, Stage, Transaction
from ion.smtp.chunking import LARGEST_CHUNK, ChunkedDialogue
from ion.smtp.dialogue import Dialogue
from ion.smtp.exchange import Exchange
from ion.smtp.wire import Wire, WireError

QUIT_SECONDS = 2.0
NOOP_SECONDS = 5.0
IDLE_SECONDS = 4.0
"""SES drops a connection that has been idle for about ten seconds, others after minutes."""
OLDEST_SECONDS = 5 * 60.0
MOST_TRANSACTIONS = 500
"""Servers count emails and minutes, and few say how many they allow."""
DEEPEST = 3
"""Emails under way on a connection that pipelines: one whose dot is about to be answered, one whose
envelope went out with that dot, and one that is ready to go. One body at a time: a lost connection
leaves one email in doubt and not three."""
RECIPIENTS_PER_TRANSACTION = 50
"""SES accepts 50; RFC 5321 section 4.5.3.1.8 would let us send 100."""


class Session:
    """A logged-in connection. Kept as long as every reply was clean; then closed, never believed.

    Args:
        wire: the stream.
        extensions: EHLO keywords in lower case, to their parameters.
        window: emails whose content may be under way at a time, where the server offers CHUNKING
            and ENHANCEDSTATUSCODES. If the connection breaks, all of them are in doubt.
        now: seconds on a clock that never goes back.
    """

    def __init__(
        self,
        wire: Wire,
        extensions: Mapping[str, str],
        window: int = 1,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._now = now
        self._opened_at = self._used_at = now()
        self._exchange = Exchange(wire)
        self._extensions = extensions
        self._largest = _largest(extensions)
        self._window = window
        # Only the enhanced codes tell what a reply in the middle of a window is about.
        needed = {"chunking", "enhancedstatuscodes"}
        self._chunking = window > 1 and extensions.keys() >= needed
        self.pipelining = "pipelining" in extensions
        """Several commands go out at a time."""
        self.bad_manners = False
        """The server got that wrong, or so it seems."""
        self.transactions = 0

    def __repr__(self) -> str:
        state = self._exchange.stage if self.usable else "closed"
        return f"<Session {state}, sent {self.transactions}>"

    @property
    def usable(self) -> bool:
        """False once the server closed, or said anything that it wasn't asked."""
        return self._exchange.sound

    @property
    def depth(self) -> int:
        """How many emails may be under way.

        One's envelope goes out while another's dot is answered; or as many as the window holds.
        """
        if not self.pipelining:
            return 1
        return self._window if self._chunking else DEEPEST

    @property
    def worn(self) -> bool:
        """Rather replaced than used again, before the server says so in the middle of an email."""
        age = self._now() - self._opened_at
        return self.transactions >= MOST_TRANSACTIONS or age > OLDEST_SECONDS

    async def still_there(self) -> bool:
        """False if the server has gone away meanwhile: one that was idle for a while is asked."""
        if self._exchange.busy or self._now() - self._used_at < IDLE_SECONDS:
            return self.usable
        try:
            said = await self._exchange.ask("NOOP", NOOP_SECONDS, Deadline.after(NOOP_SECONDS))
        except WireError:
            said = None
        if said is None or not said.positive:
            self.close()
        self._used_at = self._now()
        return self.usable

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
            again = [r for r in now if _was_one_too_many(fates[r])]
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

    async def _transact(
        self, email: Email, recipients: Sequence[str], deadline: Deadline
    ) -> dict[str, Outcome]:
        self.transactions += 1
        chunked = self._chunking and self.pipelining and len(email.content) <= LARGEST_CHUNK
        dialogue = (ChunkedDialogue if chunked else Dialogue)(
            self._exchange,
            self._mail(email),
            recipients,
            email.content,
            deadline,
            pipelined=self.pipelining,
        )
        fates = await self._exchange.go_through(dialogue.run())
        self._used_at = self._now()
        self.bad_manners = self.bad_manners or dialogue.bad_manners
        return fates

    async def quit(self) -> None:
        """Say goodbye, if the server still listens, and close."""
        try:
            if self.usable:
                await self._exchange.ask("QUIT", QUIT_SECONDS, Deadline.after(QUIT_SECONDS))
        except WireError:
            pass
        finally:
            self.close()

    def close(self) -> None:
        """Close without a word."""
        self._exchange.close()

    # -- what can be known before MAIL ---------------------------------------------------

    def _refuse(self, email: Email) -> Outcome | None:
        """An email that this server has already said it can't take."""
        if self._largest and len(email.content) > self._largest:
            detail = f"{len(email.content)} octets, the server takes {self._largest}"
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


def _largest(extensions: Mapping[str, str]) -> int:
    """Octets that the server takes (RFC 1870); 0: it doesn't say."""
    limit = extensions.get("size", "").strip()
    return int(limit) if re.fullmatch(r"\d{1,20}", limit) else 0


def _was_one_too_many(outcome: Outcome) -> bool:
    return outcome.kind is Kind.TOO_MANY_RECIPIENTS and outcome.stage is Stage.RCPT
