"""A queue as a run sees it: what came of it, and when to ask it again."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from ion.aws.queue import Queue
from ion.contract import Lane
from ion.drain.line import Rank
from ion.limits import BATCH
from ion.message import Message

_LOOK_AGAIN_SECONDS = {Rank.NORMAL: 1.0, Rank.DUE: 5.0, Rank.BULK: 5.0}
"""An empty queue is looked at so often while other mail is being sent."""
_LANES = {Rank.NORMAL: Lane.NORMAL, Rank.BULK: Lane.BULK}


@dataclass(eq=False, slots=True)
class Door:
    """One queue.

    Args:
        queue: it.
        rank: of what comes by it.
        ahead: messages that may be received and not claimed yet.
        most_receives: side by side, as long as the queue has full tens to give.
    """

    queue: Queue
    rank: Rank
    ahead: int
    most_receives: int = 1
    received: deque[Message] = field(default_factory=deque)
    """Not claimed yet."""
    receives: int = 0
    """Calls that are out."""
    is_dry: bool = False
    """The queue gave nothing when it was asked last."""
    asked_after: int = -1
    """Messages that the run had handled when the queue was asked last."""
    gave: bool = False
    """It has given something in this run."""
    is_new: bool = True
    """It hasn't been asked in this run."""
    _is_deep: bool = False
    """It gave all that it was asked for."""
    _dry_at: float = 0.0

    @property
    def lane(self) -> Lane | None:
        """The lane of all that comes by it; None: of either."""
        return _LANES.get(self.rank)

    def ask(self, handled: int) -> None:
        """It is about to be asked, when the run has handled so many messages."""
        self.receives += 1
        self.asked_after = handled
        self.is_new = False

    def fill(self) -> None:
        """The run has put mail into the queue since it was asked last."""
        self.asked_after = -1

    def is_known(self, handled: int, now: float) -> bool:
        """True if what the queue gave last tells what it has.

        What is published while the last messages are sent belongs to the run, if it is normal mail.
        Of the other queues a look some seconds ago will do: asking them once more makes a run that
        sends one email twice as long, and what came meanwhile wakes another run.

        Args:
            handled: messages done with, by now.
            now: seconds on the clock that never goes back.
        """
        if self.asked_after >= handled:
            return True
        was_filled = self.asked_after < 0
        return self.rank is not Rank.NORMAL and not was_filled and bool(self.wait_seconds(now))

    def may_receive(self, now: float, *, at_once: bool) -> bool:
        """True if it is worth a call.

        Args:
            now: seconds on the clock that never goes back.
            at_once: also if it was found empty just now.
        """
        if self.receives and (
            self.is_dry or not self._is_deep or self.receives >= self.most_receives
        ):
            return False
        if self.wait_seconds(now) and not at_once:
            return False
        return len(self.received) + BATCH * self.receives < self.ahead

    def wait_seconds(self, now: float) -> float | None:
        """Seconds until an empty queue is to be asked again; None: it isn't empty, or is asked."""
        if not self.is_dry or self.receives:
            return None
        return max(0.0, self._dry_at + _LOOK_AGAIN_SECONDS[self.rank] - now)

    def waited(self, handled: int) -> None:
        """The call that is out was a long poll: its answer tells of now, not of its beginning."""
        self.asked_after = handled

    def came(self, messages: Sequence[Message], received: int, asked: int, now: float) -> None:
        """A call has brought these.

        Args:
            messages: that may be worked on now.
            received: how many there were, those included that have to wait.
            asked: how many were asked for.
            now: seconds, as above.
        """
        self.receives -= 1
        self.received += messages
        self._is_deep, self.is_dry = received == asked, not received
        self.gave |= not self.is_dry
        if self.is_dry:
            self._dry_at = now
