"""What the last days cost."""

from datetime import datetime

from ionctl.ops.result.base import Result


class CostLine(Result, frozen=True, kw_only=True):
    """What one service charges.

    Args:
        what: the service, and what it charges for.
        amount: how much of it there was.
        unit: of `amount`.
        dollars: list price of us-east-1, without free tiers.
    """

    what: str
    amount: float
    unit: str
    dollars: float


class Cost(Result, frozen=True, kw_only=True):
    """What a relay cost, by CloudWatch's metrics and list prices of us-east-1.

    Args:
        lines: the dearest first.
        dollars: all of them.
        emails: that were sent.
        dollars_a_million: emails, alarms and all; null: none was sent.
        unknown: what could not be counted, or is only known within bounds, in words.
    """

    name: str
    since: datetime
    until: datetime
    lines: list[CostLine]
    dollars: float
    emails: int
    dollars_a_million: float | None
    unknown: list[str]
