"""What keeps mail from going though nothing is broken: switches, limits, and what has piled up."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from ion.aws.control import ControlRow
from ionctl.ops.doctor.check import ok, warning, wrong
from ionctl.program import command

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ionctl.ops.deployment import Deployment
    from ionctl.ops.result import Finding

_SMALL_ACCOUNT = 10
"""Runs at a time that AWS gives a new account; so many it keeps for functions without a share."""


def reserved(deployment: Deployment) -> int | None:
    """Runs that the function may have at a time; None: it shares with others. 0: it is disabled.

    Raises:
        botocore's errors: these credentials may not look.
    """
    answer = deployment.account.functions.get_function_concurrency(FunctionName=deployment.name)
    return answer.get("ReservedConcurrentExecutions")


def switches(deployment: Deployment) -> Iterator[Finding]:
    """Say what an operator has paused or stopped.

    Raises:
        TableError: it can't be known.
    """
    control = ControlRow(deployment.account.dynamodb, deployment.table)
    now, in_force = time.time(), asyncio.run(control.read())
    pauses, stops = in_force.pauses_at(now), in_force.stops_at(now)
    for pause in pauses:
        what = f"the lane {pause.lane}" if pause.lane else "everything"
        said = _said(pause.by, pause.why)
        words = f"{what} is paused until {pause.until:%Y-%m-%d %H:%M} UTC{said}"
        yield warning("paused", words, f"{command('resume')} ends it", about=pause.lane or "")
    for stop in stops:
        which = "some emails are" if stop.where else "every email is"
        said = _said(stop.by, stop.why)
        words = f"{which} dead-lettered until {stop.until:%Y-%m-%d %H:%M} UTC{said}"
        yield warning("stopped", words, f"{command('resume')} ends it", about=stop.id)
    if not pauses and not stops:
        yield ok("paused", "nothing is paused or stopped")


def concurrency(deployment: Deployment) -> Iterator[Finding]:
    """Say how many runs there may be at a time.

    Raises:
        botocore's errors: these credentials may not look.
    """
    share = reserved(deployment)
    if share == 0:
        words = "the function is disabled (concurrency 0): mail waits, and SQS deletes it after 14"
        yield wrong("concurrency", f"{words} days", "enabled = true of the Terraform module")
        return
    limits = deployment.account.functions.get_account_settings()["AccountLimit"]
    most = limits["ConcurrentExecutions"]
    if share is None and most <= _SMALL_ACCOUNT:
        words = f"ion shares the account's {most} runs at a time with all other functions"
        yield warning("concurrency", words, "ask for more: Service Quotas, AWS Lambda")
        return
    runs = "as many runs as the account lets it" if share is None else f"{share} of {most} runs"
    yield ok("concurrency", f"{runs} at a time")


def dead_letters(deployment: Deployment) -> Iterator[Finding]:
    """Count what couldn't be sent; the letters themselves aren't touched.

    Raises:
        botocore's errors: these credentials may not look.
    """
    counted = deployment.account.sqs.get_queue_attributes(
        QueueUrl=deployment.dead_letter_queue_url,
        AttributeNames=[
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
        ],
    )["Attributes"]
    count = sum(map(int, counted.values()))
    if count:
        words = f"about {count} email{'s' * (count != 1)} could not be sent"
        yield warning(
            "dead-letters",
            words,
            f"{command('dead list')} says why, {command('dead redrive')} sends",
        )
    else:
        yield ok("dead-letters", "none")


def log(deployment: Deployment) -> Iterator[Finding]:
    """Say how long the function's log is kept.

    Raises:
        botocore's errors: these credentials may not look.
    """
    name = deployment.log_group
    groups = deployment.account.logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    group = next((one for one in groups if one["logGroupName"] == name), None)
    if group is None:
        words = f"there is no log group {name}, and the function may not make one"
        yield wrong("log", words, "terraform apply makes it anew")
    elif "retentionInDays" not in group:
        yield warning("log", f"{name} is kept for ever", "terraform apply: log_retention_days")
    else:
        yield ok("log", f"kept for {group['retentionInDays']} days")


def _said(by: str, why: str) -> str:
    about = ": ".join(filter(None, (f"by {by}" if by else "", why)))
    return f" ({about})" if about else ""
