"""What one run leaves for the next, in the table."""

import asyncio
from typing import TYPE_CHECKING, cast

import pytest

from emulated import Account, Between, failing
from ion.aws.server_state import Finding, ServerState, ServerStates
from ion.aws.table import TableError
from ion.policy.backoff import Backoff
from ion.policy.pipelining_limit import PipeliningLimit
from ion.policy.rate import LearnedRate

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

BACKOFF = Backoff("auth", 'AUTH at auth: 535 it\'s "wrong"', 1, 1_800_000_300, "00ff" * 16)
LIMIT = PipeliningLimit("envelope", "mail.example.org:587", 1_800_604_800)
RATE = LearnedRate(
    3, 1_800_000_100, "00ff" * 16, "Limits(rate=38.4, connections=4)", rate=19.204375
)


def states(account: Account, dynamodb: Between | None = None) -> ServerStates:
    return ServerStates(cast("DynamoDBClient", dynamodb or account.dynamodb()), account.table)


def run(account: Account, *several: Finding) -> ServerState:
    async def main() -> ServerState:
        for one in several:
            await states(account).write("smtp", one)
        return (await states(account).read(["smtp"]))["smtp"]

    return asyncio.run(main())


def test_there_is_none_at_first(account: Account) -> None:
    assert run(account) == ServerState()


def test_a_backoff_is_read_as_it_was_written(account: Account) -> None:
    assert run(account, BACKOFF) == ServerState(BACKOFF)


def test_a_learned_rate_is_read_as_it_was_written(account: Account) -> None:
    assert run(account, RATE) == ServerState(None, RATE)


@pytest.mark.parametrize("rate", [0.00001, 2.5e-7, 1e16])
def test_a_rate_that_is_written_with_an_exponent_is_read_too(account: Account, rate: float) -> None:
    learned = LearnedRate(1, 1_800_000_100, "00ff" * 16, "Limits(rate=None)", rate=rate)
    assert run(account, learned) == ServerState(None, learned)


def test_a_limit_of_pipelining_is_read_as_it_was_written(account: Account) -> None:
    assert run(account, LIMIT, BACKOFF) == ServerState(BACKOFF, None, LIMIT)


def test_a_finding_without_a_rate_takes_the_place_of_one_that_had_it(account: Account) -> None:
    later = LearnedRate(1, 1_800_000_200, "0a" * 32, "Limits(rate=None, connections=4)")
    assert run(account, BACKOFF, RATE, later) == ServerState(BACKOFF, later)


def test_the_later_backoff_is_in_force(account: Account) -> None:
    later = Backoff("quota", "", 2, 1_800_000_900, "0a" * 32)
    assert run(account, BACKOFF, RATE, later) == ServerState(later, RATE)


def test_all_are_read_in_one_call(account: Account) -> None:
    run(account, BACKOFF, RATE)
    dynamodb = account.dynamodb()
    found = asyncio.run(states(account, dynamodb).read(["smtp", "smtp:backup"]))
    assert found == {"smtp": ServerState(BACKOFF, RATE), "smtp:backup": ServerState()}
    assert len(dynamodb.calls) == 1


def test_each_server_has_its_own(account: Account) -> None:
    async def main() -> dict[str, ServerState]:
        table = states(account)
        await table.write("smtp:backup", BACKOFF)
        await table.write("smtp", RATE)
        return await table.read(["smtp", "smtp:backup"])

    assert asyncio.run(main()) == {
        "smtp": ServerState(None, RATE),
        "smtp:backup": ServerState(BACKOFF),
    }


def test_a_note_of_another_version_is_none(account: Account) -> None:
    """And the other one is read all the same."""
    run(account, BACKOFF, RATE)
    account.dynamodb().update_item(
        TableName=account.table,
        Key={"email_id": {"S": " pace smtp"}},
        UpdateExpression="REMOVE limits SET colour = :blue",
        ExpressionAttributeValues={":blue": {"S": "blue"}},
    )
    assert run(account) == ServerState(BACKOFF)


@pytest.mark.row(23)
def test_a_table_that_cannot_be_used_is_an_error_with_its_code(account: Account) -> None:
    ill = account.dynamodb(
        batch_get_item=failing("ThrottlingException"),
        batch_execute_statement=failing("ThrottlingException"),
    )
    for doing in (states(account, ill).read(["smtp"]), states(account, ill).write("smtp", BACKOFF)):
        with pytest.raises(TableError, match=r"^ThrottlingException$"):
            asyncio.run(doing)
