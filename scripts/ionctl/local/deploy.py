"""ion put into the emulated AWS, resource by resource, as terraform/ puts it into the real one.

Terraform takes a minute for it, most of which it spends waiting; this takes a second. That both
come to the same is what tests/scripts/local/test_agreement.py shows.
"""

import json
from typing import TYPE_CHECKING, Any

from ionctl.files import version
from ionctl.local import alarms, deploy_events, deploy_feedback, policies, unsubscribing
from ionctl.local.names import Names
from ionctl.local.variables import Variables
from ionctl.ops.account import Account

if TYPE_CHECKING:
    from mypy_boto3_sqs.literals import QueueAttributeNameType

_TIMEOUT_SECONDS = 900
_CONCURRENCY = 1
_RETENTION_SECONDS = 14 * 24 * 60 * 60
_MAX_MESSAGE_BYTES = 256 * 1024
_MAX_RECEIVE_COUNT = 1000
_DEAD_LETTERS_HIDDEN_SECONDS = 30
_SWEEP_MINUTES = 5


def deploy(clients: Account, names: Names, variables: Variables) -> None:
    """Create everything, except the secret."""
    _queues(clients, names)
    _topics(clients, names)
    _table(clients, names.table, "expires_at", stream=variables.events)
    if variables.outbox:
        _table(clients, names.outbox, "ttl")
    if variables.feedback:
        deploy_feedback.index(clients, names)
    alarms.put(clients, names, variables)
    _role(clients, names, variables)
    url = unsubscribing.deploy(clients, names, variables) if variables.unsubscribe else ""
    _function(clients, names, variables, url)
    _wakeups(clients, names)
    if variables.events:
        deploy_events.deploy(clients, names, variables)
    if variables.feedback:
        deploy_feedback.deploy(clients, names, variables)


def _queues(clients: Account, names: Names) -> None:
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
            "Policy": policies.queue(
                names.dead_letter_queue_arn, names.topic_arn, names.bulk_topic_arn
            ),
        },
    )
    attributes["RedrivePolicy"] = json.dumps(
        {
            "deadLetterTargetArn": names.dead_letter_queue_arn,
            "maxReceiveCount": _MAX_RECEIVE_COUNT,
        }
    )
    for queue, queue_arn, topic_arn in (
        (names.queue, names.queue_arn, names.topic_arn),
        (names.bulk_queue, names.bulk_queue_arn, names.bulk_topic_arn),
    ):
        policy = policies.queue(queue_arn, topic_arn)
        clients.sqs.create_queue(QueueName=queue, Attributes={**attributes, "Policy": policy})
    clients.sqs.create_queue(QueueName=names.later_queue, Attributes=attributes)
    clients.sqs.set_queue_attributes(
        QueueUrl=names.dead_letter_queue_url,
        Attributes={
            "RedriveAllowPolicy": json.dumps(
                {"redrivePermission": "byQueue", "sourceQueueArns": policies.drained(names)}
            )
        },
    )


def _topics(clients: Account, names: Names) -> None:
    for topic, topic_arn in (
        (names.topic, names.topic_arn),
        (names.bulk_topic, names.bulk_topic_arn),
    ):
        clients.sns.create_topic(
            Name=topic, Attributes={"Policy": policies.topic(names, topic_arn)}
        )
    clients.sns.create_topic(
        Name=names.alarm_topic,
        Attributes={"Policy": policies.alarm_topic(names)},
    )
    for topic_arn, queue_arn in (
        (names.topic_arn, names.queue_arn),
        (names.bulk_topic_arn, names.bulk_queue_arn),
    ):
        clients.sns.subscribe(
            TopicArn=topic_arn,
            Protocol="sqs",
            Endpoint=queue_arn,
            Attributes={
                "RawMessageDelivery": "true",
                "RedrivePolicy": json.dumps({"deadLetterTargetArn": names.dead_letter_queue_arn}),
            },
        )


def _table(clients: Account, name: str, ttl_attribute: str, *, stream: bool = False) -> None:
    both_images = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    more: Any = {"StreamSpecification": both_images} if stream else {}
    clients.dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "email_id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "email_id", "AttributeType": "S"}],
        DeletionProtectionEnabled=True,
        **more,
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


def _role(clients: Account, names: Names, variables: Variables) -> None:
    clients.iam.create_role(
        RoleName=names.role,
        Description="ion: what the relay may do",
        AssumeRolePolicyDocument=policies.assume_role(),
    )
    clients.iam.put_role_policy(
        RoleName=names.role,
        PolicyName="relay",
        PolicyDocument=policies.role(names, variables),
    )


def _function(clients: Account, names: Names, variables: Variables, url: str) -> None:
    clients.logs.create_log_group(logGroupName=names.log_group)
    clients.logs.put_retention_policy(logGroupName=names.log_group, retentionInDays=30)
    clients.functions.create_function(
        FunctionName=names.function,
        Description=(
            f"ion: drains {names.queue}, {names.bulk_queue} and {names.later_queue} over SMTP"
        ),
        Role=names.role_arn,
        Code={"ZipFile": variables.package.read_bytes()},
        Handler="ion.handler.run",
        Runtime="python3.13",
        Architectures=["arm64"],
        MemorySize=512,
        Timeout=_TIMEOUT_SECONDS,
        Environment={"Variables": environment(names, variables) | unsubscribing.environment(url)},
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
        "ION_AWS_BULK_QUEUE_URL": names.bulk_queue_url,
        "ION_AWS_LATER_QUEUE_URL": names.later_queue_url,
        "ION_AWS_DEAD_LETTER_QUEUE_URL": names.dead_letter_queue_url,
        "ION_AWS_LEDGER_TABLE": names.table,
        **({"ION_AWS_OUTBOX_TABLE": names.outbox} if variables.outbox else {}),
        **({"ION_AWS_EVENTS": "on"} if variables.events else {}),
        "ION_AWS_ALARM_NAME": names.alarm,
        "ION_AWS_BULK_ALARM_NAME": names.bulk_alarm,
        "ION_AWS_LATER_ALARM_NAME": names.later_alarm,
        "ION_AWS_CONCURRENCY": str(_CONCURRENCY),
        "ION_AWS_SECRET_ARN": variables.secret_arn,
        "POWERTOOLS_SERVICE_NAME": names.name,
        "MODULE_VERSION": version(),
    }


def _wakeups(clients: Account, names: Names) -> None:
    for statement, principal, source_arn in (
        ("wake-on-message", "sns.amazonaws.com", names.topic_arn),
        ("wake-on-bulk", "sns.amazonaws.com", names.bulk_topic_arn),
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
    for topic_arn in (names.topic_arn, names.bulk_topic_arn, names.alarm_topic_arn):
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
