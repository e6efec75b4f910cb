"""The Lambda's entry: any event is only a wake-up; the queue is the truth."""

import asyncio
from dataclasses import asdict
from functools import cache
from typing import Protocol

from ion.deadline import Deadline
from ion.relay.relay import Relay


class Context(Protocol):
    """Lambda's context of an invocation, as far as ion reads it."""

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the invocation is ended."""


@cache
def _relay() -> Relay:
    """Built at the first invocation of an environment, and then kept."""
    return Relay()


def run(event: object, context: Context) -> dict[str, object]:  # noqa: ARG001 - only a wake-up
    """Drain the queue.

    Args:
        event: a wake-up, which carries no work.
        context: Lambda's.

    Returns:
        The summary: received, sent, deferred, released, dead_lettered, redriven, seconds, stopped,
        error, held, held_by, paused, advice …
    """
    deadline = Deadline.after(context.get_remaining_time_in_millis() / 1000)
    return asdict(asyncio.run(_relay().run(deadline)))
