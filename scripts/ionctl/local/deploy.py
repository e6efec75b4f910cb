"""ion put into the emulated AWS, resource by resource, as terraform/ puts it into the real one.

Terraform takes a minute for it, most of which it spends waiting; this takes a second. That both
come to the same is what tests/scripts/local/test_agreement.py shows.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ionctl.local.clients import Clients
from ionctl.local.names import Names

if TYPE_CHECKING:
    from mypy_boto3_sqs.literals import QueueAttributeNameType

Settings = Mapping[str, Mapping[str, str]]
"""Overrides of config.cfg by section and key, as the module's variable `settings`."""


@dataclass(frozen=True, slots=True)
class Variables:
    """What the module is told, under the names of its variables; the rest is as it comes.

    Args:
        package: the Lambda package.
        secret_arn: of the SSM parameter that holds config-secrets.cfg's text.
        settings: overrides of config.cfg.
        alarm_topic_arns: topics of a person's, who is to hear the alarms.
        outbox: whether there is a table for messages that are elsewhere.
        attachment_buckets: ARNs of buckets that the function may read.
    """

    package: Path
    secret_arn: str
    settings: Settings = field(default_factory=dict)
    alarm_topic_arns: tuple[str, ...] = ()
    outbox: bool = False
    attachment_buckets: tuple[str, ...] = ()


_TIMEOUT_SECONDS = 900
_CONCURRENCY = 1
_RETENTION_SECONDS = 14 * 24 * 60 * 60
_MAX_MESSAGE_BYTES = 256 * 1024
_MAX_RECEIVE_COUNT = 1000
_DEAD_LETTERS_HIDDEN_SECONDS = 30
_SWEEP_MINUTES = 5
_OLD_MAIL_SECONDS = 6 * 60 * 60


def deploy(clients: Clients, names: Names, variables: Variables) -> None:
    """Create everything, except the secret."""
    _queues(clients, names)
    _topics(clients, names)
    _table(clients, names.table, "expires_at")
    if variables.outbox:
        _table(clients, names.outbox, "ttl")
    _alarms(clients, names, variables)
    _role(clients, names, variables)
    _function(clients, names, variables)
    _wakeups(clients, names)


def _queues(clients: Clients, names: Names) -> None:
    attributes: dict[QueueAttributeNameType, str] = {
        "MessageRetentionPeriod": str(_RETENTION_SECONDS),
        "MaximumMessageSize": str(_MAX_MESSAGE_BYTES),
        "VisibilityTimeout": str(_TIMEOUT_SECONDS + 60),
        "SqsManagedSseEnabled": "true",
    }
    clients.sqs.create_queue(
        QueueName=names.dead_letter_queue,
        Attributes={
            **attributes,
            "VisibilityTimeout": str(_DEAD_LETTERS_HIDDEN_SECONDS),
            "Policy": _queue_policy(names, names.dead_letter_queue_arn),
        },
    )
    clients.sqs.create_queue(
        QueueName=names.queue,
        Attributes={
            **attributes,
            "Policy": _queue_policy(names, names.queue_arn),
            "RedrivePolicy": json.dumps(
                {
                    "deadLetterTargetArn": names.dead_letter_queue_arn,
                    "maxReceiveCount": _MAX_RECEIVE_COUNT,
                }
            ),
        },
    )
    clients.sqs.set_queue_attributes(
        QueueUrl=names.dead_letter_queue_url,
        Attributes={
            "RedriveAllowPolicy": json.dumps(
                {"redrivePermission": "byQueue", "sourceQueueArns": [names.queue_arn]}
            )
        },
    )


def _queue_policy(names: Names, queue_arn: str) -> str:
    return _policy(
        _allow_service(
            "AllowInputTopic", "sns.amazonaws.com", "sqs:SendMessage", queue_arn, names.topic_arn
        ),
    )


def _topics(clients: Clients, names: Names) -> None:
    clients.sns.create_topic(Name=names.topic)
    clients.sns.create_topic(
        Name=names.alarm_topic,
        Attributes={
            "Policy": _policy(
                _allow_service(
                    "AllowAlarm",
                    "cloudwatch.amazonaws.com",
                    "sns:Publish",
                    names.alarm_topic_arn,
                    names.alarm_arn,
                )
            )
        },
    )
    clients.sns.subscribe(
        TopicArn=names.topic_arn,
        Protocol="sqs",
        Endpoint=names.queue_arn,
        Attributes={
            "RawMessageDelivery": "true",
            "RedrivePolicy": json.dumps({"deadLetterTargetArn": names.dead_letter_queue_arn}),
        },
    )


