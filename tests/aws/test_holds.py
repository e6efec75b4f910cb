"""The hold in the table."""

import asyncio
from typing import TYPE_CHECKING, cast

import pytest

from emulated import Account, Between, failing
from ion.aws.holds import Holds, HoldsError
from ion.hold import Hold

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

HOLD = Hold("auth", 'AUTH at auth: 535 it\'s "wrong"', 1, 1_800_000_300, "00ff" * 16)


def holds(account: Account, dynamodb: Between | None = None) -> Holds:
    return Holds(cast("DynamoDBClient", dynamodb or account.dynamodb()), account.table)


async def written_and_read(account: Account, *several: Hold) -> Hold | None:
    for one in several:
        await holds(account).write(one)
    return await holds(account).read()


def run(account: Account, *several: Hold) -> Hold | None:
    return asyncio.run(written_and_read(account, *several))


def test_there_is_none_at_first(account: Account) -> None:
    assert run(account) is None


def test_a_hold_is_read_as_it_was_written(account: Account) -> None:
    assert run(account, HOLD) == HOLD


def test_the_later_hold_is_in_force(account: Account) -> None:
    later = Hold("quota", "", 2, 1_800_000_900, "0a" * 32)
    assert run(account, HOLD, later) == later


@pytest.mark.row(23)
def test_a_table_that_cannot_be_used_is_an_error_with_its_code(account: Account) -> None:
    ill = account.dynamodb(
        batch_get_item=failing("ThrottlingException"),
        batch_execute_statement=failing("ThrottlingException"),
    )
    for doing in (holds(account, ill).read(), holds(account, ill).write(HOLD)):
        with pytest.raises(HoldsError, match=r"^ThrottlingException$"):
            asyncio.run(doing)
