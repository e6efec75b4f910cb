"""The rows of addresses in the table: that of one, found by its hash, and all of them by a scan."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ion.address_hash import DIGITS, address_hash
from ion.aws.address_key import AddressKey
from ion.aws.addresses import PREFIX, Addresses, state_of
from ion.aws.table import KEY, TableError
from ion.contract import BadInput
from ion.mail.addresses import parse_address
from ionctl.ops.on_table import on_table
from ionctl.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ion.policy.suppression import AddressState
    from ionctl.ops.deployment import Deployment

    Progress = Callable[[int, int], None]

_HASH = re.compile(rf"[0-9a-f]{{{DIGITS}}}")


def rows(deployment: Deployment) -> Addresses:
    """The rows."""
    return Addresses(deployment.account.dynamodb, deployment.table)


def known_key(deployment: Deployment) -> bytes | None:
    """The key of the hashes; None: none has been made yet. Raises Problem."""
    return on_table(deployment, _key(deployment).read())


def key(deployment: Deployment) -> bytes:
    """The key of the hashes, made if there is none. Raises Problem."""
    return on_table(deployment, _key(deployment).get())


def is_hash(text: str) -> bool:
    """True for what stands in the place of an address."""
    return _HASH.fullmatch(text) is not None


def wire_address(text: str) -> str:
    """An address as the envelope has it. Raises Problem: it is none."""
    try:
        return parse_address(text, "$").address
    except BadInput:
        raise Problem(
            f"{text} is no email address; nor a hash, which has {DIGITS} digits of 0-9 and a-f"
        ) from None


def hash_of(text: str, with_key: bytes) -> str:
    """The hash of an address; a hash is its own. Raises Problem: it is neither."""
    return text if is_hash(text) else address_hash(with_key, wire_address(text))


def scan(
    deployment: Deployment, looked: Callable[[int], None]
) -> Iterator[tuple[str, AddressState | None]]:
    """Each row of an address: its hash, and what is known; None: ion hasn't written it.

    DynamoDB reads the whole table for it.

    Args:
        deployment: whose.
        looked: is told of how many rows of the table more were read.

    Raises:
        botocore's errors.
    """
    request: Any = {
        "TableName": deployment.table,
        "FilterExpression": "begins_with(#key, :prefix)",
        "ExpressionAttributeNames": {"#key": KEY},
        "ExpressionAttributeValues": {":prefix": {"S": PREFIX}},
        "ConsistentRead": True,
    }
    while True:
        page = deployment.account.dynamodb.scan(**request)
        for item in page["Items"]:
            hashed = item[KEY].get("S", "").removeprefix(PREFIX)
            try:
                yield hashed, state_of({name: value.get("S") for name, value in item.items()})
            except TableError:
                yield hashed, None
        looked(page["ScannedCount"])
        if "LastEvaluatedKey" not in page:
            return
        request["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def _key(deployment: Deployment) -> AddressKey:
    return AddressKey(deployment.account.dynamodb, deployment.table)
