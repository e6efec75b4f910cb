"""What the smallest runs ask of AWS: one that finds nothing, and one that finds a single email.

The run lingers as config.cfg says. python -m bench.idle prints both.
"""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.account import Account
from bench.daemons import module
from bench.relay import Drained
from bench.task import HOST
from bench.throttle import Server
from ionctl.local.ministack import Ministack
from ionctl.local.stack import ministack_python

_ROOT = Path(__file__).parents[2]
_TURN_SECONDS = 60
_RATE = 1000.0
"""Emails a second that the mail server takes: more than it gets."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run.

    Args:
        emails: that it found.
        seconds: from waking up to its end.
        requests: to AWS, by operation.
        read: DynamoDB's read units.
    """

    emails: int
    seconds: float
    requests: Mapping[str, int]
    read: int

    @property
    def sqs_requests(self) -> int:
        """To all queues."""
        return sum(count for name, count in self.requests.items() if name.startswith("sqs."))


@dataclass(frozen=True, slots=True)
class SmallRuns:
    """Both.

    Args:
        idle: that finds nothing.
        alone: that finds one email.
    """

    idle: Run
    alone: Run


def measured() -> SmallRuns:
    """Both on ministack, each in a process of its own."""
    with (
        tempfile.TemporaryDirectory(prefix="ion-bench-") as name,
        Ministack(ministack_python(), Path(name)) as ministack,
        Server(_RATE, strict=False) as server,
    ):
        folder = Path(name)
        shutil.copy(_ROOT / "config.cfg", folder)
        (folder / "config-secrets.cfg").write_text(
            f"[smtp]\nserver = {HOST}\nport = {server.port}\nsecurity = none\n", encoding="utf-8"
        )
        idle, alone = (_run(emails, ministack.endpoint, folder) for emails in (0, 1))
    return SmallRuns(idle, alone)


def _run(emails: int, endpoint: str, folder: Path) -> Run:
    account = Account(endpoint, emails)
    answer = folder / "answer.json"
    environment = {
        **{name: text for name, text in os.environ.items() if not name.startswith("AWS_")},
        **account.environment,
        "AWS_ENDPOINT_URL": endpoint,
        "LAMBDA_TASK_ROOT": str(folder),
    }
    subprocess.run(
        module("bench.relay", "ion", answer),
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        timeout=_TURN_SECONDS,
        check=True,
    )
    drained = Drained(**json.loads(answer.read_text(encoding="utf-8")))
    left = account.left()
    account.delete()
    if drained.emails != emails or left:
        raise RuntimeError(f"{drained.emails} of {emails} sent, {left} left")
    return Run(emails, drained.seconds, drained.requests, drained.read)


if __name__ == "__main__":
    print(measured())
