"""What the ledger adapter makes of DynamoDB's answers, and of other runs at the same table."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from aws.claiming import (
    LATER,
    LEASE,
    NOW,
    ask,
    claim,
    claims,
    leased,
    put_off,
    sent,
    sizes,
    tell,
    verdicts,
)
from emulated import (
    Account,
    Request,
)
from ion.aws.ledger import Result
from ion.delivery import InDoubt
from ion.policy.lease import (
    CLAIMED,
    DEAD,
    PENDING,
    SENT,
    RowStatus,
    Verdict,
)

DAY = 24 * 3600

PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))

COLUMNS = {
    "first_queued_at",
    "email_id",
    "message_id",
    "status",
    "token",
    "lease_until",
    "content_hash",
    "fates",
    "attempts",
    "doubts",
    "crashes",
    "used_ids",
    "updated_at",
    "expires_at",
}


def columns(row: dict[str, str | int], *names: str) -> tuple[str | int, ...]:
    return tuple(row[name] for name in names)


# new emails


def test_new_emails_are_claimed_in_one_call(account: Account) -> None:
    dynamodb = account.dynamodb()
    asked = claims(10)
    judgements = ask(account.ledger(dynamodb), asked)
    assert [(one.verdict, one.targets) for one in judgements] == [(Verdict.SEND, (0, 1))] * 10
    assert [name for name, _ in dynamodb.calls] == ["batch_execute_statement"]
    rows = account.rows()
    assert [row["email_id"] for row in rows] == [one.email_id for one in asked]
    assert [row["token"] for row in rows] == [one.token for one in asked]
    assert {columns(row, "status", "lease_until", "fates") for row in rows} == {
        ("sending", LEASE, CLAIMED * 2)
    }


def test_claims_travel_twenty_five_a_call(account: Account) -> None:
    dynamodb = account.dynamodb()
    assert verdicts(ask(account.ledger(dynamodb), claims(30))) == ["send"] * 30
    assert sizes(dynamodb) == [25, 5]
    assert len(account.rows()) == 30


def test_nothing_to_claim_or_to_record_is_no_call(account: Account) -> None:
    dynamodb = account.dynamodb()
    assert ask(account.ledger(dynamodb), []) == []
    assert tell(account.ledger(dynamodb), []) == []
    assert dynamodb.calls == []


@pytest.mark.parametrize(
    "key",
    [PRINTABLE, PRINTABLE[::-1], "'", '"', "''; --", "?", "k" * 256, PRINTABLE + "x" * 162],
    ids=["printable", "backwards", "quote", "quotes", "injection", "parameter", "long", "longest"],
)
def test_any_key_that_the_contract_allows_is_kept_as_it_is(account: Account, key: str) -> None:
    (first,) = leased(account, key)
    (second,) = ask(account.ledger(), [claim(key, "two")])
    assert (first.verdict, second.verdict) == (Verdict.SEND, Verdict.WAIT)
    assert tell(account.ledger(), [sent(first, key)]) == []
    (row,) = account.rows()
    assert columns(row, "email_id", "status") == (key, "sent")


def test_keys_that_differ_little_are_different_emails(account: Account) -> None:
    keys = ["key", "KEY", "key ", "key'", 'key"', "key?"]
    assert verdicts(leased(account, *keys)) == ["send"] * 6


# what a row holds


def test_a_row_has_no_address(account: Account) -> None:
    leased(account)
    (row,) = account.rows()
    assert set(row) == COLUMNS
    assert "@" not in str(row)


def test_a_row_outlives_both_queues(account: Account) -> None:
    """14 days in the one, 14 in the other; and TTL wants whole seconds."""
    (judged,) = leased(account)
    (claimed,) = account.rows()
    tell(account.ledger(), [sent(judged)], NOW + DAY)
    (recorded,) = account.rows()
    assert int(claimed["expires_at"]) >= NOW + 28 * DAY
    assert int(recorded["expires_at"]) >= NOW + 29 * DAY


def test_a_row_comes_back_as_it_was_written(account: Account) -> None:
    (judged,) = leased(account)
    assert judged.row is not None
    row = replace(
        judged.row,
        status=RowStatus.DEFERRED,
        fates=SENT + PENDING,
        attempts=7,
        doubts="01",
        used_ids=frozenset({"message-7", "message-8"}),
        claimed_redrives=(11, 2),
        lease_until=0,
    )
    tell(account.ledger(), [Result("key", row, {})])
    (again,) = ask(account.ledger(), [claim(token="two")], LATER)
    assert again.row is not None
    assert again.row == replace(
        row,
        used_ids=row.used_ids | {"message-of-two"},
        claimed_redrives=(11, 0),
        status=RowStatus.SENDING,
        fates=SENT + CLAIMED,
        token="two",
        lease_until=LEASE,
        expires_at=again.row.expires_at,
    )


def test_a_row_of_an_earlier_version_is_read(account: Account) -> None:
    """It didn't write how often the messages had come back that were claimed."""
    leased(account)
    account.dynamodb().update_item(
        TableName=account.table,
        Key={"email_id": {"S": "key"}},
        UpdateExpression="REMOVE claimed_redrives",
    )
    (again,) = ask(account.ledger(), [claim(token="two")], LATER)
    assert again.verdict in (Verdict.SEND, Verdict.SUSPECT)


