"""A happening as CloudEvents 1.0 has it, and as a message on an SNS topic.

Structured mode: one JSON object (CloudEvents, "JSON Event Format"). What subscribers filter by
stands in message attributes, too, which SNS looks at without a charge. No address, no hash of one,
and nothing of the content is in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from typing import Annotated, Literal

import msgspec

from ion.events.change import Email, Happening
from ion.limits import MAX_ATTRIBUTES
from ion.outcome import Reason
from ion.policy.lease import CLAIMED, DEAD, DOUBTED, PENDING, SENT, SUPPRESSED
from ion.policy.timeline import Entry

_ID_DIGITS = 32
_OWN_ATTRIBUTES = 2
"""`type` and `lane`; what is left of ten is for tags (SNS delivers no more by raw delivery)."""


class Type(StrEnum):
    """What happened."""

    SENT = "ion.email.sent"
    """The mail server has taken it."""
    DEFERRED = "ion.email.deferred"
    """An attempt that is followed by another one; told only where attempts are asked for."""
    BOUNCED = "ion.email.bounced"
    """It is in the dead-letter queue, or the provider says that it came back."""
    EXPIRED = "ion.email.expired"
    """It was given up, since its time was over."""
    IN_DOUBT = "ion.email.in_doubt"
    """The mail server may have it; a person decides."""
    CANCELLED = "ion.email.cancelled"
    STOPPED = "ion.email.stopped"
    """An operator's stop has dead-lettered it."""
    SUPPRESSED = "ion.email.suppressed"
    """These recipients aren't written to."""
    DELIVERED = "ion.email.delivered"
    """The provider says that the recipient's server has taken it."""
    COMPLAINED = "ion.email.complained"
    """The provider says that the recipient has called it spam."""


class Fate(StrEnum):
    """Where a recipient stands."""

    PENDING = "pending"
    SENT = "sent"
    DEAD_LETTERED = "dead_lettered"
    IN_DOUBT = "in_doubt"
    SUPPRESSED = "suppressed"


