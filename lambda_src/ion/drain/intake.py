"""From the queue to the workers: received ahead of the claims, claimed ahead of the workers.

The two run side by side, since each waits for AWS most of the time. What is only received costs
nothing: it stays hidden, and is put back if its turn doesn't come. What is claimed is what
a process that dies leaves in doubt, so that is kept to what the workers are about to take.
"""

import asyncio
import math
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from ion.aws.queue import Queue, QueueError
from ion.deadline import Deadline
from ion.drain.admission import Admission, Claimed, Suspect, Unclaimed, WorkItem
from ion.drain.gate import Room, SendGate
from ion.drain.memory import Memory
from ion.drain.progress import Progress
from ion.limits import BATCH, VISIBILITY_MARGIN_SECONDS
from ion.message import Message
from ion.outcome import Kind, Outcome, Reason, Scope, Stage
from ion.report.telemetry import Telemetry

_LEDGER_FAILURES = 3
"""Claims in a row without an answer, after which the run ends."""
_LOOK_AGAIN_SECONDS = 1
"""While the last messages are being sent, the queue is looked at so often."""
_RECEIVES = 3
"""Side by side, as long as the queue has full tens to give."""
_CLAIMS = 2
"""Side by side, if there is work for two full calls: a call costs CPU, full or not."""
_MOST_CLAIMED = 2 * BATCH
"""In one call: BatchExecuteStatement takes 25 statements."""


