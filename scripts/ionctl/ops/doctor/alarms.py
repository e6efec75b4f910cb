"""The alarms that tell people: whether they are there, armed, heard, and quiet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ionctl.ops import alarms
from ionctl.ops.doctor.check import ok, skipped, wrong

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from typing import Any

    from mypy_boto3_cloudwatch import CloudWatchClient

    from ionctl.ops.deployment import Deployment
    from ionctl.ops.result import AlarmState, Finding

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
    there = alarms.alarms(deployment)
    about = described(deployment.account.cloudwatch, deployment.alarm_prefix)
    missing = alarms.missing(deployment, there)
    if missing:
        yield wrong("alarms", f"{_listed(missing)} missing", _APPLY)
    silent = [
        one.name
        for one in there
        if not about[one.name].get("ActionsEnabled", True) and not (disabled and one.key == _NO_RUN)
    ]
    if silent:
        advice = "aws cloudwatch enable-alarm-actions --alarm-names NAME, or terraform apply"
        yield wrong("alarms", f"actions are disabled of {_listed(silent)}", advice)
    if there and not missing and not silent:
        yield ok("alarms", f"all {len(there)} are there")
    armed = [one for one in there if about[one.name].get("ActionsEnabled", True)]
    topics = {
        action
        for one in armed
        for action in about[one.name].get("AlarmActions", ())
        if ":sns:" in action
    }
    yield from _heard(armed, sorted(topics))
    for one in there:
        if one.state == alarms.RINGS:
            description = about[one.name].get("AlarmDescription", "")
            says, _, runbook = description.partition(" What to do: ")
            yield wrong("alarm", f"rings: {says}", runbook, about=one.name)


def described(cloudwatch: CloudWatchClient, prefix: str) -> dict[str, Mapping[str, Any]]:
    """Alarms by their names, those that wake the function among them. Raises botocore's errors."""
    pages = cloudwatch.get_paginator("describe_alarms").paginate(AlarmNamePrefix=prefix)
    return {alarm["AlarmName"]: alarm for page in pages for alarm in page["MetricAlarms"]}


def _heard(armed: Collection[AlarmState], topics: Sequence[str]) -> Iterator[Finding]:
    unheard = [one.name for one in armed if one.heard_by == 0]
    if unheard:
        advice = (
            f"aws sns subscribe --topic-arn {topics[0]} --protocol email --notification-endpoint "
            "YOU@…, and confirm it"
            if topics
            else "set alarm_topic_arns of the Terraform module to a topic with a subscription"
        )
        yield wrong("alarm-listeners", f"nobody hears {_listed(unheard)}", advice)
    elif unknown := [one.name for one in armed if one.heard_by is None]:
        words = f"it can't be seen who hears {_listed(unknown)}: their topic is out of sight"
        yield skipped("alarm-listeners", words)
    elif armed:
        yield ok("alarm-listeners", "each alarm has a confirmed subscription, or another action")


def _listed(names: Collection[str]) -> str:
    if len(names) == len(alarms.KEYS):
        return f"any of the {len(names)} alarms"
    shown, more = ", ".join(list(names)[:_SHOWN]), len(names) - _SHOWN
    return f"{shown} and {more} more" if more > 0 else shown
