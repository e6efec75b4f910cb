"""The alarms of a relay, and who hears them."""

from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

from ionctl.local import alarms as deployed
from ionctl.ops.account import Account
from ionctl.ops.alarms import KEYS, alarms, listeners, missing
from relays import Operated


def test_the_table_is_that_of_the_deployment(relay: Operated) -> None:
    assert {one.name: one.runbook for one in deployed.alarms(relay.names)} == KEYS
    found = alarms(relay.deployment)
    assert [one.key for one in found] == list(KEYS.values())
    assert missing(relay.deployment, found) == []


def test_an_alarm_without_a_topic_is_heard_by_nobody(relay: Operated) -> None:
    assert {one.heard_by for one in alarms(relay.deployment)} == {0}


def test_confirmed_subscriptions_hear_an_alarm(dynamodb_endpoint: str, tmp_path: Path) -> None:
    relay = Operated(dynamodb_endpoint, tmp_path, alarm_topics=("operators", "pager"))
    operators, pager = relay.alarm_topic_arns
    assert {one.heard_by for one in alarms(relay.deployment)} == {0}
    for topic in (operators, pager):
        relay.clients.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=relay.names.queue_arn)
    assert {one.heard_by for one in alarms(relay.deployment)} == {2}
    relay.clients.cloudwatch.disable_alarm_actions(AlarmNames=["ion-held-alarm"])
    held = next(one for one in alarms(relay.deployment) if one.key == "held")
    assert held.heard_by == 0


def test_another_relays_alarms_are_not_this_ones(relay: Operated, tmp_path: Path) -> None:
    account = relay.names.account
    Operated(relay.names.endpoint, tmp_path, name="ion-staging", account=account)
    found = alarms(relay.deployment)
    assert len(found) == len(KEYS)
    assert not [one.name for one in found if "staging" in one.name]


def test_a_missing_alarm_is_named(relay: Operated) -> None:
    relay.clients.cloudwatch.delete_alarms(AlarmNames=["ion-held-alarm"])
    assert missing(relay.deployment, alarms(relay.deployment)) == ["ion-held-alarm"]


def test_an_alarm_that_rings_says_since_when(relay: Operated) -> None:
    relay.clients.cloudwatch.set_alarm_state(
        AlarmName="ion-held-alarm", StateValue="ALARM", StateReason="test"
    )
    held = next(one for one in alarms(relay.deployment) if one.key == "held")
    assert held.state == "ALARM"
    assert held.since is not None


class Topics:
    """SNS with one topic's subscriptions, in pages; or with none of that name."""

    class exceptions:  # noqa: N801 - as boto3 has it
        class NotFoundException(Exception):  # noqa: N818 - the same
            pass

    def __init__(self, *arns: str, error: Exception | None = None) -> None:
        self._arns, self._error = arns, error

    def get_paginator(self, _: str) -> Any:  # noqa: ANN401
        return self

    def paginate(self, **_: str) -> Any:  # noqa: ANN401
        if self._error is not None:
            raise self._error
        return [{"Subscriptions": [{"SubscriptionArn": arn}]} for arn in self._arns]


def heard(topics: Topics, action: str = "arn:aws:sns:eu-west-1:1:operators") -> int | None:
    account = Account(boto3.Session("a", "b", region_name="eu-west-1"))
    vars(account)["sns"] = topics
    return listeners(account, action)


def test_a_subscription_that_waits_for_its_link_hears_nothing() -> None:
    assert heard(Topics("PendingConfirmation", "arn:aws:sns:eu-west-1:1:operators:2")) == 1
    assert heard(Topics("PendingConfirmation")) == 0


def test_a_topic_that_is_gone_has_no_listeners() -> None:
    assert heard(Topics(error=Topics.exceptions.NotFoundException())) == 0


def test_a_topic_that_may_not_be_seen_is_not_known() -> None:
    denied = ClientError({"Error": {"Code": "AuthorizationError"}}, "ListSubscriptionsByTopic")
    assert heard(Topics(error=denied)) is None


def test_another_action_than_a_topic_hears_it_itself() -> None:
    assert heard(Topics(), "arn:aws:ssm:eu-west-1:1:opsitem:1") == 1
