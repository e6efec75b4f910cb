"""What must be true after each step: pure.

Believes the dots that the mail server saw and what lies in the queues. What went wrong is known
too, so every copy and every letter too many needs its excuse.
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from emulated import Held
from ion.limits import SKEW_SECONDS
from ion.outcome import Reason
from ion.policy.control import Control
from ion.policy.lease import SENT, RowStatus
from machine.emails import Arrival, Email, ion_of
from machine.orders import OBEYED_SECONDS, SENDER, Orders
from smtp_server import Submission

CONTROL_KEY = " control "
"""Of the row with what operators want."""
OWN = ("Number", "5")
"""An attribute of the publisher's, which every letter must still have."""

_DATE = re.compile(rb"^Date: .*?\r\n", re.MULTILINE)
_OF_DOUBT = frozenset({Reason.IN_DOUBT, Reason.CRASH_LOOP})
_OF_INPUT = frozenset(
    {
        Reason.BAD_JSON,
        Reason.INVALID_SCHEMA,
        Reason.INVALID_UNICODE,
        Reason.INVALID_ADDRESS,
        Reason.HEADER_NAME,
        Reason.HEADER_VALUE,
        Reason.HEADER_INJECTION,
        Reason.SENDER_MISSING,
        Reason.ID_REUSED,
    }
)
_OF_NOBODY = frozenset(
    {
        *(Reason.STOPPED, Reason.CANCELLED, Reason.GUARDED, Reason.SCHEDULED, Reason.LANE),
        *(Reason.LEASED, Reason.DUPLICATE, Reason.ACCEPTED),
    }
)
"""Nothing that goes wrong has these for its consequence."""
_OF_THE_SERVER = frozenset(Reason) - _OF_INPUT - _OF_NOBODY


class Cause(StrEnum):
    """What was wrong in a run, and may have a letter for its consequence."""

    SERVER = "server"
    AWS = "aws"
    DEATH = "death"
    CLOCKS = "clocks"


