"""What a relay cost."""

from datetime import UTC, datetime, timedelta

from ionctl.ops import prices
from ionctl.ops.cost import Used, cost, priced
from relays import Operated


def test_each_use_has_its_price_and_the_dearest_is_first() -> None:
    used = Used(
        invocations=1e6,
        gb_seconds=1000,
        published=2e6,
        sqs_requests=1e6,
        rows_written=1e6,
        rows_read=1e6,
        log_bytes=3e9,
        alarm_months=10,
    )
    lines = {one.what: one.dollars for one in priced(used)}
    assert lines == {
        "CloudWatch: log taken in": 1.5,
        "SNS: publishes": 1.0,
        "CloudWatch: alarms": 1.0,
        "DynamoDB: writes": 0.625,
        "SQS: requests, at most": 0.4,
        "Lambda: requests": 0.2,
        "DynamoDB: reads": 0.125,
        "Lambda: time": round(1000 * prices.LAMBDA_GB_SECOND, 4),
    }
    assert list(lines.values()) == sorted(lines.values(), reverse=True)


def test_what_cloudwatch_counted_is_added_up(relay: Operated) -> None:
    names, at = relay.names, datetime.now(UTC) - timedelta(hours=30)
    for namespace, metric, dimension, value, count in (
        ("ion", "Sent", "service", "ion", 1000),
        ("AWS/Lambda", "Duration", "FunctionName", "ion", 2_000_000),
        ("AWS/SNS", "NumberOfMessagesPublished", "TopicName", names.topic, 900),
        ("AWS/SNS", "NumberOfMessagesPublished", "TopicName", names.bulk_topic, 100),
        ("AWS/SQS", "NumberOfMessagesSent", "QueueName", names.queue, 900),
        ("AWS/SQS", "NumberOfEmptyReceives", "QueueName", names.later_queue, 50),
        ("AWS/SQS", "NumberOfMessagesSent", "QueueName", "another-queue", 9_000_000),
    ):
        relay.clients.cloudwatch.put_metric_data(
            Namespace=namespace,
            MetricData=[
                {
                    "MetricName": metric,
                    "Dimensions": [{"Name": dimension, "Value": value}],
                    "Timestamp": at,
                    "Value": count,
                }
            ],
        )
    found = cost(relay.deployment, days=7)
    amounts = {one.what: one.amount for one in found.lines}
    assert amounts["SNS: publishes"] == 1000
    assert amounts["SQS: requests, at most"] == 950
    assert amounts["Lambda: time"] == 1000  # 512 MB for 2,000 s
    assert found.emails == 1000
    assert found.dollars_a_million == round(found.dollars / 1000 * 1e6, 2)
    assert found.until - found.since == timedelta(days=7)
    assert cost(relay.deployment, days=1).emails == 0


def test_what_is_on_beside_the_relay_is_counted(relay: Operated) -> None:
    at, name = datetime.now(UTC) - timedelta(hours=30), relay.names.name
    sns_log = f"sns/us-east-1/{relay.deployment.topic_arn.split(':')[4]}/{relay.names.topic}"
    for namespace, metric, dimension, value, count in (
        ("AWS/Lambda", "Duration", "FunctionName", f"{name}-events", 1_000_000),
        ("AWS/Lambda", "Duration", "FunctionName", f"{name}-feedback", 600_000),
        ("AWS/Lambda", "Invocations", "FunctionName", f"{name}-unsubscribe", 7),
        ("AWS/SNS", "NumberOfMessagesPublished", "TopicName", f"{name}-outcome-topic", 300),
        ("AWS/SQS", "NumberOfMessagesSent", "QueueName", f"{name}-feedback-queue", 20),
        ("AWS/Logs", "IncomingBytes", "LogGroupName", sns_log, 2_000_000_000),
    ):
        relay.clients.cloudwatch.put_metric_data(
            Namespace=namespace,
            MetricData=[
                {
                    "MetricName": metric,
                    "Dimensions": [{"Name": dimension, "Value": value}],
                    "Timestamp": at,
                    "Value": count,
                }
            ],
        )
    amounts = {one.what: one.amount for one in cost(relay.deployment, days=7).lines}
    assert amounts["Lambda: time"] == 400  # 256 MB for 1,600 s
    assert amounts["Lambda: requests"] == 7
    assert amounts["SNS: publishes"] == 300
    assert amounts["SQS: requests, at most"] == 20
    assert amounts["CloudWatch: log taken in"] == 2


def test_a_relay_of_which_nothing_was_counted_says_so(relay: Operated) -> None:
    found = cost(relay.deployment)
    assert (found.emails, found.dollars_a_million) == (0, None)
    assert any("CloudWatch has counted nothing" in one for one in found.unknown)
    (alarms,) = [one for one in found.lines if one.dollars]
    assert (alarms.what, alarms.amount) == ("CloudWatch: alarms", 19)
