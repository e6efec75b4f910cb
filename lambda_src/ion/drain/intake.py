"""From the queues to the workers: received ahead of the claims, claimed ahead of the workers.

The two run side by side, since each waits for AWS most of the time. What is only received costs
nothing: it stays hidden, and is put back if its turn doesn't come. What is claimed is what
a process that dies leaves in doubt, so that is kept to what the workers are about to take.
"""

import asyncio
import math
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

from ion.aws.queue import QueueError
from ion.deadline import Deadline
from ion.drain.admission import Admission
from ion.drain.door import Door
from ion.drain.gate import Room, SendGate
from ion.drain.line import Rank
from ion.drain.memory import Memory
from ion.drain.progress import Progress
from ion.drain.queues import Queues
from ion.drain.steering import Steering
from ion.drain.work_item import Suspect, WorkItem
from ion.limits import BATCH, NEARLY_ALL_IN_FLIGHT, VISIBILITY_MARGIN_SECONDS
from ion.message import Message
from ion.outcome import Kind, Outcome, Reason, Scope, Stage
from ion.report.telemetry import Telemetry

_LEDGER_FAILURES = 3
"""Claims in a row without an answer, after which the run ends."""
_RECEIVES = 3
"""Side by side, as long as the queue has full tens to give."""
_CLAIMS = 2
"""Side by side, if there is work for two full calls: a call costs CPU, full or not."""
_MOST_CLAIMED = 2 * BATCH
"""In one call: BatchExecuteStatement takes 25 statements."""


