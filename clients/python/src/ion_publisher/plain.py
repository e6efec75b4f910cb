"""What an application passes, in the types that JSON has."""

import math
from base64 import b64encode
from collections.abc import Mapping, Sequence

from ion.contract import Mailbox, header
from ion.contract.paths import member
from ion.outcome import Problem, Reason
from ion_publisher.attachment import Attachment
from ion_publisher.failures import invalid

_DEEPEST = 100
"""Levels, more than a context may have: what has no end is refused here, and the rest by ion."""
_LARGEST = 10**4000
"""Python writes no integer of more than 4,300 digits."""


def plain(value: object, path: str, depth: int = 0) -> object:
    """The value in the types that JSON has.

    Raises:
        InvalidMessage: it has others in it, or what JSON can't carry.
    """
    if depth > _DEEPEST:
        raise invalid(Reason.INVALID_SCHEMA, path, Problem.TYPE)
    match value:
        case None | bool():
            return value
        case str():
            return _text(value, path)
        case int() | float():
            if not (abs(value) < _LARGEST if isinstance(value, int) else math.isfinite(value)):
                raise invalid(Reason.INVALID_SCHEMA, path, Problem.VALUE)
            return value
        case Mailbox():
            return plain({"email": value.email, "name": value.name}, path, depth)
        case Attachment():
            return plain(_attached(value), path, depth)
        case Mapping():
            return {
                _name(name, path): plain(one, _below(path, str(name)), depth + 1)
                for name, one in value.items()
            }
        case Sequence() if not isinstance(value, bytes | bytearray | memoryview):
            return [plain(one, f"{path}[{i}]", depth + 1) for i, one in enumerate(value)]
        case _:
            raise invalid(Reason.INVALID_SCHEMA, path, Problem.TYPE)


def _text(value: str, path: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise invalid(Reason.INVALID_UNICODE, path) from None
    return value


def _attached(one: Attachment) -> dict[str, object]:
    fields = {
        "filename": one.filename,
        "content_type": one.content_type,
        "content": b64encode(one.content).decode(),
        "content_id": one.content_id,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _name(name: object, path: str) -> str:
    if not isinstance(name, str):
        raise invalid(Reason.INVALID_SCHEMA, f"{path}[*]", Problem.TYPE)
    return _text(name, f"{path}[*]")


def _below(path: str, name: str) -> str:
    return header(path, name) if path in ("$.headers", "$.tags") else member(path, name)
