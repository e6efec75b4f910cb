"""DynamoDB: when the next rescue is due, for all functions, in a row of the ledger's table."""

import asyncio
from typing import TYPE_CHECKING, Any

from ion.aws.errors import AWS_ERRORS, code_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_KEY = {"S": " rescue "}
"""No email's key has a blank."""
_KEEP_SECONDS = 7 * 24 * 3600
"""Beyond the time when it is due. Without a row a rescue is due, too."""


class ScheduleError(Exception):
    """The table can't be used just now. The text has AWS's code."""


class Schedule:
    """Says to one function at a time that a rescue is due.

    Args:
        client: boto3's.
        table: the ledger's.
        longest_seconds: between two rescues. A time that is further away was written by a clock
            that was wrong, and doesn't count.
    """

    def __init__(self, client: "DynamoDBClient", table: str, longest_seconds: int) -> None:
        self._client = client
        self._table = table
        self._longest_seconds = longest_seconds

    async def take(self, now: float, again_seconds: int) -> bool:
        """True if a rescue is due, and this function is the one to do it.

        Args:
            now: seconds since the epoch.
            again_seconds: when it is due for others, if nothing is heard of this one.

        Raises:
            ScheduleError: it can't be known.
        """
        due = await self._due()
        if due is not None and now < due <= now + self._longest_seconds:
            return False
        return await self._write(int(now) + again_seconds, was=due)

    async def put_off(self, now: float, seconds: int) -> None:
        """The next one is due so many seconds from now.

        Raises:
            ScheduleError: it is due when `take` has said.
        """
        await self._write(int(now) + seconds, was=await self._due())

    async def _due(self) -> int | None:
        """Seconds since the epoch; None: there is no row."""
        request: Any = {self._table: {"Keys": [{"email_id": _KEY}], "ConsistentRead": True}}
        answer = await self._call(self._client.batch_get_item, RequestItems=request)
        found = answer["Responses"].get(self._table)
        return int(found[0]["due"]["N"]) if found else None

    async def _write(self, due: int, was: int | None) -> bool:
        """False: another function was faster."""
        values = [{"N": str(due)}, {"N": str(due + _KEEP_SECONDS)}]
        if was is None:
            columns = "{'email_id': ?, 'due': ?, 'expires_at': ?}"
            statement = f'INSERT INTO "{self._table}" VALUE {columns}'
            parameters = [_KEY, *values]
        else:
            changes = 'SET "due"=? SET "expires_at"=? WHERE "email_id"=? AND "due"=?'
            statement = f'UPDATE "{self._table}" {changes}'
            parameters = [*values, _KEY, {"N": str(was)}]
        answer = await self._call(
            self._client.batch_execute_statement,
            Statements=[{"Statement": statement, "Parameters": parameters}],
        )
        code = answer["Responses"][0].get("Error", {}).get("Code")
        if code in ("DuplicateItem", "ConditionalCheckFailed"):
            return False
        if code is not None:
            raise ScheduleError(code)
        return True

    @staticmethod
    async def _call(method: Any, **request: Any) -> Any:  # noqa: ANN401 - boto3's
        try:
            return await asyncio.to_thread(method, **request)
        except AWS_ERRORS as error:
            raise ScheduleError(code_of(error)) from error
