"""The control row, in the emulated table: nothing that anyone asked for is lost."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.exceptions import ReadTimeoutError

from emulated import Account, Between, Request, failing
from ion.aws.control import ControlRow
from ion.aws.table import TableError
from ion.contract import Lane, Pause, Stop, StopWhere
from ion.policy.control import Control

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

NOW = 1_800_000_000.0


def control_row(account: Account, dynamodb: Between | None = None) -> ControlRow:
    return ControlRow(cast("DynamoDBClient", dynamodb or account.dynamodb()), account.table)


def with_bulk_paused(control: Control) -> Control:
    return control.with_pause(Pause(lane=Lane.BULK), NOW, by="ann", why="a typo")


def with_stop(name: str) -> Callable[[Control], Control]:
    where = StopWhere(tag={"campaign": name})
    return lambda control: control.with_stop(Stop(where=where), NOW, new_id=name)


def test_there_is_nothing_at_first(account: Account) -> None:
    assert asyncio.run(control_row(account).read()) == Control()


def test_what_is_written_is_read(account: Account) -> None:
    async def main() -> None:
        row = control_row(account)
        changed = await row.change(with_bulk_paused)
        assert await row.read() == changed == with_bulk_paused(Control())
        assert await row.change(lambda _: Control()) == await row.read() == Control()

    asyncio.run(main())
    (item,) = account.rows()
    assert item["email_id"] == " control "
    assert "expires_at" not in item, "DynamoDB would remove it"


def test_it_is_read_so_that_no_earlier_write_is_missed(account: Account) -> None:
    dynamodb = account.dynamodb()
    asyncio.run(control_row(account, dynamodb).read())
    (asked,) = dynamodb.asked("batch_get_item")
    assert asked["RequestItems"][account.table]["ConsistentRead"] is True


@pytest.mark.row(77)
@pytest.mark.parametrize("is_there", [False, True])
def test_two_operators_at_once_lose_nothing(account: Account, is_there: bool) -> None:
    """The second one writes between the first one's read and its write."""
    if is_there:
        asyncio.run(control_row(account).change(lambda control: control))
    beside = [with_stop("two")]

    def write(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        while beside:
            asyncio.run(control_row(account).change(beside.pop()))
        return real(**request)

    dynamodb = account.dynamodb(batch_execute_statement=write)
    asyncio.run(control_row(account, dynamodb).change(with_stop("one")))
    control = asyncio.run(control_row(account).read())
    assert [one.id for one in control.stops] == ["two", "one"]


@pytest.mark.row(77)
def test_many_at_once_lose_nothing(account: Account) -> None:
    async def main() -> Control:
        names = ["one", "two", "three", "four", "five"]
        await asyncio.gather(*(control_row(account).change(with_stop(name)) for name in names))
        return await control_row(account).read()

    found = {one.id for one in asyncio.run(main()).stops}
    assert found == {"one", "two", "three", "four", "five"}


def test_what_changes_nothing_is_not_written(account: Account) -> None:
    asyncio.run(control_row(account).change(with_stop("one")))
    dynamodb = account.dynamodb()
    control = asyncio.run(control_row(account, dynamodb).change(lambda was: was))
    assert [one.id for one in control.stops] == ["one"]
    assert dynamodb.asked("batch_execute_statement") == []


def test_who_is_always_overtaken_hears_of_it(account: Account) -> None:
    refused = {"Responses": [{"Error": {"Code": "ConditionalCheckFailed"}}]}
    dynamodb = account.dynamodb(batch_execute_statement=lambda *_: refused)
    with pytest.raises(TableError, match="ConditionalCheckFailed"):
        asyncio.run(control_row(account, dynamodb).change(with_bulk_paused))


@pytest.mark.row(77)
def test_a_change_whose_answer_was_lost_is_made_once(account: Account) -> None:
    """As boto3 asks again, and is told that the condition doesn't hold any more."""
    asyncio.run(control_row(account).change(with_stop("one")))

    def twice(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        real(**request)
        return real(**request)

    dynamodb = account.dynamodb(batch_execute_statement=twice)
    counted = asyncio.run(control_row(account, dynamodb).change(lambda c: c.counted({"one": 3})))
    assert [one.stopped for one in counted.stops] == [3]
    assert asyncio.run(control_row(account).read()) == counted


@pytest.mark.row(78)
@pytest.mark.parametrize(
    "item", [{}, {"control": "x"}, {"control": "{}"}, {"control": '{"stops": 5}', "version": "1"}]
)
def test_a_row_that_says_nothing_known_is_no_empty_one(
    account: Account, item: dict[str, str]
) -> None:
    values: Any = {"email_id": " control ", **item}
    account.dynamodb().put_item(
        TableName=account.table, Item={name: {"S": value} for name, value in values.items()}
    )
    with pytest.raises(TableError, match="ControlUnreadable"):
        asyncio.run(control_row(account).read())
    with pytest.raises(TableError, match="ControlUnreadable"):
        asyncio.run(control_row(account).change(with_bulk_paused))
    empty = Control(erasures=True).resumed(NOW)  # there may have been some
    assert asyncio.run(control_row(account).clear(NOW)) == empty
    assert asyncio.run(control_row(account).read()) == empty


@pytest.mark.row(78)
def test_a_table_that_fails_is_told_by_awss_code(account: Account) -> None:
    ill = account.dynamodb(batch_get_item=failing("ThrottlingException"))
    with pytest.raises(TableError, match="ThrottlingException"):
        asyncio.run(control_row(account, ill).read())


def test_a_write_that_may_have_failed_is_told_of(account: Account) -> None:
    def lost(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        raise ReadTimeoutError(endpoint_url="aws")

    ill = account.dynamodb(batch_execute_statement=lost)
    with pytest.raises(TableError, match="ReadTimeoutError"):
        asyncio.run(control_row(account, ill).change(with_bulk_paused))


def test_a_write_that_is_answered_with_an_error_is_not_tried_again(account: Account) -> None:
    """It isn't known why; a refusal alone means that another was faster."""
    ill: Any = {"Responses": [{"Error": {"Code": "InternalServerError"}}]}
    dynamodb = account.dynamodb(batch_execute_statement=lambda *_: ill)
    with pytest.raises(TableError, match="InternalServerError"):
        asyncio.run(control_row(account, dynamodb).change(with_bulk_paused))
    assert len(dynamodb.asked("batch_get_item")) == 1


@pytest.mark.row(78)
def test_nothing_is_ended_in_a_row_that_was_not_looked_at(account: Account) -> None:
    asyncio.run(control_row(account).change(with_bulk_paused))
    ill = account.dynamodb(batch_get_item=failing("ThrottlingException"))
    with pytest.raises(TableError, match="ThrottlingException"):
        asyncio.run(control_row(account, ill).clear(NOW))
    assert asyncio.run(control_row(account).read()) == with_bulk_paused(Control())


@pytest.mark.row(78)
def test_an_unreadable_row_that_can_not_be_cleared_is_told_of(account: Account) -> None:
    account.dynamodb().put_item(TableName=account.table, Item={"email_id": {"S": " control "}})
    ill: Any = {"Responses": [{"Error": {"Code": "InternalServerError"}}]}
    dynamodb = account.dynamodb(batch_execute_statement=lambda *_: ill)
    with pytest.raises(TableError, match="InternalServerError"):
        asyncio.run(control_row(account, dynamodb).clear(NOW))
