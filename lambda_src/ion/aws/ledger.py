"""DynamoDB: who has been served. One row an email; claims and results travel 25 a call.

Every write is conditional on the row's lease token, so a worker that comes too late changes
nothing.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from ion.aws.table import EXPIRES_AT, Item, Table, TableError, Value, is_refused
from ion.limits import LEDGER_KEEPS_SECONDS
from ion.policy.amendment import Amending, Content, amended
from ion.policy.lease import Cancelling, Claim, Judgement, Row, RowStatus, Verdict, cancelled, judge
from ion.policy.timeline import read, written

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_LOOKS = 3
"""How often a claim that lost against another one is judged anew before it gives way."""
_UNREADABLE = "RowUnreadable"
_EDITED_FROM = "edited_from"
"""The attribute with the hash of the content that a correction has replaced. A correction that was
agreed to and not sent may so be followed by another one of the same letter."""
_TRIES = 3
"""For results, beyond boto3's own: losing one may mean a second copy."""


@dataclass(frozen=True, slots=True)
class Result:
    """The result of an attempt, to be remembered.

    Args:
        email_id: the key.
        row: as it is to be; its token must be the one that the claim took.
        about: further attributes, for people: stage, code, reply, times …; no address.
        was: the row as the claim left it: what is the same isn't written again. None: all is.
    """

    email_id: str
    row: Row
    about: Mapping[str, str | int]
    was: Row | None = None


class Ledger:
    """The table.

    Args:
        client: boto3's.
        table: its name.
    """

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._table = Table(client, table)

    async def claim(self, claims: Sequence[Claim], now: float) -> list[Judgement]:
        """Take leases: one judgement for each claim. Each key may stand there once.

        Raises:
            TableError: nothing is known; none of these may be sent.
        """
        judgements = [judge(None, claim, now) for claim in claims]
        # Most emails are new, so the first call inserts without looking.
        undecided = await self._write(claims, judgements, {}, range(len(claims)), now)
        try:
            for _ in range(_LOOKS):
                if not undecided:
                    return judgements
                rows = await self._table.read(claims[i].email_id for i in undecided)
                found = {email_id: _row(row) for email_id, row in rows.items()}
                for i in undecided:
                    judgements[i] = _judged(found, claims[i], now)
                undecided = await self._write(claims, judgements, found, undecided, now)
        except TableError:  # the others have their leases by now
            gives_way = Judgement(Verdict.UNKNOWN)
        else:  # another run is faster again and again: it may go first
            gives_way = Judgement(Verdict.WAIT, wait_seconds=1)
        for i in undecided:
            judgements[i] = gives_way
        return judgements

    async def _write(
        self,
        claims: Sequence[Claim],
        judgements: list[Judgement],
        found: Mapping[str, Row | None],
        undecided: Sequence[int],
        now: float,
    ) -> list[int]:
        """Put leases on the rows; the indexes of the claims that lost against another writer."""
        writing, statements = [], []
        for i in undecided:
            row, was = judgements[i].row, found.get(claims[i].email_id)
            if row is not None and row != was:  # else there is nothing to take, or it is ours
                writing.append(i)
                statements.append(self._take(claims[i], row, was, now))
        lost = []
        for i, code in zip(writing, await self._table.execute(statements), strict=True):
            if is_refused(code):
                lost.append(i)
            elif code is not None:
                judgements[i] = Judgement(Verdict.UNKNOWN)
        return lost

    async def cancel(self, email_id: str, now: float, by: str = "") -> Cancelling:
        """Let an email not be sent any more, seen or not, unless it is too late.

        Of a cancel and a claim at the same moment one is refused, and sees what the other wrote.

        Args:
            email_id: the key.
            now: seconds since the epoch.
            by: who asks for it; the row keeps that, no address. Empty: it isn't known.

        Raises:
            TableError: it isn't known whether it is cancelled.
        """
        found: dict[str, Row | None] = {}
        for _ in range(_LOOKS):
            was = found.get(email_id)
            row = cancelled(was, uuid4().hex, now)
            if row is None:
                return Cancelling.TOO_LATE
            values = _columns(row) | _times(now) | ({"cancelled_by": by} if by else {})
            if was is None:  # most emails that are cancelled haven't been seen
                statement = self._table.insert(email_id, values)
            else:
                only_if = {"token": was.token, "status": was.status.value}
                statement = self._table.update(email_id, values, only_if)
            (code,) = await self._table.execute([statement])
            if code is None:
                new = was is None or was.expires_at <= now
                return Cancelling.UNTRIED if new else Cancelling.CANCELLED
            if not is_refused(code):
                raise TableError(code)
            rows = await self._table.read([email_id])
            found = {key: _row(item) for key, item in rows.items()}
            if found.get(email_id, row) is None:
                raise TableError(_UNREADABLE)
        raise TableError("ConditionalCheckFailed")

    async def amend(
        self, claim: Claim, old: Content, recipients: tuple[str, ...], by: str, now: float
    ) -> Amending:
        """Let a dead-lettered email have another content, unless its row speaks against it.

        Args:
            claim: as the corrected message will make it, with a token of its own.
            old: what the letter says as it is.
            recipients: of the corrected message.
            by: who asks for it; the row keeps that, no address.
            now: seconds since the epoch.

        Raises:
            TableError: it isn't known whether the row has agreed. To ask again does no harm.
        """
        for _ in range(_LOOKS):
            item = (await self._table.read([claim.email_id])).get(claim.email_id)
            was = _row(item) if item is not None else None
            if item is not None and was is None:
                raise TableError(_UNREADABLE)
            replaced = item is not None and item.get(_EDITED_FROM) == old.hash
            former = (was.content_hash,) if was and replaced else ()
            amendment = amended(was, claim, old, recipients, now, former)
            if was is None or item is None or amendment.row is None:
                return amendment.how
            times = _times(now)
            edited = {
                _EDITED_FROM: old.hash,
                "edited_at": times["updated_at"],
                "edited_by": by,
                "edits": int(item.get("edits") or 0) + 1,
            }
            values = _columns(amendment.row) | edited | times
            only_if = {"token": was.token, "status": was.status.value}
            statement = self._table.update(claim.email_id, values, only_if)
            (code,) = await self._table.execute([statement])
            if code is None:
                return amendment.how
            if not is_refused(code):
                raise TableError(code)
        raise TableError("ConditionalCheckFailed")

    async def record(self, results: Sequence[Result], now: float) -> list[Result]:
        """Write down how attempts ended, and let go of their leases.

        Returns:
            Those that could not be written. Where another token is on the row by now, there is
            nothing to write: another run has taken over, and knows better.
        """
        left = list(results)
        for _ in range(_TRIES):
            try:
                codes = await self._table.execute([self._conclude(one, now) for one in left])
            except TableError:
                continue
            left = [
                result
                for result, code in zip(left, codes, strict=True)
                if code is not None and not is_refused(code)
            ]
            if not left:
                break
        return left

    # -- the statements ------------------------------------------------------------------

    def _take(self, claim: Claim, row: Row, was: Row | None, now: float) -> dict[str, Any]:
        values = _columns(row) | {"message_id": claim.message_id} | _times(now)
        if was is None:
            return self._table.insert(claim.email_id, values)
        return self._update(claim.email_id, was.token, values)

    def _conclude(self, result: Result, now: float) -> dict[str, Any]:
        values = dict(result.about) | _columns(result.row)
        if result.was is not None:  # while the token is ours, no other run has changed the row
            was = _columns(result.was)
            values = {name: value for name, value in values.items() if value != was.get(name)}
        values |= _times(now)
        return self._update(result.email_id, result.row.token, values)

    def _update(self, email_id: str, token: str, values: Mapping[str, Value]) -> dict[str, Any]:
        """Only while the row's token is `token`: it is the fence."""
        return self._table.update(email_id, values, only_if={"token": token})


