"""The emails that have arrived, and a way to wait for more."""

import threading

from ionctl.local.mail_server import Arrived


class Mailbag:
    """Filled by the mail server's thread, read by any other."""

    def __init__(self) -> None:
        self._emails: list[Arrived] = []
        self._changed = threading.Condition()

    def put(self, email: Arrived) -> None:
        """Add one; `MailServer`'s `on_arrival`."""
        with self._changed:
            self._emails.append(email)
            self._changed.notify_all()

    @property
    def emails(self) -> tuple[Arrived, ...]:
        """All of them, the first one first."""
        with self._changed:
            return tuple(self._emails)

    def wait(self, count: int, timeout_seconds: float) -> tuple[Arrived, ...]:
        """Wait until there are `count` emails in all; give those there are, fewer in vain."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._emails) >= count, timeout_seconds)
            return tuple(self._emails)
