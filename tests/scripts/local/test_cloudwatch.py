"""The sizes of the queues, put into the emulated CloudWatch as the real one measures them."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from ionctl.local import clients
from ionctl.local.cloudwatch import QueueMetric, pause_after
from ionctl.local.names import names_of
from ionctl.ops.account import Account

ACCOUNT = "303030303030"
WAIT_SECONDS = 20


def largest(aws: Account, queue: str) -> float | None:
    """The most messages of a queue that were measured; None: it wasn't yet."""
    now = datetime.now(tz=UTC)
    points = aws.cloudwatch.get_metric_statistics(
        Namespace="AWS/SQS",
        MetricName="ApproximateNumberOfMessagesVisible",
        Dimensions=[{"Name": "QueueName", "Value": queue}],
        StartTime=now - timedelta(hours=1),
        EndTime=now,
        Period=3600,
        Statistics=["Maximum"],
    )["Datapoints"]
    return max((point["Maximum"] for point in points), default=None)


@pytest.mark.parametrize(
    ("pause", "before", "now", "next_pause"),
    [
        (1.0, {}, {"input": "0"}, 1.0),
        (1.0, {}, {"input": "3"}, 1.0),
        (1.0, {"input": "3"}, {"input": "3"}, 2.0),  # none goes: held, or paused
        (4.0, {"input": "3"}, {"input": "3"}, 8.0),
        (8.0, {"input": "3"}, {"input": "3"}, 8.0),
        (8.0, {"input": "3"}, {"input": "2"}, 1.0),  # it goes again
        (8.0, {"input": "3"}, {"input": "4"}, 1.0),
        (8.0, {"input": "0"}, {"input": "0"}, 1.0),
    ],
)
def test_mail_that_waits_and_does_not_go_wakes_the_relay_less_often(
    pause: float, before: dict[str, str], now: dict[str, str], next_pause: float
) -> None:
    assert pause_after(pause, before, now) == next_pause


@pytest.mark.system
def test_each_queue_that_is_drained_is_measured_by_itself(dynamodb_endpoint: str) -> None:
    names = names_of(dynamodb_endpoint, ACCOUNT)
    aws = clients.connect(names)
    queues = (names.queue, names.bulk_queue, names.later_queue)
    for count, queue in enumerate(queues):
        url = aws.sqs.create_queue(QueueName=queue)["QueueUrl"]
        for _ in range(count):
            aws.sqs.send_message(QueueUrl=url, MessageBody="x")
    deadline = time.monotonic() + WAIT_SECONDS
    with QueueMetric(aws, names):
        while (sizes := [largest(aws, queue) for queue in queues]) != [0, 1, 2]:
            assert time.monotonic() < deadline, sizes
            time.sleep(0.05)
