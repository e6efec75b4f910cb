"""DynamoDB: what is known about each mail server from run to run, in rows of the ledger's table."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from ion.aws.errors import AWS_ERRORS, code_of
from ion.policy.backoff import Backoff
from ion.policy.pipelining_limit import PipeliningLimit
from ion.policy.rate import LearnedRate

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Finding = Backoff | LearnedRate | PipeliningLimit
"""What a run may find out about a server; each kind has a row of its own."""

_KEYS: dict[type[Finding], str] = {
    Backoff: " hold ",
    LearnedRate: " pace ",
    PipeliningLimit: " pipelining ",
}
"""Before the server's name. No email's key has a blank."""
_KEEP_SECONDS = 8 * 24 * 3600
"""Longer than any of them is in force."""


@dataclass(frozen=True, slots=True)
class ServerState:
    """What is known about a server; None: nothing, or it was written by another version of ion."""

    backoff: Backoff | None = None
    rate: LearnedRate | None = None
    pipelining: PipeliningLimit | None = None


class ServerStateError(Exception):
    """The table can't be used just now. The text has AWS's code."""


class ServerStates:
    """Reads and writes the state of servers by their names.

    Two runs that write at once: the later one wins, no harm done.

    Args:
        client: boto3's.
        table: the ledger's.
    """

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    async def read(self, servers: Sequence[str]) -> dict[str, ServerState]:
        """Each server's state, whether it is still in force or not.

        Args:
            servers: their names, at most 33 (BatchGetItem takes 100 keys).

        Raises:
            ServerStateError: it can't be known.
        """
        keys = [{"email_id": {"S": key + server}} for key in _KEYS.values() for server in servers]
        request: Any = {self._table: {"Keys": keys, "ConsistentRead": True}}
        answer = await self._call(self._client.batch_get_item, RequestItems=request)
        items = {item["email_id"]["S"]: item for item in answer["Responses"].get(self._table, [])}
        return {server: _state(server, items) for server in servers}

    async def write(self, server: str, finding: Finding) -> None:
        """Remember it, in the place of an earlier one.

        Raises:
            ServerStateError: it can't be.
        """
        expires_at = int(time.time()) + _KEEP_SECONDS
        columns = {
            name: _typed(value)
            for name, value in {**asdict(finding), "expires_at": expires_at}.items()
        }
        names = ", ".join(f"'{name}': ?" for name in ("email_id", *columns))
        changes = " ".join(f'SET "{name}"=?' for name in columns)
        key = {"S": _KEYS[type(finding)] + server}
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
        raise ServerStateError(code)

    @staticmethod
    async def _call(method: Any, **request: Any) -> Any:  # noqa: ANN401 - boto3's
        try:
            return await asyncio.to_thread(method, **request)
        except AWS_ERRORS as error:
            raise ServerStateError(code_of(error)) from error


def _state(server: str, items: Mapping[str, Any]) -> ServerState:
    backoff, rate, limit = (_columns(kind, items.get(key + server)) for kind, key in _KEYS.items())
    return ServerState(
        Backoff(**backoff) if backoff else None,
        LearnedRate(**rate) if rate else None,
        PipeliningLimit(**limit) if limit else None,
    )


def _columns(kind: type[Finding], item: Mapping[str, Any] | None) -> dict[str, Any] | None:
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
