"""Subscriptions of a topic that bring something."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_sns.type_defs import SubscriptionTypeDef

    from ionctl.ops.account import Account


def confirmed(account: Account, topic_arn: str) -> list[SubscriptionTypeDef]:
    """Those that were confirmed. Raises botocore's errors."""
    pages = account.sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic_arn)
    # "PendingConfirmation" and "Deleted" stand in the place of an ARN
    return [
        one
        for page in pages
        for one in page["Subscriptions"]
        if one["SubscriptionArn"].startswith("arn:")
    ]
