"""What one run leaves for the next, in the table."""

import asyncio
from typing import TYPE_CHECKING, cast

import pytest

from emulated import Account, Between, failing
from ion.aws.server_state import Note, Noted, Notes, NotesError
from ion.policy.backoff import Hold
from ion.policy.pipelining_limit import PipeliningLimit
from ion.policy.rate import Lesson

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

HOLD = Hold("auth", 'AUTH at auth: 535 it\'s "wrong"', 1, 1_800_000_300, "00ff" * 16)
LIMIT = PipeliningLimit("envelope", "mail.example.org:587", 1_800_604_800)
LESSON = Lesson(3, 1_800_000_100, "00ff" * 16, "Limits(rate=38.4, connections=4)", rate=19.204375)


def notes(account: Account, dynamodb: Between | None = None) -> Notes:
    return Notes(cast("DynamoDBClient", dynamodb or account.dynamodb()), account.table)


def run(account: Account, *several: Note) -> Noted:
    async def main() -> Noted:
        for one in several:
            await notes(account).write("smtp", one)
        return (await notes(account).read(["smtp"]))["smtp"]

    return asyncio.run(main())


def test_there_is_none_at_first(account: Account) -> None:
    assert run(account) == Noted()


def test_a_hold_is_read_as_it_was_written(account: Account) -> None:
    assert run(account, HOLD) == Noted(HOLD)


def test_a_lesson_is_read_as_it_was_written(account: Account) -> None:
    assert run(account, LESSON) == Noted(None, LESSON)


def test_a_limit_of_pipelining_is_read_as_it_was_written(account: Account) -> None:
    assert run(account, LIMIT, HOLD) == Noted(HOLD, None, LIMIT)


def test_a_lesson_without_a_rate_takes_the_place_of_one_that_had_it(account: Account) -> None:
    later = Lesson(1, 1_800_000_200, "0a" * 32, "Limits(rate=None, connections=4)")
    assert run(account, HOLD, LESSON, later) == Noted(HOLD, later)


def test_the_later_hold_is_in_force(account: Account) -> None:
    later = Hold("quota", "", 2, 1_800_000_900, "0a" * 32)
    assert run(account, HOLD, LESSON, later) == Noted(later, LESSON)


def test_all_are_read_in_one_call(account: Account) -> None:
    run(account, HOLD, LESSON)
    dynamodb = account.dynamodb()
    found = asyncio.run(notes(account, dynamodb).read(["smtp", "smtp:backup"]))
    assert found == {"smtp": Noted(HOLD, LESSON), "smtp:backup": Noted()}
    assert len(dynamodb.calls) == 1


def test_each_server_has_its_own(account: Account) -> None:
    async def main() -> dict[str, Noted]:
        table = notes(account)
        await table.write("smtp:backup", HOLD)
        await table.write("smtp", LESSON)
        return await table.read(["smtp", "smtp:backup"])

    assert asyncio.run(main()) == {"smtp": Noted(None, LESSON), "smtp:backup": Noted(HOLD)}


def test_a_note_of_another_version_is_none(account: Account) -> None:
    """And the other one is read all the same."""
    run(account, HOLD, LESSON)
    account.dynamodb().update_item(
        TableName=account.table,
        Key={"email_id": {"S": " pace smtp"}},
        UpdateExpression="REMOVE limits SET colour = :blue",
        ExpressionAttributeValues={":blue": {"S": "blue"}},
    )
    assert run(account) == Noted(HOLD)


@pytest.mark.row(23)
def test_a_table_that_cannot_be_used_is_an_error_with_its_code(account: Account) -> None:
    ill = account.dynamodb(
        batch_get_item=failing("ThrottlingException"),
        batch_execute_statement=failing("ThrottlingException"),
    )
    for doing in (notes(account, ill).read(["smtp"]), notes(account, ill).write("smtp", HOLD)):
        with pytest.raises(NotesError, match=r"^ThrottlingException$"):
            asyncio.run(doing)
