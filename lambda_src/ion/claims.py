"""What a claim finds in the ledger, and what follows from it: pure, so that it reads as a table."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from ion.outcome import Delivery, InDoubt, Kind, Reason, Status

SKEW_SECONDS = 30
"""By so much may the clocks of two functions differ before one takes the other's live lease."""
_CRASHES = 3
"""Claims without a result, after which the message is what kills the process."""

PENDING, SENT, DEAD, DOUBTED = ".", "s", "d", "?"
"""The fate of one recipient, a character each in the row's `fates`. Doubted ones are dead-lettered
too, but the server may have their email."""
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
    """Where an email stands."""

    SENDING = "sending"
    DEFERRED = "deferred"
    SENT = "sent"
    BOUNCED = "bounced"
    EXPIRED = "expired"
    IN_DOUBT = "in_doubt"


@dataclass(frozen=True, slots=True)
class Row:
    """The ledger's memory of one email.

    Args:
        status: where it stands.
        token: of the lease that was taken last.
        lease_until: seconds since the epoch; in the past: nobody works on it.
        content_hash: of what was published under this key.
        queued_at: when it was first published, ISO 8601: the email's Date, whichever message of
            that key it is sent for.
        fates: one character a recipient (to, cc, bcc, in order).
        attempts: how often it was tried and counted.
        doubts: how often the server may have got it without our knowing.
        crashes: claims in a row that no result was written for.
        used_ids: SQS ids of the messages that had a lease, or that dead letters were made of: what
            a redrive allows, each of them allows once.
        expires_at: seconds since the epoch; DynamoDB takes its time to remove the row after that.
    """

    status: RowStatus
    token: str
    lease_until: float
    content_hash: str
    fates: str
    attempts: int = 0
    doubts: int = 0
    crashes: int = 0
    used_ids: frozenset[str] = frozenset()
    queued_at: str = ""
    expires_at: float = math.inf


