"""The dead-letter queue as ionctl receives from it: to look at it, and to choose."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, TypeVar

from ion.aws.queue import Queue, QueueError
from ion.deadletter.look import Look
from ion.deadletter.query import is_meant
from ion.message import Source
from ionctl.problem import Problem
from ionctl.program import command

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection, Coroutine

    from ion.contract import Where
    from ion.message import Message
    from ionctl.ops.deployment import Deployment

Done = TypeVar("Done")

_HIDES_SECONDS = 60
"""For which letters stay hidden if the process is killed while it looks at them. A thousand take
some seconds."""


def dead_letters(deployment: Deployment) -> Queue:
    """The dead-letter queue."""
    sqs = deployment.account.sqs
    return Queue(sqs, deployment.dead_letter_queue_url, Source.DEAD_LETTERS)


async def all_of(at_letters: Look, counted: int) -> AsyncIterator[list[Message]]:
    """Every letter that isn't hidden, up to ten at a time.

    Once as many have been received as the queue counts, one short poll more has to come back
    empty; before that, two long ones.
    """
    while not at_letters.is_through:
        is_enough = len(at_letters.seen) >= counted
        found = await at_letters.more(wait_seconds=0 if is_enough else 1)
        yield found
        if is_enough and not found:
            return


def chooser(
    deployment: Deployment, where: Where | None, ids: Collection[str]
) -> Callable[[Message], bool]:
    """True of the letters that are asked for; ages count until now."""
    now, named, sender = time.time(), frozenset(ids), deployment.default_sender

    def is_chosen(one: Message) -> bool:
        return (not named or one.id in named) and is_meant(one, where, now, sender)

    return is_chosen


def looking(deployment: Deployment) -> Look:
    """A look at the dead letters."""
    return Look(dead_letters(deployment), _HIDES_SECONDS)


async def count(deployment: Deployment) -> int:
    """About how many letters there are. Raises QueueError."""
    return await dead_letters(deployment).count()


async def found(deployment: Deployment, look: Look, message_id: str) -> Message:
    """The letter of that id. Raises Problem: it isn't there, or hidden."""
    counted = await count(deployment)
    async for letters in all_of(look, counted):
        for letter in letters:
            if letter.id == message_id:
                return letter
    raise Problem(_gone(message_id, counted - len(look.seen)))


def _gone(message_id: str, hidden: int) -> str:
    """Why there is no letter of that id, and what to do."""
    if hidden > 0:
        return (
            f"no letter {message_id} can be seen: {hidden} are hidden, since somebody else has "
            "received them; try again in two minutes"
        )
    return f"there is no letter {message_id}: {command('dead list')} shows those that there are"


def run(work: Coroutine[Any, Any, Done]) -> Done:
    """Wait for it. Raises Problem: SQS can't be used."""
    try:
        return asyncio.run(work)
    except QueueError as error:
        raise Problem(f"the dead-letter queue can't be used: {error}") from error
