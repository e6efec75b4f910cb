"""The alarms that tell people: whether they are there, armed, heard, and quiet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ionctl.ops.doctor.check import ok, wrong
from ionctl.ops.doctor.listeners import listeners, subscriptions_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from mypy_boto3_cloudwatch import CloudWatchClient

    from ionctl.ops.deployment import Deployment
    from ionctl.ops.result import Finding

KEYS = (
    *("held", "misconfigured", "deadletter", "deadletter-age", "input-queue-age"),
    *("backup-server", "previous-login", "deferred", "paused", "errors", "timeout", "no-run"),
    *("undelivered-input-redriven", "undelivered-input-failed"),
    *("undelivered-bulk-redriven", "undelivered-bulk-failed"),
)
"""What stands in the name of each between the relay's name and "-alarm"."""
_NO_RUN = "no-run"
_SHOWN = 4
_APPLY = "terraform apply makes them anew"


def look(deployment: Deployment, *, disabled: bool) -> Iterator[Finding]:
    """Look at all of them.

    Args:
        deployment: the relay.
        disabled: the function may not run: then the alarm of no run is silent.

    Raises:
        botocore's errors: these credentials may not look.
    """
    names = {f"{deployment.alarm_prefix}{key}-alarm": key for key in KEYS}
    there = described(deployment.account.cloudwatch, deployment.alarm_prefix)
    alarms = {name: there[name] for name in names if name in there}
    missing = [name for name in names if name not in there]
    if missing:
        yield wrong("alarms", f"{_listed(missing)} missing", _APPLY)
    silent = [
        name
        for name, alarm in alarms.items()
        if not alarm.get("ActionsEnabled", True) and not (disabled and names[name] == _NO_RUN)
    ]
    if silent:
        advice = "aws cloudwatch enable-alarm-actions --alarm-names NAME, or terraform apply"
        yield wrong("alarms", f"actions are disabled of {_listed(silent)}", advice)
    if alarms and not missing and not silent:
        yield ok("alarms", f"all {len(alarms)} are there")
    yield from _heard(deployment, alarms)
    for name, alarm in alarms.items():
        if alarm.get("StateValue") == "ALARM":
            says, _, runbook = alarm.get("AlarmDescription", "").partition(" What to do: ")
            yield wrong("alarm", f"rings: {says}", runbook, about=name)


def described(cloudwatch: CloudWatchClient, prefix: str) -> dict[str, Mapping[str, Any]]:
    """Alarms by their names. Raises botocore's errors."""
    pages = cloudwatch.get_paginator("describe_alarms").paginate(AlarmNamePrefix=prefix)
    return {alarm["AlarmName"]: alarm for page in pages for alarm in page["MetricAlarms"]}


def _heard(deployment: Deployment, alarms: Mapping[str, Mapping[str, Any]]) -> Iterator[Finding]:
    confirmed = subscriptions_of(deployment.account)
    unheard = [
        name
        for name, alarm in alarms.items()
        if not listeners(alarm.get("AlarmActions", ()), confirmed)
    ]
    if unheard:
        has_topic = any(alarms[name].get("AlarmActions") for name in unheard)
        advice = (
            "subscribe to their topic, and confirm it: aws sns subscribe --protocol email …"
            if has_topic
            else "set alarm_topic_arns of the Terraform module to a topic with a subscription"
        )
        yield wrong("alarm-listeners", f"nobody hears {_listed(unheard)}", advice)
    elif alarms:
        topics = {one for alarm in alarms.values() for one in alarm.get("AlarmActions", ())}
        count = listeners(topics, confirmed)
        yield ok("alarm-listeners", f"{count} subscription{'s' * (count != 1)} in all")


def _listed(names: list[str]) -> str:
    if len(names) == len(KEYS):
        return f"any of the {len(names)} alarms"
    more = len(names) - _SHOWN
    shown = ", ".join(names[:_SHOWN])
    return f"{shown} and {more} more" if more > 0 else shown