def _table(clients: Clients, name: str, ttl_attribute: str) -> None:
    clients.dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "email_id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "email_id", "AttributeType": "S"}],
        DeletionProtectionEnabled=False,
    )
    clients.dynamodb.get_waiter("table_exists").wait(TableName=name)
    clients.dynamodb.update_time_to_live(
        TableName=name,
        TimeToLiveSpecification={"Enabled": True, "AttributeName": ttl_attribute},
    )
    clients.dynamodb.update_continuous_backups(
        TableName=name,
        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
    )


def _alarms(clients: Clients, names: Names, variables: Variables) -> None:
    clients.cloudwatch.put_metric_alarm(
        AlarmName=names.alarm,
        AlarmDescription=f"Wakes ion: emails are waiting in {names.queue}. Not a fault by itself.",
        Namespace="AWS/SQS",
        MetricName="ApproximateNumberOfMessagesVisible",
        Dimensions=[{"Name": "QueueName", "Value": names.queue}],
        Statistic="Maximum",
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        Threshold=1,
        Period=60,
        EvaluationPeriods=1,
        TreatMissingData="notBreaching",
        AlarmActions=[names.alarm_topic_arn],
    )
    clients.cloudwatch.put_metric_alarm(
        AlarmName=names.dead_letter_alarm,
        AlarmDescription=(
            f"Mail could not be sent: it is in {names.dead_letter_queue}, each message says why. "
            "Redrive it once that is mended."
        ),
        Namespace="AWS/SQS",
        MetricName="ApproximateNumberOfMessagesVisible",
        Dimensions=[{"Name": "QueueName", "Value": names.dead_letter_queue}],
        Statistic="Maximum",
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        Threshold=1,
        Period=300,
        EvaluationPeriods=1,
        TreatMissingData="notBreaching",
        AlarmActions=list(variables.alarm_topic_arns),
    )
    clients.cloudwatch.put_metric_alarm(
        AlarmName=names.queue_age_alarm,
        AlarmDescription=(
            f"Mail has waited in {names.queue} for more than 6 hours: the mail server or its login "
            f"needs a person. The log of {names.function} says which."
        ),
        Namespace="AWS/SQS",
        MetricName="ApproximateAgeOfOldestMessage",
        Dimensions=[{"Name": "QueueName", "Value": names.queue}],
        Statistic="Maximum",
        ComparisonOperator="GreaterThanThreshold",
        Threshold=_OLD_MAIL_SECONDS,
        Period=300,
        EvaluationPeriods=1,
        TreatMissingData="notBreaching",
        AlarmActions=list(variables.alarm_topic_arns),
    )


def _role(clients: Clients, names: Names, variables: Variables) -> None:
    clients.iam.create_role(
        RoleName=names.role,
        Description="ion: what the relay may do",
        AssumeRolePolicyDocument=_policy(
            {
                "Effect": "Allow",
                "Action": "sts:AssumeRole",
                "Principal": {"Service": "lambda.amazonaws.com"},
            }
        ),
    )
    clients.iam.put_role_policy(
        RoleName=names.role,
        PolicyName="relay",
        PolicyDocument=_policy(*allowances(names, variables)),
    )


def allowances(names: Names, variables: Variables) -> list[dict[str, Any]]:
    """Give the statements of the role's policy."""
    queue_actions = [
        "sqs:ReceiveMessage",
        "sqs:ChangeMessageVisibility",
        "sqs:DeleteMessage",
        "sqs:SendMessage",
    ]
    return [
        _allow("DrainInputQueue", queue_actions, names.queue_arn),
        _allow(
            "DeadLetterAndRedrive",
            [*queue_actions, "sqs:GetQueueAttributes"],
            names.dead_letter_queue_arn,
        ),
        _allow(
            "ClaimAndRecord",
            ["dynamodb:BatchGetItem", "dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate"],
            names.table_arn,
        ),
        _allow("RearmAlarm", ["cloudwatch:SetAlarmState"], names.alarm_arn),
        _allow(
            "WriteLog", ["logs:CreateLogStream", "logs:PutLogEvents"], f"{names.log_group_arn}:*"
        ),
        _allow("ReadSecret", ["ssm:GetParameter"], variables.secret_arn),
        *_claim_allowances(names, variables),
        *_template_allowances(variables.settings.get("templates", {}).get("s3", "")),
    ]


