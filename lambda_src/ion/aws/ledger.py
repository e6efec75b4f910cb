"""DynamoDB: who has been served. One row an email; claims and results travel 25 a call.

Every write is conditional on the row's lease token, so a worker that comes too late changes
nothing. The writes are PartiQL statements, since that is DynamoDB's only way to send many
conditional writes in one call without the double price of a transaction.
"""

import asyncio
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ion.aws.errors import AWS_ERRORS, code_of
from ion.policy.lease import Claim, Judgement, Row, RowStatus, Verdict, judge

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_BATCH = 25
"""Statements a call (BatchExecuteStatement)."""
_KEEP_SECONDS = 30 * 24 * 3600
"""Beyond 14 days in the input queue and 14 more in the dead-letter queue."""
_LOOKS = 3
"""How often a claim that lost against another one is judged anew before it gives way."""
_TRIES = 3
"""For results, beyond boto3's own: losing one may mean a second copy."""


class LedgerError(Exception):
    """The ledger can't be used just now. The text has the operation and AWS's code."""


@dataclass(frozen=True, slots=True)
class Result:
    """What is to be remembered of an attempt.

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
        self._client = client
        self._table = table

    async def claim(self, claims: Sequence[Claim], now: float) -> list[Judgement]:
        """Take leases: one judgement for each claim. Each key may stand there once.

        Raises:
            LedgerError: nothing is known; none of these may be sent.
        """
        judgements = [judge(None, claim, now) for claim in claims]
        # Most emails are new, so the first call inserts without looking.
        undecided = await self._write(claims, judgements, {}, range(len(claims)), now)
        try:
            for _ in range(_LOOKS):
                if not undecided:
                    return judgements
                found = await self._rows([claims[i].email_id for i in undecided])
                for i in undecided:
                    judgements[i] = _judged(found, claims[i], now)
                undecided = await self._write(claims, judgements, found, undecided, now)
        except LedgerError:  # the others have their leases by now
            gives_way = Judgement(Verdict.UNKNOWN)
        else:  # somebody is faster again and again: let them
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
        for i, answer in zip(writing, await self._execute(statements), strict=True):
            if _refused(answer):
                lost.append(i)
            elif "Error" in answer:
                judgements[i] = Judgement(Verdict.UNKNOWN)
        return lost

    async def record(self, results: Sequence[Result], now: float) -> list[Result]:
        """Write down how attempts ended, and let go of their leases.

        Returns:
            Those that could not be written. Where another token is on the row by now, there is
            nothing to write: somebody else has taken over, and knows better.
        """
        left = list(results)
        for _ in range(_TRIES):
            try:
                answers = await self._execute([self._conclude(result, now) for result in left])
            except LedgerError:
                continue
            left = [
                result
                for result, answer in zip(left, answers, strict=True)
                if "Error" in answer and not _refused(answer)
            ]
            if not left:
                break
        return left

    # -- the statements ------------------------------------------------------------------

    def _take(self, claim: Claim, row: Row, was: Row | None, now: float) -> dict[str, Any]:
        values = _columns(row) | {"message_id": claim.message_id} | _times(now)
        if was is not None:
            return self._update(claim.email_id, was.token, values)
        item: dict[str, str | int] = {"email_id": claim.email_id, **values}
        fields = ", ".join(f"'{name}': ?" for name in item)
        return self._statement(f"INSERT INTO {self._quoted} VALUE {{{fields}}}", item.values())

    def _conclude(self, result: Result, now: float) -> dict[str, Any]:
        values = dict(result.about) | _columns(result.row)
        if result.was is not None:  # while the token is ours, nobody else has changed the row
            was = _columns(result.was)
            values = {name: value for name, value in values.items() if value != was.get(name)}
        values |= _times(now)
        return self._update(result.email_id, result.row.token, values)

    def _update(self, email_id: str, token: str, values: Mapping[str, str | int]) -> dict[str, Any]:
        """Only while the row's token is `token`: it is the fence."""
        changes = " ".join(f'SET "{name}"=?' for name in values)
        statement = f'UPDATE {self._quoted} {changes} WHERE "email_id"=? AND "token"=?'
        return self._statement(statement, [*values.values(), email_id, token])

    @property
    def _quoted(self) -> str:
        return f'"{self._table}"'

    @staticmethod
    def _statement(statement: str, values: Iterable[str | int]) -> dict[str, Any]:
        parameters = [
            {"N": str(value)} if isinstance(value, int) else {"S": value} for value in values
        ]
        return {"Statement": statement, "Parameters": parameters}

    # -- the calls -----------------------------------------------------------------------

    async def _execute(self, statements: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """One answer a statement; where a whole call failed, its error for each.

        Raises:
            LedgerError: no call succeeded.
        """
        answers: list[dict[str, Any]] = []
        failures: list[Exception] = []
        starts = range(0, len(statements), _BATCH)
        for start in starts:
            batch: Any = statements[start : start + _BATCH]
            try:
                answer: Any = await asyncio.to_thread(
                    self._client.batch_execute_statement, Statements=batch
                )
            except AWS_ERRORS as error:
                failures.append(error)
                answers += [{"Error": {"Code": code_of(error)}}] * len(batch)
            else:
                answers += answer["Responses"]
        if failures and len(failures) == len(starts):
            raise LedgerError(code_of(failures[-1])) from failures[-1]
        return answers

    async def _rows(self, email_ids: Sequence[str]) -> dict[str, Row | None]:
        """What the table has, read so that no earlier write is missed; None: it isn't ours."""
        rows: dict[str, Row | None] = {}
        keys = [{"email_id": {"S": email_id}} for email_id in email_ids]
        request: Any = {self._table: {"Keys": keys, "ConsistentRead": True}}
        while request:
            try:
                answer = await asyncio.to_thread(self._client.batch_get_item, RequestItems=request)
            except AWS_ERRORS as error:
                raise LedgerError(code_of(error)) from error
            for item in answer["Responses"].get(self._table, []):
                try:
                    rows[item["email_id"]["S"]] = _row(item)
                except (KeyError, ValueError):  # of another version, or written by somebody else
                    rows[item["email_id"]["S"]] = None
            request = answer.get("UnprocessedKeys")
        return rows


def _judged(found: Mapping[str, Row | None], claim: Claim, now: float) -> Judgement:
    row = found.get(claim.email_id)
    if row is None and claim.email_id in found:
        return Judgement(Verdict.UNKNOWN)
    return judge(row, claim, now)


def _refused(answer: Mapping[str, Any]) -> bool:
    """True if the condition didn't hold, which is an answer and not a failure."""
    return answer.get("Error", {}).get("Code") in ("DuplicateItem", "ConditionalCheckFailed")


def _columns(row: Row) -> dict[str, str | int]:
    return {
        "status": row.status.value,
        "token": row.token,
        "lease_until": math.ceil(row.lease_until),
        "content_hash": row.content_hash,
        "fates": row.fates,
        "attempts": row.attempts,
        "doubts": row.doubts,
        "crashes": row.crashes,
        "used_ids": " ".join(sorted(row.used_ids)),
        "first_queued_at": row.queued_at,
    }


def _times(now: float) -> dict[str, str | int]:
    return {
        "updated_at": datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds"),
        "expires_at": int(now) + _KEEP_SECONDS,
    }


def _row(item: Mapping[str, Any]) -> Row:
    return Row(
        status=RowStatus(item["status"]["S"]),
        token=item["token"]["S"],
        lease_until=float(item["lease_until"]["N"]),
        content_hash=item["content_hash"]["S"],
        fates=item["fates"]["S"],
        attempts=int(item["attempts"]["N"]),
        doubts=item["doubts"]["S"],
        crashes=int(item["crashes"]["N"]),
        used_ids=frozenset(item["used_ids"]["S"].split()),
        queued_at=item["first_queued_at"]["S"],
        expires_at=float(item["expires_at"]["N"]),
    )
