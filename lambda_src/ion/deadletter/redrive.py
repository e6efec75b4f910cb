"""The dead-letter queue back onto the input queue, losing nothing however it is interrupted."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from ion.aws.queue import Queue, QueueError
from ion.contract import Redrive
from ion.deadletter.letter import requeue_attributes
from ion.deadletter.look import Look, unbroken
from ion.deadletter.query import is_meant, reason_of
from ion.deadline import Deadline
from ion.history import History, carried_history, for_redrive
from ion.limits import BATCH, LONGEST_DELAY_SECONDS
from ion.message import Draft, Message

_MARGIN_SECONDS = 30
"""Of the run, for what a look has found."""
LOOK_HIDES_SECONDS = 120
"""Long enough to move ten letters on a slow day; and if the process dies, its letters can be had
again soon. A letter that comes back before the run is through is known by its id."""
HIDDEN_PAUSE_SECONDS = 120
"""Before another look for letters that are hidden: as long as a run that died may hide them, and
longer than the queue's own visibility timeout does, by which people look."""
PATIENCE_SECONDS = 3600
"""After it was asked for, a redrive doesn't wait any longer for letters that are hidden."""
MOST_REDRIVES = 10
"""A letter that died this often after coming back won't be helped by coming back. A person can
still move it in SQS's console."""


class Troubles(Protocol):
    """Is told what went wrong and will be put right, as `ion.report.telemetry.Telemetry` is."""

    def trouble(self, what: str, *, count: int = 1) -> None:
        """So many letters are affected."""


@dataclass(slots=True)
class Report:
    """The result of a redrive, as far as this run is concerned.

    Args:
        meant: dead letters that it was about, moved or, in a dry run, counted.
        reasons: those, by reason.
        moved: how many are in the input queue now.
        refused: how many have been redriven too often, and stay.
        hidden: about how many could not be looked at, since someone else has received them.
        complete: nothing is left to do.
        goes_on: another run is to go on with it.
        pause_seconds: if so: not before this, or it would be faster than its rate, or too early for
            what is hidden.
        error: why the dead-letter queue could not be read any further.
    """

    meant: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    moved: int = 0
    refused: int = 0
    hidden: int = 0
    complete: bool = False
    goes_on: bool = False
    pause_seconds: int = 0
    error: str = ""


