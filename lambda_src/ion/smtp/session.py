"""One connection: emails in, fates out."""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from ion.deadline import Deadline
from ion.envelope import Email
from ion.outcome import Kind, Outcome, Reason, Scope, Stage
from ion.settings import Pipelining
from ion.smtp.channel import Channel
from ion.smtp.stream import Stream, StreamError
from ion.smtp.transaction import Confusion, Transaction

QUIT_SECONDS = 2.0
NOOP_SECONDS = 5.0
IDLE_SECONDS = 4.0
"""SES drops a connection that has been idle for about ten seconds, others after minutes."""
OLDEST_SECONDS = 5 * 60.0
MOST_TRANSACTIONS = 500
"""Servers count emails and minutes, and few say how many they allow."""
DEEPEST = 3
"""Emails under way on a connection in `deep`: one whose dot is about to be answered, one whose
envelope went out with that dot, and one that is ready to go. One body at a time: a lost connection
leaves one email in doubt and not three."""
RECIPIENTS_PER_TRANSACTION = 50
"""SES accepts 50; RFC 5321 section 4.5.3.1.8 would let us send 100."""


def emails_a_connection(pipelining: Pipelining) -> int:
    """Workers that keep a connection busy: those under way, and one that is ready to go."""
    return DEEPEST if pipelining is Pipelining.DEEP else 2


