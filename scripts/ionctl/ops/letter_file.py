"""Dead letters in a file, a JSON object a line, from which they can be restored as they were."""

from __future__ import annotations

import base64
import os
from datetime import UTC, datetime
from io import FileIO
from typing import TYPE_CHECKING, Self

import msgspec

from ion.deadletter.query import reason_of
from ion.history import carried_history
from ion.message import Attribute, Draft
from ionctl.files import create_own
from ionctl.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from ion.message import Message


class WrittenAttribute(msgspec.Struct, frozen=True):
    """A message attribute. `value` is base64 where `type` begins with Binary."""

    type: str
    value: str


class WrittenLetter(msgspec.Struct, frozen=True):
    """A letter as the file has it.

    Args:
        message_id: SQS's, until it was discarded.
        email_id: as written on it; the body may name another.
        sent_at: when it was put into the dead-letter queue.
        group: its MessageGroupId; empty: none.
        body: as published.
    """

    message_id: str
    email_id: str
    reason: str
    first_queued_at: datetime
    died_at: datetime | None
    sent_at: datetime
    group: str
    attributes: dict[str, WrittenAttribute]
    body: str


class LetterFile:
    """A new file, written while the `with` block lasts, and gone if nothing was. 0600.

    Args:
        file: where.

    Raises:
        Problem: there is one already, or it can't be made.
    """

    def __init__(self, file: Path) -> None:
        self._file = FileIO(create_own(file, "name another one with --file"), "w")
        self._name = file
        self._end = 0
        """Octets that are surely on the disk."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        if not self._end:
            self._name.unlink(missing_ok=True)

    def add(self, letters: Sequence[Message]) -> None:
        """Write letters down; they are on the disk when this returns.

        Raises:
            Problem: they aren't.
        """
        lines = b"".join(msgspec.json.encode(_written(letter)) + b"\n" for letter in letters)
        left = memoryview(lines)
        try:
            while left:
                left = left[self._file.write(left) :]
            os.fsync(self._file.fileno())
        except OSError as error:
            self._file.truncate(self._end)  # no half of a line
            raise Problem(
                f"{self._name} can't be written ({error.strerror}): what it has is discarded, "
                "and nothing else"
            ) from error
        self._end += len(lines)


def read(file: Path) -> Iterator[Draft]:
    """The letters of a file, as they are to be put into the queue.

    Raises:
        Problem: it can't be read, or a line is no letter.
    """
    try:
        with file.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                yield _draft(line, f"{file}, line {number}")
    except OSError as error:
        raise Problem(f"{file} can't be read: {error.strerror}") from error


def _written(letter: Message) -> WrittenLetter:
    history = carried_history(letter)
    return WrittenLetter(
        message_id=letter.id,
        email_id=history.email_id,
        reason=reason_of(letter),
        first_queued_at=history.first_queued_at,
        died_at=history.failed_at,
        sent_at=datetime.fromtimestamp(letter.sent_at, UTC),
        group=letter.group,
        attributes={
            name: WrittenAttribute(one.type, _text(one.value))
            for name, one in letter.attributes.items()
        },
        body=letter.body,
    )


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else base64.b64encode(value).decode()


def _draft(line: bytes, where: str) -> Draft:
    try:
        letter = msgspec.json.decode(line, type=WrittenLetter)
        attributes = {
            name: Attribute(
                one.type,
                base64.b64decode(one.value) if one.type.startswith("Binary") else one.value,
            )
            for name, one in letter.attributes.items()
        }
    except ValueError as error:
        raise Problem(f"{where}: this is no letter that ionctl dead discard wrote") from error
    return Draft(letter.body, attributes, group=letter.group)
