"""DynamoDB: what operators have asked for, in one row of the ledger's table."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from ion.aws.table import VERSION, Item, Table, TableError, Value, versioned
from ion.policy.control import Control

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_KEY = " control "
_CONTROL = "control"
UNREADABLE = "ControlUnreadable"
"""The error's text where the row isn't one that ion has written: `clear` writes it anew."""


class ControlRow:
    """The row. Each write gives it another version, and is refused if another was faster.

    Args:
        client: boto3's.
        table: its name.
    """

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._table = Table(client, table)

    async def read(self) -> Control:
        """What is in force, no earlier write missed.

        Raises:
            TableError: it can't be known.
        """
        return _control((await self._table.read([_KEY])).get(_KEY))

    async def change(self, change: Callable[[Control], Control]) -> Control:
        """Write what `change` makes of what is there; it is asked again if another was faster.

        Raises:
            TableError: it can't be written, or it isn't known whether it was.
        """

        def changed(row: Item | None) -> dict[str, Value] | None:
            was = _control(row)
            now = change(was)
            return None if now == was and row is not None else {_CONTROL: now.text}

        return _control(await self._table.change(_KEY, changed))

    async def clear(self, now: float, by: str = "") -> Control:
        """End every pause and stop, in a row that can't be read as well.

        Such a row may have said that there are erasures, so the new one says it.

        Args:
            now: seconds since the epoch.
            by: who asks for it.

        Raises:
            TableError: it can't be written, or it isn't known whether it was.
        """
        try:
            return await self.change(lambda was: was.resumed(now, by))
        except TableError as error:
            if str(error) != UNREADABLE:
                raise
        empty = Control(erasures=True).resumed(now, by)
        # unconditional: the version of a damaged row can't be relied on
        statement = self._table.update(_KEY, versioned({_CONTROL: empty.text}))
        (code,) = await self._table.execute([statement])
        if code is not None:
            raise TableError(code)
        return empty


def _control(row: Item | None) -> Control:
    """What is in force by a row; None: there is none.

    Raises:
        TableError: it isn't one that ion has written.
    """
    if row is None:
        return Control()
    if VERSION not in row:
        raise TableError(UNREADABLE)
    try:
        return Control.read(str(row[_CONTROL]))
    except (KeyError, ValueError):
        raise TableError(UNREADABLE) from None
