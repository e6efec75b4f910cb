"""Who is told by an alarm, and by a topic."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from ionctl.ops.account import Account


def subscriptions_of(account: Account) -> Callable[[str], list[Mapping[str, Any]]]:
    """Give what looks up the confirmed subscriptions of a topic, once each.

    The look-up raises botocore's errors.
    """

    @cache
    def confirmed(topic_arn: str) -> list[Mapping[str, Any]]:
        pages = account.sns.get_paginator("list_subscriptions_by_topic").paginate(
            TopicArn=topic_arn
        )
        # "PendingConfirmation" and "Deleted" stand in the place of an ARN
        return [
            one
            for page in pages
            for one in page["Subscriptions"]
            if one["SubscriptionArn"].startswith("arn:")
        ]

    return confirmed


def listeners(actions: Iterable[str], confirmed: Callable[[str], list[Mapping[str, Any]]]) -> int:
    """How many are told; an action that is no topic (a function, an incident) counts as one."""
    return sum(len(confirmed(one)) if ":sns:" in one else 1 for one in actions)
