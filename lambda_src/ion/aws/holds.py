"""DynamoDB: the hold that outlives a run, in a row of the ledger's table."""

import asyncio
import time
from typing import TYPE_CHECKING, Any

from ion.aws.errors import AWS_ERRORS, code_of
from ion.hold import Hold

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_KEY = " hold"
"""No email's: those have no blanks."""
_KEEP_SECONDS = 7 * 24 * 3600


class HoldsError(Exception):
    """The table can't be used just now. The text has AWS's code."""


class Holds:
    """Remembers the hold in force. Two runs that write at once: the later one wins, no harm done.

    Args:
        client: boto3's.
        table: the ledger's.
    """

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    async def read(self) -> Hold | None:
        """The hold, over or not, or None.

        Raises:
            HoldsError: it can't be known.
        """
        request: Any = {self._table: {"Keys": [{"email_id": {"S": _KEY}}], "ConsistentRead": True}}
        answer = await self._call(self._client.batch_get_item, RequestItems=request)
        for item in answer["Responses"].get(self._table, []):
            return Hold(
                reason=item["reason"]["S"],
                error=item["error"]["S"],
                times=int(item["times"]["N"]),
                until=int(item["until"]["N"]),
                login=item["login"]["S"],
            )
        return None

    async def write(self, hold: Hold) -> None:
        """Remember it.

        Raises:
            HoldsError: it can't be.
        """
        columns: dict[str, Any] = {
            "reason": {"S": hold.reason},
            "error": {"S": hold.error},
            "times": {"N": str(hold.times)},
            "until": {"N": str(hold.until)},
            "login": {"S": hold.login},
            "expires_at": {"N": str(int(time.time()) + _KEEP_SECONDS)},
        }
        fields = ", ".join(f"'{name}': ?" for name in ("email_id", *columns))
        changes = " ".join(f'SET "{name}"=?' for name in columns)
        key = {"S": _KEY}
        insert = (f'INSERT INTO "{self._table}" VALUE {{{fields}}}', [key, *columns.values()])
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
        raise HoldsError(code)

    @staticmethod
    async def _call(method: Any, **request: Any) -> Any:  # noqa: ANN401 - boto3's
        try:
            return await asyncio.to_thread(method, **request)
        except AWS_ERRORS as error:
            raise HoldsError(code_of(error)) from error
