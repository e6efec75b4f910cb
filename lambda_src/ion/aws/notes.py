"""DynamoDB: what one run leaves for the next, in rows of the ledger's table."""

import asyncio
import time
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from ion.aws.errors import AWS_ERRORS, code_of
from ion.hold import Hold
from ion.pace import Lesson

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_KEYS: dict[type[Hold | Lesson], str] = {Hold: " hold", Lesson: " pace"}
"""No email's: those have no blanks."""
_KEEP_SECONDS = 7 * 24 * 3600


class NotesError(Exception):
    """The table can't be used just now. The text has AWS's code."""


class Notes:
    """Remembers a hold and a lesson. Two runs that write at once: the later one wins, no harm done.

    Args:
        client: boto3's.
        table: the ledger's.
    """

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    async def read(self) -> tuple[Hold | None, Lesson | None]:
        """The hold, over or not, and the lesson, of whatever use; None: there is none.

        Raises:
            NotesError: it can't be known.
        """
        keys = [{"email_id": {"S": key}} for key in _KEYS.values()]
        request: Any = {self._table: {"Keys": keys, "ConsistentRead": True}}
        answer = await self._call(self._client.batch_get_item, RequestItems=request)
        items = {item["email_id"]["S"]: item for item in answer["Responses"].get(self._table, [])}
        hold, lesson = _columns(Hold, items), _columns(Lesson, items)
        return Hold(**hold) if hold else None, Lesson(**lesson) if lesson else None

    async def write(self, note: Hold | Lesson) -> None:
        """Remember it, in the place of an earlier one.

        Raises:
            NotesError: it can't be.
        """
        expires_at = int(time.time()) + _KEEP_SECONDS
        columns = {
            name: _typed(value)
            for name, value in {**asdict(note), "expires_at": expires_at}.items()
        }
        names = ", ".join(f"'{name}': ?" for name in ("email_id", *columns))
        changes = " ".join(f'SET "{name}"=?' for name in columns)
        key = {"S": _KEYS[type(note)]}
        insert = (f'INSERT INTO "{self._table}" VALUE {{{names}}}', [key, *columns.values()])
        update = (f'UPDATE "{self._table}" {changes} WHERE "email_id"=?', [*columns.values(), key])
        code = None
        for statement, parameters in (insert, update):
            answer = await self._call(
                self._client.batch_execute_statement,
                Statements=[{"Statement": statement, "Parameters": parameters}],
            )
            code = answer["Responses"][0].get("Error", {}).get("Code")
            if code is None:
                return
        raise NotesError(code)

    @staticmethod
    async def _call(method: Any, **request: Any) -> Any:  # noqa: ANN401 - boto3's
        try:
            return await asyncio.to_thread(method, **request)
        except AWS_ERRORS as error:
            raise NotesError(code_of(error)) from error


def _columns(kind: type[Hold | Lesson], items: dict[str, Any]) -> dict[str, Any] | None:
    item = items.get(_KEYS[kind])
    names = [field.name for field in fields(kind)]
    if item is None or not item.keys() >= set(names):  # never written, or by another version
        return None
    return {name: _plain(item[name]) for name in names}


def _typed(value: str | float | None) -> dict[str, Any]:
    if value is None:
        return {"NULL": True}
    return {"S": value} if isinstance(value, str) else {"N": str(value)}


def _plain(typed: dict[str, Any]) -> Any:  # noqa: ANN401 - what the field is of
    ((kind, value),) = typed.items()
    if kind == "N":
        return float(value) if set(value) & set(".eE") else int(value)
    return value if kind == "S" else None
