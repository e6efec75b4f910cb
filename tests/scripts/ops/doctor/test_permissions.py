"""What the doctor thinks that the function needs is what the deployment grants."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import boto3
import pytest

from ionctl.local import deploy, policies
from ionctl.local.names import names_of
from ionctl.local.variables import Variables
from ionctl.ops.account import Account
from ionctl.ops.deployment import Deployment
from ionctl.ops.doctor.permissions import Need, is_allowed, look, needs
from wired import Wired, faults

NAMES = names_of("http://127.0.0.1")
VARIABLES = Variables(
    Path(),
    NAMES.secret_arn,
    {"templates": {"s3": "s3://ion-templates/mail"}},
    outbox=True,
    attachment_buckets=("arn:aws:s3:::ion-files",),
)
DEPLOYMENT = Deployment(
    Account(boto3.Session(region_name="us-east-1")),
    NAMES.name,
    {
        "FunctionArn": NAMES.function_arn,
        "Environment": {"Variables": deploy.environment(NAMES, VARIABLES)},
    },
)
STATEMENTS: list[dict[str, Any]] = json.loads(policies.role(NAMES, VARIABLES))["Statement"]
OF_MESSAGES = {"ReadAttachments"}
"""What emails name: it isn't known beforehand."""


def unmet(statements: Sequence[Mapping[str, Any]]) -> list[Need]:
    return [need for need in needs(DEPLOYMENT) if not is_allowed(statements, need)]


def test_policy_of_the_deployment_leaves_no_need() -> None:
    assert unmet(STATEMENTS) == []


@pytest.mark.parametrize(
    ("sid", "action", "resource"),
    [
        (one["Sid"], action, resource)
        for one in STATEMENTS
        for action in one["Action"]
        for resource in one["Resource"]
        if one["Sid"] not in OF_MESSAGES
    ],
)
def test_each_thing_granted_is_missed_once_it_is_gone(sid: str, action: str, resource: str) -> None:
    (whole,) = [one for one in STATEMENTS if one["Sid"] == sid]
    others = [one for one in STATEMENTS if one["Sid"] != sid]
    without = [one for one in whole["Action"] if one != action]
    elsewhere = [one for one in whole["Resource"] if one != resource]
    left = [
        *others,
        {**whole, "Action": without},
        {**whole, "Action": [action], "Resource": elsewhere},
    ]
    assert [need.action for need in unmet(left)] == [action]


def test_a_key_of_the_queues_own_is_needed_too() -> None:
    key = "arn:aws:kms:us-east-1:123456789012:key/1"
    more = set(needs(DEPLOYMENT, key)) - set(needs(DEPLOYMENT))
    assert more == {Need("kms:Decrypt", key), Need("kms:GenerateDataKey", key)}


def test_a_key_of_the_queues_own_that_the_role_may_not_use_is_told(wired: Wired) -> None:
    """Mail that can't be decrypted isn't received."""
    key = "arn:aws:kms:us-east-1:123456789012:key/1"
    sqs, url = wired.aws.sqs, wired.names.queue_url
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": key})
    found = faults(look(wired.deployment))
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": ""})
    ((about, words),) = found
    assert about == "1"
    assert f"may not kms:Decrypt, kms:GenerateDataKey on {key}" in words


NEED = Need("sqs:SendMessage", "arn:aws:sqs:eu-west-1:123456789012:ion-input-queue")


@pytest.mark.parametrize(
    ("allowed", "statements"),
    [
        (True, [{"Effect": "Allow", "Action": "*", "Resource": "*"}]),
        (True, [{"Effect": "Allow", "Action": "SQS:send*", "Resource": "arn:aws:sqs:*:*:ion-*"}]),
        (True, [{"Effect": "Allow", "NotAction": ["iam:*"], "Resource": "*"}]),
        (False, [{"Effect": "Allow", "NotAction": "sqs:*", "Resource": "*"}]),
        (False, [{"Effect": "Allow", "Action": "sqs:*", "NotResource": "*ion-input-queue"}]),
        (
            False,
            [{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*:ION-input-queue"}],
        ),
        (False, []),
        (
            False,
            [
                {"Effect": "Allow", "Action": "*", "Resource": "*"},
                {"Effect": "Deny", "Action": "sqs:Send*", "Resource": "*"},
            ],
        ),
        (
            True,
            [
                {"Effect": "Allow", "Action": "*", "Resource": "*"},
                {"Effect": "Deny", "Action": "sqs:*", "Resource": "*", "Condition": {"Bool": {}}},
            ],
        ),
    ],
)
def test_statements_are_read_as_iam_reads_them(
    allowed: bool, statements: list[Mapping[str, Any]]
) -> None:
    assert is_allowed(statements, NEED) is allowed
