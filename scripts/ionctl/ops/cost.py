"""What a relay cost, by what CloudWatch counted of it and list prices."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from ion.aws.errors import AWS_ERRORS
from ionctl.ops import prices
from ionctl.ops.alarms import alarms
from ionctl.ops.deployment import said
from ionctl.ops.publishes import groups
from ionctl.ops.result import Cost, CostLine

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mypy_boto3_cloudwatch.type_defs import MetricDataQueryTypeDef

    from ionctl.ops.deployment import Deployment

_MONTH_DAYS = 30
_PERIOD_SECONDS = 86_400
_WAKING_ALARMS = 3
_NOT_IN_IT = (
    "our own metrics ($0.30 a month each in the hours in which they have data), the dashboard, a "
    "key, a VPC and what leaves AWS aren't in it"
)
_MESSAGES = ("NumberOfMessagesSent", "NumberOfMessagesReceived", "NumberOfMessagesDeleted")
_SQS = (*_MESSAGES, "NumberOfEmptyReceives")
_OTHER_FUNCTIONS = ("events", "feedback", "unsubscribe", "load")
"""What may run beside the relay, by the end of its name; where it doesn't, nothing is counted."""
_OTHER_MEMORY_GB = 0.25
"""Each of them has so much (terraform/)."""
_OTHER_QUEUES = ("events-failure-queue", "feedback-queue", "feedback-deadletter-queue")
_OTHER_TOPICS = ("outcome-topic", "feedback-topic")


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What was used of each service.

    Args:
        gb_seconds: of the functions.
        sqs_requests: at most: a call takes up to ten messages, and CloudWatch counts messages.
        log_bytes: that CloudWatch took in.
        alarm_months: an alarm for a month is one.
        emails: that were sent; None: that isn't known.
    """

    invocations: float = 0
    gb_seconds: float = 0
    published: float = 0
    sqs_requests: float = 0
    rows_written: float = 0
    rows_read: float = 0
    log_bytes: float = 0
    alarm_months: float = 0
    emails: float | None = None


def priced(used: Used) -> list[CostLine]:
    """What each service charges, the dearest first."""
    rows = (
        ("Lambda: requests", used.invocations, "requests", prices.LAMBDA_REQUEST),
        ("Lambda: time", used.gb_seconds, "GB-seconds", prices.LAMBDA_GB_SECOND),
        ("SNS: publishes", used.published, "messages", prices.SNS_PUBLISH),
        ("SQS: requests, at most", used.sqs_requests, "requests", prices.SQS_REQUEST),
        ("DynamoDB: writes", used.rows_written, "units", prices.DYNAMODB_WRITE_UNIT),
        ("DynamoDB: reads", used.rows_read, "units", prices.DYNAMODB_READ_UNIT),
        ("CloudWatch: log taken in", used.log_bytes / 1e9, "GB", prices.LOG_GB),
        ("CloudWatch: alarms", used.alarm_months, "alarm-months", prices.ALARM_MONTH),
    )
    lines = [
        CostLine(what=what, amount=round(amount, 3), unit=unit, dollars=round(amount * price, 4))
        for what, amount, unit, price in rows
    ]
    return sorted(lines, key=lambda one: -one.dollars)


def cost(deployment: Deployment, days: int = _MONTH_DAYS) -> Cost:
    """What the last days cost.

    Args:
        deployment: the relay.
        days: how many, 1-455: CloudWatch keeps a metric for 15 months.

    Raises:
        botocore's errors: CloudWatch can't be read.
    """
    until = datetime.now(UTC)
    since = until - timedelta(days=days)
    unknown = [_NOT_IN_IT]
    sums = _sums(deployment, since, until)
    used = _used(deployment, sums, days, unknown)
    if not any(sums.values()):
        unknown.append("CloudWatch has counted nothing: a new relay, or an emulated one")
    lines = priced(used)
    dollars = round(sum(one.dollars for one in lines), 2)
    emails = int(used.emails or 0)
    return Cost(
        name=deployment.name,
        since=since,
        until=until,
        lines=lines,
        dollars=dollars,
        emails=emails,
        dollars_a_million=round(dollars / emails * 1e6, 2) if emails else None,
        unknown=unknown,
    )


def _used(deployment: Deployment, sums: Mapping[str, float], days: int, unknown: list[str]) -> Used:
    memory_gb = float(deployment.configuration.get("MemorySize", 0)) / 1024
    try:
        count = len(alarms(deployment)) + _WAKING_ALARMS
    except AWS_ERRORS as error:
        unknown.append(f"the alarms: {said(error)}")
        count = 0
    return Used(
        invocations=sums["invocations"],
        gb_seconds=(sums["duration"] * memory_gb + sums["others"] * _OTHER_MEMORY_GB) / 1000,
        published=sums["published"],
        sqs_requests=sums["sqs"],
        rows_written=sums["written"],
        rows_read=sums["read"],
        log_bytes=sums["logged"],
        alarm_months=count * days / _MONTH_DAYS,
        emails=sums["sent"],
    )


def _sums(deployment: Deployment, since: datetime, until: datetime) -> dict[str, float]:
    """What CloudWatch counted, by what it is for."""
    asked = list(_metrics(deployment))
    queries: list[MetricDataQueryTypeDef] = [
        {
            "Id": f"m{number}",
            "MetricStat": {
                "Metric": {
                    "Namespace": namespace,
                    "MetricName": metric,
                    "Dimensions": [{"Name": dimension, "Value": value}],
                },
                "Period": _PERIOD_SECONDS,
                "Stat": "Sum",
            },
        }
        for number, (_, namespace, metric, dimension, value) in enumerate(asked)
    ]
    sums = dict.fromkeys((name for name, *_ in asked), 0.0)
    pages = deployment.account.cloudwatch.get_paginator("get_metric_data").paginate(
        MetricDataQueries=queries, StartTime=since, EndTime=until
    )
    for page in pages:
        for result in page["MetricDataResults"]:
            sums[asked[int(result["Id"][1:])][0]] += sum(result["Values"])
    return sums


def _metrics(deployment: Deployment) -> Sequence[tuple[str, str, str, str, str]]:
    """For what, namespace, metric, dimension and its value."""
    names = {"FunctionName": deployment.name, "TableName": deployment.table}
    queues = (
        *(deployment.queue_url, deployment.bulk_queue_url),
        *(deployment.later_queue_url, deployment.dead_letter_queue_url),
    )
    topics = (deployment.topic_arn, deployment.bulk_topic_arn)
    service = deployment.environment.get("POWERTOOLS_SERVICE_NAME", deployment.name)
    function, table = names["FunctionName"], names["TableName"]
    return (
        ("invocations", "AWS/Lambda", "Invocations", "FunctionName", function),
        ("duration", "AWS/Lambda", "Duration", "FunctionName", function),
        ("written", "AWS/DynamoDB", "ConsumedWriteCapacityUnits", "TableName", table),
        ("read", "AWS/DynamoDB", "ConsumedReadCapacityUnits", "TableName", table),
        ("logged", "AWS/Logs", "IncomingBytes", "LogGroupName", deployment.log_group),
        ("sent", "ion", "Sent", "service", service),
        *_others(deployment),
        *(
            ("logged", "AWS/Logs", "IncomingBytes", "LogGroupName", one)
            for one in groups(deployment)
        ),
        *(
            ("published", "AWS/SNS", "NumberOfMessagesPublished", "TopicName", arn.split(":")[-1])
            for arn in topics
        ),
        *(
            ("sqs", "AWS/SQS", metric, "QueueName", url.rpartition("/")[2])
            for url in queues
            for metric in _SQS
        ),
    )


def _others(deployment: Deployment) -> Iterator[tuple[str, str, str, str, str]]:
    """The same of what may be on beside the relay: events, feedback, unsubscribe, load."""
    name = deployment.name
    for one in (f"{name}-{end}" for end in _OTHER_FUNCTIONS):
        yield "invocations", "AWS/Lambda", "Invocations", "FunctionName", one
        yield "others", "AWS/Lambda", "Duration", "FunctionName", one
        yield "logged", "AWS/Logs", "IncomingBytes", "LogGroupName", f"/aws/lambda/{one}"
    for end in _OTHER_TOPICS:
        yield "published", "AWS/SNS", "NumberOfMessagesPublished", "TopicName", f"{name}-{end}"
    for end in _OTHER_QUEUES:
        for metric in _SQS:
            yield "sqs", "AWS/SQS", metric, "QueueName", f"{name}-{end}"
