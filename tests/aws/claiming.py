"""Claims, and ways of DynamoDB to fail them."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from emulated import (
    Account,
    Between,
)
from ion.aws.ledger import Ledger, Record, Result
from ion.delivery import InDoubt
from ion.policy.lease import (
    SENT,
    Claim,
    Judgement,
    Row,
    RowStatus,
    conclude,
)

NOW = 1_800_000_000.0

LEASE = NOW + 960

LATER = LEASE + 60
"""When that lease has ended for everybody."""


def claims(count: int = 1, token: str = "one", **others: Any) -> list[Claim]:  # noqa: ANN401
    return [claim(f"key-{number:02}", f"{token}-{number}", **others) for number in range(count)]


def claim(email_id: str = "key", token: str = "one", **others: Any) -> Claim:  # noqa: ANN401
    parts: dict[str, Any] = {
        "email_id": email_id,
        "message_id": f"message-of-{token}",
        "content_hash": "hash",
        "recipients": 2,
        "left": (),
        "in_doubt": InDoubt.RESEND_ONCE,
        "token": token,
        "lease_until": LEASE,
        "alone": True,
    }
    return Claim(**parts | others)


def ask(ledger: Ledger, asked: Sequence[Claim], now: float = NOW) -> list[Judgement]:
    return asyncio.run(ledger.claim(asked, now))


def verdicts(judgements: Sequence[Judgement]) -> list[str]:
    return [judged.verdict.value for judged in judgements]


def tell(ledger: Ledger, results: Sequence[Record], now: float = NOW) -> list[Record]:
    return asyncio.run(ledger.record(results, now))


def sent(
    judged: Judgement, email_id: str = "key", about: dict[str, str | int] | None = None
) -> Result:
    assert judged.row is not None
    row = replace(judged.row, status=RowStatus.SENT, fates=SENT * 2, lease_until=0)
    return Result(email_id, row, about or {})


def put_off(judged: Judgement) -> Row:
    """The row once its attempt has come to nothing."""
    assert judged.row is not None
    return conclude(judged.row, "message-of-one", [], NOW)


def leased(account: Account, *keys: str, now: float = NOW) -> list[Judgement]:
    """Rows that the run `one` has put there."""
    return ask(account.ledger(), [claim(key) for key in keys or ["key"]], now)


def sizes(dynamodb: Between) -> list[int]:
    return [len(call["Statements"]) for call in dynamodb.asked("batch_execute_statement")]
