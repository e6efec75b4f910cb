"""DynamoDB: when the next look at old messages is due, for all functions, in a row of the table."""

from typing import TYPE_CHECKING

from ion.aws.table import EXPIRES_AT, Table, TableError, is_refused

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_KEY = " rescue "
_DUE = "due"
_KEEP_SECONDS = 7 * 24 * 3600
"""Beyond the time when it is due. Without a row a look is due, too."""


class Schedule:
    """Due time of the next look, given to one function at a time.

    Args:
        client: boto3's.
        table: the name.
        longest_seconds: between two looks. A time that is further away was written by a clock that
            was wrong, and doesn't count.
    """

    def __init__(self, client: "DynamoDBClient", table: str, longest_seconds: int) -> None:
        self._table = Table(client, table)
        self._longest_seconds = longest_seconds

    async def take(self, now: float, again_seconds: int) -> bool:
        """True if a look is due, and this function is the one to take it.

        Args:
            now: seconds since the epoch.
            again_seconds: when it is due for others, if nothing is heard of this one.

        Raises:
            TableError: it can't be known.
        """
        due = await self._due()
        if due is not None and now < due <= now + self._longest_seconds:
            return False
        return await self._write(int(now) + again_seconds, was=due)

    async def put_off(self, now: float, seconds: int) -> None:
        """The next one is due so many seconds from now.

        Raises:
            TableError: it is due when `take` has said.
        """
        await self._write(int(now) + seconds, was=await self._due())

    async def _due(self) -> int | None:
        """Seconds since the epoch; None: there is no row."""
        row = (await self._table.read([_KEY])).get(_KEY)
        due = row and row.get(_DUE)
        return due if isinstance(due, int) else None

    async def _write(self, due: int, was: int | None) -> bool:
        """False: another function was faster."""
        values = {_DUE: due, EXPIRES_AT: due + _KEEP_SECONDS}
        if was is None:
            statement = self._table.insert(_KEY, values)
        else:
            statement = self._table.update(_KEY, values, only_if={_DUE: was})
        (code,) = await self._table.execute([statement])
        if code is not None and not is_refused(code):
            raise TableError(code)
        return code is None
