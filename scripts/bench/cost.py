"""The cost sheet: what a million emails cost at list prices, by measured calls, CPU and time."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields

from bench.drains import Drain
from bench.idle import Run
from ionctl.ops import prices

MEMORY_GB = 0.5
"""Of the function, as terraform/ has it."""
MONTH_SECONDS = 30 * 86_400
_MILLION = 1e6
_RUN_SECONDS_AT_MOST = 840.0
_LINGER_SECONDS = 1.0
"""What a run waits for more (`[drain] linger_seconds`)."""
_SETTLE_SECONDS = 0.25
"""What a delete waits for others to share its call with."""
_LARGEST_EXPONENT = 50.0
"""A run that goes on for so long goes on for ever."""
_OWN_REQUESTS = 3
"""To SQS, for an email that comes alone: its receive, the last look at the queue, its delete."""
_LOOK_SECONDS = 5.0
"""A run looks so often at the queues for bulk and for what waits, and at the control row."""
_LOOKS = 2
"""Queues looked at besides the input queue."""
_ROUND_SECONDS = 0.02
"""Between two receives of a run: two calls to AWS."""
_BEGIN_SECONDS = 0.2
"""A warm run's first and last steps: the hold, connection, TLS, login, alarm."""
_RUN_LOG_BYTES = 700
"""Lambda's three lines, and ion's own of a run."""
_BATCH = 10
SWEEP_MINUTES = 5
"""Terraform's `sweep_minutes`."""
_METRICS_OF_MAIL = 4
"""Sent, SmtpTime, PublishToAccept, Connections. A run that finds nothing writes none."""
ALARMS = 20
"""Metrics that the alarms of terraform/ look at: three that wake the function, the others tell a
person, one of them by two metrics."""
_ROW_BYTES = 550
"""A ledger's row, with the name that an SQS message gives to an email."""


@dataclass(frozen=True, slots=True)
class Bill:
    """Dollars, by what they are for."""

    publishing: float
    """SNS."""
    queue: float
    """SQS: in, receive, delete."""
    ledger: float
    """DynamoDB: units, and 30 days of storage."""
    function: float
    """Lambda: time and requests."""
    log: float
    """CloudWatch: the log, and setting the alarm back."""

    @property
    def total(self) -> float:
        """All of it."""
        return sum(self.parts.values())

    @property
    def parts(self) -> Mapping[str, float]:
        """Amounts by name."""
        return {one.name: getattr(self, one.name) for one in fields(self)}


@dataclass(frozen=True, slots=True)
class Steady:
    """A month of emails that come one by one, at random, at a steady rate.

    Args:
        emails_per_s: the rate.
        emails_per_run: on average.
        busy: functions that run at a time, on average.
        bill: for a million emails.
    """

    emails_per_s: float
    emails_per_run: float
    busy: float
    bill: Bill

    @property
    def dollars_a_month(self) -> float:
        """Without what a month costs in any case."""
        return self.bill.total * self.emails_per_s * MONTH_SECONDS / _MILLION


def function_seconds(drain: Drain) -> float:
    """A function's time for an email, from a full queue.

    As measured, but never less than the CPU takes that such a function has.
    """
    share = 1024 * MEMORY_GB / prices.LAMBDA_MB_PER_CPU
    figure = drain.figure
    return max(1 / figure.emails_per_s, figure.cpu_s_per_1000 / 1000 / share)


def backlog(drain: Drain, message_bytes: float) -> Bill:
    """A million emails that are all in the queue when the function begins: the cheapest case."""
    requests = drain.requests_per_1000
    receives = requests.get("sqs.ReceiveMessage", 0) / 1000
    others = sum(n for name, n in requests.items() if name.startswith("sqs.")) / 1000 - receives
    seconds = function_seconds(drain)
    return _million(
        sqs_requests=1 + receives * _chunks(message_bytes / max(receives, 1 / _BATCH)) + others,
        written=drain.written_per_1000 / 1000,
        read=drain.read_per_1000 / 1000,
        seconds=seconds,
        runs=seconds / _RUN_SECONDS_AT_MOST,
        log_bytes=drain.log_bytes_per_email,
    )