class Session:
    """A logged-in connection. Kept as long as every reply was clean; then closed, never believed.

    Args:
        stream: the stream.
        extensions: EHLO keywords in lower case, to their parameters.
        pipelining: what goes out in one flight, if the server offers PIPELINING.
        now: seconds on a clock that never goes back.
    """

    def __init__(
        self,
        stream: Stream,
        extensions: Mapping[str, str],
        pipelining: Pipelining = Pipelining.ENVELOPE,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._now = now
        self._opened_at = self._used_at = now()
        self._channel = Channel(stream)
        self._extensions = extensions
        self._largest = _largest(extensions)
        self._most_recipients = RECIPIENTS_PER_TRANSACTION
        self._retired = False
        self.pipelining = pipelining if "pipelining" in extensions else Pipelining.OFF
        self.confusion: Confusion | None = None
        """The failure of the last transaction that speaks against the server's PIPELINING."""
        self.flew = False
        """The server took an envelope in one flight, in step."""
        self.transactions = 0

    def __repr__(self) -> str:
        state = self._channel.stage if self.usable else "closed"
        return f"<Session {state}, sent {self.transactions}>"

    @property
    def usable(self) -> bool:
        """False once the server closed, or said anything that it wasn't asked."""
        return self._channel.sound

    @property
    def depth(self) -> int:
        """Emails that may be under way: in `deep`, the next envelope goes out behind a dot."""
        return DEEPEST if self.pipelining is Pipelining.DEEP else 1

    @property
    def worn(self) -> bool:
        """Rather replaced than used again, before the server says so in the middle of an email."""
        age = self._now() - self._opened_at
        return self._retired or self.transactions >= MOST_TRANSACTIONS or age > OLDEST_SECONDS

    def retire(self) -> None:
        """Replace it: the server puts off on it what it may take on another one."""
        self._retired = True

    @property
    def stale(self) -> bool:
        """True if an idle session was idle for so long that it must be probed before it is lent."""
        return self._now() - self._used_at >= IDLE_SECONDS

    async def probe(self) -> bool:
        """Ask with NOOP whether the server is still there. False: it isn't, and this is closed."""
        try:
            async with self._channel.conversation() as talk:
                await talk.listen()
                deadline = Deadline.after(NOOP_SECONDS)
                there = (await talk.ask("NOOP", NOOP_SECONDS, deadline)).positive
        except StreamError:
            there = False
        if not there:
            self.close()
        self._used_at = self._now()
        return self.usable

    async def send(self, email: Email, deadline: Deadline) -> tuple[Outcome, ...]:
        """Send one email; never raises for anything that a server or a network can do.

        Returns one outcome for each recipient, in order. More recipients than fit go in further
        transactions on the same connection.
        """
        recipients = email.envelope.recipients
        refused = self._refuse(email)
        if refused is not None:
            return (refused,) * len(recipients)
        fates = self._refuse_recipients(recipients)
        left = [recipient for recipient in dict.fromkeys(recipients) if recipient not in fates]
        try:
            fates |= await self._send(email, left, deadline)
        except BaseException:
            self.close()
            raise
        return tuple(fates[recipient] for recipient in recipients)

    async def _send(
        self, email: Email, recipients: Sequence[str], deadline: Deadline
    ) -> dict[str, Outcome]:
        """As many transactions as it takes."""
        fates: dict[str, Outcome] = {}
        waiting = recipients
        while waiting:
            most = self._most_recipients
            now, waiting = waiting[:most], waiting[most:]
            fates |= await self._transact(email, now, deadline)
            if any(fates[r].kind is Kind.TOO_MANY_RECIPIENTS for r in now):
                waiting = [*self._too_many(now, fates), *waiting]
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

    def _too_many(self, recipients: Sequence[str], fates: dict[str, Outcome]) -> list[str]:
        """Recipients for a further transaction, since this one had too many.

        Where those beyond the limit are refused one by one, the accepted ones are served, so this
        comes to an end. Exim may then refuse the whole at DATA: there, fewer are tried once.
        """
        again = [r for r in recipients if fates[r].kind is Kind.TOO_MANY_RECIPIENTS]
        accepted = [r for r in again if fates[r].stage is not Stage.RCPT]
        if not accepted:
            return again
        fewer = len(accepted) if len(accepted) < len(recipients) else len(recipients) // 2
        if self._most_recipients == RECIPIENTS_PER_TRANSACTION and fewer:
            self._most_recipients = fewer
            return again
        for recipient in accepted:
            fates[recipient] = _refused_as_a_whole(fates[recipient])
        return [r for r in again if r not in accepted]

    async def _transact(
        self, email: Email, recipients: Sequence[str], deadline: Deadline
    ) -> dict[str, Outcome]:
        self.transactions += 1
        transaction = Transaction(
            self._channel,
            self._mail(email, recipients),
            recipients,
            email.pieces,
            deadline,
            pipelining=self.pipelining,
        )
        fates = await transaction.run()
        self._used_at = self._now()
        self.confusion = transaction.confusion or self.confusion
        self.flew = self.flew or transaction.flew
        return fates

    async def quit(self) -> None:
        """Say goodbye, if the server still listens, and close."""
        try:
            if self.usable:
                async with self._channel.conversation() as talk:
                    await talk.listen()
                    await talk.ask("QUIT", QUIT_SECONDS, Deadline.after(QUIT_SECONDS))
        except StreamError:
            pass
        finally:
            self.close()

    def close(self) -> None:
        """Close without a word."""
        self._channel.close()

    # -- what can be known before MAIL ---------------------------------------------------

    def _refuse(self, email: Email) -> Outcome | None:
        """An email that this server has already said it can't take."""
        if self._largest and email.size > self._largest:
            detail = f"{email.size} octets, the server takes {self._largest}"
            return Outcome(
                Stage.MAIL, Kind.PERMANENT, Scope.MESSAGE, Reason.TOO_LARGE, detail=detail
            )
        if email.envelope.smtputf8 and not self._smtputf8:
            return _no_smtputf8()
        return None

    def _refuse_recipients(self, recipients: Sequence[str]) -> dict[str, Outcome]:
        """Outcomes of recipients whose address this server can't take, where the others can go."""
        if self._smtputf8:
            return {}
        return {one: _no_smtputf8() for one in recipients if not one.isascii()}

    @property
    def _smtputf8(self) -> bool:
        return "smtputf8" in self._extensions

    def _mail(self, email: Email, recipients: Sequence[str]) -> str:
        command = f"MAIL FROM:<{email.envelope.sender}>"
        if "size" in self._extensions:
            command += f" SIZE={email.size}"
        if email.envelope.smtputf8 or not all(map(str.isascii, recipients)):
            command += " BODY=8BITMIME SMTPUTF8"  # RFC 6531 section 3.4 has them together
        return command


def _no_smtputf8() -> Outcome:
    detail = "an address isn't ASCII, and the server doesn't offer SMTPUTF8"
    reason = Reason.SMTPUTF8_UNSUPPORTED
    return Outcome(Stage.MAIL, Kind.PERMANENT, Scope.MESSAGE, reason, detail=detail)


def _refused_as_a_whole(outcome: Outcome) -> Outcome:
    """Too many recipients, though there were few: it is no question of their number."""
    if outcome.reply is not None and outcome.reply.permanent:
        return replace(outcome, kind=Kind.PERMANENT, reason=Reason.DATA_REJECTED)
    return replace(outcome, kind=Kind.TRANSIENT)


def _largest(extensions: Mapping[str, str]) -> int:
    """Octets that the server takes (RFC 1870); 0: it doesn't say."""
    limit = extensions.get("size", "").strip()
    return int(limit) if re.fullmatch(r"\d{1,20}", limit) else 0
