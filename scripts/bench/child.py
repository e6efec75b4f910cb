"""A sender as a process of its own, so that its CPU is its own: a task in, a sample out."""

import json
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING

from bench.task import Task

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.meter import Sample

# Imported when wanted: nobody is to wait for, or to hold in memory, what the others need.
_SENDERS = {
    "one connection": ("bench.standard_library", "one_connection"),
    "connection per email": ("bench.standard_library", "connection_per_email"),
    "aiosmtplib": ("bench.aiosmtplib_pool", "pool"),
    "ion": ("bench.engine", "ion"),
    "smtp-source": ("bench.smtp_source", "smtp_source"),
}


def main() -> None:
    """Do the task in the first argument; standard output has the sample and nothing else."""
    answer = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    task = Task(**json.loads(sys.argv[1]))
    module, name = _SENDERS[task.sender]
    send: Callable[[Task], Sample] = getattr(import_module(module), name)
    json.dump(send(task).as_dict(), answer)
    answer.close()


if __name__ == "__main__":
    main()
