"""What a row says to people who look its email up: by what it is found, and how it fared."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from ion.delivery import Delivery, Status
from ion.drain.line import lane_of
from ion.drain.work_item import WorkItem
from ion.history import message_id
from ion.report.redact import id_in

_BY_FATE = (
    *(Status.DONE, Status.SUPPRESSED, Status.SENT, Status.TO_BULK),
    *(Status.RELEASED, Status.DEFERRED, Status.DEAD),
)
"""From the best to the worst."""


def about_email(one: WorkItem) -> dict[str, str | int]:
    """Attributes of the row from its first writing on: no address.

    Those that say nothing aren't written, so that most rows stay under 1 KB, which is one unit of
    DynamoDB's: what a redrive hasn't brought back is the message that was published.
    """
    history, identity, id_now = one.history, one.identity, message_id(one.message, one.history)
    about: dict[str, str | int] = {"message_id": id_now, "lane": lane_of(one).value}
    if history.original_message_id != id_now:
        about["original_message_id"] = history.original_message_id
    if history.redrives:
        about["redrives"] = history.redrives
    if history.tags:
        about["tags"] = msgspec.json.encode(history.tags).decode()
    if identity is not None and identity.addresses:
        about["recipients"] = " ".join(identity.addresses)
        about["header_message_id"] = identity.header_message_id
    return about


def about_attempt(deliveries: Sequence[Delivery]) -> dict[str, str | int]:
    """Attributes of the row from the end of an attempt on: no address.

    Where recipients fared differently, those of the worst fate are told of: they explain `status`.
    """
    about: dict[str, str | int] = {}
    for delivery in sorted(deliveries, key=lambda one: _BY_FATE.index(one.status)):
        outcome = delivery.outcome
        about |= {
            "stage": outcome.stage.value,
            "reason": outcome.reason.value,
            "reply": delivery.reply,
            "server": delivery.server,
        }
        if delivery.status is Status.SENT and (name := id_in(delivery.reply)):
            about["queue_id"] = name
    return about


def told_of(one: WorkItem, delivery: Delivery, at: datetime) -> str:
    """What there is to tell of a dead letter that has no row of its own, as JSON: no address."""
    tags: Mapping[str, str] = one.history.tags or {}
    told = {
        "email_id": one.history.email_id,
        "status": delivery.status.value,
        "reason": delivery.outcome.reason.value,
        "stage": delivery.outcome.stage.value,
        "path": delivery.path,
        "reply": delivery.reply,
        "at": at,
        "lane": lane_of(one).value,
        "tags": tags,
        "attempts": 0,
    }
    return msgspec.json.encode(told).decode()