def test_a_part_of_a_second_does_not_shorten_a_lease(account: Account) -> None:
    ask(account.ledger(), [claim(lease_until=LEASE + 0.2)])
    assert account.rows()[0]["lease_until"] == LEASE + 1


RESERVED = ["name", "value", "timestamp", "user", "order", "date", "comment", "stage", "reply"]


def test_what_people_want_to_know_is_kept_under_any_name(account: Account) -> None:
    """DynamoDB reserves 573 words, `status` and `token` among them."""
    (judged,) = leased(account)
    about: dict[str, str | int] = {word: f"it's {word}" for word in RESERVED} | {"code": 250}
    assert tell(account.ledger(), [sent(judged, about=about)]) == []
    (row,) = account.rows()
    assert {name: row[name] for name in about} == about


def test_a_result_brings_what_the_attempt_has_changed_and_nothing_else(account: Account) -> None:
    (judged,) = leased(account)
    dynamodb = account.dynamodb()
    result = replace(sent(judged, about={"reply": "250 ok"}), was=judged.row)
    tell(account.ledger(dynamodb), [result])
    ((statement,),) = (one["Statements"] for one in dynamodb.asked("batch_execute_statement"))
    written = set(re.findall(r'SET "(\w+)"', statement["Statement"]))
    assert written == {"status", "lease_until", "fates", "reply", "updated_at", "expires_at"}
    (row,) = account.rows()
    assert columns(row, "status", "fates", "token", "content_hash") == ("sent", "ss", "one", "hash")


def test_what_people_want_to_know_cannot_move_the_fence(account: Account) -> None:
    (judged,) = leased(account)
    forged: dict[str, str | int] = {"token": "forged", "status": "forged", "expires_at": 1}
    result = sent(judged, about=forged)
    tell(account.ledger(), [result, replace(result, was=judged.row)])
    (row,) = account.rows()
    assert columns(row, "token", "status") == ("one", "sent")
    assert int(row["expires_at"]) > NOW


# emails that the ledger knows


@pytest.mark.row(65)
def test_each_of_many_is_judged_by_its_own_row(account: Account) -> None:
    done, deferred, dead, other = leased(account, "done", "deferred", "dead", "other")
    leased(account, "live")
    assert done.row is not None
    assert deferred.row is not None
    assert dead.row is not None
    assert other.row is not None
    gone = replace(dead.row, status=RowStatus.BOUNCED, fates=DEAD * 2, lease_until=0)
    results = [
        sent(done, "done"),
        Result("deferred", replace(put_off(deferred), attempts=2), {}),
        Result("dead", replace(gone, used_ids=frozenset({"message-of-two"})), {}),
        Result("other", put_off(other), {}),
    ]
    assert tell(account.ledger(), results) == []
    dynamodb = account.dynamodb()
    keys = ["done", "new", "deferred", "dead", "other", "live"]
    asked = [claim(key, "two", lease_until=LEASE + 5) for key in keys]
    asked[4] = replace(asked[4], content_hash="another")
    judgements = ask(account.ledger(dynamodb), asked)
    assert verdicts(judgements) == ["done", "send", "send", "done", "reused", "wait"]
    assert [name for name, _ in dynamodb.calls] == [
        "batch_execute_statement",
        "batch_get_item",
        "batch_execute_statement",
    ]
    assert sizes(dynamodb) == [6, 1]
    assert judgements[2].row is not None
    assert judgements[2].row.attempts == 2
    tokens = {row["email_id"]: row["token"] for row in account.rows()}
    assert [tokens[key] for key in keys] == ["one", "two", "two", "one", "one", "one"]


