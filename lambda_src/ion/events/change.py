"""What happened to an email, read from one record of the ledger's stream.

A record has the row before and after a write, in DynamoDB's types. What the timeline has now and
hadn't before has happened; so a write that is told twice tells the same twice.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from ion.policy.timeline import Entry

EVENT = " event "
"""Begins the key of a row that is there to be told of alone: a message that no email came of."""
_SYSTEM = " "
"""Begins the keys of all rows that aren't an email's."""

Image = Mapping[str, Mapping[str, Any]]
"""A row in DynamoDB's types."""


class UnreadableError(Exception):
    """A record that isn't as ion writes rows. The text says what is wrong, and quotes nothing."""


@dataclass(frozen=True, slots=True)
class Email:
    """What a row says of its email beside the timeline.

    Args:
        email_id: the publisher's, or ion's own.
        published_at: when it was first published, ISO 8601; empty: it isn't known.
        fates: one character a recipient (`policy.lease`); empty: there are none.
        attempts: that were counted.
        lane: "normal" or "bulk"; empty: it isn't known.
        tags: the publisher's.
        header_message_id: the Message-ID, with its angle brackets.
        queue_id: what the server that took it calls it.
    """

    email_id: str
    published_at: str = ""
    fates: str = ""
    attempts: int = 0
    lane: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    header_message_id: str = ""
    queue_id: str = ""


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened.

    Args:
        key: tells it from every other of its type.
        email: as the row has it after that.
        entry: of the timeline.
        path: of bad input: the JSONPath of what is wrong.
    """

    key: tuple[str, ...]
    email: Email
    entry: Entry
    path: str = ""


class _Told(msgspec.Struct, frozen=True):
    """The attribute `told` of a row that no email has."""

    at: str
    email_id: str = ""
    status: str = "dead_lettered"
    reason: str = ""
    stage: str = ""
    path: str = ""
    reply: str = ""
    lane: str = ""
    tags: dict[str, str] = {}
    attempts: int = 0


def happenings(record: Mapping[str, Any]) -> tuple[Happening, ...]:
    """What a record of the stream says, in the order in which it happened; often nothing.

    Args:
        record: as Lambda hands it over (DynamoDB Streams, NEW_AND_OLD_IMAGES).

    Raises:
        UnreadableError: it can't be told.
    """
    try:
        change = record["dynamodb"]
        key, new = change["Keys"]["email_id"]["S"], change.get("NewImage")
        if new is None:
            return ()  # removed by DynamoDB, since its time was over, or by a person who cleans up
        if key.startswith(EVENT):
            return (_told(key, new),) if record["eventName"] == "INSERT" else ()
        if key.startswith(_SYSTEM):
            return ()
        before = _known(change.get("OldImage") or {})
        email = _email(key, new)
        return tuple(
            Happening((key, email.published_at, str(entry.n)), email, entry)
            for entry in _timeline(new)
            if entry not in before
        )
    except (KeyError, TypeError, ValueError, AttributeError, msgspec.MsgspecError) as error:
        raise UnreadableError(type(error).__name__) from error


def _told(key: str, new: Image) -> Happening:
    told = msgspec.json.decode(_text(new, "told"), type=_Told)
    entry = msgspec.convert(
        {
            "n": 1,
            "at": told.at,
            "status": told.status,
            "reason": told.reason,
            "stage": told.stage,
            "reply": told.reply,
        },
        type=Entry,
    )
    email = Email(told.email_id, attempts=told.attempts, lane=told.lane, tags=told.tags)
    return Happening((key,), email, entry, told.path)


def _email(key: str, new: Image) -> Email:
    return Email(
        email_id=key,
        published_at=_text(new, "first_queued_at"),
        fates=_text(new, "fates"),
        attempts=int(new.get("attempts", {}).get("N", 0)),
        lane=_text(new, "lane"),
        tags=json.loads(_text(new, "tags") or "{}"),
        header_message_id=_text(new, "header_message_id"),
        queue_id=_text(new, "queue_id"),
    )


def _known(old: Image) -> Sequence[Entry]:
    """The timeline before; what can't be read is told anew, by the ids that it had."""
    try:
        return _timeline(old)
    except (TypeError, AttributeError, msgspec.MsgspecError):
        return ()


def _timeline(image: Image) -> tuple[Entry, ...]:
    text = _text(image, "timeline")
    return msgspec.json.decode(text, type=tuple[Entry, ...]) if text else ()


def _text(image: Image, name: str) -> str:
    """A string; empty: the row has none of that name."""
    return str(image.get(name, {}).get("S", ""))
