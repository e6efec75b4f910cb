"""The alarms of a relay that tell people, and how many hear each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ion.aws.errors import AWS_ERRORS
from ionctl.ops.result import AlarmState
from ionctl.ops.subscriptions import confirmed

if TYPE_CHECKING:
    from collections.abc import Collection

    from mypy_boto3_cloudwatch.type_defs import MetricAlarmTypeDef

    from ionctl.ops.account import Account
    from ionctl.ops.deployment import Deployment

KEYS = {
    "held": "held",
    "misconfigured": "misconfigured",
    "deadletter": "dead-letters",
    "deadletter-age": "dead-letters-old",
    "input-queue-age": "old-mail",
    "errors": "function-errors",
    "timeout": "function-timeout",
    "no-run": "no-run",
    "backup-server": "on-backup",
    "previous-login": "on-previous-login",
    "deferred": "deferred",
    "paused": "paused",
    "undelivered-input-redriven": "undelivered",
    "undelivered-input-failed": "undelivered",
    "undelivered-bulk-redriven": "undelivered",
    "undelivered-bulk-failed": "undelivered",
}
"""By what stands between the relay's name and "-alarm" (terraform/alarms.tf): the section of
docs/operations.md."""

RINGS = "ALARM"
"""The state of an alarm that rings."""


def alarms(deployment: Deployment) -> list[AlarmState]:
    """Those that there are, in the order of the table above. Raises botocore's errors."""
    account, names = deployment.account, _names(deployment)
    pages = account.cloudwatch.get_paginator("describe_alarms").paginate(
        AlarmNamePrefix=deployment.alarm_prefix, AlarmTypes=["MetricAlarm"]
    )
    # another relay's name may begin with this one's
    found = {one["AlarmName"]: one for page in pages for one in page["MetricAlarms"]}
    there = [one for one in names if one in found]
    actions = {action for one in there for action in found[one].get("AlarmActions", [])}
    heard = {action: listeners(account, action) for action in actions}
    return [
        AlarmState(
            key=names[one],
            name=one,
            state=found[one]["StateValue"],
            since=found[one].get("StateUpdatedTimestamp"),
            heard_by=_heard_by(found[one], heard),
        )
        for one in there
    ]


def missing(deployment: Deployment, found: Collection[AlarmState]) -> list[str]:
    """Names of those that the module makes and that aren't there."""
    return sorted(_names(deployment).keys() - {one.name for one in found})


def _names(deployment: Deployment) -> dict[str, str]:
    return {f"{deployment.name}-{name}-alarm": key for name, key in KEYS.items()}


def _heard_by(alarm: MetricAlarmTypeDef, heard: dict[str, int | None]) -> int | None:
    if not alarm.get("ActionsEnabled", True):
        return 0
    counts = [heard[action] for action in alarm.get("AlarmActions", [])]
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) or any(known) else None


def listeners(account: Account, action_arn: str) -> int | None:
    """How many hear an action: confirmed subscriptions of a topic; None: that can't be seen."""
    if action_arn.split(":")[2] != "sns":  # a function, an incident …
        return 1
    try:
        return len(confirmed(account, action_arn))
    except account.sns.exceptions.NotFoundException:
        return 0
    except AWS_ERRORS:
        return None