class Data(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is known of it.

    Args:
        reason: why: a stable code (docs/reasons.md).
        stage: at which it ended: parse … dot.
        attempt: how many attempts had been counted by then.
        recipients: indexes (to, cc, bcc, in order) of those that this is about.
        fates: where each recipient of the email stood after it; empty: nobody was looked at.
        tags: the publisher's.
        lane: by which it came.
        code: of the server's reply.
        reply: the server's words, or ion's; addresses are left out.
        path: of bad input: the JSONPath of what is wrong.
        server: which one, by its section in the configuration.
        queue_id: what that server calls the email in its log.
        header_message_id: the email's Message-ID, with its angle brackets.
        published_at: when it was first published (RFC 3339).
        ms_from_publish: milliseconds from then to this.
        times: how often in a row it has happened so by now.
    """

    reason: str
    stage: str
    attempt: Annotated[int, msgspec.Meta(ge=0)]
    recipients: tuple[Annotated[int, msgspec.Meta(ge=0)], ...]
    fates: tuple[Fate, ...]
    tags: dict[str, str]
    lane: Literal["normal", "bulk", ""] = ""
    code: int = 0
    reply: str = ""
    path: str = ""
    server: str = ""
    queue_id: str = ""
    header_message_id: str = ""
    published_at: str = ""
    ms_from_publish: int | None = None
    times: int = 1


class CloudEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    """One event. The same thing told twice has the same id.

    Args:
        specversion: of CloudEvents.
        id: hexadecimal; the same for each copy of this event, and for no other.
        source: the relay's ARN.
        type: what happened.
        subject: the email_id; of what had none the id of its message.
        time: when it happened (RFC 3339).
        datacontenttype: of `data`.
        data: what is known of it.
    """

    specversion: Literal["1.0"]
    id: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}$")]
    source: Annotated[str, msgspec.Meta(min_length=1)]
    type: Type
    subject: Annotated[str, msgspec.Meta(min_length=1)]
    time: datetime
    datacontenttype: Literal["application/json"]
    data: Data


@dataclass(frozen=True, slots=True)
class Message:
    """An event as it is published.

    Args:
        body: JSON.
        attributes: by which subscribers filter.
    """

    body: str
    attributes: Mapping[str, str]

    @property
    def size(self) -> int:
        """Bytes that SNS counts: of the body, and of each attribute's name, type and value."""
        strings = (part for pair in self.attributes.items() for part in (*pair, "String"))
        return len(self.body.encode()) + sum(len(text.encode()) for text in strings)


def type_of(entry: Entry) -> Type | None:
    """The type of the event that an entry of the timeline is told by; None: it isn't told."""
    if entry.status == "dead_lettered":
        return _DEAD.get(entry.reason, Type.BOUNCED)
    return _TYPES.get(entry.status)


def cloud_event(happening: Happening, source: str, *, attempts: bool) -> CloudEvent | None:
    """The event of a happening; None: it isn't told.

    Args:
        happening: read from the stream.
        source: the relay's ARN.
        attempts: whether attempts are told that are followed by others.
    """
    entry, email = happening.entry, happening.email
    kind = type_of(entry)
    if kind is None or (kind is Type.DEFERRED and not attempts):
        return None
    return CloudEvent(
        specversion="1.0",
        id=_id(happening, kind),
        source=source,
        type=kind,
        subject=email.email_id or happening.key[0].split()[1],
        time=entry.latest.astimezone(UTC),
        datacontenttype="application/json",
        data=_data(happening),
    )


def message(event: CloudEvent) -> Message:
    """The event as it goes onto the topic.

    Of more than eight tags the first by name can be filtered by; the body has all.
    """
    tags = sorted(event.data.tags.items())[: MAX_ATTRIBUTES - _OWN_ATTRIBUTES]
    attributes = {
        "type": event.type.value,
        "lane": event.data.lane,
        **{f"tag_{name}": value for name, value in tags},
    }
    body = msgspec.json.encode(event).decode()
    return Message(body, {name: value for name, value in attributes.items() if value})


def _id(happening: Happening, kind: Type) -> str:
    text = "\0".join((*happening.key, kind.value))
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_ID_DIGITS]


def _data(happening: Happening) -> Data:
    entry, email = happening.entry, happening.email
    return Data(
        reason=entry.reason,
        stage=entry.stage,
        attempt=email.attempts,
        recipients=entry.to or tuple(range(len(email.fates))),
        fates=tuple(_FATES[fate] for fate in email.fates),
        tags=dict(email.tags),
        lane="bulk" if email.lane == "bulk" else "normal" if email.lane else "",
        code=entry.code,
        reply=entry.reply,
        path=happening.path,
        server=entry.server,
        queue_id=email.queue_id,
        header_message_id=email.header_message_id,
        published_at=email.published_at,
        ms_from_publish=_since(email, entry),
        times=entry.times,
    )


def _since(email: Email, entry: Entry) -> int | None:
    if not email.published_at:
        return None
    published = datetime.fromisoformat(email.published_at)
    return max(0, round((entry.latest - published).total_seconds() * 1000))


_TYPES = {
    "sent": Type.SENT,
    "deferred": Type.DEFERRED,
    "cancelled": Type.CANCELLED,
    "suppressed": Type.SUPPRESSED,
    "delivered": Type.DELIVERED,
    "bounced": Type.BOUNCED,
    "complained": Type.COMPLAINED,
}
"""By an entry's status. What was released wasn't tried, and isn't told."""
_DEAD = {
    Reason.EXPIRED.value: Type.EXPIRED,
    Reason.STOPPED.value: Type.STOPPED,
    Reason.IN_DOUBT.value: Type.IN_DOUBT,
    Reason.CRASH_LOOP.value: Type.IN_DOUBT,
}
"""Dead letters by their reasons; the others have bounced."""
_FATES = {
    PENDING: Fate.PENDING,
    CLAIMED: Fate.PENDING,
    SENT: Fate.SENT,
    DEAD: Fate.DEAD_LETTERED,
    DOUBTED: Fate.IN_DOUBT,
    SUPPRESSED: Fate.SUPPRESSED,
}
