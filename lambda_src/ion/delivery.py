"""The fate of a message, or of some of its recipients: what becomes of it now, and why.

What the mail server decided is made by `drain.deliver`; the fates that no server decided are made
here.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

from ion.limits import LONGEST_VISIBILITY_SECONDS
from ion.outcome import Kind, Outcome, Problem, Reason, Scope, Stage

_MENDED_FIRST = frozenset({Reason.ERROR, Reason.STORAGE, Reason.TEMPLATE_UNAVAILABLE})
_FAULT_SECONDS = 300
_NO_LEDGER_SECONDS = 60
_OVERTAKEN_SECONDS = 5


class InDoubt(StrEnum):
    """Policy for an email that the server may or may not have."""

    RESEND_ONCE = "resend_once"
    """At most two copies, then a person decides."""
    RESEND = "resend"
    """As RFC 5321 section 3.8 has it: rather twice than never."""
    PARK = "park"
    """Rather never than twice: a person decides at once."""


class Status(StrEnum):
    """The fate of a message now. The drain turns each into exactly one verb of the queue."""

    SENT = "sent"
    DEFERRED = "deferred"
    RELEASED = "released"
    DEAD = "dead_lettered"
    SUPPRESSED = "suppressed"
    """Recipients who aren't written to, for good: there is nothing that a person could mend."""
    DONE = "done"
    """Nothing is left to do: an action that is through, a copy of what was sent, a cancelled
    email."""
    TO_BULK = "moved_to_bulk"
    """Bulk mail that came by the door for normal mail."""

    @property
    def waits(self) -> bool:
        """True if the message goes back to the queue, to be received again."""
        return self in (Status.DEFERRED, Status.RELEASED)


@dataclass(frozen=True, slots=True)
class Delivery:
    """The fate, for now, of a message or of some of its recipients.

    Args:
        status: what the drain does about it.
        outcome: what decided it.
        delay_seconds: for `deferred`: when to try again.
        recipients: indexes (to, cc, bcc, in order) of those that this is about; empty: the whole
            message, which has none yet.
        smtp_seconds: how long the mail server took over it; 0: it wasn't asked.
        path: for bad input: the JSONPath of what is wrong, "$.recipient[0]".
        problem: for bad input that breaks the contract: in what way.
        did_you_mean: for an unknown field: the known one that it resembles, if any.
        reply: what the server said, or we where it said nothing: redacted, for people to read.
        server: which one was asked, by its section in the configuration; empty: none was.
    """

    status: Status
    outcome: Outcome
    delay_seconds: int = 0
    recipients: tuple[int, ...] = ()
    smtp_seconds: float = 0.0
    path: str = ""
    problem: Problem | None = None
    did_you_mean: str = ""
    reply: str = ""
    server: str = ""

    @property
    def waits_for_repair(self) -> bool:
        """True if a message is tried again once what isn't its own is mended: ion, S3, the table.

        An order that other orders were faster than isn't mail, and waits for nothing.
        """
        reason, scope = self.outcome.reason, self.outcome.scope
        no_ledger = reason is Reason.LEDGER and scope is Scope.SITE
        return self.status is Status.DEFERRED and (no_ledger or reason in _MENDED_FIRST)


def put_back(detail: str) -> Delivery:
    """A message that wasn't begun, and costs nothing: SQS shows it again at once."""
    outcome = Outcome(Stage.PARSE, Kind.UNAVAILABLE, Scope.SITE, Reason.DEADLINE, detail=detail)
    return Delivery(Status.RELEASED, outcome, reply=detail)


def done(detail: str) -> Delivery:
    """An action, such as a redrive, that has nothing left to do."""
    outcome = Outcome(Stage.PARSE, Kind.ACCEPTED, Scope.MESSAGE, Reason.ACCEPTED, detail=detail)
    return Delivery(Status.DONE, outcome, reply=detail)


def fault() -> Delivery:
    """A message that met a fault of ion's own: later, perhaps by a mended ion."""
    outcome = Outcome(Stage.PARSE, Kind.TRANSIENT, Scope.MESSAGE, Reason.ERROR)
    return Delivery(Status.DEFERRED, outcome, delay_seconds=_FAULT_SECONDS)


def poison() -> Delivery:
    """A message that SQS is about to bury, since it was received so often."""
    outcome = Outcome(Stage.PARSE, Kind.PERMANENT, Scope.MESSAGE, Reason.POISON)
    return Delivery(Status.DEAD, outcome)


def duplicate() -> Delivery:
    """A copy of an email that all its recipients have."""
    outcome = Outcome(Stage.CLAIM, Kind.ACCEPTED, Scope.MESSAGE, Reason.DUPLICATE)
    return Delivery(Status.DONE, outcome)


def cancelled() -> Delivery:
    """An email that its publisher has cancelled."""
    outcome = Outcome(Stage.CLAIM, Kind.ACCEPTED, Scope.MESSAGE, Reason.CANCELLED)
    return Delivery(Status.DONE, outcome)


