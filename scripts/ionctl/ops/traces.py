"""What an email has left behind: its row, its events, its dead letters, its place in a queue."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from ion.aws.errors import AWS_ERRORS
from ion.aws.queue import Queue, QueueError
from ion.aws.table import Table, TableError
from ion.history import carried_history
from ion.message import Source
from ionctl.ops import letters as dead
from ionctl.ops import log
from ionctl.ops.deployment import said
from ionctl.ops.depth import depth
from ionctl.ops.events import ABOUT_EMAILS
from ionctl.ops.letter import as_read
from ionctl.ops.looking import all_of, count, looking
from ionctl.problem import Problem

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from ion.aws.table import Item
    from ion.message import Message
    from ionctl.ops.deployment import Deployment
    from ionctl.ops.log import Event
    from ionctl.ops.result import Letter

Found = TypeVar("Found")

USUAL_SPAN = timedelta(days=1)
"""Of the log that is looked through for an email of which the table knows nothing."""
_A_LITTLE = timedelta(minutes=1)
"""Before the first event: clocks differ."""
_MOST_SEEN = 300
"""Messages of a queue that are looked at. Each look counts as a receive: after three CloudWatch
leaves a message out of the age of the oldest one, after 990 ion gives it up."""
_LOOKS_WITHOUT_NEWS = 5
"""Then the look at a queue ends: SQS shows the same messages again."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message lies.

    Args:
        queue: "input", "bulk" or "later".
        since: when it was put there.
    """

    queue: str
    since: datetime


@dataclass(slots=True)
class Traces:
    """What is known of an email.

    Args:
        asked: what it was looked for by.
        at: when.
        email_id: its key, as far as it is known.
        since: the log was read from then on.
        row: of the ledger's table; None: there is none.
        events: oldest first.
        letters: dead letters, bodies included.
        place: in a queue, if it was found in one.
        seen, counted: messages in queues that were looked at, and that there are; 0, 0: the
            queues weren't looked at, or are empty.
        unknown: what could not be looked at.
        hint: why an id like that may lead nowhere, for people; empty: nothing is known of that.
    """

    asked: str
    at: datetime
    email_id: str
    since: datetime
    row: Item | None = None
    events: list[Event] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)
    place: Place | None = None
    seen: int = 0
    counted: int = 0
    unknown: list[str] = field(default_factory=list)
    hint: str = ""

    @property
    def is_seen(self) -> bool:
        """Whether anything was found."""
        return bool(self.row or self.events or self.letters or self.place)


def traces(
    deployment: Deployment,
    asked: str,
    since: datetime | None = None,
    progress: dead.Progress = dead.silent,
) -> Traces:
    """Look for an email.

    Args:
        deployment: whose.
        asked: its key, or the SQS id of one of its messages.
        since: look through the log from then on; None: from when the table knows that it was
            queued, else for a day.
        progress: is told of the look at dead letters.
    """
    at = datetime.now(UTC)
    found = Traces(asked, at, asked, since or at - USUAL_SPAN)
    found.row = tried(found.unknown, "the ledger", lambda: _row(deployment, asked))
    _read_log(deployment, found, since)
    other = next((one.text("email_id") for one in found.events if one.text("email_id")), asked)
    if other != asked:  # an SQS id: the key is another
        found.email_id = other
        found.row = tried(found.unknown, "the ledger", lambda: _row(deployment, other))
        _read_log(deployment, found, since)
    if _may_be_dead(found):
        letters = tried(
            found.unknown,
            "the dead letters",
            lambda: asyncio.run(_letters(deployment, found, progress)),
        )
        found.letters = letters or []
        if found.row is None and found.letters:
            found.email_id = found.letters[0].email_id
            if found.email_id != asked:
                _read_log(deployment, found, since)
    if _may_be_queued(found):
        tried(found.unknown, "the queues", lambda: asyncio.run(_look_in_queues(deployment, found)))
    return found


def _read_log(deployment: Deployment, found: Traces, since: datetime | None) -> None:
    if since is None and (queued := _moment(found.row)) is not None:
        found.since = min(queued - _A_LITTLE, found.at)
    wanted = log.Wanted(ABOUT_EMAILS, found.email_id)
    part = tried(
        found.unknown, "the log", lambda: log.read(deployment, wanted, found.since, found.at)
    )
    if part is None:
        return
    found.events = part.events
    if part.cut:
        found.unknown.append(
            f"the log: too much to be read, events after {part.until:%Y-%m-%d %H:%M} UTC weren't; "
            "give a later --since"
        )


def _moment(row: Item | None) -> datetime | None:
    """When an email was first queued, as its row has it."""
    try:
        at = datetime.fromisoformat(str(row["first_queued_at"])) if row else None
    except (KeyError, ValueError):
        return None
    return at if at is None or at.tzinfo else at.replace(tzinfo=UTC)


def _row(deployment: Deployment, key: str) -> Item | None:
    table = Table(deployment.account.dynamodb, deployment.table)
    return asyncio.run(table.read([key])).get(key)


def _may_be_dead(found: Traces) -> bool:
    """Bad input has a letter and no row; of a row, one with recipients that weren't served."""
    if found.row is None:
        return True
    return bool(set(str(found.row.get("fates", ""))) & set("d?")) or found.row.get("status") in (
        *("bounced", "expired", "in_doubt"),
    )


