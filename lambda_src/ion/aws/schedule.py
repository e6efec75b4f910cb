"""DynamoDB: when the next look at old messages is due, for all functions, in a row of the table."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ion.aws.table import EXPIRES_AT, Item, Table, TableError, is_refused
from ion.limits import SKEW_SECONDS

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_KEY = " rescue "
_DUE, _WRITTEN, _KNOWN = "due", "written_at", "known"
_KEEP_SECONDS = 7 * 24 * 3600
"""Beyond the time when it is due. Without a row a look is due, too."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A look that is due.

    Args:
        known: nothing in the queues was put there before, seconds since the epoch, as an earlier
            look has proved; None: none has.
    """

    known: int | None


class Schedule:
    """Due time of the next look, given to one function at a time.

    Args:
        client: boto3's.
        table: the name.
    """

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._table = Table(client, table)

    async def take(self, now: float, again_seconds: int) -> Turn | None:
        """The look, if one is due, and this function is the one to take it.

        What a clock that was fast has written down doesn't count.

        Args:
            now: seconds since the epoch.
            again_seconds: when it is due for others, if nothing is heard of this one.

        Raises:
            TableError: it can't be known.
        """
        row = await self._read()
        due, written_at, known = (_time(row, name) for name in (_DUE, _WRITTEN, _KNOWN))
        if written_at is None or written_at > now + SKEW_SECONDS:
            known = None
        elif due is not None and now < due:
            return None
        again = int(now) + again_seconds
        return Turn(known) if await self._write(now, again, known, was=due) else None

    async def put_off(self, now: float, due: float, known: float | None) -> None:
        """The next one is due then.

        Args:
            now: seconds since the epoch.
            due: the same.
            known: nothing in the queues was put there before; None: that isn't known.

        Raises:
            TableError: it is due when `take` has said.
        """
        await self._write(now, int(due), known, was=_time(await self._read(), _DUE))

    async def _read(self) -> Item:
        return (await self._table.read([_KEY])).get(_KEY, {})

    async def _write(self, now: float, due: int, known: float | None, was: int | None) -> bool:
        """False: another function was faster."""
        values: Item = {
            _DUE: due,
            _WRITTEN: int(now),
            _KNOWN: None if known is None else int(known),
            EXPIRES_AT: due + _KEEP_SECONDS,
        }
        if was is None:
            statement = self._table.insert(_KEY, values)
        else:
            statement = self._table.update(_KEY, values, only_if={_DUE: was})
        (code,) = await self._table.execute([statement])
        if code is not None and not is_refused(code):
            raise TableError(code)
        return code is None


def _time(row: Item, name: str) -> int | None:
    """Seconds since the epoch; None: it isn't there."""
    value = row.get(name)
    return value if isinstance(value, int) else None
