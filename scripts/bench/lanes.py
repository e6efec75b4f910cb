"""Normal mail beside bulk: how soon the mail server has it, and what bulk gets meanwhile.

PYTHONPATH=lambda_src:scripts .venv/bench/bin/python -m bench.lanes
"""

import argparse
import asyncio
import itertools
import json
import math
import os
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.daemons import Daemon, module
from bench.emails import published
from bench.quick_aws import Account
from bench.rounds import far_away
from bench.task import HOST
from bench.throttle import Server

LIMIT = 40.0
"""`max_rate`, emails a second."""
RTT_MS, AWS_RTT_MS = 10.0, 5.0
"""To the mail server, and to AWS."""
_ROOT = Path(__file__).parents[2]
_FIRST = 10_000_000
"""Number of the first of the emails that are published one by one."""
_APART_SECONDS = (0.5, 1.5)
"""Between two of them; anything in between."""
_WARM_SECONDS, _SPARE_SECONDS = 3.0, 5.0
_PATIENCE_SECONDS = 60.0
_RUN_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class Case:
    """What waits in the queues, and how many drains there are.

    Args:
        drains: functions side by side, each a process; each has its share of the rate.
        bulk: emails in the queue for bulk.
        normal: emails in the input queue; 0: they are published one by one.
    """

    drains: int
    bulk: int
    normal: int = 0


@dataclass(frozen=True, slots=True)
class Lane:
    """What came of a case.

    Args:
        case: that was measured.
        emails: published one by one.
        median, p95: seconds from the publish of one to its being accepted; None: there were none.
        share: of the rate, that was used meanwhile.
        bulk_share: of the emails accepted meanwhile, those that were bulk.
    """

    case: Case
    emails: int
    median: float | None
    p95: float | None
    share: float
    bulk_share: float


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured.

    Args:
        bulk: emails queued.
        emails: published one by one.
        full_seconds: for which both queues are full.
        drains: the numbers of drains.
    """

    bulk: int
    emails: int
    full_seconds: float
    drains: Sequence[int] = (1, 3)


FULL = Size(bulk=100_000, emails=60, full_seconds=12.0)
QUICK = Size(bulk=2_000, emails=6, full_seconds=5.0)


def run(size: Size, say: Callable[[str], None]) -> list[Lane]:
    """Idle, behind bulk, and with both queues full; for each number of drains."""
    results = []
    for drains in size.drains:
        plenty = round(LIMIT * (_WARM_SECONDS + size.full_seconds + _SPARE_SECONDS))
        for case in (Case(drains, 0), Case(drains, size.bulk), Case(drains, size.bulk, plenty)):
            say(f"lanes: {drains} drains, {case.bulk:,} bulk, {case.normal or 'single'} normal")
            results.append(_measured(case, size))
    return results


def _measured(case: Case, size: Size) -> Lane:
    with (
        tempfile.TemporaryDirectory(prefix="ion-bench-") as name,
        ExitStack() as exit_stack,
        Server(math.inf, strict=False) as server,
    ):
        account = Account(case.normal, bulk=case.bulk)
        exit_stack.callback(account.delete)
        (smtp_port,) = far_away([server.port], RTT_MS, exit_stack)
        (aws_port,) = far_away([account.port], AWS_RTT_MS, exit_stack)
        functions = _functions(case, Path(name), account, smtp_port, aws_port)
        for one in functions:
            exit_stack.enter_context(one)
        for one in functions:
            one.wake()
        time.sleep(_WARM_SECONDS)
        began = time.monotonic()
        if case.normal:
            time.sleep(size.full_seconds)
            seconds = []
        else:
            seconds = _one_by_one(size.emails, account, itertools.cycle(functions), server)
        return _lane(case, seconds, server, began, time.monotonic())


class Function(Daemon):
    """A relay in a process of its own, which begins a run when it is woken."""

    def wake(self) -> None:
        """As the topic does; a run that is under way is followed by another one."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()


def _functions(
    case: Case, folder: Path, account: Account, smtp_port: int, aws_port: int
) -> list[Function]:
    shutil.copy(_ROOT / "config.cfg", folder)
    (folder / "config-secrets.cfg").write_text(
        f"[smtp]\nserver = {HOST}\nport = {smtp_port}\nsecurity = none\n", encoding="utf-8"
    )
    environment = {
        **account.environment,
        "AWS_ENDPOINT_URL": f"http://{HOST}:{aws_port}",
        "LAMBDA_TASK_ROOT": str(folder),
        "ION_SMTP_MAX_RATE": f"{LIMIT:g}",
        "ION_AWS_CONCURRENCY": str(case.drains),
    }
    return [Function(module("bench.lanes", "--function"), environment) for _ in range(case.drains)]


def _one_by_one(
    emails: int, account: Account, functions: "itertools.cycle[Function]", server: Server
) -> list[float]:
    """Seconds that each took."""
    moments = random.Random(1)  # noqa: S311 - the same ones in each case
    published_at: dict[str, float] = {}
    for number in range(_FIRST, _FIRST + emails):
        time.sleep(moments.uniform(*_APART_SECONDS))
        published_at[f"customer{number}@example.org"] = time.monotonic()
        account.publish(published(number))
        next(functions).wake()
    until = time.monotonic() + _PATIENCE_SECONDS
    while (left := published_at.keys() - set(server.recipients)) and time.monotonic() < until:
        time.sleep(0.1)
    if left:
        raise RuntimeError(f"{len(left)} of {emails} emails were not accepted")
    accepted_at = dict(zip(server.recipients, server.taken, strict=True))
    return [accepted_at[recipient] - at for recipient, at in published_at.items()]


def _lane(case: Case, seconds: Sequence[float], server: Server, began: float, ended: float) -> Lane:
    there = zip(server.taken, server.recipients, strict=True)
    meanwhile = [_number(recipient) for at, recipient in there if began < at <= ended]
    bulk = sum(case.normal <= number < _FIRST for number in meanwhile)
    return Lane(
        case=case,
        emails=len(seconds),
        median=statistics.median(seconds) if seconds else None,
        p95=sorted(seconds)[math.ceil(0.95 * len(seconds)) - 1] if seconds else None,
        share=len(meanwhile) / (ended - began) / LIMIT,
        bulk_share=bulk / len(meanwhile),
    )


def _number(recipient: str) -> int:
    return int(recipient.partition("@")[0].removeprefix("customer"))


def _function() -> None:
    """Run whenever a line comes, as Lambda does when it is invoked."""
    from ion.deadline import Deadline  # noqa: PLC0415 - only here
    from ion.relay.relay import Relay  # noqa: PLC0415

    relay = Relay()
    print("ready", flush=True)
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the log
    for _ in sys.stdin:
        asyncio.run(relay.run(Deadline.after(_RUN_SECONDS)))


def main() -> None:
    """Measure, and write the figures to standard output as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer emails")
    parser.add_argument("--function", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.function:
        _function()
        return
    results = run(QUICK if asked.quick else FULL, lambda line: print(line, file=sys.stderr))
    print(json.dumps([asdict(one) for one in results], indent=1))


if __name__ == "__main__":
    main()
