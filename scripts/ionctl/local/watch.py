"""What happens in a running stack, a line each, told as it happens."""

from collections.abc import Iterator
from queue import Empty, SimpleQueue

from ionctl.local import show
from ionctl.local.function_log import FunctionLog
from ionctl.local.mail_session import Arrived
from ionctl.local.stack import Stack


class Watch:
    """Remembers what has been told already.

    Args:
        stack: one that is up.
        emails: those that arrive, in order.
    """

    def __init__(self, stack: Stack, emails: SimpleQueue[Arrived]) -> None:
        self._stack = stack
        self._emails = emails
        self._dead: frozenset[str] = frozenset()
        self._log = FunctionLog(stack.aws, stack.names)

    def news(self, timeout_seconds: float) -> Iterator[str]:
        """Give what has happened since the last call, after the next email or so many seconds."""
        try:
            yield show.arrived(self._emails.get(timeout=timeout_seconds))
            while True:
                yield show.arrived(self._emails.get_nowait())
        except Empty:
            pass

        for event in self._log.new_events():
            if told := show.event(event):
                yield f"{show.clock()}  {told}"

        dead_letters = self._stack.dead_letters()
        for dead in dead_letters:
            if dead.message_id not in self._dead:
                yield f"{show.clock()}  {show.dead_letter(dead)}"
        self._dead = frozenset(dead.message_id for dead in dead_letters)
