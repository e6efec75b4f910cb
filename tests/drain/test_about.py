"""What a row says of an attempt: of those who fared worst, in whatever order they are named."""

from itertools import permutations

import pytest

from ion.delivery import Delivery, Status
from ion.drain.about import about_attempt
from ion.outcome import Kind, Outcome, Reason, Scope, Stage

QUEUED = "250 2.0.0 Ok: queued as 4XyZ12abc9"


def fared(status: Status, reason: Reason, reply: str = "", server: str = "smtp") -> Delivery:
    outcome = Outcome(Stage.RCPT, Kind.PERMANENT, Scope.RECIPIENT, reason)
    return Delivery(status, outcome, reply=reply, server=server)


SENT = fared(Status.SENT, Reason.ACCEPTED, QUEUED)
LEFT_OUT = fared(Status.SUPPRESSED, Reason.SUPPRESSED)
BUSY = fared(Status.DEFERRED, Reason.TRY_LATER, "450 4.2.1 busy", "smtp:b")
GONE = fared(Status.DEAD, Reason.RCPT_REJECTED, "550 5.1.1 no such user")


@pytest.mark.parametrize(
    ("deliveries", "worst"),
    [
        ((SENT, LEFT_OUT), SENT),
        ((SENT, LEFT_OUT, BUSY), BUSY),
        ((SENT, LEFT_OUT, BUSY, GONE), GONE),
    ],
)
def test_those_of_the_worst_fate_are_told_of(
    deliveries: tuple[Delivery, ...], worst: Delivery
) -> None:
    for some in permutations(deliveries):
        assert about_attempt(some) == {
            "stage": "rcpt",
            "reason": worst.outcome.reason,
            "reply": worst.reply,
            "server": worst.server,
            "queue_id": "4XyZ12abc9",
        }


def test_a_server_that_has_not_taken_an_email_has_no_name_for_it() -> None:
    in_doubt = fared(Status.DEFERRED, Reason.IN_DOUBT, QUEUED)
    assert "queue_id" not in about_attempt([in_doubt])