class Intake:
    """Receives and claims until the queue is empty or the run has to stop.

    Args:
        input_queue: what is to be sent.
        admission: says what may be done about a message.
        gate, memory: say how many may be received.
        progress: the run's.
        telemetry: told of a queue that can't be read.
        workers: how many take what is claimed.
        linger_seconds: how long to wait for more when the queue seems empty.
        deadline: of the invocation.
        settled: returns when everything that was handled is settled.
    """

    def __init__(  # noqa: PLR0913 - here the queue, the ledger and the workers meet
        self,
        *,
        input_queue: Queue,
        admission: Admission,
        gate: SendGate,
        memory: Memory,
        progress: Progress,
        telemetry: Telemetry,
        workers: int,
        linger_seconds: int,
        deadline: Deadline,
        settled: Callable[[], Coroutine[Any, Any, None]],
    ) -> None:
        self._input_queue = input_queue
        self._admission = admission
        self._gate = gate
        self._memory = memory
        self._progress = progress
        self._telemetry = telemetry
        self._workers = workers
        self._linger_seconds = linger_seconds
        self._deadline = deadline
        self._settled = settled
        self._received: deque[Message] = deque()
        """Not claimed yet."""
        self._most_received = BATCH * max(1, workers // BATCH)
        self._suspects: deque[WorkItem] = deque()
        self._inbox: asyncio.Queue[WorkItem] = asyncio.Queue()
        self._ahead = 0
        """Messages claimed, or being claimed, that no worker has taken yet."""
        self._under_way = 0
        """Messages received and not settled yet."""
        self._receives = self._claims = 0
        """Calls that are out."""
        self._deep = False
        """The queue gave all that it was asked for when it was asked last."""
        self._dry = False
        """It gave nothing."""
        self._refilled = False
        """A redrive may have put mail where an empty queue was seen."""
        self._no_more = False
        self._waiting: list[asyncio.Event] = []
        progress.when_stopped.append(self._wake)

    # -- what workers ask ----------------------------------------------------------------

    async def take(self) -> WorkItem:
        """The next message to work on; `done` must follow."""
        one = await self._inbox.get()
        self._ahead -= 1
        self._wake()
        return one

    def done(self, message: Message) -> None:
        """A message that was taken has been handled, and is about to be forgotten."""
        self._inbox.task_done()
        self._under_way -= 1
        self._memory.done(message)
        self._heed_ledger()
        self._wake()

    def refilled(self) -> None:
        """Mail was put into the queue: it isn't as empty as it may have looked."""
        self._refilled = True

    # -- receiving -----------------------------------------------------------------------

    async def run(self) -> None:
        """Return when nothing is to be received any more, and what was received is handled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._claim_all(group))
            await self._receive_all(group)
            self._no_more = True
            self._wake()
        await self._inbox.join()

    async def _receive_all(self, group: asyncio.TaskGroup) -> None:
        while not self._progress.stopped:
            if self._progress.out_of_time:
                self._progress.stop("deadline")
            elif self._dry and not self._receives:
                await self._look_again()
            elif not self._may_receive():
                await self._until(lambda: self._may_receive() or self._must_look())
            else:
                room = await self._gate.room()
                room.shrink(min(room.most, self._memory.room()) if self._progress.may_begin else 0)
                if room.most:
                    self._receives += 1
                    self._memory.expect(room.most)
                    group.create_task(self._receive(room))

    def _must_look(self) -> bool:
        """True if there is something else to decide than whether to receive."""
        return not self._progress.may_begin or (self._dry and not self._receives)

    def _may_receive(self) -> bool:
        if self._receives and (self._dry or not self._deep or self._receives >= _RECEIVES):
            return False
        if self._admission.failures and (self._received or self._claims):
            return False  # with the ledger as it is, nothing more may come of it
        few = len(self._received) + BATCH * self._receives < self._most_received
        return few and self._memory.room() > 0

    async def _receive(self, room: Room) -> None:
        with room:
            try:
                messages = await self._input_queue.receive(
                    visibility_seconds=math.ceil(self._deadline.remaining())
                    + VISIBILITY_MARGIN_SECONDS,
                    wait_seconds=self._linger_seconds,
                    most=room.most,
                )
            except QueueError as error:
                self._telemetry.trouble("the input queue can't be read", code=str(error))
                self._progress.stop("queue")
                messages = []
            room.came(len(messages))
        self._receives -= 1
        self._memory.came(messages, room.most)
        self._progress.summary.received += len(messages)
        self._under_way += len(messages)
        self._received += messages
        self._deep, self._dry = len(messages) == room.most, not messages
        self._wake()

    async def _look_again(self) -> None:
        """The queue is empty: what is published while others are sent need not wait for them."""
        self._dry = False
        if self._under_way:
            with suppress(TimeoutError):
                await asyncio.wait_for(
                    self._until(lambda: self._progress.stopped or not self._under_way),
                    _LOOK_AGAIN_SECONDS,
                )
        elif self._refilled:
            self._refilled = False
        else:
            self._progress.stop("empty")

    # -- claiming ------------------------------------------------------------------------

    async def _claim_all(self, group: asyncio.TaskGroup) -> None:
        while not (self._no_more and self._idle()):
            if self._suspects and not self._claims:
                await self._one_by_one()
            elif self._received and not self._progress.may_begin:
                self._line_up(self._admission.unread(self._received.popleft()))
            elif self._may_claim():
                self._claims += 1
                group.create_task(self._claim(self._next()))
            else:
                await self._until(self._has_to_act)

    def _idle(self) -> bool:
        return not (self._received or self._receives or self._claims or self._suspects)

    def _has_to_act(self) -> bool:
        alone = bool(self._suspects) and not self._claims
        given_back = bool(self._received) and not self._progress.may_begin
        return alone or given_back or self._may_claim() or (self._no_more and self._idle())

    def _may_claim(self) -> bool:
        """True if workers will soon have nothing to do. Suspects must be worked on alone."""
        if self._suspects or self._ahead > self._workers // 2:
            return False
        if not self._claims:
            return bool(self._received)
        full = min(self._most_claimed(), len(self._received)) == _MOST_CLAIMED
        return full and self._claims < _CLAIMS and not self._admission.failures

    def _most_claimed(self) -> int:
        """In the next call: ten, or twenty if that leaves no more than one a worker, and ten."""
        return min(_MOST_CLAIMED, self._workers + BATCH - self._ahead) // BATCH * BATCH

    def _next(self) -> list[Message]:
        count = min(self._most_claimed(), len(self._received))
        messages = [self._received.popleft() for _ in range(count)]
        self._ahead += len(messages)
        self._wake()  # there is room for more to be received
        return messages

    async def _claim(self, messages: list[Message]) -> None:
        admitted = await self._admission.admit(messages)
        self._claims -= 1
        self._ahead -= len(messages)
        for one in admitted:
            if one.bodies:
                self._memory.grows(one.message, one.bodies.work_bytes)
            if isinstance(one.task, Suspect):
                self._suspects.append(one)
            else:
                self._line_up(one)
        self._heed_ledger()
        self._wake()

    async def _one_by_one(self) -> None:
        """Suspects, each with nothing else under way.

        A process died with them, over one of them perhaps, and that one must not take the
        others along a second time.
        """
        while self._suspects:
            await self._inbox.join()
            await self._settled()
            suspect = self._suspects.popleft()
            if self._progress.may_begin:
                suspect = await self._admission.admit_alone(suspect)
            self._line_up(suspect)
        await self._inbox.join()

    def _heed_ledger(self) -> None:
        if self._admission.failures >= _LEDGER_FAILURES:
            self._progress.suspend(
                Outcome(Stage.CLAIM, Kind.UNAVAILABLE, Scope.SITE, Reason.LEDGER)
            )

    def _line_up(self, one: WorkItem) -> None:
        self._ahead += 1
        self._gate.line_up(recipients_of(one))
        self._inbox.put_nowait(one)

    # -- waiting for one another ---------------------------------------------------------

    async def _until(self, true: Callable[[], bool]) -> None:
        """Wait for something that only changes where `_wake` follows, or with time."""
        changed = asyncio.Event()
        self._waiting.append(changed)
        try:
            while not true():
                changed.clear()
                await changed.wait()
        finally:
            self._waiting.remove(changed)

    def _wake(self) -> None:
        for changed in self._waiting:
            changed.set()


def recipients_of(one: WorkItem) -> int:
    """Number of an email's recipients; 0: it is none, or is decided already."""
    match one.task:
        case Claimed():
            return len(one.task.targets)
        case Unclaimed():
            return len(one.task.email.envelope.recipients)
        case _:
            return 0
