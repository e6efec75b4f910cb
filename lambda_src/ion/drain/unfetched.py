"""What becomes of a message, if something that it names can't be fetched."""

from ion.delivery import Delivery, Status
from ion.outcome import Kind, Outcome, Reason, Scope, Stage
from ion.policy.retry import held_over_seconds, missing_delay

_MAY_COME = frozenset(
    {
        *(Reason.ATTACHMENT_MISSING, Reason.ATTACHMENT_FORBIDDEN),
        *(Reason.CLAIM_MISSING, Reason.CLAIM_FORBIDDEN),
    }
)
"""Who may not list a bucket is told of a missing object that it is forbidden (S3)."""


class UnfetchedError(Exception):
    """An attachment, or what a message is about, can't be had.

    Args:
        reason: of the message's fate.
        path: of what can't be had, as JSONPath.
        detail: AWS's code, or our words.
    """

    def __init__(self, reason: Reason, path: str, detail: str) -> None:
        super().__init__(f"{reason} at {path}: {detail}")
        self.reason = reason
        self.path = path
        self.detail = detail

    def fate(self, age_seconds: float, recipients: tuple[int, ...] = ()) -> Delivery:
        """The fate of a message that has been in the queue for so long, and of its recipients."""
        delay = None
        if self.reason is Reason.STORAGE:
            delay = held_over_seconds(age_seconds)
        elif self.reason in _MAY_COME:
            delay = missing_delay(age_seconds)
        dead = delay is None
        outcome = Outcome(
            Stage.FETCH,
            Kind.PERMANENT if dead else Kind.UNAVAILABLE,  # which counts no attempt
            Scope.MESSAGE,
            self.reason,
            detail=self.detail,
        )
        return Delivery(
            Status.DEAD if dead else Status.DEFERRED,
            outcome,
            delay_seconds=delay or 0,
            recipients=recipients,
            path=self.path,
            reply=self.detail,
        )
