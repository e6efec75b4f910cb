"""What is known of addresses, in an emulated account's table."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast

from emulated import Account
from ion.address_hash import address_hash
from ion.aws.address_key import AddressKey
from ion.aws.addresses import PREFIX, Addresses
from ion.policy.suppression import ALL, AddressState, Suppression, Why

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from emulated import Between

SINCE = datetime(2026, 11, 1, tzinfo=UTC)
Change = Callable[[AddressState], AddressState]


def table_of(account: Account, dynamodb: "Between | None" = None) -> Addresses:
    return Addresses(cast("DynamoDBClient", dynamodb or account.dynamodb()), account.table)


async def hash_of(account: Account, address: str) -> str:
    key = AddressKey(cast("DynamoDBClient", account.dynamodb()), account.table)
    return address_hash(await key.get(), address)


async def know(account: Account, address: str, change: Change) -> None:
    await table_of(account).change(await hash_of(account, address), change)


async def suppress(account: Account, *addresses: str, scope: str = ALL) -> None:
    for address in addresses:
        await know(account, address, entry(scope))


async def damage(account: Account, address: str) -> None:
    """A row that ion hasn't written."""
    key = PREFIX + await hash_of(account, address)
    item = {"email_id": {"S": key}, "address": {"S": "canary"}}
    account.dynamodb().put_item(TableName=account.table, Item=item)


def entry(scope: str = ALL, why: Why = Why.MANUAL, until: datetime | None = None) -> Change:
    return lambda state: state.suppressed(Suppression(scope, why, SINCE, until))


def erasure(after: timedelta = timedelta()) -> Change:
    """Now, or so much later."""
    at = datetime.now(UTC) + after
    return lambda state: state.erased(at)