def _claim_allowances(names: Names, variables: Variables) -> list[dict[str, Any]]:
    """What messages name."""
    allowed = []
    if variables.outbox:
        allowed.append(_allow("ReadOutbox", ["dynamodb:BatchGetItem"], names.outbox_arn))
    if variables.attachment_buckets:
        below = [f"{arn}*" if "/" in arn else f"{arn}/*" for arn in variables.attachment_buckets]
        allowed.append(_allow("ReadAttachments", ["s3:GetObject", "s3:GetObjectVersion"], below))
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


def _function(clients: Clients, names: Names, variables: Variables) -> None:
    clients.logs.create_log_group(logGroupName=names.log_group)
    clients.logs.put_retention_policy(logGroupName=names.log_group, retentionInDays=30)
    clients.functions.create_function(
        FunctionName=names.function,
        Description=f"ion: drains {names.queue} over SMTP",
        Role=names.role_arn,
        Code={"ZipFile": variables.package.read_bytes()},
        Handler="ion.handler.run",
        Runtime="python3.13",
        Architectures=["arm64"],
        MemorySize=512,
        Timeout=_TIMEOUT_SECONDS,
        Environment={"Variables": environment(names, variables)},
    )
    clients.functions.get_waiter("function_active_v2").wait(FunctionName=names.function)
    clients.functions.put_function_concurrency(
        FunctionName=names.function, ReservedConcurrentExecutions=_CONCURRENCY
    )
    clients.functions.put_function_event_invoke_config(
        FunctionName=names.function, MaximumEventAgeInSeconds=60, MaximumRetryAttempts=0
    )


def environment(names: Names, variables: Variables) -> dict[str, str]:
    """Give the function's environment, as the module makes it."""
    return {
        **{
            f"ION_{section}_{key}".upper(): value
            for section, entries in variables.settings.items()
            for key, value in entries.items()
        },
        "ION_AWS_QUEUE_URL": names.queue_url,
        "ION_AWS_DEAD_LETTER_QUEUE_URL": names.dead_letter_queue_url,
        "ION_AWS_LEDGER_TABLE": names.table,
        **({"ION_AWS_OUTBOX_TABLE": names.outbox} if variables.outbox else {}),
        "ION_AWS_ALARM_NAME": names.alarm,
        "ION_AWS_CONCURRENCY": str(_CONCURRENCY),
        "ION_AWS_SECRET_ARN": variables.secret_arn,
        "POWERTOOLS_SERVICE_NAME": names.name,
    }


def _wakeups(clients: Clients, names: Names) -> None:
    for statement, principal, source_arn in (
        ("wake-on-message", "sns.amazonaws.com", names.topic_arn),
        ("wake-on-queue-size", "sns.amazonaws.com", names.alarm_topic_arn),
        ("wake-on-schedule", "events.amazonaws.com", names.rule_arn),
    ):
        clients.functions.add_permission(
            FunctionName=names.function,
            StatementId=statement,
            Action="lambda:InvokeFunction",
            Principal=principal,
            SourceArn=source_arn,
        )
    for topic_arn in (names.topic_arn, names.alarm_topic_arn):
        clients.sns.subscribe(TopicArn=topic_arn, Protocol="lambda", Endpoint=names.function_arn)
    clients.events.put_rule(
        Name=names.rule,
        Description=f"Wakes ion every {_SWEEP_MINUTES} min, whatever the other wake-ups did",
        ScheduleExpression=f"rate({_SWEEP_MINUTES} minutes)",
        State="ENABLED",
    )
    clients.events.put_targets(
        Rule=names.rule, Targets=[{"Id": "relay", "Arn": names.function_arn}]
    )


def _policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def _allow(sid: str, actions: list[str], resource: str | list[str]) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource}


def _allow_service(
    sid: str, service: str, action: str, resource: str, source_arn: str
) -> dict[str, Any]:
    return {
        **_allow(sid, [action], resource),
        "Principal": {"Service": service},
        "Condition": {"ArnEquals": {"aws:SourceArn": source_arn}},
    }
