"""DynamoDB: what operators have asked for, in one row of the ledger's table."""

import asyncio
import random
from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import uuid4

from ion.aws.table import Table, TableError, is_refused
from ion.policy.control import Control

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_KEY = " control "
UNREADABLE = "ControlUnreadable"
"""The error's text where the row isn't one that ion has written: `clear` writes it anew."""
_TRIES = 10
"""Changes are rare: two people at once, a program's orders in the hands of several functions, or
the counts of runs that end together."""
_LONGEST_PAUSE_SECONDS = 0.2
"""Between two tries, and a random part of it, so that those who meet don't meet again."""

OVERTAKEN = "ConditionalCheckFailed"
"""The error's text where others were faster each time: the table is well."""


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
        return (await self._read())[0]

    async def change(self, change: Callable[[Control], Control]) -> Control:
        """Write what `change` makes of what is there; it is asked again if another was faster.

        Raises:
            TableError: it can't be written, or it isn't known whether it was.
        """
        version = uuid4().hex
        for tried in range(_TRIES):
            if tried:
                await asyncio.sleep(random.random() * _LONGEST_PAUSE_SECONDS)  # noqa: S311
            control, was = await self._read()
            if was == version:  # the answer to the write before was lost
                return control
            changed = change(control)
            if changed == control and was is not None:
                return control
            values = {"control": changed.text, "version": version}
            if was is None:
                statement = self._table.insert(_KEY, values)
            else:
                statement = self._table.update(_KEY, values, only_if={"version": was})
            (code,) = await self._table.execute([statement])
            if code is None:
                return changed
            if not is_refused(code):
                raise TableError(code)
        raise TableError(OVERTAKEN)

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
        values = {"control": empty.text, "version": uuid4().hex}
        (code,) = await self._table.execute([self._table.update(_KEY, values)])
        if code is not None:
            raise TableError(code)
        return empty

    async def _read(self) -> tuple[Control, str | None]:
        """What is in force, and the row's version; None: there is no row."""
        row = (await self._table.read([_KEY])).get(_KEY)
        if row is None:
            return Control(), None
        try:
            return Control.read(str(row["control"])), str(row["version"])
        except (KeyError, ValueError):
            raise TableError(UNREADABLE) from None
