"""Who may do what with the resources of one deployment: the policies that terraform/ makes.

Each is given as AWS takes it, as JSON.
"""

import json
from typing import Any

from ion.aws.feedback_rows import INDEX
from ionctl.local.names import Names
from ionctl.local.variables import Variables


def drained(names: Names) -> list[str]:
    """Give the ARNs of the queues that the function drains."""
    return [names.queue_arn, names.bulk_queue_arn, names.later_queue_arn]


def waking(names: Names) -> list[str]:
    """Give the ARNs of the alarms that wake the function."""
    return [names.alarm_arn, names.bulk_alarm_arn, names.later_alarm_arn]


def queue(queue_arn: str, *topic_arns: str) -> str:
    """Give the policy of a queue that takes what comes through these topics."""
    return _policy(
        _allow_service(
            "AllowTopics", "sns.amazonaws.com", "sqs:SendMessage", queue_arn, *topic_arns
        )
    )


def topic(names: Names, topic_arn: str) -> str:
    """Give the policy of a topic that the account's own publishers may use: SNS's default."""
    return _policy(
        {
            "Sid": "__default_statement_ID",
            "Effect": "Allow",
            "Action": [
                "SNS:AddPermission",
                "SNS:DeleteTopic",
                "SNS:GetTopicAttributes",
                "SNS:ListSubscriptionsByTopic",
                "SNS:Publish",
                "SNS:RemovePermission",
                "SNS:SetTopicAttributes",
                "SNS:Subscribe",
            ],
            "Resource": topic_arn,
            "Principal": {"AWS": "*"},
            "Condition": {"StringEquals": {"AWS:SourceOwner": names.account}},
        }
    )


def alarm_topic(names: Names) -> str:
    """Give the policy of the topic between the alarms that wake and the function."""
    return _policy(
        _allow_service(
            "AllowAlarms",
            "cloudwatch.amazonaws.com",
            "sns:Publish",
            names.alarm_topic_arn,
            *waking(names),
        )
    )


def assume_role() -> str:
    """Give the policy by which Lambda may take the function's role."""
    return _policy(
        {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"Service": "lambda.amazonaws.com"},
        }
    )


def role(names: Names, variables: Variables) -> str:
    """Give the policy of the function's role."""
    return _policy(*allowances(names, variables))


def allowances(names: Names, variables: Variables) -> list[dict[str, Any]]:
    """Give the statements of the role's policy."""
    queue_actions = [
        "sqs:ReceiveMessage",
        "sqs:ChangeMessageVisibility",
        "sqs:DeleteMessage",
        "sqs:SendMessage",
        "sqs:GetQueueAttributes",
    ]
    return [
        _allow("DrainQueues", queue_actions, *drained(names)),
        _allow("DeadLetterAndRedrive", queue_actions, names.dead_letter_queue_arn),
        _allow(
            "ClaimAndRecord",
            ["dynamodb:BatchGetItem", "dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate"],
            names.table_arn,
        ),
        _allow("RearmAlarms", ["cloudwatch:SetAlarmState"], *waking(names)),
        _allow(
            "WriteLog", ["logs:CreateLogStream", "logs:PutLogEvents"], f"{names.log_group_arn}:*"
        ),
        _allow("ReadSecret", ["ssm:GetParameter"], variables.secret_arn),
        *_claim_allowances(names, variables),
        *_template_allowances(variables.settings.get("templates", {}).get("s3", "")),
    ]


def events_role(names: Names) -> str:
    """Give the policy of the events function's role."""
    return _policy(
        _allow(
            "ReadStream",
            [
                "dynamodb:DescribeStream",
                "dynamodb:GetRecords",
                "dynamodb:GetShardIterator",
                "dynamodb:ListStreams",
            ],
            f"{names.table_arn}/stream/*",
        ),
        _allow("Tell", ["sns:Publish"], names.outcome_topic_arn),
        _allow("SetAside", ["sqs:SendMessage"], names.events_queue_arn),
        _allow(
            "WriteLog",
            ["logs:CreateLogStream", "logs:PutLogEvents"],
            f"{names.events_log_group_arn}:*",
        ),
    )


def feedback_topic(names: Names) -> str:
    """Give the policy of the topic on which the account's SES tells."""
    return _policy(
        {
            **_allow("AllowSES", ["sns:Publish"], names.feedback_topic_arn),
            "Principal": {"Service": "ses.amazonaws.com"},
            "Condition": {"StringEquals": {"aws:SourceAccount": names.account}},
        }
    )


def feedback_role(names: Names) -> str:
    """Give the policy of the feedback function's role."""
    return _policy(
        _allow(
            "ReadQueue",
            ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
            names.feedback_queue_arn,
        ),
        _allow(
            "WriteAddressesAndTimelines",
            ["dynamodb:BatchGetItem", "dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate"],
            names.table_arn,
        ),
        _allow("FindByMessageId", ["dynamodb:Query"], f"{names.table_arn}/index/{INDEX}"),
        _allow(
            "WriteLog",
            ["logs:CreateLogStream", "logs:PutLogEvents"],
            f"{names.feedback_log_group_arn}:*",
        ),
    )


def unsubscribe_role(names: Names) -> str:
    """Give the policy of the unsubscribe function's role: rows of addresses, and their key."""
    key = {"dynamodb:LeadingKeys": [" address *", " address-key "]}
    address = {"dynamodb:LeadingKeys": [" address *"]}
    return _policy(
        _allow("ReadAddressesAndKey", ["dynamodb:BatchGetItem"], names.table_arn)
        | {"Condition": {"ForAllValues:StringLike": key}},
        _allow(
            "SuppressAddresses",
            ["dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate"],
            names.table_arn,
        )
        | {"Condition": {"ForAllValues:StringLike": address}},
        _allow(
            "WriteLog",
            ["logs:CreateLogStream", "logs:PutLogEvents"],
            f"{names.unsubscribe_log_group_arn}:*",
        ),
    )


def _claim_allowances(names: Names, variables: Variables) -> list[dict[str, Any]]:
    """What messages name."""
    allowed = []
    if variables.outbox:
        allowed.append(_allow("ReadOutbox", ["dynamodb:BatchGetItem"], names.outbox_arn))
    if variables.attachment_buckets:
        below = [f"{arn}*" if "/" in arn else f"{arn}/*" for arn in variables.attachment_buckets]
        allowed.append(_allow("ReadAttachments", ["s3:GetObject", "s3:GetObjectVersion"], *below))
    return allowed


def _template_allowances(url: str) -> list[dict[str, Any]]:
    """Only below the prefix; and to see what is there, without which S3 calls it forbidden."""
    if not url:
        return []
    bucket, _, prefix = url.removeprefix("s3://").rstrip("/").partition("/")
    below = f"{prefix}/*" if prefix else "*"
    arn = f"arn:aws:s3:::{bucket}"
    only = {"Condition": {"StringLike": {"s3:prefix": below}}}
    return [
        _allow("ReadTemplates", ["s3:GetObject"], f"{arn}/{below}"),
        _allow("ListTemplates", ["s3:ListBucket"], arn) | only,
    ]


def _policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def _allow(sid: str, actions: list[str], *resources: str) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": list(resources)}


def _allow_service(
    sid: str, service: str, action: str, resource: str, *source_arns: str
) -> dict[str, Any]:
    return {
        **_allow(sid, [action], resource),
        "Principal": {"Service": service},
        "Condition": {"ArnEquals": {"aws:SourceArn": list(source_arns)}},
    }
