"""A correction of a dead letter asks the row, which agrees once, and keeps who it was."""

import asyncio

import pytest

from aws.claiming import NOW, ask, claim, leased, sent, tell
from aws.test_cancel import before_the_write
from emulated import Account, Between, failing
from ion.aws.ledger import Result
from ion.aws.table import TableError
from ion.delivery import Status
from ion.outcome import Kind, Reason
from ion.policy.amendment import Amending, Content
from ion.policy.lease import Verdict, conclude
from policy.rows import delivery

ANN, BOB, CID = "ann@example.org", "bob@example.org", "cid@example.org"
OLD = Content("hash", (ANN, BOB))


def dead(account: Account) -> None:
    """The email `key` is dead for both of its recipients."""
    (judged,) = leased(account)
    assert judged.row is not None
    refused = delivery(Status.DEAD, Kind.PERMANENT, 0, 1, reason=Reason.RCPT_REJECTED)
    row = conclude(judged.row, "message-of-one", [refused], NOW)
    assert tell(account.ledger(), [Result("key", row, {})]) == []


def amend(
    account: Account,
    content_hash: str = "new",
    dynamodb: Between | None = None,
    old: Content = OLD,
) -> Amending:
    asked = claim(token=f"edit-{content_hash}", content_hash=content_hash, redrives=1)
    ledger = account.ledger(dynamodb)
    return asyncio.run(ledger.amend(asked, old, (ANN, CID), "ann", NOW))


def verdict(account: Account, content_hash: str) -> Verdict:
    asked = claim(token="two", content_hash=content_hash, redrives=1)
    (judged,) = ask(account.ledger(), [asked])
    return judged.verdict


def test_the_row_takes_the_new_content_and_keeps_who_asked_for_it(account: Account) -> None:
    dead(account)
    assert amend(account) is Amending.AGREED
    (row,) = account.rows()
    assert (row["content_hash"], row["status"], row["fates"]) == ("new", "bounced", "dd")
    assert (row["edited_by"], row["edits"], row["edited_from"]) == ("ann", 1, "hash")
    assert str(row["edited_at"]).startswith("2027-01-15T08:00:00")
    assert verdict(account, "hash") is Verdict.REUSED, "the old content isn't sent any more"
    assert verdict(account, "new") is Verdict.SEND


def test_a_correction_that_was_not_sent_may_be_corrected_again_and_is_counted(
    account: Account,
) -> None:
    dead(account)
    assert amend(account, "first") is Amending.AGREED
    assert amend(account, "first") is Amending.AGREED, "as after a crash"
    assert amend(account, "second") is Amending.AGREED
    (row,) = account.rows()
    assert (row["content_hash"], row["edits"]) == ("second", 2)


@pytest.mark.parametrize("corrected", [False, True])
def test_the_letter_of_another_content_is_refused_and_nothing_is_written(
    account: Account, *, corrected: bool
) -> None:
    """As it was published twice under one key, and one died of that."""
    dead(account)
    if corrected:
        assert amend(account, "first") is Amending.AGREED
    before = account.rows()
    assert amend(account, "new", old=Content("another", (ANN, BOB))) is Amending.ANOTHER
    assert account.rows() == before


def test_what_has_no_row_has_nothing_to_agree_to(account: Account) -> None:
    assert amend(account) is Amending.UNKNOWN
    assert account.rows() == []


def test_what_was_sent_is_refused_and_nothing_is_written(account: Account) -> None:
    (judged,) = leased(account)
    tell(account.ledger(), [sent(judged)])
    before = account.rows()
    assert amend(account) is Amending.SENT
    assert account.rows() == before


def test_a_claim_between_the_look_and_the_write_wins(account: Account) -> None:
    """A redrive of the letter as it was is faster."""
    dead(account)
    won: list[Verdict] = []
    faster = before_the_write(lambda: won.append(verdict(account, "hash")))
    dynamodb = account.dynamodb(batch_execute_statement=faster)
    assert amend(account, dynamodb=dynamodb) is Amending.UNDER_WAY
    assert won == [Verdict.SEND]
    (row,) = account.rows()
    assert row["content_hash"] == "hash"


def test_another_correction_between_the_look_and_the_write_is_seen(account: Account) -> None:
    dead(account)
    faster = before_the_write(lambda: amend(account, "theirs"))
    dynamodb = account.dynamodb(batch_execute_statement=faster)
    assert amend(account, "ours", dynamodb=dynamodb) is Amending.AGREED
    (row,) = account.rows()
    assert (row["content_hash"], row["edits"]) == ("ours", 2)


def test_a_result_that_comes_late_does_not_undo_it(account: Account) -> None:
    (judged,) = leased(account)
    assert judged.row is not None
    refused = delivery(Status.DEAD, Kind.PERMANENT, 0, 1, reason=Reason.RCPT_REJECTED)
    late = Result("key", conclude(judged.row, "message-of-one", [refused], NOW), {})
    tell(account.ledger(), [late])
    amend(account)
    tell(account.ledger(), [late])
    (row,) = account.rows()
    assert row["content_hash"] == "new"


@pytest.mark.parametrize("call", ["batch_execute_statement", "batch_get_item"])
def test_a_table_that_can_not_be_used_is_told_of(account: Account, call: str) -> None:
    dead(account)
    dynamodb = account.dynamodb(**{call: failing("ThrottlingException")})
    with pytest.raises(TableError, match="ThrottlingException"):
        amend(account, dynamodb=dynamodb)


def test_a_row_of_something_else_is_told_of(account: Account) -> None:
    account.dynamodb().put_item(TableName=account.table, Item={"email_id": {"S": "key"}})
    with pytest.raises(TableError, match="RowUnreadable"):
        amend(account)
