"""Input that can't become an email."""

from ion.outcome import Reason


class BadInput(Exception):  # noqa: N818 - it names the input, not a fault of ours
    """A message that is wrong in itself: trying it again can't help.

    Args:
        reason: the stable code that goes onto the dead letter.
        path: JSON path of what is wrong ("$.recipient[0]"). Never the value.
    """

    def __init__(self, reason: Reason, path: str) -> None:
        super().__init__(f"{reason} at {path}")
        self.reason = reason
        self.path = path
