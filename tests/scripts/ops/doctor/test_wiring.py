"""Topics, queues and wake-ups of a deployment, each taken apart and put together again."""

import asyncio
import time
from typing import Any, Literal

import pytest

from ion.aws.control import ControlRow
from ion.contract import Stop, StopWhere
from ionctl.ops.doctor import state, wiring
from ionctl.ops.doctor.check import Check, run
from ionctl.ops.result import Grade
from wired import Wired, faults

Attribute = Literal["VisibilityTimeout", "RedrivePolicy"]


# -- topics and queues ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attribute", "value", "words"),
    [
        ("RawMessageDelivery", "false", "isn't raw"),
        ("RedrivePolicy", "{}", "has not the dead-letter queue"),
    ],
)
def test_subscription_that_is_otherwise(
    wired: Wired, attribute: str, value: str, words: str
) -> None:
    sns, names = wired.aws.sns, wired.names
    arn = wired.subscription(names.bulk_topic_arn, "sqs")["SubscriptionArn"]
    before = sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"][attribute]
    change = {"SubscriptionArn": arn, "AttributeName": attribute}
    sns.set_subscription_attributes(**change, AttributeValue=value)
    found = faults(wiring.topics(wired.deployment))
    sns.set_subscription_attributes(**change, AttributeValue=before)
    ((about, said),) = found
    assert about == names.bulk_topic
    assert words in said


@pytest.mark.parametrize(
    ("protocol", "words"),
    [("sqs", "isn't subscribed: messages are lost"), ("lambda", "mail waits for the schedule")],
)
def test_topic_that_leads_nowhere(wired: Wired, protocol: str, words: str) -> None:
    sns, names = wired.aws.sns, wired.names
    one = wired.subscription(names.topic_arn, protocol)
    about = sns.get_subscription_attributes(SubscriptionArn=one["SubscriptionArn"])["Attributes"]
    sns.unsubscribe(SubscriptionArn=one["SubscriptionArn"])
    found = faults(wiring.topics(wired.deployment))
    sns.subscribe(
        TopicArn=names.topic_arn,
        Protocol=protocol,
        Endpoint=one["Endpoint"],
        Attributes={
            name: about[name] for name in ("RawMessageDelivery", "RedrivePolicy") if name in about
        },
    )
    ((topic, said),) = found
    assert topic == names.topic
    assert words in said
    assert faults(wiring.topics(wired.deployment)) == []


def test_subscription_that_was_not_confirmed_brings_nothing(wired: Wired) -> None:
    """SNS has a word in the place of its ARN until then."""

    def unconfirmed(parsed: dict[str, Any], **_: object) -> None:
        for one in parsed["Subscriptions"]:
            one["SubscriptionArn"] = "PendingConfirmation"

    deployment = wired.deployment
    events = deployment.account.sns.meta.events
    events.register("after-call.sns.ListSubscriptionsByTopic", unconfirmed)
    found = [words for _, words in faults(wiring.topics(deployment))]
    assert [words.endswith("messages are lost") for words in found] == [True, False] * 2


@pytest.mark.parametrize(
    ("attribute", "value", "words"),
    [
        ("VisibilityTimeout", "30", "hidden for 30 s, and a run takes up to 900 s"),
        ("RedrivePolicy", "", "dead letters go elsewhere"),
    ],
)
def test_queue_that_is_otherwise(
    wired: Wired, attribute: Attribute, value: str, words: str
) -> None:
    sqs, url = wired.aws.sqs, wired.names.later_queue_url
    before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[attribute])["Attributes"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={attribute: value})
    found = faults(wiring.queues(wired.deployment))
    sqs.set_queue_attributes(QueueUrl=url, Attributes=before)
    ((about, said),) = found
    assert about == wired.names.later_queue
    assert words in said


# -- what wakes the function ---------------------------------------------------------------


def test_alarm_that_wakes_nobody(wired: Wired) -> None:
    sns, names = wired.aws.sns, wired.names
    one = wired.subscription(names.alarm_topic_arn, "lambda")
    sns.unsubscribe(SubscriptionArn=one["SubscriptionArn"])
    found = faults(wiring.wakeups(wired.deployment))
    sns.subscribe(TopicArn=names.alarm_topic_arn, Protocol="lambda", Endpoint=one["Endpoint"])
    assert [about for about, _ in found] == [names.alarm, names.bulk_alarm, names.later_alarm]


def test_alarm_that_is_switched_off_wakes_nobody(wired: Wired) -> None:
    cloudwatch, alarm = wired.aws.cloudwatch, wired.names.later_alarm
    cloudwatch.disable_alarm_actions(AlarmNames=[alarm])
    found = faults(wiring.wakeups(wired.deployment))
    cloudwatch.enable_alarm_actions(AlarmNames=[alarm])
    ((about, said),) = found
    assert about == alarm
    assert "doesn't wake the function" in said


