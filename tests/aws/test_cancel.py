"""A cancel and a claim at the same table: exactly one wins, whichever comes first."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from aws.claiming import LATER, NOW, ask, claim, leased, put_off, sent, tell
from emulated import Account, Request, failing
from ion.aws.ledger import Result
from ion.aws.table import TableError
from ion.policy.lease import Cancelling, RowStatus, Verdict

CANCELLED, UNTRIED, TOO_LATE = Cancelling


def cancel(account: Account, now: float = NOW) -> Cancelling:
    return asyncio.run(account.ledger().cancel("key", now))


def verdict(account: Account, now: float = NOW, **others: Any) -> Verdict:  # noqa: ANN401
    (judged,) = ask(account.ledger(), [claim(token="two", **others)], now)
    return judged.verdict


def status(account: Account) -> object:
    (row,) = account.rows()
    return row["status"]


def deferred(account: Account) -> None:
    (judged,) = leased(account)
    assert tell(account.ledger(), [Result("key", put_off(judged), {})]) == []


def before_the_write(then: Callable[[], Any]) -> Callable[..., Any]:
    """Another writer is faster, once."""
    waiting = [then]

    def write(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        while waiting:
            waiting.pop()()
        return real(**request)

    return write


@pytest.mark.row(76)
def test_what_was_never_seen_is_cancelled_whatever_its_content_turns_out_to_be(
    account: Account,
) -> None:
    assert cancel(account) is UNTRIED
    assert verdict(account) is Verdict.CANCELLED
    assert verdict(account, content_hash="other", recipients=7) is Verdict.CANCELLED
    assert verdict(account, redrives=1) is Verdict.CANCELLED
    assert status(account) == "cancelled"


@pytest.mark.row(76)
def test_what_waits_is_cancelled_and_cancelled_again(account: Account) -> None:
    deferred(account)
    assert (cancel(account), cancel(account)) == (CANCELLED, CANCELLED)
    assert verdict(account) is Verdict.CANCELLED


@pytest.mark.row(76)
def test_what_is_under_way_or_was_sent_is_not(account: Account) -> None:
    (judged,) = leased(account)
    assert cancel(account) is TOO_LATE
    assert cancel(account, LATER) is TOO_LATE, "its process may have died at the dot"
    assert tell(account.ledger(), [sent(judged)]) == []
    assert cancel(account) is TOO_LATE
    assert status(account) == "sent"


@pytest.mark.row(76)
def test_a_row_that_has_outlived_its_time_is_none(account: Account) -> None:
    (judged,) = leased(account)
    tell(account.ledger(), [sent(judged)])
    assert cancel(account, NOW + 31 * 86_400) is UNTRIED


@pytest.mark.row(76)
@pytest.mark.parametrize("seen", [False, True])
def test_a_cancel_that_comes_between_a_claims_look_and_its_write_wins(
    account: Account, seen: bool
) -> None:
    if seen:
        deferred(account)
    won: list[Cancelling] = []
    dynamodb = account.dynamodb(
        batch_execute_statement=before_the_write(lambda: won.append(cancel(account)))
    )
    (judged,) = ask(account.ledger(dynamodb), [claim(token="two")])
    assert (judged.verdict, won, status(account)) == (
        *(Verdict.CANCELLED, [CANCELLED if seen else UNTRIED], "cancelled"),
    )


@pytest.mark.row(76)
@pytest.mark.parametrize("seen", [False, True])
def test_a_claim_that_comes_between_a_cancels_look_and_its_write_wins(
    account: Account, seen: bool
) -> None:
    if seen:
        deferred(account)
    won: list[Verdict] = []
    claims = before_the_write(lambda: won.append(verdict(account)))
    ledger = account.ledger(account.dynamodb(batch_execute_statement=claims))
    assert asyncio.run(ledger.cancel("key", NOW)) is TOO_LATE
    assert (won, status(account)) == ([Verdict.SEND], "sending")


@pytest.mark.row(76)
def test_a_result_that_comes_late_does_not_undo_a_cancel(account: Account) -> None:
    (judged,) = leased(account)
    result = Result("key", put_off(judged), {})
    tell(account.ledger(), [result])
    assert cancel(account) is CANCELLED
    assert tell(account.ledger(), [result]) == [], "as when its first answer was lost"
    assert status(account) == RowStatus.CANCELLED


@pytest.mark.row(76)
@pytest.mark.parametrize("call", ["batch_execute_statement", "batch_get_item"])
def test_a_cancel_that_can_not_be_known_is_told_of(account: Account, call: str) -> None:
    deferred(account)
    ledger = account.ledger(account.dynamodb(**{call: failing("ThrottlingException")}))
    with pytest.raises(TableError, match="ThrottlingException"):
        asyncio.run(ledger.cancel("key", NOW))
    assert status(account) == "deferred"


@pytest.mark.row(76)
def test_a_row_that_says_nothing_known_is_not_cancelled_and_told_of(account: Account) -> None:
    account.dynamodb().put_item(TableName=account.table, Item={"email_id": {"S": "key"}})
    with pytest.raises(TableError, match="RowUnreadable"):
        cancel(account)
