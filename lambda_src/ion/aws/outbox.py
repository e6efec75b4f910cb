"""DynamoDB: the table in which publishers leave the fields of emails, under their `email_id`."""

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ion.aws.table import KEY, batch_get

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_WHOLE = "email"
"""The attribute that may hold all fields, as one JSON text."""
_TTL = "ttl"
"""DynamoDB's housekeeping, no field of the email."""


class Outbox:
    """Reads items.

    Args:
        client: boto3's.
        table: its name; empty: there is none.
    """

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    @property
    def exists(self) -> bool:
        """True if there is a table."""
        return bool(self._table)

    async def read(self, keys: Sequence[str]) -> dict[str, str]:
        """The emails that there are, each as JSON, by their keys.

        Args:
            keys: at most 100 (BatchGetItem).

        Raises:
            TableError: it can't be known.
        """
        items = await batch_get(self._client, self._table, dict.fromkeys(keys))
        return {str(item[KEY]["S"]): _json(item) for item in items}


def _json(item: Mapping[str, Any]) -> str:
    whole = item.get(_WHOLE, {}).get("S")
    if whole is not None:
        return str(whole)
    fields = {name: _plain(typed) for name, typed in item.items() if name != _TTL}
    return json.dumps(fields, ensure_ascii=False)


def _plain(typed: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any JSON
    """The value as JSON has it; octets as base64, sets as lists."""
    ((kind, value),) = typed.items()
    match kind:
        case "N":
            return float(value) if set(value) & set(".eE") else int(value)
        case "B":
            return b64encode(value).decode()
        case "NULL":
            return None
        case "L":
            return [_plain(one) for one in value]
        case "M":
            return {name: _plain(one) for name, one in value.items()}
        case "SS" | "NS" | "BS":
            return [_plain({kind[0]: one}) for one in sorted(value)]
        case _:
            return value
