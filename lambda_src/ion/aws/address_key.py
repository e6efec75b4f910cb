"""DynamoDB: the key of the hashes of addresses, a row of the ledger's table that is made once."""

import asyncio
import secrets
from typing import TYPE_CHECKING

from ion.aws.table import Table, TableError, is_refused

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_KEY = " address-key "
_BYTES = 32
"""As long as the digest of SHA-256 (RFC 2104 section 3)."""
UNREADABLE = "AddressKeyUnreadable"
"""The error's text where the row isn't one that ion has written."""


class AddressKey:
    """The key. Read once, then kept: it never changes, or no address would be found any more.

    Args:
        client: boto3's.
        table: the ledger's name.
    """

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._table = Table(client, table)
        self._key: bytes | None = None
        self._reading = asyncio.Lock()

    async def get(self) -> bytes:
        """The key; the first who asks makes it.

        Raises:
            TableError: it can't be known.
        """
        async with self._reading:
            if self._key is None:
                self._key = await self._read() or await self._make()
            return self._key

    async def read(self) -> bytes | None:
        """The key, for those who may only read; None: no run has made one yet.

        Raises:
            TableError: it can't be known.
        """
        return self._key or await self._read()

    async def _read(self) -> bytes | None:
        row = (await self._table.read([_KEY])).get(_KEY)
        if row is None:
            return None
        try:
            return bytes.fromhex(str(row["key"]))
        except (KeyError, ValueError):
            raise TableError(UNREADABLE) from None

    async def _make(self) -> bytes:
        key = secrets.token_bytes(_BYTES)
        (code,) = await self._table.execute([self._table.insert(_KEY, {"key": key.hex()})])
        if code is None:
            return key
        if not is_refused(code):
            raise TableError(code)
        if (theirs := await self._read()) is None:  # another run was faster, and its row is gone
            raise TableError(code)
        return theirs