@pytest.mark.parametrize("statement", ["wake-on-queue-size", "wake-on-schedule"])
def test_function_that_may_not_be_started(wired: Wired, statement: str) -> None:
    functions, names = wired.aws.functions, wired.names
    functions.remove_permission(FunctionName=names.function, StatementId=statement)
    found = faults(wiring.wakeups(wired.deployment))
    is_rule = statement == "wake-on-schedule"
    functions.add_permission(
        FunctionName=names.function,
        StatementId=statement,
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com" if is_rule else "sns.amazonaws.com",
        SourceArn=names.rule_arn if is_rule else names.alarm_topic_arn,
    )
    assert len(found) == (1 if is_rule else 3)
    assert all("start the function" in words for _, words in found)


def test_schedule_that_is_disabled_or_has_no_target(wired: Wired) -> None:
    events, rule = wired.aws.events, wired.names.rule
    events.disable_rule(Name=rule)
    disabled = faults(wiring.wakeups(wired.deployment))
    events.enable_rule(Name=rule)
    events.remove_targets(Rule=rule, Ids=["relay"])
    aimless = faults(wiring.wakeups(wired.deployment))
    events.put_targets(Rule=rule, Targets=[{"Id": "relay", "Arn": wired.names.function_arn}])
    assert disabled == [(rule, "the schedule is disabled: mail may wait for hours")]
    assert aimless == [(rule, "the schedule doesn't start the function")]


def test_schedule_that_is_gone(wired: Wired) -> None:
    events, rule = wired.aws.events, wired.names.rule
    about = events.describe_rule(Name=rule)
    events.remove_targets(Rule=rule, Ids=["relay"])
    events.delete_rule(Name=rule)
    deployment = wired.deployment
    check = Check("wake-up", "what wakes the function", lambda: wiring.wakeups(deployment))
    found = run([check], lambda _says: None)
    events.put_rule(Name=rule, ScheduleExpression=about["ScheduleExpression"])
    events.put_targets(Rule=rule, Targets=[{"Id": "relay", "Arn": wired.names.function_arn}])
    (finding,) = found
    assert finding.grade is Grade.WRONG
    assert finding.found == "what wakes the function: something is gone (ResourceNotFoundException)"


# -- what an operator has asked for --------------------------------------------------------


def test_stops_are_told_with_whose_they_are(wired: Wired) -> None:
    row, now = ControlRow(wired.aws.dynamodb, wired.names.table), time.time()
    of_all, of_some = Stop(), Stop(where=StopWhere(email_id="order-17"))
    asyncio.run(row.change(lambda was: was.with_stop(of_all, now, by="ann", new_id="a1")))
    asyncio.run(row.change(lambda was: was.with_stop(of_some, now, why="a typo", new_id="b2")))
    found = faults(state.switches(wired.deployment))
    asyncio.run(row.clear(now))
    (all_, all_said), (some, some_said) = found
    assert (all_, some) == ("a1", "b2")
    assert all_said.startswith("every email is dead-lettered until ")
    assert all_said.endswith(" UTC (by ann)")
    assert some_said.startswith("some emails are dead-lettered until ")
    assert some_said.endswith(" UTC (a typo)")


@pytest.mark.parametrize(
    ("most", "grade", "words"),
    [
        (10, Grade.WARNING, "ion shares the account's 10 runs at a time with all other functions"),
        (1000, Grade.OK, "as many runs as the account lets it at a time"),
    ],
)
def test_a_new_account_s_few_runs_are_told(
    wired: Wired, most: int, grade: Grade, words: str
) -> None:
    """AWS gives an account ten at first."""

    def small(parsed: dict[str, Any], **_: object) -> None:
        parsed["AccountLimit"]["ConcurrentExecutions"] = most

    def unreserved(parsed: dict[str, Any], **_: object) -> None:
        parsed.pop("ReservedConcurrentExecutions", None)

    deployment = wired.deployment
    events = deployment.account.functions.meta.events
    events.register("after-call.lambda.GetAccountSettings", small)
    events.register("after-call.lambda.GetFunctionConcurrency", unreserved)
    (finding,) = state.concurrency(deployment)
    assert (finding.grade, finding.found) == (grade, words)


# -- the log and the dead-letter queue -----------------------------------------------------


def test_log_that_is_kept_for_ever_and_one_that_is_gone(wired: Wired) -> None:
    logs, group = wired.aws.logs, wired.names.log_group
    logs.delete_retention_policy(logGroupName=group)
    ((_, for_ever),) = faults(state.log(wired.deployment))
    logs.delete_log_group(logGroupName=group)
    ((_, gone),) = faults(state.log(wired.deployment))
    logs.create_log_group(logGroupName=group)
    logs.put_retention_policy(logGroupName=group, retentionInDays=30)
    assert "kept for ever" in for_ever
    assert "may not make one" in gone


def test_dead_letters_are_counted_and_not_touched(wired: Wired) -> None:
    sqs, url = wired.aws.sqs, wired.names.dead_letter_queue_url
    sqs.send_message(QueueUrl=url, MessageBody="{}")
    ((_, words),) = faults(state.dead_letters(wired.deployment))
    received = sqs.receive_message(QueueUrl=url, AttributeNames=["ApproximateReceiveCount"])
    sqs.purge_queue(QueueUrl=url)
    assert words == "about 1 email could not be sent"
    assert received["Messages"][0]["Attributes"]["ApproximateReceiveCount"] == "1"