def stopped(recipients: tuple[int, ...], stop_id: str, said: str) -> Delivery:
    """An email that a stop is about; `said`: of that stop, for people."""
    outcome = Outcome(Stage.CLAIM, Kind.PERMANENT, Scope.MESSAGE, Reason.STOPPED, detail=stop_id)
    return Delivery(Status.DEAD, outcome, recipients=recipients, reply=said)


def id_reused(recipients: int) -> Delivery:
    """An email whose key belongs to an email with other content."""
    outcome = Outcome(Stage.CLAIM, Kind.PERMANENT, Scope.MESSAGE, Reason.ID_REUSED)
    return Delivery(Status.DEAD, outcome, path="$.email_id", recipients=tuple(range(recipients)))


def guarded(recipients: tuple[int, ...], path: str = "") -> Delivery:
    """Recipients whom the staging guard lets no email reach; with a path, for want of a sender."""
    detail = "not in [guard] senders" if path else "not in [guard] only"
    outcome = Outcome(Stage.GUARD, Kind.PERMANENT, Scope.RECIPIENT, Reason.GUARDED, detail=detail)
    return Delivery(Status.DEAD, outcome, recipients=recipients, path=path, reply=detail)


def suppressed(recipients: tuple[int, ...], why: str) -> Delivery:
    """Recipients who are on the suppression list.

    Args:
        recipients: their indexes.
        why: the entry's reason and scope, "complaint, tag:list=news": no address.
    """
    outcome = Outcome(Stage.CLAIM, Kind.PERMANENT, Scope.RECIPIENT, Reason.SUPPRESSED, detail=why)
    return Delivery(Status.SUPPRESSED, outcome, recipients=recipients, reply=why)


def erased(recipients: tuple[int, ...]) -> Delivery:
    """Recipients whose data was erased after the email had been published."""
    outcome = Outcome(Stage.CLAIM, Kind.PERMANENT, Scope.RECIPIENT, Reason.ERASED)
    return Delivery(Status.SUPPRESSED, outcome, recipients=recipients)


def template_unavailable(delay_seconds: int, code: str) -> Delivery:
    """An email whose template can't be read just now."""
    outcome = Outcome(Stage.PARSE, Kind.TRANSIENT, Scope.SITE, Reason.TEMPLATE_UNAVAILABLE)
    return Delivery(Status.DEFERRED, outcome, delay_seconds=delay_seconds, reply=code)


def leased(wait_seconds: float) -> Delivery:
    """An email that another run may be sending, until its lease has ended."""
    outcome = Outcome(Stage.CLAIM, Kind.TRANSIENT, Scope.MESSAGE, Reason.LEASED)
    delay = min(int(wait_seconds) + 1, LONGEST_VISIBILITY_SECONDS)
    return Delivery(Status.DEFERRED, outcome, delay_seconds=delay)


def to_bulk() -> Delivery:
    """Bulk mail that came by the door for normal mail, and goes to its own queue."""
    outcome = Outcome(Stage.PARSE, Kind.UNAVAILABLE, Scope.MESSAGE, Reason.LANE)
    return Delivery(Status.TO_BULK, outcome)


def scheduled(wait_seconds: float) -> Delivery:
    """An email that isn't to be sent yet."""
    outcome = Outcome(Stage.PARSE, Kind.UNAVAILABLE, Scope.MESSAGE, Reason.SCHEDULED)
    return Delivery(Status.DEFERRED, outcome, delay_seconds=math.ceil(wait_seconds))


def expired(recipients: tuple[int, ...]) -> Delivery:
    """An email that would be late now, by its publisher's word."""
    outcome = Outcome(Stage.CLAIM, Kind.PERMANENT, Scope.MESSAGE, Reason.EXPIRED)
    return Delivery(Status.DEAD, outcome, recipients=recipients, path="$.expires_at")


def refused(detail: str) -> Delivery:
    """An operator's order that can't be carried out."""
    outcome = Outcome(Stage.PARSE, Kind.PERMANENT, Scope.MESSAGE, Reason.TOO_LARGE, detail=detail)
    return Delivery(Status.DEAD, outcome, reply=detail)


def unwritten(code: str, *, overtaken: bool) -> Delivery:
    """An operator's order that can't be written down just now.

    Args:
        code: AWS's.
        overtaken: the table is well, and other orders were faster.
    """
    outcome = Outcome(Stage.CLAIM, Kind.UNAVAILABLE, Scope.MESSAGE, Reason.LEDGER, detail=code)
    delay = _OVERTAKEN_SECONDS if overtaken else _NO_LEDGER_SECONDS
    return Delivery(Status.DEFERRED, outcome, delay_seconds=delay, reply=code)


def unclaimable() -> Delivery:
    """An email that the ledger could say nothing about, so that it must not be sent."""
    outcome = Outcome(Stage.CLAIM, Kind.UNAVAILABLE, Scope.SITE, Reason.LEDGER)
    return Delivery(Status.DEFERRED, outcome, delay_seconds=_NO_LEDGER_SECONDS)
