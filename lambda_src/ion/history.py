"""A message's history through requeues, dead letters and redrives: the attribute `ion`.

SQS gives a moved message a new id and a new age; the key and the first time must not change.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec

from ion.contract import (
    Action,
    BadInput,
    EmailId,
    OutboxClaim,
    Send,
    claim_check,
    given_tags,
    parse,
)
from ion.message import Message
from ion.outcome import Problem, Reason

ION = "ion"
"""The name of the message attribute."""

_Count = Annotated[int, msgspec.Meta(ge=0, le=10_000_000)]
_SqsId = Annotated[str, msgspec.Meta(pattern=r"^[!-~]{1,100}\Z")]


class History(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a message comes from and what has been tried. No address, no content.

    Args:
        email_id: the idempotency key.
        first_queued_at: when it was first put into the input queue.
        original_message_id: the SQS id it had then.
        attempts: how often sending was tried.
        redrives: how often it came back from the dead-letter queue.
        left: indexes of the recipients that this message is about, where others of the same
            email fared otherwise.
        moved: redrives that go on: how many dead letters they have moved so far.
        since: when this life of the message began, if it was copied into another queue since:
            published, redriven, or due for the first time.
        message_id: the SQS id that it had then.
        due: in the queue of what waits: not to be looked at before.
        receives: how often it had been received in other queues.
        lane: "bulk" if it came by the door for bulk.
        tags: the publisher's words about it; not written on copies, whose body has them.
        stage: dead letters: where it ended.
        path: dead letters: the JSONPath of what was wrong with the input.
        problem, did_you_mean: dead letters: in what way, and which field may have been meant.
        failed_at: dead letters: when.
    """

    email_id: EmailId
    first_queued_at: datetime
    original_message_id: _SqsId
    attempts: _Count = 0
    redrives: _Count = 0
    left: tuple[_Count, ...] = ()
    moved: _Count = 0
    since: datetime | None = None
    message_id: _SqsId | None = None
    due: datetime | None = None
    receives: _Count = 0
    lane: str | None = None
    tags: dict[str, str] | None = None
    stage: str | None = None
    path: str | None = None
    problem: str | None = None
    did_you_mean: str = ""
    failed_at: datetime | None = None

    def __post_init__(self) -> None:
        for moment in (self.first_queued_at, self.failed_at, self.since, self.due):
            if moment is not None and moment.utcoffset() != timedelta(0):
                raise ValueError("times are UTC")


def read_history(message: Message) -> History:
    """The history of a message in the input queue; of a new one, the beginning.

    A dead letter can come back without us, by "start DLQ redrive" in SQS's console: that is a
    redrive too.
    """
    history = carried_history(message)
    return history if history.failed_at is None else for_redrive(message)


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a message points to.

    Args:
        content: as the body of a message has it.
        email_id: of the item in the outbox, if it was there.
    """

    content: str = field(repr=False)
    email_id: str | None = None


def resolve(message: Message, fetched: Fetched | None = None) -> tuple[History, Action]:
    """What a message asks for, and its history under the publisher's own key, if it gave one.

    Args:
        message: as received.
        fetched: what it points to; None: nothing, or it isn't known.

    Raises:
        BadInput: it asks for nothing that ion knows.
    """
    history = read_history(message)
    if fetched is None:
        action = parse(message.body)
    elif fetched.email_id is None:
        action = parse(fetched.content)
    else:
        action = parse(fetched.content, default_action="send")
        if not isinstance(action, Send):
            raise BadInput(Reason.INVALID_SCHEMA, "$.action", Problem.VALUE)
        if action.email_id not in (None, fetched.email_id):
            raise BadInput(Reason.INVALID_SCHEMA, "$.email_id", Problem.VALUE)
        history = msgspec.structs.replace(history, email_id=fetched.email_id)
    if isinstance(action, Send) and action.email_id is not None:
        history = msgspec.structs.replace(history, email_id=action.email_id)
    if isinstance(action, Send) and action.tags:
        history = msgspec.structs.replace(history, tags=given_tags(action.tags))
    return history, action


def named_history(message: Message) -> History:
    """The history of a message of which no more can be known: what it points to isn't there."""
    history, claim = read_history(message), claim_check(message.body)
    if isinstance(claim, OutboxClaim):
        return msgspec.structs.replace(history, email_id=claim.email_id)
    return history


def since(message: Message, history: History) -> float:
    """When this life of a message began, seconds since the epoch: its age decides when to give up.

    Copies in other queues are as old as the message that they were made of.
    """
    return message.sent_at if history.since is None else history.since.timestamp()


def message_id(message: Message, history: History) -> str:
    """The SQS id that a message had when this life of it began: that of all copies of it."""
    return history.message_id or message.id


def for_redrive(message: Message) -> History:
    """A dead letter's history, for its next life."""
    history = carried_history(message)
    return msgspec.structs.replace(
        history,
        attempts=0,
        redrives=history.redrives + 1,
        since=None,
        message_id=None,
        due=None,
        receives=0,
        stage=None,
        path=None,
        problem=None,
        did_you_mean="",
        failed_at=None,
    )


def carried_history(message: Message) -> History:
    """The history that is written on a message; for one without, the beginning of it.

    An attribute of that name which isn't ours is treated as if it weren't there.
    """
    written = message.attributes.get(ION)
    if written is not None:
        try:
            return msgspec.json.decode(written.value, type=History)
        except msgspec.DecodeError:
            pass
    return History(
        email_id=message.id,
        first_queued_at=datetime.fromtimestamp(message.sent_at, UTC),
        original_message_id=message.id,
    )
