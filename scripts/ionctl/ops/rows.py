"""Rows of the ledger that are found by another attribute than their key."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ion.aws.table import KEY, Table, TableError
from ionctl.ops import letters as dead
from ionctl.ops import prices

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import ScanInputTypeDef

    from ionctl.ops.deployment import Deployment

MESSAGE_ID_INDEX = "header-message-id"
"""Of the rows by their Message-ID; there with feedback on."""
LARGE_BYTES = 1_000_000_000
"""Of a ledger, beyond which somebody is asked before a scan: it takes minutes, and costs cents."""
_SEGMENTS = 8
"""Of a scan, which are read at the same time."""
_BYTES_A_UNIT = 2 * 4096
"""An eventually consistent read of so much takes one read unit."""

Row = dict[str, Any]
"""In DynamoDB's types."""


@dataclass(frozen=True, slots=True)
class Size:
    """How large a table is, as DynamoDB counts it every six hours.

    Args:
        rows: how many.
        octets: of all of them.
    """

    rows: int
    octets: int

    @property
    def dollars(self) -> float:
        """What it costs to read all of it."""
        return self.octets / _BYTES_A_UNIT * prices.DYNAMODB_READ_UNIT


@dataclass(frozen=True, slots=True)
class Condition:
    """What is asked of a row, as DynamoDB evaluates it.

    Args:
        expression: over `#name` and `:value`.
        name: of the attribute.
        value: text.
    """

    expression: str
    name: str
    value: str


@dataclass(slots=True)
class Scanned:
    """What a scan found.

    Args:
        items: rows of emails.
        seen: how many rows were looked at.
    """

    items: list[Row] = field(default_factory=list)
    seen: int = 0


def is_(name: str, value: str) -> Condition:
    """The attribute is that text."""
    return Condition("#name = :value", name, value)


def has(name: str, value: str) -> Condition:
    """The attribute's text has that in it."""
    return Condition("contains(#name, :value)", name, value)


def size(deployment: Deployment) -> Size:
    """How large the ledger is. Raises botocore's errors."""
    table = deployment.account.dynamodb.describe_table(TableName=deployment.table)["Table"]
    return Size(table.get("ItemCount", 0), table.get("TableSizeBytes", 0))


def exists(deployment: Deployment, key: str) -> bool:
    """Whether there is known to be an email of that key."""
    try:
        return bool(asyncio.run(Table(deployment.account.dynamodb, deployment.table).read([key])))
    except TableError:
        return False


def by_message_id(deployment: Deployment, message_id: str) -> str:
    """The key of the row with that Message-ID, by the index; empty: none, or there is no index."""
    dynamodb = deployment.account.dynamodb
    try:
        answer = dynamodb.query(
            TableName=deployment.table,
            IndexName=MESSAGE_ID_INDEX,
            KeyConditionExpression="header_message_id = :value",
            ExpressionAttributeValues={":value": {"S": message_id}},
            Limit=1,
        )
    except dynamodb.exceptions.ClientError:  # there is no such index, or it may not be asked
        return ""
    return next((key_of(one) for one in answer["Items"]), "")


def scan(
    deployment: Deployment, condition: Condition, progress: dead.Progress = dead.silent
) -> Scanned:
    """Every row of an email of which that is true. Reads the whole table.

    Args:
        deployment: whose.
        condition: it.
        progress: is told how many rows were looked at, and about how many there are.

    Raises:
        botocore's errors: it can't be read.
    """
    whole = size(deployment).rows
    found = Scanned()
    lock = threading.Lock()

    def read(segment: int) -> None:
        request: ScanInputTypeDef = {
            "TableName": deployment.table,
            "Segment": segment,
            "TotalSegments": _SEGMENTS,
            "FilterExpression": condition.expression,
            "ExpressionAttributeNames": {"#name": condition.name},
            "ExpressionAttributeValues": {":value": {"S": condition.value}},
        }
        while True:
            answer = deployment.account.dynamodb.scan(**request)
            with lock:
                found.seen += answer["ScannedCount"]
                found.items += [one for one in answer["Items"] if " " not in key_of(one)]
                progress(found.seen, max(whole, found.seen))
            if not (last := answer.get("LastEvaluatedKey")):
                return
            request["ExclusiveStartKey"] = last

    with ThreadPoolExecutor(_SEGMENTS) as threads:
        for one in [threads.submit(read, segment) for segment in range(_SEGMENTS)]:
            one.result()
    return found


def key_of(item: Row) -> str:
    """The email's key."""
    return str(item[KEY]["S"])
