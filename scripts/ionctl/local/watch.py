"""What happens in a running stack, told as it happens."""

import time
from collections.abc import Iterator

from ionctl.local import show
from ionctl.local.function_log import FunctionLog
from ionctl.local.stack import Stack


class Watch:
    """Remembers what has been told already."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._emails = 0
        self._dead: frozenset[str] = frozenset()
        self._log = FunctionLog(stack.aws, stack.names)

    def wait(self, timeout_seconds: float) -> None:
        """Wait for the next email, or for so long: about other news nobody calls us."""
        self._stack.mailbag.wait(self._emails + 1, timeout_seconds)

    def news(self) -> Iterator[str]:
        """Give what has happened since the last call, ready to be printed."""
        emails = self._stack.mailbag.emails
        for email in emails[self._emails :]:
            yield show.arrived(email)
        self._emails = len(emails)

        for event in self._log.new_events():
            if told := show.event(event):
                yield f"{time.strftime('%H:%M:%S')}  {told}"

        dead_letters = self._stack.dead_letters()
        for dead in dead_letters:
            if dead.message_id not in self._dead:
                yield f"{time.strftime('%H:%M:%S')}  {show.dead_letter(dead)}"
        self._dead = frozenset(dead.message_id for dead in dead_letters)
