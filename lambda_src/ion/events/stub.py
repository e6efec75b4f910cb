"""What is set aside of a record that is too large for the failure queue: where it came from."""

from collections.abc import Mapping
from typing import Any

from ion.limits import MOST_MESSAGE_BYTES

_LEFT_OUT = "left_out"
_TOO_LARGE = frozenset(
    {
        "BatchRequestTooLong",
        "InvalidParameterValue",
        "InvalidParameterValueException",
        "RequestEntityTooLarge",
        "ValidationException",
    }
)
"""By which SQS refuses a message for its size. It uses some for other faults as well."""
_MOST_ATTRIBUTE_BYTES = 1024
"""Of the attribute that says why; it counts beside the body."""
_KEPT = ("eventID", "eventName", "eventSourceARN")
_KEPT_OF_CHANGE = ("Keys", "SequenceNumber", "ApproximateCreationDateTime")


def is_too_large(body: str, code: str) -> bool:
    """Whether SQS has refused a message for its size, and always will.

    Args:
        body: of the message, ASCII.
        code: AWS's, of the refusal.
    """
    return code in _TOO_LARGE and len(body) > MOST_MESSAGE_BYTES - _MOST_ATTRIBUTE_BYTES


def stub_of(record: Mapping[str, Any], why: str) -> dict[str, Any]:
    """The record without the row: its event's id, the table, the key and the sequence number.

    Args:
        record: of the ledger's stream, as Lambda hands it over.
        why: it can't be told.
    """
    change = record.get("dynamodb") or {}
    return {
        **{name: record[name] for name in _KEPT if name in record},
        "dynamodb": {name: change[name] for name in _KEPT_OF_CHANGE if name in change},
        _LEFT_OUT: f"OldImage, NewImage: too large for SQS ({why})",
    }


def is_stub(record: Mapping[str, Any]) -> bool:
    """True for what `stub_of` has made: nothing can be told of it."""
    return _LEFT_OUT in record
