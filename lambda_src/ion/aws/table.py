"""DynamoDB: the one table, as statements and rows.

Every email has a row under its key, `email_id`. The rows of what ion knows beside that lie in the
same table, under keys with a blank in them, which no email's key has. `expires_at` is the table's
TTL attribute: seconds since the epoch, after which DynamoDB removes a row in its own time.

The writes are PartiQL statements, since that is DynamoDB's only way to send many conditional writes
in one call without the double price of a transaction.
"""

import asyncio
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from ion.aws.errors import AWS_ERRORS, code_of
from ion.limits import STATEMENTS_A_CALL

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Value = str | int | float | None
Item = dict[str, Value]

KEY = "email_id"
EXPIRES_AT = "expires_at"
OVERTAKEN = "ConditionalCheckFailed"
"""The error's text where others were faster at each try: the table is well."""
_REFUSED = frozenset({"DuplicateItem", OVERTAKEN})
VERSION = "version"
"""Another one with each write of a row that `change` changes."""
_TRIES = 10
"""Changes are rare: two people at once, a program's orders in the hands of several functions, or
the counts of runs that end together."""
_LONGEST_PAUSE_SECONDS = 0.2
"""Between two tries, and a random part of it, so that those who meet don't meet again."""


class TableError(Exception):
    """The table can't be used just now. The text is AWS's code."""


class Table:
    """Reads and writes rows.

    Args:
        client: boto3's.
        name: of the table.
    """

    def __init__(self, client: "DynamoDBClient", name: str) -> None:
        self._client = client
        self._name = name

    def insert(self, key: str, values: Mapping[str, Value]) -> dict[str, Any]:
        """A statement that is refused if there is a row of that key."""
        item = {KEY: key, **values}
        fields = ", ".join(f"'{name}': ?" for name in item)
        return _statement(f'INSERT INTO "{self._name}" VALUE {{{fields}}}', item.values())

    def update(
        self, key: str, values: Mapping[str, Value], only_if: Mapping[str, Value] | None = None
    ) -> dict[str, Any]:
        """A statement that is refused if there is no such row, or it isn't as in `only_if`."""
        where = {KEY: key, **(only_if or {})}
        changes = " ".join(f'SET "{name}"=?' for name in values)
        conditions = " AND ".join(f'"{name}"=?' for name in where)
        text = f'UPDATE "{self._name}" {changes} WHERE {conditions}'
        return _statement(text, [*values.values(), *where.values()])

    async def change(
        self, key: str, change: Callable[[Item | None], Mapping[str, Value] | None]
    ) -> Item | None:
        """Write what `change` makes of a row; it is asked again if another was faster.

        Each write gives the row another version, and is refused if the version is not the one read.

        Args:
            key: of the row.
            change: of the row, or None if there is none: what is to be in it; None: as it is.

        Returns:
            The row as it is then; None: there is none.

        Raises:
            TableError: it can't be written, or it isn't known whether it was; OVERTAKEN: others
                were faster each time. What `change` raises comes through.
        """
        version = versioned({})
        for tried in range(_TRIES):
            if tried:
                await asyncio.sleep(random.random() * _LONGEST_PAUSE_SECONDS)  # noqa: S311
            was = (await self.read([key])).get(key)
            if was is not None and was.get(VERSION) == version[VERSION]:
                return was  # the answer to the write before was lost
            values = change(was)
            if values is None:
                return was
            new = {**values, **version}
            if was is None:
                statement = self.insert(key, new)
            else:
                statement = self.update(key, new, {VERSION: was.get(VERSION)})
            (code,) = await self.execute([statement])
            if code is None:
                return {**(was or {KEY: key}), **new}
            if not is_refused(code):
                raise TableError(code)
        raise TableError(OVERTAKEN)

    async def execute(self, statements: Sequence[dict[str, Any]]) -> list[str | None]:
        """Each statement's error code; None: it is done. A call that failed is one for each of its.

        Raises:
            TableError: no call succeeded.
        """
        codes: list[str | None] = []
        failures: list[Exception] = []
        starts = range(0, len(statements), STATEMENTS_A_CALL)
        for start in starts:
            batch: Any = statements[start : start + STATEMENTS_A_CALL]
            try:
                answer: Any = await asyncio.to_thread(
                    self._client.batch_execute_statement, Statements=batch
                )
            except AWS_ERRORS as error:
                failures.append(error)
                codes += [code_of(error)] * len(batch)
            else:
                codes += [one.get("Error", {}).get("Code") for one in answer["Responses"]]
        if failures and len(failures) == len(starts):
            raise TableError(code_of(failures[-1])) from failures[-1]
        return codes

    async def read(self, keys: Iterable[str]) -> dict[str, Item]:
        """The rows that there are, by their keys, read so that no earlier write is missed.

        Args:
            keys: at most 100 (BatchGetItem).

        Raises:
            TableError: it can't be known.
        """
        items = await batch_get(self._client, self._name, keys)
        rows = [{name: _plain(typed) for name, typed in item.items()} for item in items]
        return {str(row[KEY]): row for row in rows}

    async def keys_by(self, index: str, name: str, value: str) -> list[str]:
        """The keys of the rows in which that attribute has this value, by an index on it.

        The index follows the table by a moment (DynamoDB: global secondary indexes).

        Raises:
            TableError: it can't be known.
        """
        try:
            answer = await asyncio.to_thread(
                self._client.query,
                TableName=self._name,
                IndexName=index,
                KeyConditionExpression="#name = :value",
                ExpressionAttributeNames={"#name": name},
                ExpressionAttributeValues={":value": {"S": value}},
            )
        except AWS_ERRORS as error:
            raise TableError(code_of(error)) from error
        return [item[KEY]["S"] for item in answer["Items"]]


def versioned(values: Mapping[str, Value]) -> dict[str, Value]:
    """The same with a new version, for a row that `change` changes."""
    return {**values, VERSION: uuid4().hex}


async def batch_get(
    client: "DynamoDBClient", table: str, keys: Iterable[str]
) -> list[Mapping[str, Any]]:
    """The items that there are, in DynamoDB's types, read so that no earlier write is missed.

    Args:
        client: boto3's.
        table: its name.
        keys: each once, at most 100 (BatchGetItem).

    Raises:
        TableError: it can't be known.
    """
    items: list[Mapping[str, Any]] = []
    asked = [{KEY: {"S": key}} for key in keys]
    request: Any = {table: {"Keys": asked, "ConsistentRead": True}} if asked else {}
    while request:
        try:
            answer = await asyncio.to_thread(client.batch_get_item, RequestItems=request)
        except AWS_ERRORS as error:
            raise TableError(code_of(error)) from error
        items += answer["Responses"].get(table, [])
        request = answer.get("UnprocessedKeys")
    return items


def is_refused(code: str | None) -> bool:
    """True if a statement's condition didn't hold, which is an answer and not a failure."""
    return code in _REFUSED


def _statement(text: str, values: Iterable[Value]) -> dict[str, Any]:
    return {"Statement": text, "Parameters": [_typed(value) for value in values]}


def _typed(value: Value) -> dict[str, Any]:
    if value is None:
        return {"NULL": True}
    return {"S": value} if isinstance(value, str) else {"N": str(value)}


def _plain(typed: Mapping[str, Any]) -> Value:
    """The value of an attribute; of a kind that ion doesn't write: none."""
    ((kind, value),) = typed.items()
    if kind == "N":
        return float(value) if set(value) & set(".eE") else int(value)
    return str(value) if kind == "S" else None
