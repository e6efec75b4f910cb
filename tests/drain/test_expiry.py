"""What waits too long or comes too often ends in the dead-letter queue, before SQS buries it."""

from collections.abc import Callable
from typing import Any

import pytest

from draining import email, ion_of, reasons, run
from emulated import (
    Account,
    Request,
    at_once,
    failing,
)
from ion.limits import LAST_CHANCE_SECONDS, MOST_RECEIVES, RETENTION_SECONDS
from smtp_server import (
    ScriptedServer,
    Step,
    reply,
)


@pytest.mark.row(24)
@pytest.mark.parametrize("fate", ["throttled", "released", "no ledger"])
def test_what_the_queue_would_forget_goes_to_the_dead_letter_queue_first(
    account: Account, fate: str
) -> None:
    body = email(email_id="old")
    account.publish(body)
    account.time_passes(14 * 86_400 - 3600)
    parts: dict[str, Any] = {}
    if fate == "throttled":
        parts["server"] = ScriptedServer({Step.MAIL: reply(421, "4.7.0 too fast")})
    if fate == "released":
        parts["server"] = ScriptedServer({Step.DOT: reply(454, "Daily message quota exceeded")})
    if fate == "no ledger":
        parts["dynamodb"] = account.dynamodb(
            batch_execute_statement=failing(), batch_get_item=failing()
        )
    summary = run(account, **parts)
    assert (summary.sent, summary.dead_lettered) == (0, 1)
    (letter,) = account.dead()
    assert (letter.body, reasons(account)) == (body, ["EXPIRED"])
    assert ion_of(letter)["email_id"] == "old"
    assert account.waiting() == []


@pytest.mark.row(24)
def test_an_old_message_that_can_be_sent_is(account: Account) -> None:
    account.publish(email())
    account.time_passes(14 * 86_400 - 3600)
    assert run(account).sent == 1


@pytest.mark.row(25)
def test_what_comes_too_often_is_labelled_before_sqs_buries_it(account: Account) -> None:
    """Whatever it is that its body does to the process: the body isn't looked at."""
    account.publish(email(0))
    account.publish(email(1))

    def often(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        answer = at_once(real, request)
        for message in answer.get("Messages", [])[:1]:
            message["Attributes"]["ApproximateReceiveCount"] = str(MOST_RECEIVES)
        return answer

    summary = run(account, sqs=account.sqs(receive_message=often))
    assert (summary.sent, summary.dead_lettered) == (1, 1)
    (letter,) = account.dead()
    assert (letter.body, reasons(account)) == (email(0), ["POISON"])


@pytest.mark.row(24)
def test_what_would_wait_until_it_is_too_late_goes_there_before_it_waits(account: Account) -> None:
    """It is young enough to be looked at now; when its minute is over, it wouldn't be."""
    account.publish(email())
    account.time_passes(RETENTION_SECONDS - LAST_CHANCE_SECONDS - 30)
    ill = account.dynamodb(batch_execute_statement=failing(), batch_get_item=failing())
    summary = run(account, dynamodb=ill)
    assert (summary.deferred, summary.dead_lettered) == (0, 1)
    assert (reasons(account), account.waiting()) == (["EXPIRED"], [])