@pytest.mark.row(65)
def test_rows_are_read_so_that_no_earlier_write_is_missed(account: Account) -> None:
    leased(account)
    dynamodb = account.dynamodb()
    ask(account.ledger(dynamodb), [claim(token="two")])
    (request,) = dynamodb.asked("batch_get_item")
    assert request["RequestItems"][account.table]["ConsistentRead"] is True


def test_rows_that_dynamodb_leaves_for_the_next_call_are_asked_for_again(account: Account) -> None:
    leased(account, "a", "b", "c")

    def one_at_a_time(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        asked = request["RequestItems"][account.table]
        first = {account.table: asked | {"Keys": asked["Keys"][:1]}}
        rest = {account.table: asked | {"Keys": asked["Keys"][1:]}} if asked["Keys"][1:] else {}
        return {**real(RequestItems=first), "UnprocessedKeys": rest}

    dynamodb = account.dynamodb(batch_get_item=one_at_a_time)
    asked = [claim(key, "two") for key in "abc"]
    assert verdicts(ask(account.ledger(dynamodb), asked)) == ["wait"] * 3
    assert len(dynamodb.asked("batch_get_item")) == 3
    assert sizes(dynamodb) == [3], "what isn't known yet is not taken for missing"


@pytest.mark.row(29)
def test_a_lease_whose_holder_died_is_taken_over_and_the_doubt_counted(account: Account) -> None:
    leased(account)
    (judged,) = ask(account.ledger(), [claim(token="two", lease_until=LATER + 960)], LATER)
    assert judged.verdict is Verdict.SEND
    (row,) = account.rows()
    assert columns(row, "token", "doubts", "crashes") == ("two", "11", 1)


@pytest.mark.row(31)
def test_an_email_that_kills_every_sender_is_remembered_as_such(account: Account) -> None:
    found, now = [], NOW
    for number in range(4):
        asked = claim(token=f"{number}", lease_until=now + 900, in_doubt=InDoubt.RESEND)
        found += ask(account.ledger(), [asked], now)
        now += 960
    assert verdicts(found) == ["send", "send", "send", "crash_loop"]


@pytest.mark.row(68)
def test_a_row_that_dynamodb_should_have_removed_long_ago_is_overwritten(account: Account) -> None:
    (judged,) = leased(account)
    tell(account.ledger(), [sent(judged)])
    much_later = NOW + 31 * DAY
    asked = claim(token="two", content_hash="another", lease_until=much_later + 960)
    (again,) = ask(account.ledger(), [asked], much_later)
    assert again.verdict is Verdict.SEND
    (row,) = account.rows()
    assert columns(row, "token", "content_hash", "fates") == ("two", "another", CLAIMED * 2)


def test_a_row_that_is_not_ours_stops_its_own_email_only(account: Account) -> None:
    """Written by a publisher, or by an ion that is newer than this one."""
    real = account.dynamodb()
    real.put_item(TableName=account.table, Item={"email_id": {"S": "a"}, "subject": {"S": "x"}})
    leased(account, "b")
    real.update_item(
        TableName=account.table,
        Key={"email_id": {"S": "b"}},
        UpdateExpression="SET #status = :status",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={":status": {"S": "read"}},
    )
    asked = [claim(key, "two") for key in "abc"]
    assert verdicts(ask(account.ledger(), asked)) == ["unknown", "unknown", "send"]