class Intake:
    """Receives and claims until the queues are empty or the run has to stop.

    Args:
        queues: where mail is.
        admission: says what may be done about a message.
        gate, memory: say how many may be received.
        progress: the run's.
        steering: says which lanes are paused, and which emails are stopped.
        telemetry: told of a queue that is at its in-flight limit.
        workers: how many take what is claimed.
        linger_seconds: how long to wait for more when a queue seems empty.
        deadline: of the invocation.
        settled: returns when everything that was handled is settled.
    """

    def __init__(  # noqa: PLR0913 - here the queues, the ledger and the workers meet
        self,
        *,
        queues: Queues,
        admission: Admission,
        gate: SendGate,
        memory: Memory,
        progress: Progress,
        steering: Steering,
        telemetry: Telemetry,
        workers: int,
        linger_seconds: int,
        deadline: Deadline,
        settled: Callable[[], Coroutine[Any, Any, None]],
    ) -> None:
        self._queues = queues
        self._admission = admission
        self._gate = gate
        self._memory = memory
        self._progress = progress
        self._steering = steering
        self._telemetry = telemetry
        self._workers = workers
        self._linger_seconds = linger_seconds
        self._deadline = deadline
        self._settled = settled
        self._now = asyncio.get_running_loop().time
        ahead = BATCH * max(1, workers // BATCH)
        self._doors = (
            Door(queues.input, Rank.NORMAL, ahead, most_receives=_RECEIVES),
            Door(queues.later, Rank.DUE, BATCH),
            Door(queues.bulk, Rank.BULK, ahead),
        )
        """In the order in which they are asked."""
        self._suspects: deque[tuple[WorkItem, Rank]] = deque()
        self._ahead = 0
        """Messages claimed, or being claimed, that no worker has taken yet."""
        self._in_hand = 0
        """Messages lined up and not done with."""
        self._under_way = 0
        """Messages received and not settled yet."""
        self._handled = 0
        """Messages done with."""
        self._claims = 0
        """Calls that are out."""
        self._moved = 0
        """Messages moved to another queue when the queues were last found empty."""
        self._no_more = False
        self._waiting: list[asyncio.Event] = []
        progress.when_stopped.append(self._wake)
        steering.when_changed = self._wake
        gate.when_moved = self._wake

    # -- what workers ask ----------------------------------------------------------------

    async def take(self) -> WorkItem:
        """The next message to work on, when its turn has come; `done` must follow."""
        one = await self._gate.take()
        self._ahead -= 1
        self._wake()
        return one

    def done(self, message: Message) -> None:
        """A message that was taken has been handled, and is about to be forgotten."""
        self._in_hand -= 1
        self._under_way -= 1
        self._handled += 1
        self._memory.done(message)
        self._heed_ledger()
        self._wake()

    # -- receiving -----------------------------------------------------------------------

    async def run(self) -> None:
        """Return when nothing is to be received any more, and what was received is handled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._claim_all(group))
            await self._receive_all(group)
            self._no_more = True
            self._wake()
        await self._all_handled()

    async def _receive_all(self, group: asyncio.TaskGroup) -> None:
        while not self._progress.stopped:
            if self._progress.out_of_time:
                self._progress.stop("deadline")
            elif self._is_empty():
                if not await self._filled_by_us():
                    await self._stop_empty()
            elif (door := self._open_door()) is not None:
                most = min(self._gate.most(door.rank), self._room(door))
                door.ask(self._handled)
                self._memory.expect(most)
                group.create_task(self._receive(door, self._gate.expect(most, door.rank)))
            else:
                await self._until(self._has_to_receive, self._seconds_to_look())

    def _has_to_receive(self) -> bool:
        may = self._open_door() is not None
        return may or not self._progress.may_begin or self._is_empty()

    def _open_door(self) -> Door | None:
        """The first queue that may be asked for more now."""
        if not self._progress.may_begin:
            return None
        received = any(door.received for door in self._doors)
        if self._admission.failures and (received or self._claims):
            return None  # with the ledger as it is, nothing more may come of it
        now, at_rest = self._now(), self._is_at_rest()
        for door in self._open_doors():
            is_known = self._is_known_empty(door, now)
            if at_rest and is_known and door.rank is not Rank.NORMAL:
                continue  # or queues with long polls would keep one another from being found empty
            may = door.may_receive(now, at_once=at_rest and not is_known)
            if may and self._room(door) and self._gate.most(door.rank):
                return door
        return None

    def _room(self, door: Door) -> int:
        """Number of messages that may be asked for at that queue, as far as memory goes."""
        others = sum(one.is_new for one in self._open_doors() if one is not door)
        return self._memory.room(first=door.is_new, kept=others)

    def _open_doors(self) -> list[Door]:
        """All but those of paused lanes."""
        paused = self._steering.paused
        return [door for door in self._doors if door.lane not in paused]

    def _seconds_to_look(self) -> float | None:
        """Seconds until a queue that was empty is asked again; None: none was."""
        waits = (door.wait_seconds(self._now()) for door in self._open_doors())
        return min((wait for wait in waits if wait), default=None)  # at 0 it waits for room

    async def _filled_by_us(self) -> bool:
        """True if this run has moved mail into a queue that it had found empty."""
        moved, self._moved = self._moved, self._progress.summary.moved_to_bulk
        if self._moved == moved:
            return False
        await self._settled()
        for door in self._doors:
            door.fill()
        return True

    async def _stop_empty(self) -> None:
        """Stop, since the queues give nothing: they have nothing, or too much of it is in flight.

        Asked only where it may be so: of the queues that gave nothing in the whole run, and of
        those for bulk and for what waits only if there was no other mail either.
        """
        for door in self._open_doors():
            if door.gave or (door.rank is not Rank.NORMAL and self._progress.summary.received):
                continue
            try:
                visible, hidden = await door.queue.depth()
            except QueueError:  # the next run will tell
                continue
            if visible and hidden >= NEARLY_ALL_IN_FLIGHT:
                name = door.queue.source
                self._telemetry.trouble(f"the {name} queue is at its in-flight limit", count=hidden)
                self._progress.fail("in_flight_limit")
                return
        self._progress.stop("empty")

    def _is_at_rest(self) -> bool:
        return not self._under_way

    def _is_empty(self) -> bool:
        """True if nothing is under way, and each queue is known to have given all that it had."""
        if self._under_way or any(door.receives for door in self._doors):
            return False
        now = self._now()
        return all(self._is_known_empty(door, now) for door in self._open_doors())

    def _is_known_empty(self, door: Door, now: float) -> bool:
        """True if a queue gave nothing when it was asked last, and that is all that it has."""
        return door.is_dry and door.is_known(self._handled, now)

    async def _receive(self, door: Door, room: Room) -> None:
        with room:
            try:
                messages = await door.queue.receive(
                    visibility_seconds=math.ceil(self._deadline.remaining())
                    + VISIBILITY_MARGIN_SECONDS,
                    wait_seconds=self._linger_seconds,
                    most=room.most,
                )
            except QueueError as error:
                self._progress.unreadable(door.queue.source, str(error))
                messages = []
            received = len(messages)
            if door.rank is Rank.DUE and messages:
                messages = await self._queues.due(messages, self._steering.paused)
            room.came(len(messages))
        if self._linger_seconds:
            door.waited(self._handled)
        self._memory.came(messages, room.most)
        self._progress.summary.receive(len(messages), door.queue.source)
        self._under_way += len(messages)
        door.came(messages, received, room.most, self._now())
        self._wake()

    # -- claiming ------------------------------------------------------------------------

    async def _claim_all(self, group: asyncio.TaskGroup) -> None:
        while not (self._no_more and self._idle()):
            if self._suspects and not self._claims:
                await self._one_by_one()
            elif (door := self._to_give_back()) is not None:
                self._line_up(self._admission.unread(door.received.popleft()), door.rank)
            elif self._may_claim():
                self._claims += 1
                group.create_task(self._claim(self._next()))
            else:
                await self._until(self._has_to_act)

    def _to_give_back(self) -> Door | None:
        """A queue of which something was received that can't be begun any more, or is paused."""
        may_begin, paused = self._progress.may_begin, self._steering.paused
        some = (door for door in self._doors if door.received)
        return next((door for door in some if not may_begin or door.lane in paused), None)

    def _idle(self) -> bool:
        busy = any(door.received or door.receives for door in self._doors)
        return not (busy or self._claims or self._suspects)

    def _has_to_act(self) -> bool:
        alone = bool(self._suspects) and not self._claims
        given_back = self._to_give_back() is not None
        return alone or given_back or self._may_claim() or (self._no_more and self._idle())

    def _may_claim(self) -> bool:
        """True if workers will soon have nothing to do. Suspects must be worked on alone."""
        if self._suspects or self._ahead > self._workers // 2:
            return False
        received = sum(len(door.received) for door in self._doors)
        if not self._claims:
            return bool(received)
        full = min(self._most_claimed(), received) == _MOST_CLAIMED
        return full and self._claims < _CLAIMS and not self._admission.failures

    def _most_claimed(self) -> int:
        """In the next call: ten, or twenty if that leaves no more than one a worker, and ten."""
        return min(_MOST_CLAIMED, self._workers + BATCH - self._ahead) // BATCH * BATCH

    def _next(self) -> list[tuple[Message, Rank]]:
        """What is claimed next: the best, but for a tenth that is bulk's."""
        most = self._most_claimed()
        *others, bulk = self._doors
        kept = min(len(bulk.received), max(1, most // BATCH))
        chosen: list[tuple[Message, Rank]] = []
        for door, room in (*((door, most - kept) for door in others), (bulk, most)):
            while door.received and len(chosen) < room:
                chosen.append((door.received.popleft(), door.rank))
        self._ahead += len(chosen)
        self._wake()  # there is room for more to be received
        return chosen

    async def _claim(self, chosen: list[tuple[Message, Rank]]) -> None:
        admitted = await self._admission.admit([message for message, _ in chosen])
        self._claims -= 1
        self._ahead -= len(chosen)
        for one, (_, rank) in zip(admitted, chosen, strict=True):
            if one.bodies:
                self._memory.grows(one.message, one.bodies.work_bytes)
            if isinstance(one.task, Suspect):
                self._suspects.append((one, rank))
            else:
                self._line_up(one, rank)
        self._heed_ledger()
        self._wake()

    async def _one_by_one(self) -> None:
        """Suspects, each with nothing else under way.

        A process died with them, over one of them perhaps, and that one must not take the
        others along a second time.
        """
        while self._suspects:
            await self._all_handled()
            await self._settled()
            suspect, rank = self._suspects.popleft()
            if self._progress.may_begin:
                suspect = await self._admission.admit_alone(suspect)
            self._line_up(suspect, rank)
        await self._all_handled()

    def _heed_ledger(self) -> None:
        if self._admission.failures >= _LEDGER_FAILURES:
            self._progress.suspend(
                Outcome(Stage.CLAIM, Kind.UNAVAILABLE, Scope.SITE, Reason.LEDGER)
            )

    def _line_up(self, one: WorkItem, rank: Rank) -> None:
        self._ahead += 1
        self._in_hand += 1
        # What isn't sent takes no token.
        is_sent = self._steering.stop_about(one) is None
        self._gate.line_up(one, one.recipients if is_sent else 0, rank)

    async def _all_handled(self) -> None:
        """Return when all that was lined up is done with."""
        await self._until(lambda: not self._in_hand)

    # -- waiting for one another ---------------------------------------------------------

    async def _until(self, true: Callable[[], bool], seconds: float | None = None) -> None:
        """Wait for something that only changes where `_wake` follows, or so long."""
        changed = asyncio.Event()
        self._waiting.append(changed)
        try:
            async with asyncio.timeout(seconds):
                while not true():
                    changed.clear()
                    await changed.wait()
        except TimeoutError:
            pass
        finally:
            self._waiting.remove(changed)

    def _wake(self) -> None:
        for changed in self._waiting:
            changed.set()
