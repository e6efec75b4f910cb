"""What ionctl may be allowed to do in AWS: policies for those who look, steer and diagnose."""

from __future__ import annotations

import json

_DEAD_LETTERS = "sqs:{name}-input-deadletter-queue"
_QUEUES = (
    *("sqs:{name}-input-queue", "sqs:{name}-bulk-queue", "sqs:{name}-later-queue"),
    _DEAD_LETTERS,
)
_TABLE = ("dynamodb:table/{name}-ledger",)
_FUNCTION = ("lambda:function:{name}",)
_LOG = ("logs:log-group:/aws/lambda/{name}:*",)
_SNS_LOGS = tuple(
    f"logs:log-group:sns/{{region}}/{{account}}/{{name}}-{lane}-topic{end}:*"
    for lane in ("input", "bulk")
    for end in ("", "/Failure")
)

Statements = dict[str, tuple[tuple[str, ...], tuple[str, ...]]]
"""By name: actions, and resources: of each the service and what follows the account."""

LOOK: Statements = {
    "Function": (
        ("lambda:GetFunctionConfiguration", "lambda:GetFunctionConcurrency"),
        _FUNCTION,
    ),
    "Queues": (
        ("sqs:GetQueueAttributes", "sqs:ReceiveMessage", "sqs:ChangeMessageVisibility"),
        _QUEUES,
    ),
    "Ledger": (("dynamodb:BatchGetItem", "dynamodb:DescribeTable", "dynamodb:Scan"), _TABLE),
    "LedgerByMessageId": (
        ("dynamodb:Query",),
        ("dynamodb:table/{name}-ledger/index/header-message-id",),
    ),
    "Log": (("logs:FilterLogEvents",), (*_LOG, *_SNS_LOGS)),
    "WhatIsThere": (
        (
            *("lambda:ListFunctions", "cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData"),
            "sns:ListSubscriptionsByTopic",
        ),
        ("*",),
    ),
}
"""For status, show, the suppression list and the looks at dead letters."""

STEER: Statements = {
    "SendLetters": (("sqs:SendMessage",), ("sqs:{name}-input-queue", _DEAD_LETTERS)),
    "TakeLettersAway": (("sqs:DeleteMessage",), (_DEAD_LETTERS,)),
    "Orders": (("dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate"), _TABLE),
    "Wake": (("lambda:InvokeFunction",), _FUNCTION),
    "Publish": (("sns:Publish",), ("sns:{name}-input-topic", "sns:{name}-bulk-topic")),
}
"""Beside it: for what redrives, edits, discards, pauses, stops, cancels, suppresses, erases,
wakes and sends."""

DIAGNOSE: Statements = {
    "Package": (("lambda:GetFunction", "lambda:GetPolicy"), _FUNCTION),
    "Role": (
        (
            *("iam:ListRolePolicies", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies"),
            *("iam:GetPolicy", "iam:GetPolicyVersion"),
        ),
        ("*",),
    ),
    "Schedule": (
        ("events:DescribeRule", "events:ListTargetsByRule"),
        ("events:rule/{name}-sweep",),
    ),
    "Wiring": (
        ("lambda:GetAccountSettings", "logs:DescribeLogGroups", "sns:GetSubscriptionAttributes"),
        ("*",),
    ),
    "Parameter": (("ssm:GetParameter",), ("ssm:parameter/{name}/*",)),
    "Secret": (("secretsmanager:GetSecretValue",), ("secretsmanager:secret:{name}/*",)),
    "Provider": (("ses:GetAccount", "ses:GetEmailIdentity"), ("*",)),
}
"""Beside the first: for doctor. It reads the secret, wherever that is, to try the login; and asks
SES, if that is the provider, for its quota and the sender's domain."""


def policy(
    *parts: Statements,
    region: str = "eu-west-1",
    account: str = "123456789012",
    name: str = "ion",
) -> str:
    """A policy document that allows all of these."""
    statements = [
        {
            "Sid": sid,
            "Effect": "Allow",
            "Action": list(actions),
            "Resource": [
                _arn(one.format(name=name, region=region, account=account), region, account)
                for one in resources
            ],
        }
        for part in parts
        for sid, (actions, resources) in part.items()
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, indent=2)


def _arn(resource: str, region: str, account: str) -> str:
    if resource == "*":
        return resource
    service, _, rest = resource.partition(":")
    return f"arn:aws:{service}:{region}:{account}:{rest}"
