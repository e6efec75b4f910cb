"""The alarms of the local deployment: those that wake ion, and those that tell a person.

As terraform/wakeup.tf and terraform/alarms.tf make them with the default thresholds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ionctl.local.names import Names
from ionctl.local.variables import Variables
from ionctl.ops.account import Account

if TYPE_CHECKING:
    from typing import TypedDict

    from mypy_boto3_cloudwatch.literals import ComparisonOperatorType, StatisticType
    from mypy_boto3_cloudwatch.type_defs import DimensionTypeDef, MetricDataQueryTypeDef

    class _Measured(TypedDict, total=False):
        """Those arguments of PutMetricAlarm that say what it is about."""

        Namespace: str
        MetricName: str
        Dimensions: list[DimensionTypeDef]
        Statistic: StatisticType
        Period: int
        Metrics: list[MetricDataQueryTypeDef]


_AT_LEAST: "ComparisonOperatorType" = "GreaterThanOrEqualToThreshold"
_MORE: "ComparisonOperatorType" = "GreaterThanThreshold"
_LESS: "ComparisonOperatorType" = "LessThanThreshold"

_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Alarm:
    """One that tells a person.

    Args:
        name: what stands between the deployment's name and "-alarm".
        runbook: anchor in docs/operations.md.
        says: the description, but for its last sentence.
        of: the metric's namespace and its dimension.
        metric: its name; of an expression, that.
        inputs: the names of an expression's metrics, by their ids in it.
        period: seconds of a window.
        windows: how many windows out of `out_of` must be beyond the threshold.
        missing: what a window without data counts as.
    """

    name: str
    runbook: str
    says: str
    of: tuple[str, Mapping[str, str]]
    metric: str
    statistic: "StatisticType" = "Sum"
    comparison: "ComparisonOperatorType" = _AT_LEAST
    threshold: float = 1
    period: int = 300
    windows: int = 1
    out_of: int = 1
    missing: str = "notBreaching"
    inputs: Mapping[str, str] = field(default_factory=dict)


def put(clients: Account, names: Names, variables: Variables) -> None:
    """Create all of them."""
    _put_those_that_wake(clients, names)
    events = _of_events(names) if variables.events else ()
    feedback = _of_feedback(names) if variables.feedback else ()
    unsubscribing = _of_unsubscribing(names) if variables.unsubscribe else ()
    for alarm in (*alarms(names), *events, *feedback, *unsubscribing):
        clients.cloudwatch.put_metric_alarm(
            AlarmName=f"{names.name}-{alarm.name}-alarm",
            AlarmDescription=f"{alarm.says} What to do: docs/operations.md#{alarm.runbook}",
            **_measured(alarm),
            ComparisonOperator=alarm.comparison,
            Threshold=alarm.threshold,
            DatapointsToAlarm=alarm.windows,
            EvaluationPeriods=alarm.out_of,
            TreatMissingData=alarm.missing,
            AlarmActions=list(variables.alarm_topic_arns),
            OKActions=list(variables.alarm_topic_arns),
        )


def _measured(alarm: Alarm) -> "_Measured":
    """What it is about, as PutMetricAlarm has it."""
    namespace, by = alarm.of
    dimensions: list[DimensionTypeDef] = [
        {"Name": name, "Value": value} for name, value in by.items()
    ]
    if not alarm.inputs:
        return {
            "Namespace": namespace,
            "MetricName": alarm.metric,
            "Dimensions": dimensions,
            "Statistic": alarm.statistic,
            "Period": alarm.period,
        }
    inputs: list[MetricDataQueryTypeDef] = [
        {
            "Id": one,
            "ReturnData": False,
            "MetricStat": {
                "Metric": {"Namespace": namespace, "MetricName": name, "Dimensions": dimensions},
                "Stat": alarm.statistic,
                "Period": alarm.period,
            },
        }
        for one, name in alarm.inputs.items()
    ]
    told: MetricDataQueryTypeDef = {
        "Id": "told",
        "Expression": alarm.metric,
        "Label": alarm.name,
        "ReturnData": True,
    }
    return {"Metrics": [told, *inputs]}


def _put_those_that_wake(clients: Account, names: Names) -> None:
    for alarm, queue in (
        (names.alarm, names.queue),
        (names.bulk_alarm, names.bulk_queue),
        (names.later_alarm, names.later_queue),
    ):
        clients.cloudwatch.put_metric_alarm(
            AlarmName=alarm,
            AlarmDescription=f"Wakes ion: emails are waiting in {queue}. Not a fault by itself.",
            Namespace="AWS/SQS",
            MetricName="ApproximateNumberOfMessagesVisible",
            Dimensions=[{"Name": "QueueName", "Value": queue}],
            Statistic="Maximum",
            ComparisonOperator=_AT_LEAST,
            Threshold=1,
            Period=60,
            EvaluationPeriods=1,
            TreatMissingData="notBreaching",
            AlarmActions=[names.alarm_topic_arn],
        )


def alarms(names: Names) -> tuple[Alarm, ...]:
    """Give those that tell a person."""
    return (*_of_ion(names), *_of_queues(names), *_of_the_function(names), *_of_topics(names))


def _of_ion(names: Names) -> tuple[Alarm, ...]:
    ion = ("ion", {"service": names.function})
    return (
        Alarm(
            "held",
            "held",
            "For 10 minutes runs have left mail behind that should go: no mail server lets ion "
            "in, or its ledger or queues can't be used. It waits, and nothing is lost. The log "
            'event "run ended" says why (held), "delivery suspended" what the server said.',
            ion,
            "Held",
            windows=3,
            out_of=4,
        ),
        Alarm(
            "misconfigured",
            "misconfigured",
            "A setting or the secret is wrong, so nothing is received. All mail waits. The log "
            'event "settings" names the key and what would be right.',
            ion,
            "Misconfigured",
        ),
        Alarm(
            "deadletter",
            "dead-letters",
            f"Mail could not be sent: it is in {names.dead_letter_queue}, and each message says "
            "why. Mend that, then redrive it.",
            ion,
            "DeadLettered",
        ),
        Alarm(
            "backup-server",
            "on-backup",
            "Mail goes over another server than the first, and has for 10 minutes or longer. The "
            'log event "delivery suspended" says what is wrong with the first.',
            ion,
            "OnBackup",
            windows=3,
            out_of=10,
        ),
        Alarm(
            "previous-login",
            "on-previous-login",
            "The mail server refuses the login in the secret, and mail goes out with the one that "
            "the secret had before, as long as that works. Put the right one into the secret.",
            ion,
            "OnPreviousLogin",
            windows=3,
            out_of=10,
        ),
        Alarm(
            "deferred",
            "deferred",
            "For 4 hours the mail server has put off all mail that it was asked to take, and has "
            'taken none. It is tried again until it is given up. The log events "deferred" have '
            "the server's words.",
            ion,
            "IF(FILL(deferred, 0) > 0 AND sent < 1, 1, 0)",
            period=7200,
            windows=3,
            out_of=3,
            inputs={"deferred": "Deferred", "sent": "Sent"},
        ),
        Alarm(
            "paused",
            "paused",
            "A lane has been paused for 24 hours, and its mail waits: ./ionctl status says since "
            "when and why, ./ionctl resume ends it.",
            ion,
            "Paused",
            period=3600,
            windows=24,
            out_of=24,
        ),
    )


def _of_queues(names: Names) -> tuple[Alarm, ...]:
    return (
        Alarm(
            "deadletter-age",
            "dead-letters-old",
            f"Dead letters have been in {names.dead_letter_queue} for 10 days. SQS deletes them "
            "for good after 14: redrive or discard them.",
            ("AWS/SQS", {"QueueName": names.dead_letter_queue}),
            "ApproximateAgeOfOldestMessage",
            "Maximum",
            _MORE,
            threshold=10 * _DAY,
        ),
        Alarm(
            "input-queue-age",
            "old-mail",
            f"Mail that could go has been in {names.queue} for more than 6 hours. What is put off "
            "or scheduled waits elsewhere, and a large mailing in the bulk queue: runs don't get "
            "at this mail, or are too slow for it.",
            ("AWS/SQS", {"QueueName": names.queue}),
            "ApproximateAgeOfOldestMessage",
            "Maximum",
            _MORE,
            threshold=_DAY // 4,
        ),
    )


def _of_the_function(names: Names) -> tuple[Alarm, ...]:
    function = ("AWS/Lambda", {"FunctionName": names.function})
    return (
        Alarm(
            "errors",
            "function-errors",
            f"Runs of {names.function} end with an error: a fault of ion's own, or one that AWS "
            "killed. Mail that it had in hand is tried again. The traceback is in its log.",
            function,
            "Errors",
        ),
        Alarm(
            "timeout",
            "function-timeout",
            f"A run of {names.function} was killed by its timeout of 900 s, or nearly so. A run "
            "ends by itself before that: AWS or a mail server didn't answer in time.",
            function,
            "Duration",
            "Maximum",
            _MORE,
            threshold=895_000,
        ),
        Alarm(
            "no-run",
            "no-run",
            f"{names.function} has not run for 30 minutes, though the schedule starts it every 5: "
            "rule, permission or concurrency.",
            function,
            "Invocations",
            comparison=_LESS,
            period=60,
            windows=30,
            out_of=30,
            missing="breaching",
        ),
    )


def _of_events(names: Names) -> tuple[Alarm, ...]:
    return (
        Alarm(
            "events-failed",
            "events-failed",
            f"Events could not be told: they are in {names.events_queue}, each as a request that "
            f"{names.events_function} takes again. Its log says why.",
            ("AWS/SQS", {"QueueName": names.events_queue}),
            "NumberOfMessagesSent",
        ),
        Alarm(
            "events-late",
            "events-late",
            f"Events are more than 15 minutes late: {names.events_function} doesn't get on, or "
            f"can't publish on {names.outcome_topic}. None is lost for 12 hours. Its log says why.",
            ("AWS/Lambda", {"FunctionName": names.events_function}),
            "IteratorAge",
            "Maximum",
            _MORE,
            threshold=900_000,
        ),
    )


def _of_feedback(names: Names) -> tuple[Alarm, ...]:
    return (
        Alarm(
            "feedback-deadletter",
            "feedback-dead-letters",
            "Notices of bounces and complaints could not be read, or not be written down: they are "
            f"in {names.feedback_dead_letter_queue}, and those addresses are still written to. The "
            f"log of {names.feedback_function} says why.",
            ("AWS/SQS", {"QueueName": names.feedback_dead_letter_queue}),
            "ApproximateNumberOfMessagesVisible",
            "Maximum",
        ),
    )


def _of_topics(names: Names) -> tuple[Alarm, ...]:
    return tuple(
        alarm
        for key, topic in (("input", names.topic), ("bulk", names.bulk_topic))
        for alarm in (
            Alarm(
                f"undelivered-{key}-redriven",
                "undelivered",
                f"SNS could not put mail from {topic} into its queue (policy, key, size): it is in "
                f"{names.dead_letter_queue}, without a reason. Mend that, then redrive it.",
                ("AWS/SNS", {"TopicName": topic}),
                "NumberOfNotificationsRedrivenToDlq",
            ),
            Alarm(
                f"undelivered-{key}-failed",
                "undelivered",
                f"SNS could put mail from {topic} neither into its queue nor into "
                f"{names.dead_letter_queue}: it is lost, and has to be published again. Look at "
                "once at the policies and keys of both queues.",
                ("AWS/SNS", {"TopicName": topic}),
                "NumberOfNotificationsFailedToRedriveToDlq",
            ),
        )
    )


def _of_unsubscribing(names: Names) -> tuple[Alarm, ...]:
    return (
        Alarm(
            "unsubscribe",
            "unsubscribe",
            f"{names.unsubscribe} could not note that somebody unsubscribes: it failed, or the "
            "ledger can't be used. Who clicked was told to come back, or their mail program was. "
            "The log says why.",
            ("AWS/Lambda", {"FunctionName": names.unsubscribe}),
            "Url5xxCount",
        ),
    )
