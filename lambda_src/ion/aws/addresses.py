"""DynamoDB: what is known of addresses, a row each under its keyed hash, in the ledger's table.

No row has an address. The rows have no `expires_at`: a suppression outlives every email.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from ion.aws.table import Item, Table, TableError, Value, is_refused, versioned
from ion.limits import KEYS_A_READ
from ion.policy.suppression import AddressState

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PREFIX = " address "
"""How the keys of these rows begin; the hash follows."""
UNREADABLE = "AddressUnreadable"
"""The error's text where a row isn't one that ion has written: its address gets no email then."""
_STATE = "address"


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of addresses.

    Args:
        found: of those of which something is, by hash.
        unknown: of those of which it can't be known, by hash: why, in AWS's word or ours.
    """

    found: dict[str, AddressState] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)


class Addresses:
    """The rows. Each write gives its row another version, and is refused if another was faster.

    Args:
        client: boto3's.
        table: the ledger's name.
    """

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._table = Table(client, table)

    async def read(self, hashes: Iterable[str]) -> dict[str, AddressState]:
        """What is known of those of which something is, by hash; 100 rows a call.

        Raises:
            TableError: it can't be known.
        """
        known = await self.look(hashes)
        for code in known.unknown.values():
            raise TableError(code)
        return known.found

    async def look(self, hashes: Iterable[str]) -> Known:
        """The same of what can be known: a call that fails, or a damaged row, spoils no other."""
        every = sorted(set(hashes))
        hundreds = [every[at : at + KEYS_A_READ] for at in range(0, len(every), KEYS_A_READ)]
        known = Known()
        for some, answer in zip(
            hundreds, await asyncio.gather(*map(self._rows, hundreds)), strict=True
        ):
            if isinstance(answer, TableError):
                known.unknown.update(dict.fromkeys(some, str(answer)))
                continue
            for key, item in answer.items():
                hashed = key.removeprefix(PREFIX)
                try:
                    known.found[hashed] = state_of(item)
                except TableError as error:
                    known.unknown[hashed] = str(error)
        return known

    async def _rows(self, hashes: list[str]) -> dict[str, Item] | TableError:
        try:
            return await self._table.read([PREFIX + one for one in hashes])
        except TableError as error:
            return error

    async def change(
        self, hashed: str, change: Callable[[AddressState], AddressState]
    ) -> AddressState:
        """Write what `change` makes of what is there; it is asked again if another was faster.

        Raises:
            TableError: it can't be written, or it isn't known whether it was. To ask again does no
                harm where `change` changes nothing the second time.
        """

        def changed(row: Item | None) -> dict[str, Value] | None:
            was = _state(row)
            now = change(was)
            return None if now == was else {_STATE: _text(now)}

        return _state(await self._table.change(PREFIX + hashed, changed))

    async def add_new(self, states: Mapping[str, AddressState]) -> list[str]:
        """Write rows of addresses of which nothing is known, 25 a call.

        Returns:
            The hashes of those of which something is known already: `change` is for them.

        Raises:
            TableError: some may not have been written. To ask again does no harm.
        """
        statements = [
            self._table.insert(PREFIX + one, versioned({_STATE: _text(state)}))
            for one, state in states.items()
        ]
        codes = await self._table.execute(statements)
        for code in codes:
            if code is not None and not is_refused(code):
                raise TableError(code)
        return [one for one, code in zip(states, codes, strict=True) if code is not None]


def state_of(item: Item) -> AddressState:
    """The state that a row has.

    Raises:
        TableError: ion hasn't written it.
    """
    try:
        return msgspec.json.decode(str(item[_STATE]), type=AddressState)
    except (KeyError, msgspec.DecodeError):
        raise TableError(UNREADABLE) from None


def _state(row: Item | None) -> AddressState:
    return AddressState() if row is None else state_of(row)


def _text(state: AddressState) -> str:
    return msgspec.json.encode(state).decode()
