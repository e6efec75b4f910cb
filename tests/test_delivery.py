"""Fates that no mail server decided."""

import pytest

from ion.delivery import Delivery, Status, done, leased, put_back
from ion.limits import LONGEST_VISIBILITY_SECONDS
from ion.outcome import Kind, Outcome, Reason, Scope, Stage


@pytest.mark.parametrize(("wait_seconds", "delay_seconds"), [(0.0, 1), (59.5, 60), (60.0, 61)])
def test_an_email_that_another_run_has_comes_back_once_the_lease_has_ended(
    wait_seconds: float, delay_seconds: int
) -> None:
    """SQS takes whole seconds; a moment too early, it would be received for nothing."""
    assert leased(wait_seconds).delay_seconds == delay_seconds


def test_no_message_is_hidden_for_longer_than_sqs_allows() -> None:
    assert leased(10.0 * LONGEST_VISIBILITY_SECONDS).delay_seconds == LONGEST_VISIBILITY_SECONDS


def test_where_no_server_said_anything_people_read_what_ion_says() -> None:
    for delivery in (put_back("no time left"), done("all were moved")):
        assert delivery.reply == delivery.outcome.said != ""


@pytest.mark.parametrize(
    ("status", "waits"), [(Status.DEFERRED, True), (Status.DEAD, False), (Status.SENT, False)]
)
def test_only_what_is_tried_again_waits_for_a_repair(status: Status, *, waits: bool) -> None:
    no_s3 = Outcome(Stage.FETCH, Kind.UNAVAILABLE, Scope.MESSAGE, Reason.STORAGE)
    assert Delivery(status, no_s3).waits_for_repair is waits