class Redriving:
    """One run's part of a redrive.

    Sends before it deletes: killed in between, a message is in both queues, under one key. A rate
    is kept by SQS: messages are sent with growing delays, and ion doesn't wait.

    Args:
        dead_letters: from there.
        input_queue: to here.
        telemetry: told of trouble.
        deadline: stop by then.
        default_sender: From, of emails that name none.
        is_paused: True once nothing more is to be moved.
    """

    def __init__(
        self,
        dead_letters: Queue,
        input_queue: Queue,
        telemetry: Troubles,
        deadline: Deadline,
        default_sender: str | None = None,
        *,
        is_paused: Callable[[], bool] = lambda: False,
    ) -> None:
        self._dead_letters = dead_letters
        self._input_queue = input_queue
        self._telemetry = telemetry
        self._deadline = deadline
        self._default_sender = default_sender
        self._is_paused = is_paused
        self.is_named: Callable[[Message], bool] = lambda _: True
        """True of the letters among which the query chooses."""
        self.when_looked: Callable[[int], None] = lambda _: None
        """Called with the number of letters that have been looked at."""
        self.when_moved: Callable[[int], None] = lambda _: None
        """Called with the number of letters that have just been moved, even if the run is being
        cancelled."""

    async def run(
        self, query: Redrive, asked_at: float, moved_before: int = 0, most: int = BATCH
    ) -> Report:
        """Move what the dead-letter queue held when it was asked for, as far as the query goes.

        What dies again meanwhile is younger, and stays where it is.

        Args:
            query: what to move.
            asked_at: when it was published, seconds since the epoch on SQS's clock; the same for
                every run that works on it.
            moved_before: how many earlier runs have moved.
            most: dead letters to look at at a time, 1-10.
        """
        report, counted, counted_at = Report(), 0, time.time()
        left = math.inf if query.max is None else max(0, query.max - moved_before)
        fits = math.inf if query.rate is None else math.ceil(query.rate * LONGEST_DELAY_SECONDS)
        room = min(left, fits)
        look = Look(self._dead_letters, LOOK_HIDES_SECONDS)
        try:
            counted = await self._dead_letters.count()
            async with look:
                while report.meant < room and not look.is_through and self._may_go_on():
                    found = await look.more(most)
                    chosen = [one for one in found if self._is_chosen(one, query, asked_at, report)]
                    chosen = chosen[: int(min(room - report.meant, len(chosen)))]
                    at = _delays(report.meant, len(chosen), query.rate)
                    report.meant += len(chosen)
                    for reason in map(reason_of, chosen):
                        report.reasons[reason] = report.reasons.get(reason, 0) + 1
                    if not query.dry_run:
                        report.moved += await unbroken(self._move(look, chosen, at))
                    self.when_looked(len(look.seen))
                    del found, chosen  # before others come: each may be a megabyte
        except QueueError as error:
            report.error = str(error)
        if look.is_through and report.meant < left:
            report.hidden = max(0, counted - sum(at <= counted_at for at in look.seen.values()))
        report.complete = report.meant >= left or (look.is_through and not report.hidden)
        is_too_late = report.hidden and time.time() > asked_at + PATIENCE_SECONDS
        report.goes_on = not (report.complete or query.dry_run or is_too_late)
        if query.rate is not None:
            report.pause_seconds = math.ceil(report.meant / query.rate)
        if report.hidden:
            report.pause_seconds = max(report.pause_seconds, HIDDEN_PAUSE_SECONDS)
        return report

    def _may_go_on(self) -> bool:
        return self._deadline.remaining() >= _MARGIN_SECONDS and not self._is_paused()

    def _is_chosen(self, letter: Message, query: Redrive, asked_at: float, report: Report) -> bool:
        if letter.sent_at > asked_at:  # it died again meanwhile
            return False
        if not self.is_named(letter):
            return False
        if not is_meant(letter, query.where, asked_at, self._default_sender):
            return False
        if carried_history(letter).redrives >= MOST_REDRIVES:
            report.refused += 1
            return False
        return True

    async def _move(self, look: Look, letters: Sequence[Message], delays: Sequence[int]) -> int:
        """Send, and delete what has been sent. What hasn't stays, and is put back."""
        sent = await self._input_queue.send(
            [_alive_again(letter, delay) for letter, delay in zip(letters, delays, strict=True)]
        )
        moved = [letter for letter, ok in zip(letters, sent, strict=True) if ok]
        look.moved(moved)
        self.when_moved(len(moved))
        if len(moved) < len(letters):
            unsent = len(letters) - len(moved)
            self._telemetry.trouble("redrive: not sent, stays dead", count=unsent)
        if unmoved := await self._dead_letters.delete(moved):
            self._telemetry.trouble("redrive: sent but not deleted", count=len(unmoved))
        return len(moved)


def resumption(message: Message, history: History, report: Report) -> Draft:
    """The message that goes on where a redrive had to stop.

    Args:
        message: that asked for it.
        history: its history.
        report: what this run did.
    """
    further = msgspec.structs.replace(history, moved=history.moved + report.moved)
    delay = min(report.pause_seconds, LONGEST_DELAY_SECONDS)
    return Draft(message.body, requeue_attributes(message, further), delay)


def _delays(before: int, count: int, rate: float | None) -> list[int]:
    """Seconds from now for each of `count` messages, `before` others having gone ahead."""
    if rate is None:
        return [0] * count
    return [min(LONGEST_DELAY_SECONDS, int((before + i) / rate)) for i in range(count)]


def _alive_again(letter: Message, delay_seconds: int) -> Draft:
    """The message as it was published, its key kept, its attempts forgotten."""
    attributes = requeue_attributes(letter, for_redrive(letter))
    return Draft(letter.body, attributes, delay_seconds, letter.group)
