"""The way of a message through AWS: topics, queues, dead letters, and what wakes the function."""

from __future__ import annotations

import json
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from ionctl.ops.doctor.alarms import described
from ionctl.ops.doctor.arns import Arns
from ionctl.ops.doctor.check import ok, wrong
from ionctl.ops.subscriptions import confirmed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ionctl.ops.deployment import Deployment
    from ionctl.ops.result import Finding

_APPLY = "terraform apply mends what was changed by hand"


def topics(deployment: Deployment) -> Iterator[Finding]:
    """From each topic to its queue, and to the function.

    Raises:
        botocore's errors: these credentials may not look.
    """
    arns, sns = Arns(deployment), deployment.account.sns
    faults = 0
    for topic_arn, queue_arn in (
        (deployment.topic_arn, arns.input),
        (deployment.bulk_topic_arn, arns.bulk),
    ):
        topic = topic_arn.rsplit(":", 1)[-1]
        by_endpoint = {one["Endpoint"]: one for one in confirmed(deployment.account, topic_arn)}
        for found in _missing(by_endpoint, topic, queue_arn, arns.function):
            faults += 1
            yield found
        if queue_arn in by_endpoint:
            arn = by_endpoint[queue_arn]["SubscriptionArn"]
            about = sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
            for words in _faults(about, arns.dead_letter):
                faults += 1
                yield wrong("topics", f"the queue's subscription {words}", _APPLY, about=topic)
    if not faults:
        yield ok("topics", "both bring messages into their queues, and wake the function")


def _missing(
    by_endpoint: Mapping[str, Any], topic: str, queue_arn: str, function_arn: str
) -> Iterator[Finding]:
    if queue_arn not in by_endpoint:
        words = f"its queue, {queue_arn.rsplit(':', 1)[-1]}, isn't subscribed: messages are lost"
        yield wrong("topics", words, _APPLY, about=topic)
    if function_arn not in by_endpoint:
        words = "the function isn't subscribed, so mail waits for the schedule"
        yield wrong("topics", words, _APPLY, about=topic)


def _faults(subscription: Mapping[str, str], dead_letter_arn: str) -> Iterator[str]:
    if subscription.get("RawMessageDelivery", "").lower() != "true":
        yield "isn't raw: each message comes in an envelope of SNS's, and is dead-lettered"
    target = json.loads(subscription.get("RedrivePolicy") or "{}").get("deadLetterTargetArn")
    if target != dead_letter_arn:
        yield "has not the dead-letter queue for what can't be delivered"


def queues(deployment: Deployment) -> Iterator[Finding]:
    """Where each queue leaves what is received too often, and how long it hides what is received.

    Raises:
        botocore's errors: these credentials may not look.
    """
    arns, timeout = Arns(deployment), int(deployment.configuration["Timeout"])
    faults = 0
    for url in (deployment.queue_url, deployment.bulk_queue_url, deployment.later_queue_url):
        name = url.rsplit("/", 1)[-1]
        about = deployment.account.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
        attributes = about["Attributes"]
        target = json.loads(attributes.get("RedrivePolicy", "{}")).get("deadLetterTargetArn")
        if target != arns.dead_letter:
            faults += 1
            words = "its dead letters go elsewhere, or nowhere: what kills a run comes for ever"
            yield wrong("queues", words, _APPLY, about=name)
        if int(attributes["VisibilityTimeout"]) < timeout:
            faults += 1
            words = (
                f"a message is hidden for {attributes['VisibilityTimeout']} s, and a run takes up "
                f"to {timeout} s: it is received again while it is being sent"
            )
            yield wrong("queues", words, _APPLY, about=name)
    if not faults:
        yield ok("queues", f"hide what is received for a run, and have {_name(arns.dead_letter)}")


def wakeups(deployment: Deployment) -> Iterator[Finding]:
    """The three alarms and the schedule that start the function, and that they may.

    Raises:
        botocore's errors: these credentials may not look.
    """
    account, arns = deployment.account, Arns(deployment)
    subscribed, faults = cache(partial(confirmed, account)), 0  # the three have one topic
    may_start = _sources(deployment)
    alarms = described(account.cloudwatch, deployment.alarm_prefix)
    for which in ("", "BULK_", "LATER_"):
        name = deployment.environment[f"ION_AWS_{which}ALARM_NAME"]
        heard = {
            topic
            for topic in alarms.get(name, {}).get("AlarmActions", ())
            if ":sns:" in topic
            and any(one["Endpoint"] == arns.function for one in subscribed(topic))
        }
        if name not in alarms or not alarms[name].get("ActionsEnabled", True) or not heard:
            faults += 1
            words = "doesn't wake the function: missing, disabled, or its topic leads elsewhere"
            yield wrong("wake-up", words, _APPLY, about=name)
        elif not heard & may_start:
            faults += 1
            yield wrong("wake-up", "its topic may not start the function", _APPLY, about=name)
    rule = f"{deployment.name}-sweep"
    about = account.events.describe_rule(Name=rule)
    targets = account.events.list_targets_by_rule(Rule=rule)["Targets"]
    if about.get("State") != "ENABLED":
        faults += 1
        advice = f"aws events enable-rule --name {rule}"
        yield wrong(
            "wake-up", "the schedule is disabled: mail may wait for hours", advice, about=rule
        )
    elif arns.function not in [one["Arn"] for one in targets] or about.get("Arn") not in may_start:
        faults += 1
        yield wrong("wake-up", "the schedule doesn't start the function", _APPLY, about=rule)
    if not faults:
        yield ok("wake-up", f"three alarms and the schedule, {about.get('ScheduleExpression')}")


def _sources(deployment: Deployment) -> set[str]:
    """ARNs of what may start the function, by its own policy."""
    policy = deployment.account.functions.get_policy(FunctionName=deployment.name)["Policy"]
    return {
        str(arn)
        for statement in json.loads(policy)["Statement"]
        for condition in statement.get("Condition", {}).values()
        for key, arn in condition.items()
        if key.lower() == "aws:sourcearn"
    }


def _name(arn: str) -> str:
    return arn.rsplit(":", 1)[-1]
