"""A whole drain as a process of its own: ion's relay or the first ion, its queue already full.

Standard output is what Lambda would put into the log, and goes to a file to be weighed.
"""

import asyncio
import json
import os
import smtplib
import ssl
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from unittest.mock import patch

import boto3

from bench.aws_calls import Calls, watched
from bench.emails import SENDER, address, mime_multipart
from bench.meter import memory_mb
from bench.task import HOST

_SECONDS = 600.0
FIRST_ION = "first ion"
USERNAME, PASSWORD = "bench", "open-sesame"


@dataclass(frozen=True, slots=True)
class Drained:
    """What a drain came to.

    Args:
        emails: sent.
        seconds: from waking up to the end of the run.
        cpu_seconds: of it, user and system.
        memory_mb: the most that the process ever held.
        requests: to AWS, by operation.
        call_seconds: what they took, all of an operation together.
        call_cpu_seconds: CPU of this process for all of them.
        written, read: DynamoDB's units.
    """

    emails: int
    seconds: float
    cpu_seconds: float
    memory_mb: float
    requests: dict[str, int]
    call_seconds: dict[str, float]
    call_cpu_seconds: float
    written: int
    read: int


class Clock:
    """Time and CPU of this process, inside a `with`."""

    seconds = cpu_seconds = 0.0

    def __enter__(self) -> None:
        self._began = time.perf_counter(), time.process_time()

    def __exit__(self, *_: object) -> None:
        began, cpu_before = self._began
        self.seconds = time.perf_counter() - began
        self.cpu_seconds = time.process_time() - cpu_before


def ion(calls: Calls, clock: Clock) -> int:
    """The relay as Lambda runs it; gives the number of emails sent."""
    from ion.deadline import Deadline  # noqa: PLC0415 - not in the first ion's process
    from ion.relay.relay import Relay  # noqa: PLC0415

    with patch.object(boto3, "Session", watched(calls)):
        relay = Relay()
    with clock:
        summary = asyncio.run(relay.run(Deadline.after(_SECONDS)))
    if summary.error or summary.stopped != "empty":
        raise RuntimeError(f"the run ended by {summary.stopped}: {summary.error}")
    return summary.sent


def first_ion(calls: Calls, clock: Clock) -> int:
    """The first ion's loop: one connection, one delete an email, no ledger, no log but a line."""
    queue_url, port, ca_file = (
        os.environ[name] for name in ("ION_AWS_QUEUE_URL", "BENCH_PORT", "BENCH_CA_FILE")
    )
    sqs = boto3.resource("sqs")
    calls.watch(sqs.meta.client)
    queue = sqs.Queue(queue_url)
    sent = 0
    with clock, smtplib.SMTP(HOST, int(port)) as smtp:
        smtp.ehlo()
        smtp.starttls(context=ssl.create_default_context(cafile=ca_file))
        smtp.login(USERNAME, PASSWORD)
        while messages := queue.receive_messages(MaxNumberOfMessages=10):
            for message in messages:
                content = json.loads(message.body)
                smtp.sendmail(SENDER, address(content["recipient"]), mime_multipart(content))
                message.delete()
                sent += 1
                print("Sent email")
    return sent


def main(who: str, answer: Path) -> None:
    """Drain, and write what it came to into a file."""
    calls, clock = Calls(), Clock()
    emails = (first_ion if who == FIRST_ION else ion)(calls, clock)
    drained = Drained(
        emails=emails,
        seconds=clock.seconds,
        cpu_seconds=clock.cpu_seconds,
        memory_mb=memory_mb(),
        requests=dict(calls.requests),
        call_seconds=calls.seconds,
        call_cpu_seconds=calls.cpu_seconds,
        written=calls.written,
        read=calls.read,
    )
    answer.write_text(json.dumps(asdict(drained)), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
