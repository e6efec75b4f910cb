"""A load test: so many emails at a rate, and how long each took to the mail server."""

from __future__ import annotations

import json
import math
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from ion.contract import Lane
from ion.limits import BATCH
from ionctl.ops import log
from ionctl.ops.letters import silent
from ionctl.ops.publishing import check
from ionctl.ops.result import Loaded
from ionctl.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ionctl.ops.deployment import Deployment
    from ionctl.ops.letters import Progress

_CALLS_AT_ONCE = 8
_SENT, _DEAD = "sent", "dead_lettered"
_LOOK_SECONDS = 2
_OVERLAP = timedelta(seconds=10)
"""CloudWatch may show a line later than another one that is younger."""


def load(  # noqa: PLR0913 - what the command's options say
    deployment: Deployment,
    recipient: str,
    count: int,
    rate: float,
    *,
    sender: str | None = None,
    bulk: bool = False,
    patience_seconds: float = 60,
    progress: Progress = silent,
) -> Loaded:
    """Publish, and follow the log until each email has had its fate.

    Args:
        deployment: whose.
        recipient: of all of them.
        count: emails.
        rate: of them a second, evenly spread.
        sender: From; None: the relay's.
        bulk: on the topic for bulk.
        patience_seconds: without another fate, after which it ends.
        progress: is told how many have had theirs.

    Raises:
        Problem: the relay would not take such an email.
        botocore's errors: nothing can be published.
    """
    run = uuid4().hex[:8]
    bodies = {
        f"load-{run}-{n}": _email(f"load-{run}-{n}", run, recipient, sender, n)
        for n in range(count)
    }
    checked = check(next(iter(bodies.values())))
    if not checked.ok:
        raise Problem(f"nothing is published: {checked.faults[0].words}")
    began = datetime.now(UTC)
    published = _publish(deployment, bodies, rate, Lane.BULK if bulk else Lane.NORMAL)
    fates = _follow(deployment, published, began, patience_seconds, progress)
    ends = [(key, at) for key, (name, at) in fates.items() if name == _SENT]
    delays = sorted((at - published[key]).total_seconds() for key, at in ends)
    seconds = (max(at for _, at in ends) - began).total_seconds() if ends else 0.0
    return Loaded(
        run=run,
        asked=count,
        published=len(published),
        sent=len(ends),
        dead_lettered=len(fates) - len(ends),
        seconds=seconds,
        per_second=len(ends) / seconds if seconds > 0 else 0.0,
        p50=percentile(delays, 50),
        p95=percentile(delays, 95),
        p99=percentile(delays, 99),
    )


def percentile(ordered: Sequence[float], percent: int) -> float | None:
    """The least of the values that so many of a hundred don't exceed; None: there are none."""
    return ordered[math.ceil(len(ordered) * percent / 100) - 1] if ordered else None


def _email(key: str, run: str, recipient: str, sender: str | None, number: int) -> str:
    fields = {
        "action": "send",
        "email_id": key,
        "recipient": recipient,
        "subject": f"ionctl load {run}, email {number + 1}",
        "body_text": "A test of how fast mail goes.",
        "tags": {"load": run},
    }
    return json.dumps(fields | ({"sender": sender} if sender else {}))


def _publish(
    deployment: Deployment, bodies: Mapping[str, str], rate: float, lane: Lane
) -> dict[str, datetime]:
    """When each was published; without those that SNS didn't take."""
    topic = deployment.bulk_topic_arn if lane is Lane.BULK else deployment.topic_arn
    sns, keys = deployment.account.sns, list(bodies)
    size = max(1, min(BATCH, int(rate)))  # a call a second at the least, ten emails at the most

    def call(batch: list[str]) -> dict[str, datetime]:
        at = datetime.now(UTC)
        answer = sns.publish_batch(
            TopicArn=topic,
            PublishBatchRequestEntries=[{"Id": key, "Message": bodies[key]} for key in batch],
        )
        return {one["Id"]: at for one in answer["Successful"]}

    calls, began = [], time.monotonic()
    with ThreadPoolExecutor(_CALLS_AT_ONCE) as pool:
        for start in range(0, len(keys), size):
            time.sleep(max(0.0, began + start / rate - time.monotonic()))
            calls.append(pool.submit(call, keys[start : start + size]))
    return {key: at for one in calls for key, at in one.result().items()}


def _follow(
    deployment: Deployment,
    published: Mapping[str, datetime],
    began: datetime,
    patience_seconds: float,
    progress: Progress,
) -> dict[str, tuple[str, datetime]]:
    """What became of each and when, by its key; without those that nothing became of in time."""
    fates: dict[str, tuple[str, datetime]] = {}
    since, last = began - _OVERLAP, time.monotonic()
    wanted = log.Wanted(names=(_SENT, _DEAD))
    while len(fates) < len(published) and time.monotonic() < last + patience_seconds:
        part = log.read(deployment, wanted, since)
        before = len(fates)
        for event in part.events:
            if (key := event.text("email_id")) in published:
                fates.setdefault(key, (event.name, event.at))
        if len(fates) > before:
            last = time.monotonic()
        progress(len(fates), len(published))
        since = max(since, part.until - _OVERLAP)
        if len(fates) < len(published) and not part.cut:
            time.sleep(_LOOK_SECONDS)
    return fates
