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
from ion.delivery import Delivery
from ion.limits import LEDGER_KEEPS_SECONDS, TOLD_KEEPS_SECONDS
from ion.policy.amendment import Amending, Content, amended
from ion.policy.lease import (
    Cancelling,
    Claim,
    Judgement,
    Row,
    RowStatus,
    Verdict,
    buried,
    cancelled,
    judge,
)
from ion.policy.timeline import read, written

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_LOOKS = 3
"""How often a claim that lost against another one is judged anew before it gives way."""
TOLD = " event "
"""How the keys of rows begin that have something to tell and are no email's: dead letters of what
has no row of its own. SQS's id of the message follows, a blank, and the email's key."""
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


@dataclass(frozen=True, slots=True)
class Waiting:
    """An email that waits and may have no row yet.

    Args:
        email_id: the key.
        row: as it is to be, unless there is one.
        about: further attributes, for people: no address.
    """

    email_id: str
    row: Row
    about: Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter of an email that no run had claimed.

    Args:
        email_id: the key.
        message_id: SQS's id of the message that it was made of, as its row has it.
        delivery: why.
        sqs_id: the id that the message had in the end: a redriven one has another.
        told: what there is to tell of it, as JSON: no address.
    """

    email_id: str
    message_id: str
    delivery: Delivery
    sqs_id: str
    told: str


Record = Result | Waiting | Letter


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
                untried = was is None or was.expires_at <= now or was.status is RowStatus.QUEUED
                return Cancelling.UNTRIED if untried else Cancelling.CANCELLED
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

    async def record(self, results: Sequence[Record], now: float) -> list[Record]:
        """Write down how attempts ended, and let go of their leases; and what has no lease.

        A letter gets a row of its own, for the table's stream to tell of.

        Returns:
            Those that could not be written. Where another token is on the row by now, there is
            nothing to write: another run has taken over, and knows better. Nor is there where an
            email that waits has a row already, or a letter has been told of.
        """
        left = list(results)
        for _ in range(_TRIES):
            try:
                codes = await self._table.execute([self._statement(one, now) for one in left])
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

    async def bury(self, letters: Sequence[Letter], now: float) -> list[Letter]:
        """Let rows of emails that waited say that their messages were dead-lettered.

        Args:
            letters: 100 at most.
            now: seconds since the epoch.

        Returns:
            Those that have no such row, or of which it isn't known.
        """
        try:
            items = await self._table.read(dict.fromkeys(letter.email_id for letter in letters))
        except TableError:
            return list(letters)
        writing, statements = list[Letter](), []
        for letter in letters:
            item = items.get(letter.email_id)
            was = _row(item) if item is not None else None
            if item is None or was is None or was.status is not RowStatus.QUEUED:
                continue
            if item.get("message_id") != letter.message_id:  # a twin's, which still waits
                continue
            row, delivery = buried(was, letter.message_id, letter.delivery, now), letter.delivery
            about = {
                "stage": delivery.outcome.stage.value,
                "reason": delivery.outcome.reason.value,
                "reply": delivery.reply,
            }
            only_if = {"token": was.token, "status": was.status.value}
            values = _columns(row) | about | _times(now)
            writing.append(letter)
            statements.append(self._table.update(letter.email_id, values, only_if))
        try:
            codes = await self._table.execute(statements) if statements else []
        except TableError:
            return list(letters)
        done = [letter for letter, code in zip(writing, codes, strict=True) if code is None]
        return [letter for letter in letters if letter not in done]

    # -- the statements ------------------------------------------------------------------

    def _take(self, claim: Claim, row: Row, was: Row | None, now: float) -> dict[str, Any]:
        about = {"message_id": claim.message_id, **claim.about}
        if was is None:
            return self._insert(claim.email_id, row, about, now)
        return self._update(claim.email_id, was.token, _columns(row) | about | _times(now))

    def _insert(
        self, email_id: str, row: Row, about: Mapping[str, str | int], now: float
    ) -> dict[str, Any]:
        """Of what is read as empty where it is missing, nothing is written."""
        columns = {
            name: value for name, value in _columns(row).items() if value or name not in _LATER
        }
        return self._table.insert(email_id, columns | dict(about) | _times(now))

    def _statement(self, one: Record, now: float) -> dict[str, Any]:
        match one:
            case Result():
                return self._conclude(one, now)
            case Waiting():
                return self._insert(one.email_id, one.row, one.about, now)
            case Letter():
                values: dict[str, Value] = {
                    "told": one.told,
                    EXPIRES_AT: int(now) + TOLD_KEEPS_SECONDS,
                }
                return self._table.insert(f"{TOLD}{one.sqs_id} {one.email_id}", values)

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
"""Fields that rows don't have where they are empty; those of earlier versions never have them."""


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
