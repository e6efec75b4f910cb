"""Dead letters: looked at without hiding them, sent again, and thrown away once written down."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from ion.aws.errors import AWS_ERRORS
from ion.aws.queue import Queue
from ion.contract import Redrive
from ion.deadletter.look import unbroken
from ion.deadletter.query import reason_of
from ion.deadletter.redrive import Redriving
from ion.deadline import Deadline
from ion.limits import BATCH
from ionctl.ops import letter_file
from ionctl.ops.letter import as_read, died_at
from ionctl.ops.looking import all_of, chooser, count, dead_letters, found, looking, run
from ionctl.ops.result import Letter, LetterGroup, Letters, Moved, ReasonCount
from ionctl.ops.steering import wake
from ionctl.problem import BrokenOff, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from ion.contract import Where
    from ion.message import Draft, Message
    from ionctl.ops.deployment import Deployment

    Progress = Callable[[int, int], None]
    """Is told how many letters have been looked at, and about how many there are."""

_LONGEST_SECONDS = 12 * 3600
"""Of a redrive by hand, which Ctrl-C ends."""
LISTED = 1000
"""Letters that a list looks at, if nothing else is asked for."""
ALL = 10_000_000
"""More than a queue holds: look at every letter."""
_DONE = "done"


def silent(_done: int, _of: int) -> None:
    """Progress that is not shown."""


def look(
    deployment: Deployment,
    where: Where | None = None,
    *,
    ids: Collection[str] = (),
    most: int = LISTED,
    progress: Progress = silent,
) -> Letters:
    """What lies in the dead-letter queue.

    Args:
        deployment: whose.
        where: only these; None: all.
        ids: of SQS messages: only these; empty: all.
        most: look at no more than so many.
        progress: is told of it.

    Raises:
        Problem: the queue can't be read.
    """
    return run(_look(deployment, where, ids, most, progress))


def letter(deployment: Deployment, message_id: str) -> Letter:
    """One letter, with its body.

    Raises:
        Problem: it isn't there, or hidden, or the queue can't be read.
    """

    async def find() -> Letter:
        async with looking(deployment) as at_letters:
            return as_read(await found(deployment, at_letters, message_id), with_body=True)

    return run(find())


def redrive(  # noqa: PLR0913 - what the command's options say
    deployment: Deployment,
    where: Where | None = None,
    *,
    ids: Collection[str] = (),
    maximum: int | None = None,
    rate: float | None = None,
    dry_run: bool = False,
    progress: Progress = silent,
) -> Moved:
    """Put letters back onto the input queue, as the action `redrive` does in the relay.

    Args:
        deployment: whose.
        where: only these; None: all.
        ids: of SQS messages: only these; empty: all.
        maximum: no more than so many.
        rate: so many a second. SQS keeps it, for 15 minutes at most; what has no room in these is
            waited for.
        dry_run: count, and move nothing.
        progress: is told of it.

    Raises:
        Problem: a queue can't be used.
        BrokenOff: by Ctrl-C; it says how many are back in the input queue.
    """
    query = Redrive(
        where=where, max=maximum, rate=None if dry_run else rate, dry_run=dry_run or None
    )
    moved: Counter[str] = Counter()
    with _told_if_broken_off(moved, "moved back to the input queue; the same command goes on"):
        return run(_redrive(deployment, query, ids, progress, moved))


def discard(
    deployment: Deployment,
    where: Where | None = None,
    *,
    ids: Collection[str] = (),
    file: Path,
    progress: Progress = silent,
) -> Moved:
    """Delete letters; each is in a file before that, from which `restore` brings it back.

    Args:
        deployment: whose.
        where: only these; None: all.
        ids: of SQS messages: only these; empty: all.
        file: a new one.
        progress: is told of it.

    Raises:
        Problem: the file can't be written, or the queue can't be used. What is deleted by then is
            in the file.
        BrokenOff: by Ctrl-C; it says how many are discarded.
    """
    done: Counter[str] = Counter()
    with _told_if_broken_off(done, f"discarded, and are in {file}"):
        return run(_discard(deployment, where, ids, file, progress, done))


def restore(deployment: Deployment, file: Path, progress: Progress = silent) -> int:
    """Put the letters of a file into the dead-letter queue again; gives how many.

    Raises:
        Problem: the file can't be read, or not all of it is in the queue now.
        BrokenOff: by Ctrl-C; it says how many of its lines are in the queue.
    """
    drafts = list(letter_file.read(file))  # a broken line is known before anything is sent

    back, sent = Counter[str](), list[bool]()

    async def send(some: Sequence[Draft]) -> None:
        done = await dead_letters(deployment).send(some)
        sent.extend(done)
        back[_DONE] += sum(done)

    async def send_all() -> None:
        for start in range(0, len(drafts), BATCH):
            await unbroken(send(drafts[start : start + BATCH]))
            progress(len(sent), len(drafts))

    with _told_if_broken_off(back, f"put back, the first of {file}"):
        run(send_all())
    unsent = [str(line) for line, ok in enumerate(sent, 1) if not ok]
    if unsent:
        raise Problem(
            f"{len(unsent)} of {len(drafts)} letters could not be put back, those of the lines "
            f"{', '.join(unsent)}: restore a file of these lines alone"
        )
    return len(drafts)


# -- how -----------------------------------------------------------------------------------


async def _look(
    deployment: Deployment,
    where: Where | None,
    ids: Collection[str],
    most: int,
    progress: Progress,
) -> Letters:
    is_chosen = chooser(deployment, where, ids)
    newest: list[tuple[datetime, str, Letter]] = []
    groups: dict[tuple[str, str], LetterGroup] = {}
    is_cut = False
    async with looking(deployment) as at_letters:
        counted = await count(deployment)
        async for some in all_of(at_letters, counted):
            for one in filter(is_chosen, some):
                read = as_read(one, with_body=False)
                at, key = died_at(read, one), (read.reason, read.path)
                groups[key] = _with(groups.get(key), read, at)
                newest.append((at, one.id, read))
            progress(len(at_letters.seen), counted)
            if is_cut := len(at_letters.seen) >= most:
                break
    unseen = max(0, counted - len(at_letters.seen))
    return Letters(
        groups=sorted(groups.values(), key=lambda group: (-group.count, group.reason, group.path)),
        letters=[read for *_, read in sorted(newest, key=lambda one: one[:2], reverse=True)],
        seen=len(at_letters.seen),
        chosen=len(newest),
        hidden=0 if is_cut else unseen,
        more=unseen if is_cut else 0,
    )


def _with(group: LetterGroup | None, read: Letter, at: datetime) -> LetterGroup:
    """The group with one letter more."""
    if group is None:
        meant = f"did you mean {read.did_you_mean}?" if read.did_you_mean else ""
        return LetterGroup(
            reason=read.reason,
            path=read.path,
            hint=read.hint or meant,
            remedy=read.remedy,
            count=1,
            oldest_at=at,
            newest_at=at,
        )
    oldest, newest = min(at, group.oldest_at), max(at, group.newest_at)
    more = group.count + 1
    return msgspec.structs.replace(group, count=more, oldest_at=oldest, newest_at=newest)


async def _redrive(
    deployment: Deployment,
    query: Redrive,
    ids: Collection[str],
    progress: Progress,
    done: Counter[str],
) -> Moved:
    named, asked_at, counted = frozenset(ids), time.time(), await count(deployment)
    redriving = Redriving(
        dead_letters(deployment),
        Queue(deployment.account.sqs, deployment.queue_url),
        _Untold(),
        Deadline.after(_LONGEST_SECONDS),
        deployment.default_sender,
    )
    redriving.is_named = lambda one: not named or one.id in named
    redriving.when_moved = lambda count: done.update({_DONE: count})
    redriving.when_looked = lambda looked_at: progress(looked_at, max(counted, looked_at))
    reasons: Counter[str] = Counter()
    meant = 0
    while True:
        report = await redriving.run(query, asked_at, done[_DONE])
        reasons.update(report.reasons)
        meant, moved = meant + report.meant, done[_DONE]
        if report.error:
            raise Problem(_broken_off(report.error, moved))
        if not report.goes_on or report.hidden:
            break
        await asyncio.sleep(report.pause_seconds)  # its rate fills SQS's longest delay
    return Moved(
        chosen=meant + report.refused,
        done=moved,
        refused=report.refused,
        hidden=report.hidden,
        reasons=counted_reasons(reasons),
        dry_run=bool(query.dry_run),
        woken=moved > 0 and woken(deployment),
    )


async def _discard(
    deployment: Deployment,
    where: Where | None,
    ids: Collection[str],
    file: Path,
    progress: Progress,
    done: Counter[str],
) -> Moved:
    is_chosen, reasons = chooser(deployment, where, ids), Counter[str]()
    queue, counted = dead_letters(deployment), await count(deployment)
    with letter_file.LetterFile(file) as written:
        async with looking(deployment) as at_letters:

            async def throw_away(chosen: Sequence[Message]) -> None:
                written.add(chosen)
                undeleted = await queue.delete(chosen)
                at_letters.moved(one for one in chosen if one not in undeleted)
                done[_DONE] += len(chosen) - len(undeleted)

            async for some in all_of(at_letters, counted):
                if chosen := list(filter(is_chosen, some)):
                    reasons.update(map(reason_of, chosen))
                    await unbroken(throw_away(chosen))
                progress(len(at_letters.seen), max(counted, len(at_letters.seen)))
    return Moved(
        chosen=reasons.total(),
        done=done[_DONE],
        refused=0,
        hidden=max(0, counted - len(at_letters.seen)),
        reasons=counted_reasons(reasons),
        dry_run=False,
        file=str(file) if reasons else "",
    )


def counted_reasons(reasons: Counter[str]) -> list[ReasonCount]:
    """The most frequent first."""
    ordered = sorted(reasons.items(), key=lambda one: (-one[1], one[0]))
    return [ReasonCount(reason=reason, count=count) for reason, count in ordered]


def woken(deployment: Deployment) -> bool:
    """Let the relay look at its queues now; False: it can't be asked, and the schedule does."""
    try:
        wake(deployment)
    except AWS_ERRORS:
        return False
    return True


@contextmanager
def _told_if_broken_off(done: Counter[str], what: str) -> Iterator[None]:
    """Raise BrokenOff on Ctrl-C, with how many letters were done by then."""
    try:
        yield
    except KeyboardInterrupt:
        count = done[_DONE]
        raise BrokenOff(
            f"broken off: {count} dead letter{'s' * (count != 1)} were {what}"
        ) from None


class _Untold:
    """Takes what is told to the relay's log. The counts say as much."""

    def trouble(self, what: str, *, count: int = 1) -> None:
        """Nothing is written."""


def _broken_off(error: str, moved: int) -> str:
    return f"the dead-letter queue can't be read any further ({error}); {moved} were moved before"
