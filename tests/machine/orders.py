"""What operators had asked for, and when: what the relay did is held against it. Pure."""

import math
from collections.abc import Callable, Iterator

from ion.policy.control import Control
from machine.emails import Email

OBEYED_SECONDS = 11
"""After it was written, an order is obeyed: 10 s (promise, row 77), and one for the calls."""
SENDER = "ion@example.org"
"""From, of all emails here."""


class Orders:
    """The control row through time."""

    def __init__(self) -> None:
        self._versions: list[tuple[float, Control]] = [(-math.inf, Control())]

    def change(self, at: float, control: Control) -> None:
        """The row was written, by the true time."""
        self._versions.append((at, control))

    @property
    def latest(self) -> Control:
        """What the row says now."""
        return self._versions[-1][1]

    def forbade(self, email: Email, at: float, seconds: float, skew_seconds: float) -> str:
        """Why an email could not be sent at a time, nor so many seconds before; "": it could.

        Args:
            email: it.
            at: when, by the true time.
            seconds: since when, at least.
            skew_seconds: of the clock of who sent it, either way: it says when an order ends.
        """
        ended = at + skew_seconds

        def pauses(control: Control) -> bool:
            return bool(email.lanes) and email.lanes <= control.paused_lanes(ended)

        def stops(control: Control) -> bool:
            return _stops(control, email, ended)

        if self._all_along(pauses, at - seconds, at):
            return "paused"
        return "stopped" if self._all_along(stops, at - seconds, at) else ""

    def ever_stopped(self, email: Email) -> bool:
        """True if there was a stop about it at any time."""
        return any(_stops(control, email, -math.inf) for _, control in self._versions)

    def _all_along(self, true: Callable[[Control], bool], since: float, until: float) -> bool:
        return all(true(control) for control in self._between(since, until))

    def _between(self, since: float, until: float) -> Iterator[Control]:
        ends = [start for start, _ in self._versions[1:]] + [math.inf]
        for (start, control), end in zip(self._versions, ends, strict=True):
            if start <= until and end >= since:
                yield control


def _stops(control: Control, email: Email, now: float) -> bool:
    left = range(len(email.recipients))
    return (
        control.stop_about(email.send, now, key=email.key, left=left, default_sender=SENDER)
        is not None
    )
