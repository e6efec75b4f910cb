"""DynamoDB: what is known about each mail server from run to run, in rows of the ledger's table."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from ion.aws.table import EXPIRES_AT, Item, Table, TableError
from ion.policy.backoff import Backoff
from ion.policy.pipelining_limit import PipeliningLimit
from ion.policy.rate import LearnedRate

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Finding = Backoff | LearnedRate | PipeliningLimit
"""Findings of a run about a server; each kind has a row of its own."""

_KEYS: dict[type[Finding], str] = {
    Backoff: " hold ",
    LearnedRate: " pace ",
    PipeliningLimit: " pipelining ",
}
"""Before the server's name."""
_KEEP_SECONDS = 8 * 24 * 3600
"""Longer than any of them is in force."""


@dataclass(frozen=True, slots=True)
class ServerState:
    """State of a server; None: unknown, or written by another version of ion."""

    backoff: Backoff | None = None
    rate: LearnedRate | None = None
    pipelining: PipeliningLimit | None = None


class ServerStates:
    """Reads and writes the state of servers by their names.

    Two runs that write at once: the later one wins, no harm done.

    Args:
        client: boto3's.
        table: its name.
    """

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._table = Table(client, table)

    async def read(self, servers: Sequence[str]) -> dict[str, ServerState]:
        """Each server's state, whether it is still in force or not.

        Args:
            servers: their names, at most 33.

        Raises:
            TableError: it can't be known.
        """
        rows = await self._table.read(key + name for key in _KEYS.values() for name in servers)
        return {server: _state(server, rows) for server in servers}

    async def write(self, server: str, finding: Finding) -> None:
        """Remember it, in the place of an earlier one.

        Raises:
            TableError: it can't be.
        """
        key = _KEYS[type(finding)] + server
        values = {**asdict(finding), EXPIRES_AT: int(time.time()) + _KEEP_SECONDS}
        code = None
        for statement in (self._table.insert(key, values), self._table.update(key, values)):
            (code,) = await self._table.execute([statement])
            if code is None:
                return
        raise TableError(code)


def _state(server: str, rows: Mapping[str, Item]) -> ServerState:
    backoff, rate, limit = (_values(kind, rows.get(key + server)) for kind, key in _KEYS.items())
    return ServerState(
        Backoff(**backoff) if backoff else None,
        LearnedRate(**rate) if rate else None,
        PipeliningLimit(**limit) if limit else None,
    )


def _values(kind: type[Finding], row: Item | None) -> dict[str, Any] | None:
    """The values of a row; None: no row, or one of another version."""
    names = [field.name for field in fields(kind)]
    if row is None or not row.keys() >= set(names):
        return None
    return {name: row[name] for name in names}