@dataclass(frozen=True, slots=True)
class Claim:
    """Who asks to send which email.

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

    @property
    def scope(self) -> tuple[int, ...]:
        """Indexes of the recipients that this message is about."""
        return self.left or tuple(range(self.recipients))


class Verdict(StrEnum):
    """What may be done with a message."""

    SEND = "send"
    WAIT = "wait"
    """Another holds the lease."""
    DONE = "done"
    """Everybody that the message is about has been served: a copy, to be deleted."""
    REUSED = "reused"
    """The key belongs to an email with other content."""
    PARKED = "parked"
    """It may have been sent, and the policy says that a person decides."""
    CRASH_LOOP = "crash_loop"
    SUSPECT = "suspect"
    """A process died with its lease: to be claimed alone, so that it takes nobody along."""
    UNKNOWN = "unknown"
    """The ledger could not say, so nothing is sent now."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict and what goes with it.

    Args:
        verdict: what may be done.
        row: for `send`, `parked` and `crash_loop`: the row as it is to be once the lease is taken.
        targets: for those: indexes of the recipients that are left.
        wait_seconds: for `wait`: until the lease has surely ended.
    """

    verdict: Verdict
    row: Row | None = None
    targets: tuple[int, ...] = ()
    wait_seconds: float = 0.0


def judge(row: Row | None, claim: Claim, now: float) -> Judgement:
    """What the claim may do, the ledger being as it is.

    Args:
        row: what the ledger has; None: nothing.
        claim: who asks.
        now: seconds since the epoch.
    """
    ours = row is not None and row.token == claim.token and row.status is RowStatus.SENDING
    if row is not None and ours:  # the answer to this very claim was lost, and it was sent again
        return _unless_parked(row, claim, _targets(row, claim))
    if row is not None and row.status is RowStatus.SENDING and row.lease_until + SKEW_SECONDS > now:
        return Judgement(Verdict.WAIT, wait_seconds=row.lease_until + SKEW_SECONDS - now)
    if row is None or row.expires_at <= now:
        new = Row(
            RowStatus.SENDING,
            claim.token,
            claim.lease_until,
            claim.content_hash,
            PENDING * claim.recipients,
            queued_at=claim.queued_at,
            used_ids=frozenset({claim.message_id}),
        )
        return Judgement(Verdict.SEND, new, claim.scope)
    if row.content_hash != claim.content_hash or len(row.fates) != claim.recipients:
        return Judgement(Verdict.REUSED)
    targets = _targets(row, claim)
    if not targets:
        return Judgement(Verdict.DONE)
    if row.status is RowStatus.SENDING and not claim.alone:
        return Judgement(Verdict.SUSPECT)
    if row.status is RowStatus.SENDING:  # the sender died before its result: did the dot leave?
        row = replace(row, doubts=row.doubts + 1, crashes=row.crashes + 1)
        return _unless_parked(_leased(claim, row, targets), claim, targets)
    if PENDING not in row.fates:  # a person brought it back
        row = replace(row, attempts=0, doubts=0)
    return Judgement(Verdict.SEND, _leased(claim, row, targets), targets)


def _targets(row: Row, claim: Claim) -> tuple[int, ...]:
    """Whom to send to: those that nobody served, and on a redrive the dead ones again.

    A dead letter that comes back is another message to SQS; the message that it was made of may
    come back too, by a lost delete, and has nothing to do any more. Nor has a twin, published or
    delivered twice: it isn't a redrive.
    """
    another = claim.message_id not in row.used_ids
    again = {PENDING, DEAD, DOUBTED} if another and claim.redrives else {PENDING}
    return tuple(index for index in claim.scope if row.fates[index] in again)


def _unless_parked(row: Row, claim: Claim, targets: tuple[int, ...]) -> Judgement:
    """What may be done under our lease, which may have been taken after a crash."""
    if row.crashes >= _CRASHES:
        return Judgement(Verdict.CRASH_LOOP, row, targets)
    if row.crashes and not may_resend(claim.in_doubt, row.doubts):
        return Judgement(Verdict.PARKED, row, targets)
    return Judgement(Verdict.SEND, row, targets)


def may_resend(policy: InDoubt, doubts: int) -> bool:
    """True if another copy may go out after `doubts` occasions on which one may have."""
    if policy is InDoubt.RESEND_ONCE:
        return doubts <= 1
    return policy is InDoubt.RESEND


def conclude(row: Row, message_id: str, deliveries: Sequence[Delivery]) -> Row:
    """The row once an attempt has ended, its lease let go.

    Args:
        row: as it was leased.
        message_id: SQS's id of the message at hand.
        deliveries: how its recipients fared; those not named in any are still to be served.
    """
    fates = list(row.fates)
    for delivery in deliveries:
        for index in delivery.recipients:
            fates[index] = _fate(delivery, fates[index])
    outcomes = [delivery.outcome for delivery in deliveries]
    dead = [d.outcome.reason for d in deliveries if d.status is Status.DEAD]
    return replace(
        row,
        status=_status(fates, dead),
        lease_until=0,
        fates="".join(fates),
        attempts=row.attempts + any(outcome.kind in _COUNTS for outcome in outcomes),
        doubts=row.doubts + any(outcome.kind is Kind.IN_DOUBT for outcome in outcomes),
        crashes=0,
        used_ids=row.used_ids | {message_id} if dead else row.used_ids,
    )


def _fate(delivery: Delivery, before: str) -> str:
    if delivery.status is Status.SENT:
        return SENT
    if delivery.status is not Status.DEAD:
        return before
    return DOUBTED if delivery.outcome.kind is Kind.IN_DOUBT else DEAD


def _status(fates: Sequence[str], dead: Sequence[Reason]) -> RowStatus:
    if PENDING in fates:
        return RowStatus.DEFERRED
    if DOUBTED in fates:
        return RowStatus.IN_DOUBT
    if DEAD not in fates:
        return RowStatus.SENT
    return RowStatus.EXPIRED if Reason.EXPIRED in dead else RowStatus.BOUNCED


def _leased(claim: Claim, row: Row, targets: tuple[int, ...]) -> Row:
    """The row with the claim's lease on it; the dead that are brought back live from now on."""
    return replace(
        row,
        status=RowStatus.SENDING,
        token=claim.token,
        lease_until=claim.lease_until,
        used_ids=row.used_ids | {claim.message_id},
        fates="".join(PENDING if i in targets else fate for i, fate in enumerate(row.fates)),
    )
