"""The emails that have arrived, and a way to wait for more."""

import threading
from collections import deque
from collections.abc import Callable

from ionctl.local.mail_session import Arrived


class Mailbag:
    """Filled by the mail server's thread, read by any other.

    Args:
        most: how many are kept, the newest ones; None: all.
        listener: called with each one, before it is here, from the mail server's thread.
    """

    def __init__(
        self, most: int | None = None, listener: Callable[[Arrived], None] = lambda _email: None
    ) -> None:
        self._emails: deque[Arrived] = deque(maxlen=most)
        self._listener = listener
        self._count = 0
        self._changed = threading.Condition()

    def put(self, email: Arrived) -> None:
        """Add one; `MailServer`'s `on_arrival`."""
        self._listener(email)
        with self._changed:
            self._emails.append(email)
            self._count += 1
            self._changed.notify_all()

    @property
    def emails(self) -> tuple[Arrived, ...]:
        """Those that are kept, the first one first."""
        with self._changed:
            return tuple(self._emails)

    def wait(self, count: int, timeout_seconds: float) -> tuple[Arrived, ...]:
        """Wait until `count` emails have come in all; give those that are kept."""
        with self._changed:
            self._changed.wait_for(lambda: self._count >= count, timeout_seconds)
            return tuple(self._emails)