def _may_be_queued(found: Traces) -> bool:
    """Nothing else is known of it, or nothing that is the end."""
    if found.letters:
        return False
    if found.row is None:
        return not found.events
    return found.row.get("status") in ("bounced", "expired", "in_doubt")


async def _letters(deployment: Deployment, found: Traces, progress: dead.Progress) -> list[Letter]:
    """Its dead letters. One that can't be read still may have the key in its text."""
    names = {found.asked, found.email_id}
    written = tuple(f'"email_id": {json.dumps(name)}' for name in sorted(names))
    mine: list[Letter] = []
    async with looking(deployment) as look:
        counted = await count(deployment)
        async for some in all_of(look, counted):
            for one in some:
                read = as_read(one, with_body=True)
                if {one.id, read.email_id} & names or _is_written_in(one, written):
                    mine.append(read)
            progress(len(look.seen), counted)
    if (hidden := counted - len(look.seen)) > 0:
        found.unknown.append(
            f"the dead letters: {hidden} are hidden, since somebody else has received them; look "
            "again in two minutes"
        )
    return mine


def _is_written_in(letter: Message, written: tuple[str, ...]) -> bool:
    spaced = letter.body.replace('"email_id":"', '"email_id": "')
    return any(one in spaced for one in written)


@dataclass(frozen=True, slots=True)
class Looked:
    """What was seen of a queue.

    Args:
        name: "input", "bulk" or "later".
        messages: that could be looked at.
        counted: that there are, hidden ones and those that wait for their time included.
    """

    name: str
    messages: list[Message]
    counted: int


async def in_queues(deployment: Deployment) -> AsyncIterator[Looked]:
    """Some messages of each queue, received without hiding them.

    What waits for its time can't be received.
    """
    for source, url in (
        (Source.INPUT, deployment.queue_url),
        (Source.BULK, deployment.bulk_queue_url),
        (Source.LATER, deployment.later_queue_url),
    ):
        queue = Queue(deployment.account.sqs, url, source)
        holds = depth(deployment.account, url)
        seen: dict[str, Message] = {}
        without_news = 0
        while len(seen) < min(holds.visible, _MOST_SEEN) and without_news < _LOOKS_WITHOUT_NEWS:
            messages = await queue.receive(visibility_seconds=0, wait_seconds=0)
            without_news += {one.id for one in messages} <= seen.keys()
            seen |= {one.id: one for one in messages}
        counted = holds.visible + holds.in_flight + holds.delayed
        yield Looked(source.value, list(seen.values()), counted)


async def _look_in_queues(deployment: Deployment, found: Traces) -> None:
    async for queue in in_queues(deployment):
        found.counted += queue.counted
        found.seen += len(queue.messages)
        for one in queue.messages:
            if found.place is None and _is_it(one, found):
                found.place = Place(queue.name, datetime.fromtimestamp(one.sent_at, UTC))


def _is_it(message: Message, found: Traces) -> bool:
    names = {found.asked, found.email_id}
    written = tuple(f'"email_id": {json.dumps(name)}' for name in names)
    return bool({message.id, carried_history(message).email_id} & names) or _is_written_in(
        message, written
    )


def tried(unknown: list[str], what: str, look: Callable[[], Found]) -> Found | None:
    """What a look gives; None: it can't be looked at, and `unknown` says so."""
    try:
        return look()
    except AWS_ERRORS as error:
        why = said(error)
    except (TableError, QueueError, Problem) as error:
        why = str(error)
    unknown.append(f"{what}: {why}")
    return None
