"""Looks at the parts of a relay, each of which may fail without the others."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING, TypeVar

from ion.aws.control import UNREADABLE, ControlRow
from ion.aws.errors import AWS_ERRORS
from ion.aws.server_state import ServerState, ServerStates
from ion.aws.table import TableError
from ionctl.ops import letters as dead
from ionctl.ops import log
from ionctl.ops.alarms import alarms
from ionctl.ops.deployment import said
from ionctl.ops.depth import depth
from ionctl.ops.servers import SUSPENDED
from ionctl.problem import Problem
from ionctl.program import command

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mypy_boto3_cloudwatch.type_defs import MetricDataQueryTypeDef, MetricDataResultTypeDef

    from ion.policy.control import Control
    from ionctl.ops.deployment import Deployment
    from ionctl.ops.log import Part, Wanted
    from ionctl.ops.result import AlarmState, Depth, Letters

Found = TypeVar("Found")

SPAN = timedelta(hours=1)
"""Of the log that is looked at."""
RUN_EVENTS = ("run ended", "settings", *SUSPENDED)
_METRICS_SPAN = timedelta(minutes=15)
_PERIOD_SECONDS = 60
_MOST_PAGES = 5
"""Of each part of the log: a glance takes seconds."""
_MOST_STATES = 16
"""Servers of which the state is read: three rows each, of at most 100."""


class Looks:
    """What a relay's parts say.

    Args:
        deployment: the relay.
    """

    def __init__(self, deployment: Deployment) -> None:
        self.at = datetime.now(UTC)
        self._deployment = deployment
        self._unknown: list[str] = []
        self._urls = {
            "input": deployment.queue_url,
            "bulk": deployment.bulk_queue_url,
            "later": deployment.later_queue_url,
            "dead_letter": deployment.dead_letter_queue_url,
        }

    def begin(self) -> None:
        """Make all clients before looks side by side: boto3 can't do that in several threads."""
        for service in ("cloudwatch", "dynamodb", "functions", "logs", "sns", "sqs"):
            getattr(self._deployment.account, service)

    @property
    def unknown(self) -> list[str]:
        """What could not be looked at, and why."""
        return sorted(self._unknown)

    def of(self, what: str, look: Callable[[], Found]) -> Found | None:
        """What a look gives; None: it can't be looked at."""
        try:
            return look()
        except AWS_ERRORS as error:
            why = said(error)
        except TableError as error:
            why = str(error)
            if why == UNREADABLE:
                why += f": {command('resume')} writes that row anew"
        except Problem as problem:
            why = str(problem)
        self._unknown.append(f"{what}: {why}")
        return None

    def depth(self, which: str) -> Depth | None:
        """How much a queue holds: "input", "bulk", "later", "dead_letter"."""
        url = self._urls[which]
        what = f"the {which.replace('_', '-')} queue"
        return self.of(what, lambda: depth(self._deployment.account, url))

    def may_run(self) -> bool | None:
        """False: the function's reserved concurrency is 0, or Lambda has switched it off."""

        def look() -> bool:
            state = self._deployment.configuration.get("State", "Active")
            reserved = self._deployment.account.functions.get_function_concurrency(
                FunctionName=self._deployment.name
            )
            return reserved.get("ReservedConcurrentExecutions") != 0 and state != "Failed"

        return self.of("the function's concurrency", look)

    def control(self) -> Control | None:
        """Pauses and stops."""
        row = ControlRow(self._deployment.account.dynamodb, self._deployment.table)
        return self.of("pauses and stops", lambda: asyncio.run(row.read()))

    def states(self, servers: Sequence[str]) -> dict[str, ServerState]:
        """What runs have noted about servers, by their sections."""
        table = ServerStates(self._deployment.account.dynamodb, self._deployment.table)
        what, some = "what is known of the mail servers", servers[:_MOST_STATES]
        return self.of(what, lambda: asyncio.run(table.read(some))) or {}

    def alarms(self) -> list[AlarmState]:
        """Those that tell people."""
        return self.of("the alarms", lambda: alarms(self._deployment)) or []

    def dead_letters(self, progress: dead.Progress) -> Letters | None:
        """The first of them, by reason."""
        look = partial(dead.look, self._deployment, progress=progress)
        return self.of("the dead letters' reasons", look)

    def runs(self) -> Part | None:
        """Events of the last hour that tell of whole runs; None: the log can't be read."""
        return self._events("the log", log.Wanted(names=RUN_EVENTS))

    def deferred(self) -> Part | None:
        """Emails that were put off in the last hour."""
        return self._events("emails that were put off", log.Wanted(names=("deferred",)))

    def metrics(self) -> dict[str, list[float]]:
        """Ages of the oldest messages by queue, and emails "sent" a minute: the latest first."""
        deployment = self._deployment
        asked = [
            _metric(
                one, "AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", url.split("/")[-1]
            )
            for one, url in self._urls.items()
        ]
        service = deployment.environment.get("POWERTOOLS_SERVICE_NAME", deployment.name)
        asked.append(_metric("sent", "ion", "Sent", "service", service))

        def look() -> dict[str, list[float]]:
            answer = deployment.account.cloudwatch.get_metric_data(
                MetricDataQueries=asked,
                StartTime=self.at - _METRICS_SPAN,
                EndTime=self.at,
                ScanBy="TimestampDescending",
            )
            return {one["Id"]: latest_first(one) for one in answer["MetricDataResults"]}

        return self.of("ages and rates in CloudWatch", look) or {}

    def _events(self, what: str, wanted: Wanted) -> Part | None:
        look = partial(log.read_back, self._deployment, wanted, SPAN, self.at, _MOST_PAGES)
        part = self.of(what, look)
        if part is not None and part.cut:
            since = f"{part.since:%H:%M}-{part.until:%H:%M} UTC"
            self._unknown.append(f"{what}: too much to be read, only that of {since} was")
        return part


def latest_first(result: MetricDataResultTypeDef) -> list[float]:
    """A metric's values by their times, whatever order an answer of several pages has them in."""
    points = zip(result["Timestamps"], result["Values"], strict=True)
    return [value for _, value in sorted(points, key=itemgetter(0), reverse=True)]


def _metric(
    one: str, namespace: str, name: str, dimension: str, value: str
) -> MetricDataQueryTypeDef:
    return {
        "Id": one,
        "MetricStat": {
            "Metric": {
                "Namespace": namespace,
                "MetricName": name,
                "Dimensions": [{"Name": dimension, "Value": value}],
            },
            "Period": _PERIOD_SECONDS,
            "Stat": "Sum" if one == "sent" else "Maximum",
        },
    }