@dataclass
class Books:
    """The account of one story.

    Args:
        copies: how often the mail server took an email, by recipient.
        doubts: how often it did without ion's being able to know.
        lives: how often a dead letter about a recipient came back into the input queue.
        excuses: by email, what happened that may have left a letter too many.
        causes: by email, what was wrong in runs that had it in hand.
        strays: what never may happen, and did.
        orders: what operators asked for.
        commands: bodies of messages that are no emails.
        announced: keys that were cancelled before there was an email.
        cancelled_at: by key, when it was cancelled in time, by the true time.
    """

    emails: list[Email] = field(default_factory=list)
    copies: Counter[str] = field(default_factory=Counter)
    doubts: Counter[str] = field(default_factory=Counter)
    lives: Counter[str] = field(default_factory=Counter)
    excuses: Counter[int] = field(default_factory=Counter)
    causes: defaultdict[int, set[Cause]] = field(default_factory=lambda: defaultdict(set))
    strays: list[str] = field(default_factory=list)
    orders: Orders = field(default_factory=Orders)
    commands: set[str] = field(default_factory=set)
    announced: set[str] = field(default_factory=set)
    cancelled_at: dict[str, float] = field(default_factory=dict)
    _contents: defaultdict[int, set[bytes]] = field(default_factory=lambda: defaultdict(set))

    def of_body(self, body: str) -> Email | None:
        """The email that a message says."""
        return next((email for email in self.emails if body in email.bodies), None)

    def is_malformed(self, address: str) -> bool:
        """True for a recipient whom the mail server always refuses."""
        return any(address in email.malformed for email in self.emails)

    def came_back(self, held: Held) -> None:
        """A dead letter was put into the input queue."""
        if email := self.of_body(held.body):
            self.lives.update(email.concerned(held))

    def written(
        self, at: float, statements: Sequence[Mapping[str, Any]], responses: Sequence[Any]
    ) -> None:
        """Something was written into the ledger's table, or into the control row, at that time."""
        keys = self.announced | {email.key for email in self.emails}
        for statement, response in zip(statements, responses, strict=False):
            values = [value.get("S", "") for value in statement["Parameters"]]
            if "Error" in response:
                continue
            if CONTROL_KEY in values:
                text = next(value for value in values if value.startswith("{"))
                self.orders.change(at, Control.read(text))
            elif RowStatus.CANCELLED in values:
                for key in keys.intersection(values):
                    self.cancelled_at.setdefault(key, at)

    def arrived(
        self, submission: Submission, arrival: Arrival, *, in_doubt: Mapping[str, bool]
    ) -> None:
        """The mail server took an email.

        Args:
            submission: as it saw it.
            arrival: how and when.
            in_doubt: by recipient, whether ion can't know.
        """
        to = submission.recipients
        email = next((one for one in self.emails if to[0] in one.recipients), None)
        named = f"Subject: e{email.number}\r\n".encode() if email else b""
        if (
            email is None
            or not set(to) <= set(email.recipients) - email.malformed
            or len(set(to)) < len(to)
            or submission.sender != SENDER
            or named not in submission.content
        ):
            self.strays.append(f"unexpected mail to {to}")
            return
        self.strays += self._untimely(email, arrival)
        self.copies.update(to)
        self.doubts.update(address for address in to if in_doubt[address])
        self._contents[email.number].add(_DATE.sub(b"", submission.content))

    def _untimely(self, email: Email, arrival: Arrival) -> Iterator[str]:
        """An email that could not be sent at that time."""
        at, skew = arrival.at, arrival.skew_seconds
        if at < email.not_before - max(0, skew - SKEW_SECONDS):
            yield f"{email.number} was sent {email.not_before - at} s early"
        if at > email.expires_at + max(0, -skew) + arrival.late_seconds:
            yield f"{email.number} was sent {at - email.expires_at} s late"
        if at > self.cancelled_at.get(email.key, math.inf) and not arrival.astray:
            yield f"{email.number} was sent, and was cancelled before"
        seconds = OBEYED_SECONDS + arrival.slow_seconds
        if why := self.orders.forbade(email, at, seconds, abs(skew)):
            yield f"{email.number} was sent, and was {why} before"
        if arrival.blind:
            yield f"{email.number} was sent, and what operators want was not known"

    # -- the count -----------------------------------------------------------------------

    def faults(
        self,
        waiting: Sequence[Held],
        dead: Sequence[Held],
        cancelled: Mapping[str, str],
        queued: Collection[str] = (),
    ) -> list[str]:
        """What doesn't balance.

        Args:
            waiting: what lies in the queues of what is to be sent, visible or not.
            dead: what lies in the dead-letter queue.
            cancelled: keys of which the ledger says so, with the fates of the recipients.
            queued: keys of which the ledger says that nobody has tried them yet.
        """
        found = [*self.strays, *self._unknown(waiting), *self._under_one_key()]
        found += self._untried(queued)
        waits = Counter(self._concerned(waiting))
        letters = Counter(self._concerned(dead))
        for letter in dead:
            found += self._letter_faults(letter)
        for email in self.emails:
            for fate in email.fates:
                found += self._fate_faults(email, fate, waits[fate], letters[fate], cancelled)
            if len(self._contents[email.number]) > 1:
                found.append(f"{email.number}: its copies differ")
        return found

    def at_the_end(
        self,
        waiting: Sequence[Held],
        dead: Sequence[Held],
        cancelled: Mapping[str, str],
        queued: Collection[str] = (),
    ) -> list[str]:
        """The same once everything has had its time."""
        still = [f"still queued: {held.body}" for held in waiting]
        return still + self.faults(waiting, dead, cancelled, queued)

    def _concerned(self, held: Sequence[Held]) -> Iterator[str]:
        for one in held:
            if email := self.of_body(one.body):
                yield from email.concerned(one)

    def _unknown(self, waiting: Sequence[Held]) -> Iterator[str]:
        for held in waiting:
            if self.of_body(held.body) is None and held.body not in self.commands:
                yield f"in the queue, and never published: {held.body}"

    def _untried(self, queued: Collection[str]) -> Iterator[str]:
        """A key of which the ledger says that nobody has tried it, and something was sent."""
        for email in self.emails:
            if email.key in queued and any(self.copies[to] for to in email.recipients):
                yield f"{email.number} was sent, and the ledger says that nobody has tried it"

    def _under_one_key(self) -> Iterator[str]:
        """Two emails under one key: one of them has it, and the other is never sent."""
        sent = [one.key for one in self.emails if any(self.copies[to] for to in one.recipients)]
        for key, times in Counter(sent).items():
            if times > 1:
                yield f"{times} emails were sent under the key {key}"

    def _fate_faults(
        self, email: Email, fate: str, queued: int, letters: int, cancelled: Mapping[str, str]
    ) -> Iterator[str]:
        copies, doubts, lives = self.copies[fate], self.doubts[fate], 1 + self.lives[fate]
        if not copies and not queued and not letters and email.key not in cancelled:
            yield f"lost: {fate}"
        if copies > doubts and email.key in cancelled:
            number = email.fates.index(fate)
            if cancelled[email.key][number : number + 1] != SENT:
                yield f"sent and cancelled: {fate}"
        if copies > 1 + doubts:
            yield f"undue copy: {fate} has {copies}, {doubts} excused"
        most = {"resend_once": 2 * lives, "park": lives}.get(email.policy, copies)
        if copies > most:
            yield f"undue copy: {fate} has {copies} in {lives} lives, policy {email.policy}"
        fates = letters + bool(copies)
        most = 1 + self.excuses[email.number]
        if self._shares_its_key(email):  # the ledger knows one of them; the others die each time
            most += email.publications - 1
        if fates > most:
            yield f"{fate}: {letters} letters and {copies} copies, {most} fates excused"

    def _letter_faults(self, letter: Held) -> Iterator[str]:
        email = self.of_body(letter.body)
        if email is None:
            yield f"a letter that nobody published: {letter.body}"
            return
        what = f"letter about {email.number}"
        kind, reason = letter.attributes.get("reason", ("", ""))
        ion = ion_of(letter)
        failed_at = datetime.fromisoformat(ion.get("failed_at", "1970-01-01T00:00:00Z"))
        allowed = self._reasons(email, failed_at.timestamp())
        if email.malformed.issuperset(email.concerned(letter)):
            allowed |= {Reason.RCPT_REJECTED}
        if kind != "String" or reason not in allowed:
            yield f"{what}: reason {reason!r}, causes {sorted(self.causes[email.number])}"
        keys = email.ids if email.bad else [email.key]
        if ion.get("email_id") not in keys:
            yield f"{what}: key {ion.get('email_id')}, not {keys}"
        if not isinstance(ion.get("attempts"), int) or not ion.get("stage"):
            yield f"{what}: no attempts or no stage"
        if ion.get("original_message_id") not in email.ids:
            yield f"{what}: of message {ion.get('original_message_id')}"
        if not set(ion.get("left", ())) <= set(range(len(email.fates))):
            yield f"{what}: left {ion['left']}"
        if letter.attributes.get("own") != OWN:
            yield f"{what}: the publisher's attribute is gone"

    def _reasons(self, email: Email, failed_at: float) -> frozenset[str]:
        """What a letter about it may say that was written then, by the clock of who judged it."""
        if email.bad:
            return frozenset({email.bad})
        causes = self.causes[email.number]
        allowed: frozenset[str] = frozenset()
        if self._shares_its_key(email):
            allowed |= {Reason.ID_REUSED}
        if causes & {Cause.AWS, Cause.DEATH, Cause.CLOCKS}:
            allowed |= _OF_DOUBT
        if Cause.SERVER in causes:
            allowed |= _OF_THE_SERVER
        if email.expires_at <= failed_at:
            allowed |= {Reason.EXPIRED}
        if self.orders.ever_stopped(email):
            allowed |= {Reason.STOPPED}
        return allowed

    def _shares_its_key(self, email: Email) -> bool:
        return sum(one.key == email.key for one in self.emails) > 1
