"""A dead letter: the publisher's message, and beside it why it was not sent."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from ion.delivery import Delivery
from ion.history import ION, History
from ion.limits import MAX_ATTRIBUTES
from ion.message import Attribute, Message

REASON = "reason"
REPLY = "reply"
IN_USE = frozenset({ION, REASON, REPLY})
"""Names of message attributes that are ion's own."""


def dead_letter_attributes(
    message: Message, history: History, delivery: Delivery, failed_at: datetime
) -> dict[str, Attribute]:
    """The publisher's attributes and ours, which say why. Ours win where there isn't room."""
    outcome = delivery.outcome
    record = msgspec.structs.replace(
        history,
        stage=outcome.stage.value,
        path=delivery.path,
        problem=delivery.problem,
        did_you_mean=delivery.did_you_mean,
        failed_at=failed_at,
    )
    ours = {REASON: Attribute.text(outcome.reason.value), ION: _attribute(record, complete=True)}
    if delivery.reply:  # SQS refuses an empty value
        ours[REPLY] = Attribute.text(delivery.reply)
    theirs = {n: a for n, a in message.attributes.items() if n not in IN_USE}
    return _beside(theirs, ours)


def requeue_attributes(message: Message, history: History) -> dict[str, Attribute]:
    """The publisher's attributes and where the message comes from; nothing of how it died."""
    kept = {n: a for n, a in message.attributes.items() if n not in (REASON, REPLY)}
    return _beside(kept, {ION: _attribute(history, complete=False)})


def _beside(theirs: Mapping[str, Attribute], ours: dict[str, Attribute]) -> dict[str, Attribute]:
    room = MAX_ATTRIBUTES - len(ours)
    kept = [(name, value) for name, value in theirs.items() if name not in ours][:room]
    return dict(kept) | ours


def _attribute(record: History, *, complete: bool) -> Attribute:
    if complete:  # a dead letter is read by people and programs: every field is there
        fields: dict[str, object] = {
            "email_id": record.email_id,
            "stage": record.stage,
            "path": record.path,
            "attempts": record.attempts,
            "first_queued_at": record.first_queued_at,
            "failed_at": record.failed_at,
            "original_message_id": record.original_message_id,
            "redrives": record.redrives,
        }
        for name in ("problem", "did_you_mean", "left", "lane", "tags"):
            if value := getattr(record, name):
                fields[name] = value
        return Attribute.text(msgspec.json.encode(fields).decode())
    record = msgspec.structs.replace(record, tags=None)
    return Attribute.text(msgspec.json.encode(record).decode())