def _judged(found: Mapping[str, Row | None], claim: Claim, now: float) -> Judgement:
    row = found.get(claim.email_id)
    if row is None and claim.email_id in found:
        return Judgement(Verdict.UNKNOWN)
    return judge(row, claim, now)


def _joined(ids: frozenset[str]) -> str:
    return " ".join(sorted(ids))


def _split(ids: str) -> frozenset[str]:
    return frozenset(ids.split())


def _counts(numbers: tuple[int, ...]) -> str:
    return " ".join(map(str, numbers))


def _numbers(counts: str) -> tuple[int, ...]:
    return tuple(map(int, counts.split()))


_SCHEMA: dict[str, tuple[str, Callable[[Any], Value], Callable[[Any], Any]]] = {
    "status": ("status", str, RowStatus),
    "token": ("token", str, str),
    "lease_until": ("lease_until", math.ceil, float),
    "content_hash": ("content_hash", str, str),
    "fates": ("fates", str, str),
    "attempts": ("attempts", int, int),
    "doubts": ("doubts", str, str),
    "crashes": ("crashes", int, int),
    "used_ids": ("used_ids", _joined, _split),
    "claimed_redrives": ("claimed_redrives", _counts, _numbers),
    "queued_at": ("first_queued_at", str, str),
    "timeline": ("timeline", written, read),
}
"""The fields of a `Row`: the attribute's name, how it is written, and how it is read."""


_LATER = frozenset({"claimed_redrives", "timeline"})
"""Fields that rows of earlier versions don't have."""


def _columns(row: Row) -> dict[str, Value]:
    return {name: write(getattr(row, field)) for field, (name, write, _) in _SCHEMA.items()}


def _times(now: float) -> dict[str, Value]:
    return {
        "updated_at": datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds"),
        EXPIRES_AT: int(now) + LEDGER_KEEPS_SECONDS,
    }


def _row(item: Item) -> Row | None:
    """None: it was not written by this version of ion."""
    try:
        values = {
            field: read(item[name])
            for field, (name, _, read) in _SCHEMA.items()
            if name in item or field not in _LATER
        }
        return Row(**values, expires_at=float(item[EXPIRES_AT] or 0))
    except (KeyError, ValueError, TypeError):
        return None
