"""DynamoDB: what providers say of an email, in its row of the ledger, beside what is there.

Only the attributes `timeline` and `feedback` are written, and `updated_at`; what was settled is the
drain's. While a run has the lease nothing is written, since its result would put the timeline back
that it began with. For the same reason the row gets another token, as it does by a cancel: a run
that has read the row before, and takes the lease now, looks anew.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from ion.aws.table import Item, Table, TableError, Value, is_refused
from ion.limits import SKEW_SECONDS

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

INDEX = "header-message-id"
"""Of the table, on the attribute with the Message-ID; rows without it aren't in it."""
_MESSAGE_ID = "header_message_id"
_SENDING = "sending"
_WRITTEN = ("token", "status", "updated_at", "timeline", "feedback")
"""Attributes that each writer of a row changes: they are as they were read, or it was written."""


@dataclass(frozen=True, slots=True)
class EmailRow:
    """A row, as far as it matters here.

    Args:
        email_id: the key.
        recipients: the hashes of the addresses, in the order of their indexes; as many empty
            strings where an earlier version wrote none.
        timeline: as `policy.timeline.written` makes it.
        feedback: JSON; empty: no provider has said anything yet.
        sending: a run has taken its lease, and hasn't written its result.
        leased: that run may still be at it.
        seen: what must be so still when it is written.
    """

    email_id: str
    recipients: tuple[str, ...]
    timeline: str
    feedback: str
    sending: bool
    leased: bool
    seen: Mapping[str, Value]


class FeedbackRows:
    """The rows.

    Args:
        client: boto3's.
        table: the ledger's name.
    """

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._table = Table(client, table)

    async def key_of(self, message_id: str) -> str:
        """The key of the email with that Message-ID; empty: the ledger has none.

        Raises:
            TableError: it can't be known.
        """
        keys = await self._table.keys_by(INDEX, _MESSAGE_ID, message_id)
        return keys[0] if keys else ""

    async def read(self, email_id: str, now: float) -> EmailRow | None:
        """The row of an email; None: the ledger has none.

        Args:
            email_id: the key.
            now: seconds since the epoch.

        Raises:
            TableError: it can't be known.
        """
        item = (await self._table.read([email_id])).get(email_id)
        return _row(email_id, item, now) if item and "token" in item else None

    async def write(self, row: EmailRow, timeline: str, feedback: str, now: float) -> bool:
        """Write down what is known now; False: another has written the row since it was read.

        Raises:
            TableError: it isn't known whether it is written. To ask again does no harm.
        """
        at = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds")
        values = {"timeline": timeline, "feedback": feedback, "updated_at": at}
        if not row.sending:  # no run has its lease; a dead run's another may take over
            values["token"] = uuid4().hex
        statement = self._table.update(row.email_id, values, only_if=row.seen)
        (code,) = await self._table.execute([statement])
        if code is not None and not is_refused(code):
            raise TableError(code)
        return code is None


def _row(email_id: str, item: Item, now: float) -> EmailRow:
    leased_until = float(item.get("lease_until") or 0) + SKEW_SECONDS
    sending = item.get("status") == _SENDING
    unknown = ("",) * len(str(item.get("fates") or ""))
    return EmailRow(
        email_id=email_id,
        recipients=tuple(str(item.get("recipients") or "").split()) or unknown,
        timeline=str(item.get("timeline") or ""),
        feedback=str(item.get("feedback") or ""),
        sending=sending,
        leased=sending and leased_until > now,
        seen={name: item[name] for name in _WRITTEN if name in item},
    )
