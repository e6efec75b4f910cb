"""Feedback in the emulated AWS: what terraform/feedback.tf makes of `feedback = {}`."""

import json
from typing import TYPE_CHECKING

from ion.aws.feedback_rows import INDEX
from ionctl.local import policies
from ionctl.local.names import Names
from ionctl.local.variables import Variables
from ionctl.ops.account import Account

if TYPE_CHECKING:
    from mypy_boto3_sqs.literals import QueueAttributeNameType

_RETENTION_SECONDS = 14 * 24 * 3600
_MAX_MESSAGE_BYTES = 256 * 1024
_TIMEOUT_SECONDS = 30
_MAX_RECEIVE_COUNT = 8
_MESSAGE_ID = "header_message_id"


def index(clients: Account, names: Names) -> None:
    """Add the index to the ledger, by which an email is found."""
    clients.dynamodb.update_table(
        TableName=names.table,
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"} for name in ("email_id", _MESSAGE_ID)
        ],
        GlobalSecondaryIndexUpdates=[
            {
                "Create": {
                    "IndexName": INDEX,
                    "KeySchema": [{"AttributeName": _MESSAGE_ID, "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "KEYS_ONLY"},
                }
            }
        ],
    )


def deploy(clients: Account, names: Names, variables: Variables) -> None:
    """Create topic, queues and function; the ledger has its index already."""
    _queues(clients, names)
    clients.sns.create_topic(
        Name=names.feedback_topic, Attributes={"Policy": policies.feedback_topic(names)}
    )
    dead_letters = {"deadLetterTargetArn": names.feedback_dead_letter_queue_arn}
    clients.sns.subscribe(
        TopicArn=names.feedback_topic_arn,
        Protocol="sqs",
        Endpoint=names.feedback_queue_arn,
        Attributes={"RawMessageDelivery": "true", "RedrivePolicy": json.dumps(dead_letters)},
    )
    clients.iam.create_role(
        RoleName=names.feedback_role,
        Description="ion: what the feedback function may do",
        AssumeRolePolicyDocument=policies.assume_role(),
    )
    clients.iam.put_role_policy(
        RoleName=names.feedback_role,
        PolicyName="feedback",
        PolicyDocument=policies.feedback_role(names),
    )
    _function(clients, names, variables)


def _queues(clients: Account, names: Names) -> None:
    attributes: dict[QueueAttributeNameType, str] = {
        "MessageRetentionPeriod": str(_RETENTION_SECONDS),
        "MaximumMessageSize": str(_MAX_MESSAGE_BYTES),
        "SqsManagedSseEnabled": "true",
    }
    for queue, arn, own in (
        (
            names.feedback_dead_letter_queue,
            names.feedback_dead_letter_queue_arn,
            {"VisibilityTimeout": "30"},
        ),
        (
            names.feedback_queue,
            names.feedback_queue_arn,
            {
                "VisibilityTimeout": str(6 * _TIMEOUT_SECONDS),
                "RedrivePolicy": json.dumps(
                    {
                        "deadLetterTargetArn": names.feedback_dead_letter_queue_arn,
                        "maxReceiveCount": _MAX_RECEIVE_COUNT,
                    }
                ),
            },
        ),
    ):
        policy = {"Policy": policies.queue(arn, names.feedback_topic_arn)}
        whole: dict[QueueAttributeNameType, str] = {**attributes, **own, **policy}  # type: ignore[dict-item]
        clients.sqs.create_queue(QueueName=queue, Attributes=whole)
    clients.sqs.set_queue_attributes(
        QueueUrl=names.feedback_dead_letter_queue_url,
        Attributes={
            "RedriveAllowPolicy": json.dumps(
                {"redrivePermission": "byQueue", "sourceQueueArns": [names.feedback_queue_arn]}
            )
        },
    )


def _function(clients: Account, names: Names, variables: Variables) -> None:
    clients.logs.create_log_group(logGroupName=names.feedback_log_group)
    clients.logs.put_retention_policy(logGroupName=names.feedback_log_group, retentionInDays=30)
    clients.functions.create_function(
        FunctionName=names.feedback_function,
        Description="ion: reads what providers tell of emails that they took",
        Role=names.feedback_role_arn,
        Code={"ZipFile": variables.package.read_bytes()},
        Handler="ion.feedback.handler.run",
        Runtime="python3.13",
        Architectures=["arm64"],
        MemorySize=256,
        Timeout=_TIMEOUT_SECONDS,
        Environment={
            "Variables": {
                "ION_AWS_LEDGER_TABLE": names.table,
                "POWERTOOLS_SERVICE_NAME": names.name,
            }
        },
    )
    clients.functions.get_waiter("function_active_v2").wait(FunctionName=names.feedback_function)
    clients.functions.create_event_source_mapping(
        EventSourceArn=names.feedback_queue_arn,
        FunctionName=names.feedback_function_arn,
        BatchSize=10,
        FunctionResponseTypes=["ReportBatchItemFailures"],
        ScalingConfig={"MaximumConcurrency": 2},
    )
