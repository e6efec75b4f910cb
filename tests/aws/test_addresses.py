"""The rows of addresses, in the emulated table."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from addresses import SINCE, damage, entry, hash_of, suppress, table_of
from emulated import Account, Request, failing
from ion.aws.addresses import PREFIX
from ion.aws.table import TableError
from ion.policy.suppression import ALL, AddressState, Suppression, Why

ONE, OTHER = "0123456789abcdef", "fedcba9876543210"


def listed(scope: str = ALL) -> AddressState:
    return entry(scope)(AddressState())


def test_nothing_is_known_at_first_and_what_is_written_is_read(account: Account) -> None:
    async def main() -> None:
        addresses = table_of(account)
        assert await addresses.read([ONE]) == {}
        assert await addresses.read([]) == {}
        assert await addresses.change(ONE, entry()) == listed()
        assert await addresses.read([ONE, OTHER, ONE]) == {ONE: listed()}

    asyncio.run(main())
    (row,) = account.rows()
    assert row["email_id"] == f"{PREFIX}{ONE}"
    assert "expires_at" not in row, "DynamoDB would remove it"


def test_a_row_has_no_address(account: Account) -> None:
    asyncio.run(suppress(account, "canary@canary.test"))
    assert "canary" not in json.dumps(account.rows())


def test_250_are_read_in_three_calls_side_by_side(account: Account) -> None:
    hashes = [f"{number:016x}" for number in range(250)]
    asyncio.run(table_of(account).add_new(dict.fromkeys(hashes[::2], listed())))
    dynamodb = account.dynamodb()
    found = asyncio.run(table_of(account, dynamodb).read(hashes))
    assert sorted(found) == hashes[::2]
    asked = [request["RequestItems"][account.table] for request in dynamodb.asked("batch_get_item")]
    assert sorted(len(one["Keys"]) for one in asked) == [50, 100, 100]
    assert all(one["ConsistentRead"] for one in asked)


@pytest.mark.parametrize("is_there", [False, True])
def test_two_writers_at_once_lose_nothing(account: Account, is_there: bool) -> None:
    """The second one writes between the first one's read and its write."""
    if is_there:
        asyncio.run(table_of(account).change(ONE, entry("tag:a=b")))
    beside = [entry("tag:list=two")]

    def write(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        while beside:
            asyncio.run(table_of(account).change(ONE, beside.pop()))
        return real(**request)

    dynamodb = account.dynamodb(batch_execute_statement=write)
    asyncio.run(table_of(account, dynamodb).change(ONE, entry("tag:list=one")))
    state = asyncio.run(table_of(account).read([ONE]))[ONE]
    scopes = [one.scope for one in state.suppressions]
    assert scopes == [*(["tag:a=b"] if is_there else []), "tag:list=two", "tag:list=one"]


def test_many_writers_at_once_lose_nothing(account: Account) -> None:
    names = ["one", "two", "three", "four", "five"]

    async def main() -> AddressState:
        some = (table_of(account).change(ONE, entry(f"tag:list={name}")) for name in names)
        await asyncio.gather(*some)
        return (await table_of(account).read([ONE]))[ONE]

    scopes = {one.scope for one in asyncio.run(main()).suppressions}
    assert scopes == {f"tag:list={name}" for name in names}


@pytest.mark.parametrize("is_there", [False, True])
def test_a_write_whose_answer_was_lost_is_made_once(account: Account, is_there: bool) -> None:
    """boto3 sends it again, and it collides with itself."""
    if is_there:
        asyncio.run(table_of(account).change(ONE, lambda was: was.noticed("first")))

    def twice(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        real(**request)
        return real(**request)

    asked: list[AddressState] = []

    def counted(was: AddressState) -> AddressState:
        asked.append(was)
        return was.soft_bounced(f"notice-{len(asked)}", SINCE)

    dynamodb = account.dynamodb(batch_execute_statement=twice)
    state = asyncio.run(table_of(account, dynamodb).change(ONE, counted))
    assert (len(asked), len(state.soft_bounces)) == (1, 1)
    assert asyncio.run(table_of(account).read([ONE])) == {ONE: state}


def test_what_changes_nothing_is_not_written(account: Account) -> None:
    asyncio.run(table_of(account).change(ONE, entry()))
    dynamodb = account.dynamodb()
    asyncio.run(table_of(account, dynamodb).change(ONE, entry()))
    asyncio.run(table_of(account, dynamodb).change(OTHER, lambda was: was))
    assert dynamodb.asked("batch_execute_statement") == []


def test_another_fault_of_a_write_is_told_at_once(account: Account) -> None:
    """It is no other writer's doing, so nobody is waited for."""
    refused = {"Responses": [{"Error": {"Code": "ValidationError"}}]}
    dynamodb = account.dynamodb(batch_execute_statement=lambda *_: refused)
    with pytest.raises(TableError, match="ValidationError"):
        asyncio.run(table_of(account, dynamodb).change(ONE, entry()))
    assert len(dynamodb.asked("batch_get_item")) == 1


def test_who_is_always_overtaken_hears_of_it(account: Account) -> None:
    refused = {"Responses": [{"Error": {"Code": "ConditionalCheckFailed"}}]}
    dynamodb = account.dynamodb(batch_execute_statement=lambda *_: refused)
    with pytest.raises(TableError, match="ConditionalCheckFailed"):
        asyncio.run(table_of(account, dynamodb).change(ONE, entry()))


@pytest.mark.parametrize(
    "item",
    [
        {},
        {"address": "x"},
        {"address": "[]"},
        {"address": '{"suppressions": [{"scope": "all", "why": "canary"}]}'},
        {"address": '{"erased_at": 5.5}'},
    ],
)
def test_a_damaged_row_is_no_empty_one_and_spoils_no_other(
    account: Account, item: dict[str, str]
) -> None:
    key = {"email_id": {"S": PREFIX + ONE}, **{name: {"S": text} for name, text in item.items()}}
    account.dynamodb().put_item(TableName=account.table, Item=key)
    asyncio.run(table_of(account).change(OTHER, entry()))
    with pytest.raises(TableError, match="AddressUnreadable"):
        asyncio.run(table_of(account).read([ONE, OTHER]))
    with pytest.raises(TableError, match="AddressUnreadable"):
        asyncio.run(table_of(account).change(ONE, entry()))
    known = asyncio.run(table_of(account).look([ONE, OTHER]))
    assert (known.found, known.unknown) == ({OTHER: listed()}, {ONE: "AddressUnreadable"})


def test_a_call_that_fails_spoils_no_other(account: Account) -> None:
    hashes = [f"{number:016x}" for number in range(250)]
    asyncio.run(table_of(account).add_new(dict.fromkeys(hashes, listed())))

    def second(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        keys = [key["email_id"]["S"] for key in request["RequestItems"][account.table]["Keys"]]
        is_second = PREFIX + hashes[100] in keys
        return failing("ThrottlingException")(real, request) if is_second else real(**request)

    ill = table_of(account, account.dynamodb(batch_get_item=second))
    known = asyncio.run(ill.look(hashes))
    assert sorted(known.found) == [*hashes[:100], *hashes[200:]]
    assert known.unknown == dict.fromkeys(hashes[100:200], "ThrottlingException")
    with pytest.raises(TableError, match="ThrottlingException"):
        asyncio.run(ill.read(hashes))


def test_rows_that_are_there_are_left_to_change(account: Account) -> None:
    hashes = [f"{number:016x}" for number in range(60)]
    dynamodb = account.dynamodb()

    async def main() -> tuple[list[str], list[str], AddressState]:
        addresses = table_of(account, dynamodb)
        await addresses.change(hashes[30], entry("tag:list=news"))
        first = await addresses.add_new(dict.fromkeys(hashes, listed()))
        again = await addresses.add_new(dict.fromkeys(hashes, listed()))
        return first, again, (await addresses.read(hashes))[hashes[30]]

    first, again, state = asyncio.run(main())
    assert (first, again) == ([hashes[30]], hashes)
    assert [one.scope for one in state.suppressions] == ["tag:list=news"]
    asked = dynamodb.asked("batch_execute_statement")
    assert [len(one["Statements"]) for one in asked] == [1, 25, 25, 10, 25, 25, 10]


@pytest.mark.parametrize("answer", [failing("ThrottlingException"), "timeout"])
def test_rows_that_may_not_be_written_are_told_of(account: Account, answer: Any) -> None:  # noqa: ANN401
    def lost(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        raise ReadTimeoutError(endpoint_url="aws")

    ill = account.dynamodb(batch_execute_statement=lost if answer == "timeout" else answer)
    with pytest.raises(TableError):
        asyncio.run(table_of(account, ill).add_new({ONE: listed()}))
    with pytest.raises(TableError):
        asyncio.run(table_of(account, ill).change(ONE, entry()))


def test_a_damaged_row_is_found_by_its_hash(account: Account) -> None:
    async def main() -> None:
        await damage(account, "ann@example.org")
        with pytest.raises(TableError):
            await table_of(account).read([await hash_of(account, "ann@example.org")])

    asyncio.run(main())


def test_an_entry_says_why_and_since_when(account: Account) -> None:
    asyncio.run(table_of(account).change(ONE, entry(why=Why.COMPLAINT)))
    (one,) = asyncio.run(table_of(account).read([ONE]))[ONE].suppressions
    assert one == Suppression(ALL, Why.COMPLAINT, SINCE)