def steady(drain: Drain, emails_per_s: float, alone: Run) -> Steady:
    """A million emails that come one by one.

    A run ends when nothing has come for a second; how many emails that makes, and how long it
    lasts, is the busy period of a queue whose every customer stays for that second.

    Args:
        drain: what an email costs in a run of many.
        emails_per_s: the rate.
        alone: what a run for one email asks of AWS.
    """
    stays = _LINGER_SECONDS + function_seconds(drain)
    exponent = min(emails_per_s * stays, _LARGEST_EXPONENT)
    run_seconds = math.expm1(exponent) / emails_per_s + _BEGIN_SECONDS
    emails_per_run = math.exp(exponent)
    if run_seconds > _RUN_SECONDS_AT_MOST:
        run_seconds, emails_per_run = _RUN_SECONDS_AT_MOST, emails_per_s * _RUN_SECONDS_AT_MOST
    seconds = max(run_seconds / emails_per_run, function_seconds(drain))
    receives = 1 / _together(emails_per_s * _ROUND_SECONDS) + 1 / emails_per_run
    deletes = 1 / _together(emails_per_s * _SETTLE_SECONDS)
    runs = 1 / emails_per_run
    looks = runs * run_seconds / _LOOK_SECONDS
    others = runs * (alone.sqs_requests - _OWN_REQUESTS) + _LOOKS * looks
    bill = _million(
        sqs_requests=1 + receives + deletes + others,
        written=drain.written_per_1000 / 1000,
        read=runs * alone.read + looks,
        seconds=seconds,
        runs=runs,
        log_bytes=drain.log_bytes_per_email,
    )
    return Steady(emails_per_s, emails_per_run, seconds * emails_per_s, bill)


def standing_charge(idle: Run) -> float:
    """A month without any email: alarms, and the schedule's looks at the queues."""
    return ALARMS * prices.ALARM_MONTH + sweeping(idle)


def metrics() -> float:
    """A month with some email in each hour of it: a metric costs in the hours that have it."""
    return _METRICS_OF_MAIL * prices.METRIC_MONTH


def sweeping(idle: Run, minutes: float = SWEEP_MINUTES) -> float:
    """A month's looks at the queues by schedule, if there is nothing in them.

    Args:
        idle: what one of them asks of AWS.
        minutes: between two of them.
    """
    run = (
        (_LINGER_SECONDS + _BEGIN_SECONDS) * MEMORY_GB * prices.LAMBDA_GB_SECOND
        + prices.LAMBDA_REQUEST
        + idle.sqs_requests * prices.SQS_REQUEST
        + idle.read * prices.DYNAMODB_READ_UNIT
        + idle.requests.get("cloudwatch.SetAlarmState", 0) * prices.CLOUDWATCH_CALL
        + _RUN_LOG_BYTES / 1e9 * (prices.LOG_GB + prices.LOG_GB_MONTH)
    )
    return MONTH_SECONDS / (60 * minutes) * run


def always_running() -> float:
    """Dollars a month for the time of a function that never ends: it can't cost more than that."""
    return MONTH_SECONDS * MEMORY_GB * prices.LAMBDA_GB_SECOND


def _million(
    *,
    sqs_requests: float,
    written: float,
    read: float,
    seconds: float,
    runs: float,
    log_bytes: float,
) -> Bill:
    """The bill for a million emails, from what one needs."""
    storage = (_ROW_BYTES + prices.DYNAMODB_ROW_OVERHEAD_BYTES) / 1e9 if written else 0.0
    log_bytes += runs * _RUN_LOG_BYTES
    per_email = Bill(
        publishing=prices.SNS_PUBLISH,
        queue=sqs_requests * prices.SQS_REQUEST,
        ledger=written * prices.DYNAMODB_WRITE_UNIT
        + read * prices.DYNAMODB_READ_UNIT
        + storage * (prices.DYNAMODB_GB_MONTH + prices.DYNAMODB_RECOVERY_GB_MONTH),
        function=seconds * MEMORY_GB * prices.LAMBDA_GB_SECOND + runs * prices.LAMBDA_REQUEST,
        log=log_bytes / 1e9 * (prices.LOG_GB + prices.LOG_GB_MONTH) + runs * prices.CLOUDWATCH_CALL,
    )
    return Bill(**{name: _MILLION * amount for name, amount in per_email.parts.items()})


def _together(expected: float) -> float:
    """How many share a call when so many are expected meanwhile."""
    return min(max(1.0, expected), _BATCH)


def _chunks(octets: float) -> int:
    return max(1, math.ceil(octets / prices.SQS_CHUNK_BYTES))
