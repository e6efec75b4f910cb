"""CloudWatch's part for the queues: their sizes as a metric, which makes the alarms look.

ministack evaluates alarms, but only when metric data is put, and measures no queue by itself. It
looks at a metric's name alone: one waiting message sets off the alarm of each queue.
"""

import logging
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Self

from botocore.exceptions import BotoCoreError, ClientError

from ionctl.local.names import Names
from ionctl.ops.account import Account

_PERIOD_SECONDS = 60
"""Of the alarm. In the real CloudWatch also the time between two measurements."""
_INTERVAL_SECONDS = 1.0
"""A minute of CloudWatch's passes in a second here, while mail goes."""
_LONGEST_SECONDS = 8.0
"""The same where mail waits and none goes: each look wakes the relay, which is held, or paused."""

_log = logging.getLogger(__name__)


class QueueMetric:
    """Measures input, bulk and later queue, in a thread between `__enter__` and `__exit__`."""

    def __init__(self, clients: Account, names: Names) -> None:
        self._clients = clients
        self._names = names
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="queue metric", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        pause, before = _INTERVAL_SECONDS, dict[str, str]()
        while not self._stop.wait(pause):
            try:
                sizes = self._measure()
                pause, before = pause_after(pause, before, sizes), sizes
            except (BotoCoreError, ClientError, KeyError) as error:
                # the next second brings the next try; one that is killed leaves half an answer
                _log.warning("the queues couldn't be measured: %s", error)

    def _measure(self) -> dict[str, str]:
        """Give how many messages can be received, by queue."""
        names = self._names
        sizes = {
            queue: self._clients.sqs.get_queue_attributes(
                QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"]
            )["Attributes"]["ApproximateNumberOfMessages"]
            for queue, url in (
                (names.queue, names.queue_url),
                (names.bulk_queue, names.bulk_queue_url),
                (names.later_queue, names.later_queue_url),
            )
        }
        # The alarm takes the maximum over its period. Dated so that it leaves the period when the
        # next one comes, a measurement counts for as many seconds here as minutes there; dated
        # now, one waiting message would keep the alarm on for a minute.
        dated = datetime.now(tz=UTC) - timedelta(seconds=_PERIOD_SECONDS - _INTERVAL_SECONDS)
        self._clients.cloudwatch.put_metric_data(
            Namespace="AWS/SQS",
            MetricData=[
                {
                    "MetricName": "ApproximateNumberOfMessagesVisible",
                    "Dimensions": [{"Name": "QueueName", "Value": queue}],
                    "Timestamp": dated,
                    "Value": float(size),
                    "Unit": "Count",
                }
                for queue, size in sizes.items()
            ],
        )
        return sizes


def pause_after(pause: float, before: Mapping[str, str], sizes: Mapping[str, str]) -> float:
    """Seconds until the next measurement: twice as many each time that what waits is the same."""
    waits = any(int(size) for size in sizes.values())
    if not waits or sizes != before:
        return _INTERVAL_SECONDS
    return min(2 * pause, _LONGEST_SECONDS)
