"""A sender that is Postfix's smtp-source, for emails of the same size."""

import json
import resource
import subprocess
import time

from bench.emails import SENDER, mime_multipart, published
from bench.meter import Sample
from bench.task import HOST, Task

_WARM = 2
"""Emails a session in the run that only shows what connecting takes."""


def smtp_source(task: Task) -> Sample:
    """What the emails took, and not connecting, which is in nobody's figures.

    From a server some way off those count that a long run sent and a short one didn't. Next door
    connecting takes no time worth mentioning, and a difference would be mostly noise.
    """
    if not task.far:
        return Sample(task.emails, *_run(task, task.emails))
    warm = _WARM * task.connections
    short, long = _run(task, warm), _run(task, warm + task.emails)
    return Sample(task.emails, long[0] - short[0], long[1] - short[1])


def _run(task: Task, emails: int) -> tuple[float, float]:
    length = len(mime_multipart(json.loads(published(0))))
    before, began = _cpu_seconds(), time.perf_counter()
    subprocess.run(
        [
            task.program,
            "-d",  # keeps its connections
            *("-s", str(task.connections)),
            *("-m", str(emails)),
            *("-l", str(length)),
            *("-M", "sender.example"),
            *("-f", SENDER),
            *("-t", "customer@example.org"),
            f"{HOST}:{task.port}",
        ],
        check=True,
    )
    return time.perf_counter() - began, _cpu_seconds() - before


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
