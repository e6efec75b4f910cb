"""Rows and claims to judge."""

from dataclasses import replace

from ion.delivery import Delivery, InDoubt, Status
from ion.limits import SKEW_SECONDS
from ion.outcome import Kind, Outcome, Reason, Scope, Stage
from ion.policy.lease import (
    CLAIMED,
    DEAD,
    DOUBTED,
    Claim,
    Row,
    RowStatus,
)

NOW = 1_800_000_000.0

LEASE = NOW + 960

OVER = NOW - SKEW_SECONDS

CLAIM = Claim(
    email_id="key",
    message_id="message-1",
    content_hash="hash",
    recipients=2,
    left=(),
    in_doubt=InDoubt.RESEND_ONCE,
    token="mine",
    lease_until=LEASE,
    alone=True,
)

ROW = Row(RowStatus.SENDING, "other", LEASE, "hash", CLAIMED * 2, "00", expires_at=NOW + 1e6)

CRASHED = replace(ROW, lease_until=OVER)

BURIED = replace(
    ROW,
    status=RowStatus.BOUNCED,
    lease_until=0,
    fates=DEAD * 2,
    attempts=5,
    used_ids=frozenset({"message-1"}),
)

DOUBTFUL = replace(BURIED, status=RowStatus.IN_DOUBT, fates=DOUBTED * 2, doubts="21")

REDRIVE = replace(CLAIM, message_id="message-2", redrives=1)


def delivery(
    status: Status, kind: Kind, *recipients: int, reason: Reason | None = None
) -> Delivery:
    outcome = Outcome(Stage.DOT, kind, Scope.RECIPIENT, reason or Reason.TRY_LATER)
    return Delivery(status, outcome, recipients=recipients)
