"""Outcome events in the emulated AWS: what terraform/events.tf makes of `events = {}`."""

import json
from typing import TYPE_CHECKING

from ionctl.local import policies
from ionctl.local.names import Names
from ionctl.local.variables import Variables
from ionctl.ops.account import Account

if TYPE_CHECKING:
    from mypy_boto3_sqs.literals import QueueAttributeNameType

FILTERS = (
    {"dynamodb": {"NewImage": {"timeline": {"S": [{"anything-but": [""]}]}}}},
    {"eventName": ["INSERT"], "dynamodb": {"NewImage": {"told": {"S": [{"exists": True}]}}}},
)
"""Which of the ledger's rows start a run: one of these fits."""
BATCH = 100
RETRIES = -1
"""As often as it takes, within the age of a record."""
RECORD_AGE_SECONDS = 22 * 3600
_RETENTION_SECONDS = 14 * 24 * 3600
_MAX_MESSAGE_BYTES = 256 * 1024
_TIMEOUT_SECONDS = 60


def deploy(clients: Account, names: Names, variables: Variables) -> None:
    """Create topic, failure queue and function; the ledger has its stream already."""
    clients.sns.create_topic(
        Name=names.outcome_topic,
        Attributes={"Policy": policies.topic(names, names.outcome_topic_arn)},
    )
    attributes: dict[QueueAttributeNameType, str] = {
        "MessageRetentionPeriod": str(_RETENTION_SECONDS),
        "MaximumMessageSize": str(_MAX_MESSAGE_BYTES),
        "VisibilityTimeout": "30",
        "SqsManagedSseEnabled": "true",
    }
    clients.sqs.create_queue(QueueName=names.events_queue, Attributes=attributes)
    clients.iam.create_role(
        RoleName=names.events_role,
        Description="ion: what the events function may do",
        AssumeRolePolicyDocument=policies.assume_role(),
    )
    clients.iam.put_role_policy(
        RoleName=names.events_role,
        PolicyName="events",
        PolicyDocument=policies.events_role(names),
    )
    _function(clients, names, variables)
    _mapping(clients, names)


def _function(clients: Account, names: Names, variables: Variables) -> None:
    clients.logs.create_log_group(logGroupName=names.events_log_group)
    clients.logs.put_retention_policy(logGroupName=names.events_log_group, retentionInDays=30)
    clients.functions.create_function(
        FunctionName=names.events_function,
        Description=f"ion: tells on {names.outcome_topic} what became of each email",
        Role=names.events_role_arn,
        Code={"ZipFile": variables.package.read_bytes()},
        Handler="ion.events.handler.run",
        Runtime="python3.13",
        Architectures=["arm64"],
        MemorySize=256,
        Timeout=_TIMEOUT_SECONDS,
        Environment={
            "Variables": {
                "EVENTS_TOPIC_ARN": names.outcome_topic_arn,
                "EVENTS_FAILURE_QUEUE_URL": names.events_queue_url,
                "EVENTS_SOURCE": names.function_arn,
                "EVENTS_ATTEMPTS": "off",
            }
        },
    )
    clients.functions.get_waiter("function_active_v2").wait(FunctionName=names.events_function)


def _mapping(clients: Account, names: Names) -> None:
    table = clients.dynamodb.describe_table(TableName=names.table)["Table"]
    clients.functions.create_event_source_mapping(
        EventSourceArn=table["LatestStreamArn"],
        FunctionName=names.events_function,
        StartingPosition="TRIM_HORIZON",
        BatchSize=BATCH,
        MaximumBatchingWindowInSeconds=1,
        FilterCriteria={"Filters": [{"Pattern": json.dumps(one)} for one in FILTERS]},
        FunctionResponseTypes=["ReportBatchItemFailures"],
        BisectBatchOnFunctionError=True,
        MaximumRetryAttempts=RETRIES,
        MaximumRecordAgeInSeconds=RECORD_AGE_SECONDS,
        ParallelizationFactor=1,
        DestinationConfig={"OnFailure": {"Destination": names.events_queue_arn}},
    )
