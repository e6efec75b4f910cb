"""Items of the outbox as JSON, each asked for until it is there or isn't."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from emulated import Account, Request


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ({"S": "Grüße"}, "Grüße"),
        ({"N": "17"}, 17),
        ({"N": "-1.5"}, -1.5),
        ({"N": "1E-7"}, 1e-7),
        ({"BOOL": False}, False),
        ({"NULL": True}, None),
        ({"B": b"octets"}, "b2N0ZXRz"),
        ({"L": [{"N": "2"}, {"L": []}]}, [2, []]),
        ({"M": {"name": {"S": "Ann"}}}, {"name": "Ann"}),
        ({"SS": ["b", "a"]}, ["a", "b"]),
        ({"NS": ["7"]}, [7]),
        ({"BS": [b"octets"]}, ["b2N0ZXRz"]),
    ],
    ids=str,
)
async def test_each_type_of_dynamodb_has_its_like_in_json(
    account: Account, typed: dict[str, Any], value: object
) -> None:
    account.leave({"email_id": {"S": "a"}, "ttl": {"N": "1790000000"}, "context": typed})
    found = await account.outbox().read(["a"])
    assert json.loads(found["a"]) == {"email_id": "a", "context": value}


async def test_an_item_is_asked_for_once_and_as_it_was_last_written(account: Account) -> None:
    """BatchGetItem refuses a key that is there twice."""
    account.leave({"email_id": {"S": "a"}})
    dynamodb = account.dynamodb()
    assert set(await account.outbox(dynamodb).read(["a", "b", "a"])) == {"a"}
    (asked,) = dynamodb.asked("batch_get_item")
    assert asked["RequestItems"] == {
        account.outbox_table: {
            "Keys": [{"email_id": {"S": "a"}}, {"email_id": {"S": "b"}}],
            "ConsistentRead": True,
        }
    }


async def test_what_dynamodb_left_over_is_asked_for_again(account: Account) -> None:
    """It answers with 16 MB at most, and with less when it throttles."""

    def one_at_a_time(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        ((table, wanted),) = request["RequestItems"].items()
        first, *others = wanted["Keys"]
        left = {table: wanted | {"Keys": others}} if others else {}
        answer = real(RequestItems={table: wanted | {"Keys": [first]}})
        return answer | {"UnprocessedKeys": left}

    for key in "abc":
        account.leave({"email_id": {"S": key}})
    dynamodb = account.dynamodb(batch_get_item=one_at_a_time)
    assert set(await account.outbox(dynamodb).read(["a", "b", "c"])) == {"a", "b", "c"}
