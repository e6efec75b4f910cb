"""Topics, queues, wake-ups and alarms of a deployment, each taken apart and put together again."""

import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import boto3
import pytest

from ionctl.local import alarms as local_alarms
from ionctl.local import clients, deploy
from ionctl.local.ministack import REGION
from ionctl.local.names import Names, names_of
from ionctl.local.stack import ROOT
from ionctl.local.variables import Variables
from ionctl.ops.account import Account
from ionctl.ops.alarms import KEYS
from ionctl.ops.deployment import Deployment, find
from ionctl.ops.doctor import Options, alarms, diagnose, state, wiring
from ionctl.ops.doctor.check import Check, run
from ionctl.ops.result import Finding, Grade

ACCOUNT = "444455556666"
Attribute = Literal["VisibilityTimeout", "RedrivePolicy"]


class Wired:
    """A deployment of which nothing runs."""

    def __init__(self, names: Names, package: Path) -> None:
        self.names = names
        self.aws = clients.connect(names)
        operators = self.aws.sns.create_topic(Name="operators")["TopicArn"]
        self.aws.sns.subscribe(
            TopicArn=operators, Protocol="lambda", Endpoint=f"{names.function_arn}-other"
        )
        self.variables = Variables(package, names.secret_arn, alarm_topic_arns=(operators,))
        deploy.deploy(self.aws, names, self.variables)

    @property
    def deployment(self) -> Deployment:
        session = boto3.Session(self.names.access_key, "test", region_name=REGION)
        return find(Account(session, self.names.endpoint), self.names.name)

    def subscription(self, topic_arn: str, protocol: str) -> dict[str, Any]:
        there = self.aws.sns.list_subscriptions_by_topic(TopicArn=topic_arn)["Subscriptions"]
        (one,) = [dict(one) for one in there if one["Protocol"] == protocol]
        return one


@pytest.fixture(scope="module")
def wired(dynamodb_endpoint: str, tmp_path_factory: pytest.TempPathFactory) -> Wired:
    folder = tmp_path_factory.mktemp("wired")
    package = shutil.make_archive(str(folder / "ion"), "zip", ROOT / "lambda_src" / "ion")
    return Wired(names_of(dynamodb_endpoint, ACCOUNT), Path(package))


def faults(found: Iterable[Finding]) -> list[tuple[str, str]]:
    """What is wrong: about what, and in which words."""
    wrong = [one for one in found if one.grade is not Grade.OK]
    assert all(one.advice for one in wrong)
    return [(one.about, one.found) for one in wrong]


def of_alarms(deployment: Deployment) -> Iterator[Finding]:
    return alarms.look(deployment, disabled=False)


@pytest.mark.parametrize(
    "look",
    [
        *(wiring.topics, wiring.queues, wiring.wakeups, of_alarms),
        *(state.concurrency, state.dead_letters, state.log, state.switches),
    ],
)
def test_what_is_deployed_is_well(
    wired: Wired, look: Callable[[Deployment], Iterator[Finding]]
) -> None:
    found = list(look(wired.deployment))
    assert faults(found) == []
    assert found


def test_alarms_that_are_known_are_those_that_are_deployed(wired: Wired) -> None:
    assert sorted(KEYS) == sorted(one.name for one in local_alarms.alarms(wired.names))


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


# -- alarms and the rest -------------------------------------------------------------------


def test_alarms_that_are_missing_disabled_or_ring(wired: Wired) -> None:
    cloudwatch = wired.aws.cloudwatch
    cloudwatch.delete_alarms(AlarmNames=["ion-held-alarm", "ion-no-run-alarm"])
    cloudwatch.disable_alarm_actions(AlarmNames=["ion-errors-alarm"])
    cloudwatch.set_alarm_state(
        AlarmName="ion-deadletter-alarm", StateValue="ALARM", StateReason="a test"
    )
    found = [words for _, words in faults(of_alarms(wired.deployment))]
    local_alarms.put(wired.aws, wired.names, wired.variables)
    cloudwatch.enable_alarm_actions(AlarmNames=["ion-errors-alarm"])
    cloudwatch.set_alarm_state(
        AlarmName="ion-deadletter-alarm", StateValue="OK", StateReason="a test"
    )
    missing, disabled, rings = found
    assert missing == "ion-held-alarm, ion-no-run-alarm missing"
    assert disabled == "actions are disabled of ion-errors-alarm"
    assert rings.startswith("rings: Mail could not be sent")


def test_alarms_without_a_topic_are_heard_by_nobody(wired: Wired) -> None:
    local_alarms.put(wired.aws, wired.names, replace(wired.variables, alarm_topic_arns=()))
    (finding,) = [one for one in of_alarms(wired.deployment) if one.grade is Grade.WRONG]
    local_alarms.put(wired.aws, wired.names, wired.variables)
    assert finding.found == "nobody hears any of the 16 alarms"
    assert "alarm_topic_arns" in finding.advice


def test_alarm_of_a_disabled_relay_may_be_silent(wired: Wired) -> None:
    cloudwatch = wired.aws.cloudwatch
    cloudwatch.disable_alarm_actions(AlarmNames=["ion-no-run-alarm"])
    as_enabled = faults(alarms.look(wired.deployment, disabled=False))
    as_disabled = faults(alarms.look(wired.deployment, disabled=True))
    cloudwatch.enable_alarm_actions(AlarmNames=["ion-no-run-alarm"])
    assert len(as_enabled) == 1
    assert as_disabled == []


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


# -- the whole -----------------------------------------------------------------------------


def test_diagnosis_goes_on_where_package_and_secret_say_nothing(wired: Wired) -> None:
    """The package here is no real one, and there is no secret."""
    diagnosis = diagnose(wired.deployment, Options())
    assert [one.check for one in diagnosis.findings if one.grade is Grade.WRONG] == [
        *("package", "secret")
    ]
    assert {"permissions", "topics", "queues", "wake-up", "alarms", "paused", "log"} <= {
        one.check for one in diagnosis.findings if one.grade is Grade.OK
    }


def test_who_may_look_at_nothing_is_told_so_of_each_check(wired: Wired) -> None:
    iam = wired.aws.iam
    iam.create_user(UserName="visitor")
    may = {"Effect": "Allow", "Action": "lambda:GetFunctionConfiguration", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [may]})
    iam.put_user_policy(UserName="visitor", PolicyName="visit", PolicyDocument=policy)
    key = iam.create_access_key(UserName="visitor")["AccessKey"]
    session = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name=REGION)
    deployment = find(Account(session, wired.names.endpoint), wired.names.name)
    findings = diagnose(deployment, Options()).findings
    assert {one.grade for one in findings} == {Grade.SKIPPED}
    assert {one.check for one in findings} >= {"package", "secret", "permissions", "alarms"}
    untold = [one for one in findings if "these credentials may not do that" not in one.found]
    assert untold == []
