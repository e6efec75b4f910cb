"""Claims and the leases that follow from the ledger's row: pure, so that it reads as a table."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import chain

from ion.delivery import Delivery, InDoubt, Status
from ion.limits import SKEW_SECONDS
from ion.outcome import Kind, Outcome, Reason
from ion.policy.timeline import CANCELLED, Entry, entry_of, extended, moment

_CRASHES = 3
"""Claims without a result, after which the message is what kills the process."""

PENDING, CLAIMED, SENT, DEAD, DOUBTED, SUPPRESSED = ".", ">", "s", "d", "?", "x"
"""The fate of one recipient, a character each in the row's `fates`. Claimed ones are being sent to
under the row's lease: if its holder dies, the server may have their email. Doubted ones are
dead-lettered too, but the server may have their email. Suppressed ones are never sent to."""
_MOST_DOUBTS = 9
"""The most that fit into one digit; no policy tells nine from ten."""
_FREE = frozenset({Reason.STOPPED, Reason.SUPPRESSED, Reason.ERASED})
"""Decided without trying, though they are the end."""
_COUNTS = frozenset(
    {
        Kind.ACCEPTED,
        Kind.TRANSIENT,
        Kind.GREYLISTED,
        Kind.OUT_OF_STEP,
        Kind.TOO_MANY_RECIPIENTS,
        Kind.PERMANENT,
        Kind.IN_DOUBT,
    }
)
"""Verdicts on the message or a recipient. Throttles and what is wrong with the site are free."""


class RowStatus(StrEnum):
    """State of an email."""

    QUEUED = "queued"
    """It was received and waits; no run has had its lease."""
    SENDING = "sending"
    DEFERRED = "deferred"
    SENT = "sent"
    BOUNCED = "bounced"
    EXPIRED = "expired"
    IN_DOUBT = "in_doubt"
    CANCELLED = "cancelled"
    """No message with this key is sent any more."""
    SUPPRESSED = "suppressed"
    """No recipient is written to: the suppression list, or an erasure, names them all."""


@dataclass(frozen=True, slots=True)
class Row:
    """The ledger's memory of one email.

    Args:
        status: where it stands.
        token: of the lease that was taken last.
        lease_until: seconds since the epoch; in the past: no run works on it.
        content_hash: of what was published under this key.
        queued_at: when it was first published, ISO 8601: the email's Date, for
            every message of that key.
        fates: one character a recipient (to, cc, bcc, in order).
        attempts: how often it was tried and counted.
        doubts: one digit a recipient: how often the server may have got the email for this
            recipient without our knowing.
        crashes: claims in a row that no result was written for.
        used_ids: SQS ids of the messages that had a lease, or that dead letters were made of: what
            a redrive allows, each of them allows once.
        claimed_redrives: a number a recipient: redrives of the message that was claimed for it
            last. Empty: none of them.
        timeline: what has happened to it, the latest last.
        expires_at: seconds since the epoch; DynamoDB takes its time to remove the row after that.
    """

    status: RowStatus
    token: str
    lease_until: float
    content_hash: str
    fates: str
    doubts: str
    attempts: int = 0
    crashes: int = 0
    used_ids: frozenset[str] = frozenset()
    claimed_redrives: tuple[int, ...] = ()
    queued_at: str = ""
    timeline: tuple[Entry, ...] = ()
    expires_at: float = math.inf

    def redrives(self, recipient: int) -> int:
        """Redrives of the message that was claimed for a recipient last."""
        return self.claimed_redrives[recipient] if self.claimed_redrives else 0

    @property
    def is_blank(self) -> bool:
        """True if the email's content couldn't be read yet: the row is about any content."""
        return not self.fates and self.status is not RowStatus.CANCELLED


@dataclass(frozen=True, slots=True)
class Claim:
    """A request for the lease of an email.

    Args:
        email_id: the key.
        message_id: SQS's id of the message at hand.
        content_hash: of what it says.
        recipients: how many there are.
        left: indexes of those that this message is about; empty: all.
        redrives: how often it came back from the dead-letter queue.
        in_doubt: the policy.
        token: a new one for each receive of a message.
        lease_until: seconds since the epoch.
        queued_at: when it was first published, ISO 8601.
        alone: nothing else is claimed beside it, so that it may be one that the process dies over.
        about: further attributes of the row, by which people find it: no address.
    """

    email_id: str
    message_id: str
    content_hash: str
    recipients: int
    left: tuple[int, ...]
    in_doubt: InDoubt
    token: str
    lease_until: float
    redrives: int = 0
    queued_at: str = ""
    alone: bool = False
    about: Mapping[str, str | int] = field(default_factory=dict)

    @property
    def scope(self) -> tuple[int, ...]:
        """Indexes of the recipients that this message is about."""
        return self.left or tuple(range(self.recipients))


class Verdict(StrEnum):
    """Answer to a claim."""

    SEND = "send"
    WAIT = "wait"
    """Another holds the lease."""
    DONE = "done"
    """All recipients of the message have been served: a copy, to be deleted."""
    CANCELLED = "cancelled"
    REUSED = "reused"
    """The key belongs to an email with other content."""
    PARKED = "parked"
    """It may have been sent, and the policy says that a person decides."""
    CRASH_LOOP = "crash_loop"
    SUSPECT = "suspect"
    """A process died with its lease: to be claimed alone, so that it takes no other email along."""
    UNKNOWN = "unknown"
    """The ledger could not say, so nothing is sent now."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict and what goes with it.

    Args:
        verdict: what may be done.
        row: for `send`, `parked` and `crash_loop`: the row as it is to be once the lease is taken.
        targets: for those: indexes of the recipients that the verdict is about.
        parked: for `send`: indexes of those that may have been sent to too often already; they are
            as with `parked`.
        wait_seconds: for `wait`: until the lease has surely ended.
    """

    verdict: Verdict
    row: Row | None = None
    targets: tuple[int, ...] = ()
    parked: tuple[int, ...] = ()
    wait_seconds: float = 0.0


class Cancelling(StrEnum):
    """How a cancel ended."""

    CANCELLED = "cancelled"
    UNTRIED = "untried"
    """Cancelled, and the ledger has no attempt at an email of that key: it is queued, scheduled or
    yet to come; or the key is another one."""
    TOO_LATE = "too_late"
    """It is under way, or has had its fate."""


def cancelled(row: Row | None, token: str, now: float) -> Row | None:
    """The row once its email is cancelled; None: it is too late, since it is under way or decided.

    The token is another one, so that a claim or a result which reckons with the row as it was
    changes nothing.

    Args:
        row: what the ledger has; None: nothing.
        token: a new one.
        now: seconds since the epoch.
    """
    entry = Entry(n=0, at=moment(now), status=CANCELLED)
    if row is None or row.expires_at <= now:
        empty = Row(RowStatus.CANCELLED, token, 0, content_hash="", fates="", doubts="")
        return replace(empty, timeline=extended((), [entry]))
    if row.status is RowStatus.CANCELLED:
        return replace(row, token=token)
    if row.status in (RowStatus.QUEUED, RowStatus.DEFERRED):
        timeline = extended(row.timeline, [entry])
        return replace(row, status=RowStatus.CANCELLED, token=token, timeline=timeline)
    return None


def queued(
    content_hash: str, recipients: int, queued_at: str, delivery: Delivery, token: str, now: float
) -> Row:
    """The row of an email that waits and was never claimed.

    Args:
        content_hash: of what was published; empty: that can't be read yet.
        recipients: how many there are; 0: the same.
        queued_at: when it was first published, ISO 8601.
        delivery: why it waits.
        token: a new one.
        now: seconds since the epoch.
    """
    return Row(
        RowStatus.QUEUED,
        token,
        0,
        content_hash if recipients else "",
        PENDING * recipients,
        "0" * recipients,
        queued_at=queued_at,
        timeline=extended((), [entry_of(delivery, now, recipients)]),
    )


def buried(row: Row, message_id: str, delivery: Delivery, now: float) -> Row:
    """A queued row whose message was dead-lettered before anybody had claimed it.

    Args:
        row: what the ledger has.
        message_id: SQS's id of that message; a redrive has another.
        delivery: why.
        now: seconds since the epoch.
    """
    is_late = delivery.outcome.reason is Reason.EXPIRED
    return replace(
        row,
        status=RowStatus.EXPIRED if is_late else RowStatus.BOUNCED,
        fates=DEAD * len(row.fates),
        used_ids=row.used_ids | {message_id},
        timeline=extended(row.timeline, [entry_of(delivery, now, len(row.fates))]),
    )


def judge(row: Row | None, claim: Claim, now: float) -> Judgement:
    """Judge a claim by the row in the ledger.

    Args:
        row: what the ledger has; None: nothing.
        claim: who asks.
        now: seconds since the epoch.
    """
    ours = row is not None and row.token == claim.token and row.status is RowStatus.SENDING
    if row is not None and ours:  # the answer to this very claim was lost, and it was sent again
        return _unless_in_doubt(row, claim, _targets(row, claim))
    if row is not None and row.status is RowStatus.SENDING and row.lease_until + SKEW_SECONDS > now:
        return Judgement(Verdict.WAIT, wait_seconds=row.lease_until + SKEW_SECONDS - now)
    if row is None or row.expires_at <= now or row.is_blank:
        new = Row(
            RowStatus.SENDING,
            claim.token,
            claim.lease_until,
            claim.content_hash,
            PENDING * claim.recipients,
            "0" * claim.recipients,
            queued_at=claim.queued_at,
            used_ids=frozenset({claim.message_id}),
            claimed_redrives=_unless_none((claim.redrives,) * claim.recipients),
            timeline=row.timeline if row is not None and row.expires_at > now else (),
        )
        return _unless_in_doubt(new, claim, claim.scope)
    if row.status is RowStatus.CANCELLED:
        return Judgement(Verdict.CANCELLED)
    if row.content_hash != claim.content_hash or len(row.fates) != claim.recipients:
        return Judgement(Verdict.REUSED)
    targets = _targets(row, claim)
    if not targets:
        return Judgement(Verdict.DONE)
    if row.status is RowStatus.SENDING and not claim.alone:
        return Judgement(Verdict.SUSPECT)
    if row.status is RowStatus.SENDING:  # the sender died before its result: did the dot leave?
        row = replace(_let_go(row, _claimed(row)), crashes=row.crashes + 1)
    elif PENDING not in row.fates:  # a person brought it back
        row = replace(row, attempts=0)
    return _unless_in_doubt(_leased(claim, row, targets), claim, targets)


def _targets(row: Row, claim: Claim) -> tuple[int, ...]:
    """The recipients to send to: those not served yet, and on a redrive the dead ones again.

    A dead letter that comes back is another message to SQS; the message that it was made of may
    come back too, by a lost delete, and has nothing to do any more. Nor has a twin, published or
    delivered twice: it isn't a redrive. Nor has the twin of a redrive, where a letter was sent back
    twice: the letter that was made of the other one has come back once more often than both.
    """
    another = claim.message_id not in row.used_ids

    def is_left(recipient: int) -> bool:
        if row.fates[recipient] in (DEAD, DOUBTED):
            return another and claim.redrives > row.redrives(recipient)
        return row.fates[recipient] in (PENDING, CLAIMED)

    return tuple(filter(is_left, claim.scope))


def _unless_in_doubt(row: Row, claim: Claim, targets: tuple[int, ...]) -> Judgement:
    """Judge a claim that has the lease, which may have been taken after a crash."""
    if row.crashes >= _CRASHES:
        return Judgement(Verdict.CRASH_LOOP, row, targets)
    parked = tuple(i for i in targets if not may_resend(claim.in_doubt, int(row.doubts[i])))
    if targets and parked == targets:
        return Judgement(Verdict.PARKED, row, targets)
    sending = tuple(i for i in targets if i not in parked)
    fates = "".join(CLAIMED if i in sending else fate for i, fate in enumerate(row.fates))
    return Judgement(Verdict.SEND, replace(row, fates=fates), sending, parked)


def may_resend(policy: InDoubt, doubts: int) -> bool:
    """True if a recipient may be sent to after `doubts` occasions on which a copy may have gone."""
    if policy is InDoubt.RESEND:
        return True
    return doubts <= (1 if policy is InDoubt.RESEND_ONCE else 0)


def attempts_after(row: Row, deliveries: Iterable[Delivery]) -> int:
    """How often an email was tried and counted, once a further attempt has ended so."""
    return row.attempts + any(_is_counted(delivery.outcome) for delivery in deliveries)


def conclude(row: Row, message_id: str, deliveries: Sequence[Delivery], now: float) -> Row:
    """The row once an attempt has ended, its lease let go.

    Args:
        row: as it was leased.
        message_id: SQS's id of the message at hand.
        deliveries: how its recipients fared; those not named in any are still to be served.
        now: seconds since the epoch.
    """
    in_doubt = [d.recipients for d in deliveries if d.outcome.kind is Kind.IN_DOUBT]
    row = _let_go(row, chain.from_iterable(in_doubt))
    fates = list(row.fates)
    for delivery in deliveries:
        for index in delivery.recipients:
            fates[index] = _fate(delivery, fates[index])
    dead = [d.outcome.reason for d in deliveries if d.status is Status.DEAD]
    return replace(
        row,
        status=_status(fates, dead),
        lease_until=0,
        fates="".join(fates),
        attempts=attempts_after(row, deliveries),
        crashes=0,
        used_ids=row.used_ids | {message_id} if dead else row.used_ids,
        timeline=extended(
            row.timeline, [entry_of(delivery, now, len(fates)) for delivery in deliveries]
        ),
    )


def _is_counted(outcome: Outcome) -> bool:
    return outcome.kind in _COUNTS and outcome.reason not in _FREE


def _fate(delivery: Delivery, before: str) -> str:
    if delivery.status is Status.SENT:
        return SENT
    if delivery.status is Status.SUPPRESSED:
        return SUPPRESSED
    if delivery.status is not Status.DEAD:
        return before
    return DOUBTED if delivery.outcome.kind is Kind.IN_DOUBT else DEAD


def _status(fates: Sequence[str], dead: Sequence[Reason]) -> RowStatus:
    if PENDING in fates:
        return RowStatus.DEFERRED
    if DOUBTED in fates:
        return RowStatus.IN_DOUBT
    if DEAD not in fates:
        return RowStatus.SENT if SENT in fates else RowStatus.SUPPRESSED
    return RowStatus.EXPIRED if Reason.EXPIRED in dead else RowStatus.BOUNCED


def _claimed(row: Row) -> tuple[int, ...]:
    return tuple(i for i, fate in enumerate(row.fates) if fate == CLAIMED)


def _let_go(row: Row, in_doubt: Iterable[int]) -> Row:
    """The row with no recipient claimed any more, and one doubt more for each of `in_doubt`."""
    doubts = list(row.doubts)
    for i in in_doubt:
        doubts[i] = str(min(int(doubts[i]) + 1, _MOST_DOUBTS))
    return replace(row, fates=row.fates.replace(CLAIMED, PENDING), doubts="".join(doubts))


def _leased(claim: Claim, row: Row, targets: tuple[int, ...]) -> Row:
    """The row with the claim's lease on it; the dead that are brought back live from now on.

    A person who brings back what was dead-lettered in doubt knows of the copies that there may be,
    so their count begins anew. A refusal says nothing of an earlier copy in doubt: that one counts.
    """
    revived = {i for i in targets if row.fates[i] in (DEAD, DOUBTED)}
    forgiven = {i for i in targets if row.fates[i] == DOUBTED}
    redrives = [claim.redrives if i in targets else row.redrives(i) for i in range(len(row.fates))]
    return replace(
        row,
        status=RowStatus.SENDING,
        token=claim.token,
        lease_until=claim.lease_until,
        used_ids=row.used_ids | {claim.message_id},
        claimed_redrives=_unless_none(redrives),
        fates="".join(PENDING if i in revived else fate for i, fate in enumerate(row.fates)),
        doubts="".join("0" if i in forgiven else digit for i, digit in enumerate(row.doubts)),
    )


def _unless_none(redrives: Sequence[int]) -> tuple[int, ...]:
    return tuple(redrives) if any(redrives) else ()
