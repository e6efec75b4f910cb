"""Who is told by a topic."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
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
