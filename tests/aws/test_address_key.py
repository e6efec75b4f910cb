"""The key of the hashes of addresses is made once, by whoever needs it first."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from emulated import Account, Answer, Between, Request, failing, unreachable
from ion.aws.address_key import UNREADABLE, AddressKey
from ion.aws.table import TableError

ROW = " address-key "


def get(key: AddressKey) -> bytes:
    return asyncio.run(key.get())


def stored(account: Account) -> list[str]:
    """Keys that the table has."""
    items = account.dynamodb().scan(TableName=account.table)["Items"]
    return [item["key"]["S"] for item in items if item["email_id"]["S"] == ROW]


def put(account: Account, **values: str) -> None:
    item = {name: {"S": value} for name, value in {"email_id": ROW, **values}.items()}
    account.dynamodb().put_item(TableName=account.table, Item=item)


def test_the_first_who_asks_makes_it_and_all_others_have_the_same(account: Account) -> None:
    first = get(account.address_key())
    assert len(first) == 32
    assert get(account.address_key()) == first
    assert stored(account) == [first.hex()]


def test_it_is_read_once(account: Account) -> None:
    dynamodb = account.dynamodb()
    key = account.address_key(dynamodb)
    get(account.address_key())

    async def many() -> list[bytes]:
        return await asyncio.gather(*(key.get() for _ in range(10)))

    assert len(set(asyncio.run(many()))) == 1
    assert [name for name, _ in dynamodb.calls] == ["batch_get_item"]


def test_who_has_it_asks_no_more(account: Account) -> None:
    dynamodb = account.dynamodb()
    key = account.address_key(dynamodb)
    made = get(key)
    asked = len(dynamodb.calls)
    assert asyncio.run(key.read()) == made
    assert len(dynamodb.calls) == asked


def test_two_deployments_have_different_ones(account: Account) -> None:
    first = get(account.address_key())
    account.dynamodb().delete_item(TableName=account.table, Key={"email_id": {"S": ROW}})
    assert get(account.address_key()) != first


def test_of_two_that_make_it_at_once_both_have_the_one_that_is_kept(account: Account) -> None:
    theirs: list[bytes] = []

    def after_another(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        theirs.append(get(account.address_key()))
        return real(**request)

    ours = get(account.address_key(account.dynamodb(batch_execute_statement=after_another)))
    assert [ours] == theirs
    assert stored(account) == [ours.hex()]


def test_who_may_only_read_makes_none(account: Account) -> None:
    key = account.address_key()
    assert asyncio.run(key.read()) is None
    assert stored(account) == []
    made = get(account.address_key())
    assert asyncio.run(key.read()) == made


@pytest.mark.parametrize("call", ["batch_get_item", "batch_execute_statement"])
@pytest.mark.parametrize("answer", [failing("InternalServerError"), unreachable])
def test_where_the_table_fails_it_is_not_known_and_is_asked_for_again(
    account: Account, call: str, answer: Answer
) -> None:
    ill = [True]

    def at_first(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        return answer(real, request) if ill[0] else real(**request)

    key = account.address_key(account.dynamodb(**{call: at_first}))
    with pytest.raises(TableError):
        get(key)
    ill[0] = False
    assert get(key) == get(account.address_key())


def test_an_answer_that_was_lost_makes_no_second_one(account: Account) -> None:
    def lost(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        real(**request)
        return failing("InternalServerError")(real, request)

    with pytest.raises(TableError):
        get(account.address_key(account.dynamodb(batch_execute_statement=lost)))
    (kept,) = stored(account)
    assert get(account.address_key()).hex() == kept


@pytest.mark.parametrize("values", [{}, {"key": "no hexadecimal"}, {"other": "ab"}])
def test_a_row_that_ion_has_not_written_is_no_key(account: Account, values: dict[str, str]) -> None:
    """And isn't overwritten: hashes by another key would find nothing any more."""
    put(account, **values)
    dynamodb: Between = account.dynamodb()
    with pytest.raises(TableError, match=UNREADABLE):
        get(account.address_key(dynamodb))
    assert [name for name, _ in dynamodb.calls] == ["batch_get_item"]
