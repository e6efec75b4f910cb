"""A message of a queue, as it was received and as it is to be sent."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Source(StrEnum):
    """The queue that a message is in."""

    INPUT = "input"
    """Normal mail that may go now."""
    BULK = "bulk"
    """Bulk mail that may go now."""
    LATER = "later"
    """What waits: deferred, held over, scheduled."""
    DEAD_LETTERS = "dead_letters"


@dataclass(frozen=True, slots=True)
class Attribute:
    """A message attribute: its data type ("String", "Number", "Binary", with any suffix)."""

    type: str
    value: str | bytes

    @classmethod
    def text(cls, value: str) -> "Attribute":
        """A String attribute."""
        return cls("String", value)

    @property
    def size(self) -> int:
        """Octets that count against SQS's limit, the name's aside."""
        value = self.value.encode() if isinstance(self.value, str) else self.value
        return len(self.type) + len(value)


@dataclass(frozen=True, slots=True)
class Message:
    """A message as received from SQS.

    Args:
        id: SQS's id; a message that is sent again gets another.
        receipt: what SQS wants back to delete or postpone this receive of it.
        body: exactly as published.
        attributes: the publisher's, and ion's own.
        sent_at: when it was put into this queue, seconds since the epoch.
        receives: how often it has been received, this time included.
        source: the queue that it is in.
        group: the publisher's MessageGroupId; on a standard queue it turns on fair queues.
    """

    id: str
    receipt: str = field(repr=False)
    body: str = field(repr=False)
    attributes: Mapping[str, Attribute] = field(repr=False)
    sent_at: float
    receives: int
    source: Source = Source.INPUT
    group: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """A message to be sent.

    Args:
        body, attributes: of it.
        delay_seconds: until it may be received; SQS delays none for more than 900.
        group: its MessageGroupId, if it has one.
    """

    body: str = field(repr=False)
    attributes: Mapping[str, Attribute] = field(repr=False)
    delay_seconds: int = 0
    group: str = ""

    @property
    def size(self) -> int:
        """Octets that count against SQS's limit."""
        named = self.attributes.items()
        return len(self.body.encode()) + sum(len(name) + value.size for name, value in named)
