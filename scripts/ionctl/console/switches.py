"""Faults that the local stack's mail server makes up on request."""

from typing import Protocol

import msgspec


class Mode(msgspec.Struct, frozen=True, kw_only=True):
    """A way to behave.

    Args:
        name: as the server knows it.
        title: for a button.
        words: what the server does, and what ion makes of it.
    """

    name: str
    title: str
    words: str


class Switches(Protocol):
    """A mail server that can be told to behave badly: what comes from now on meets it."""

    @property
    def mode(self) -> str:
        """Name of the mode that it is in."""

    @mode.setter
    def mode(self, mode: str) -> None: ...


MODES = (
    Mode(name="well", title="Well", words="Takes every email."),
    Mode(
        name="wrong_login",
        title="Wrong login",
        words="535 to each login. Mail is held, and the server asked again in 5, 10, 20 … minutes.",
    ),
    Mode(
        name="down",
        title="Down",
        words="No connection is taken. Mail is held, and the server asked again after a while.",
    ),
    Mode(name="slow", title="Slow", words="Each reply comes a second late. Mail goes out slowly."),
    Mode(
        name="full",
        title="Disk full",
        words="452 4.3.1 to each email. Mail is deferred: 1, 5, 15, 30, 60 minutes, then hourly.",
    ),
    Mode(
        name="quota",
        title="Quota used up",
        words="454 Daily message quota exceeded. Mail is held until the quota is a new one.",
    ),
    Mode(
        name="throttle",
        title="Throttled",
        words="One email a second is taken, 454 Maximum sending rate exceeded to the others. Mail "
        "goes out slower, and all of it.",
    ),
)
"""All of them, the good one first."""
