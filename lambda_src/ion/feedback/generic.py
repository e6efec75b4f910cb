"""The notices of other providers, in a form of ion's own: docs/schema/feedback.schema.json."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from ion.feedback.notice import (
    Consequence,
    Kind,
    MalformedError,
    Notice,
    Reading,
    bracketed,
    utc,
    with_id,
)
from ion.mail import address_of

_QUOTED = re.compile(r" '.*'|(?<=unknown field) `.*`", re.DOTALL)
_Text = Annotated[str, msgspec.Meta(max_length=998)]
_DETAIL_CHARACTERS = 4000
"""More of a server's words is cut off: they are a comment, and no reason to lose a bounce."""


class Feedback(msgspec.Struct, forbid_unknown_fields=True):
    """What a provider says of an email and one recipient.

    Args:
        type: what happened.
        recipient: the address that it is about.
        at: when it happened, with its offset from UTC (RFC 3339).
        message_id: the email's Message-ID header.
        email_id: the email's key, in place of `message_id`. Without either only the address is
            noted.
        permanent: of a bounce: whether a later email would bounce as well.
        id: the provider's id of this event, the same when it tells it again. Without it an event
            of the same type, email, recipient and time is the same.
        detail: what the recipient's server said; only the first 4,000 characters are read.
    """

    type: Literal["bounced", "complained", "delivered"]
    recipient: _Text
    at: Annotated[datetime, msgspec.Meta(tz=True)]
    message_id: _Text | None = None
    email_id: _Text | None = None
    permanent: bool = True
    id: _Text | None = None
    detail: str | None = None


def is_generic(message: Mapping[str, Any]) -> bool:
    """True for what is meant to be of this form."""
    return "type" in message


def read(message: Mapping[str, Any]) -> Reading:
    """What a notice of this form says.

    Raises:
        MalformedError: it breaks the form.
    """
    try:
        one = msgspec.convert(message, Feedback)
    except msgspec.ValidationError as error:
        raise MalformedError(_unquoted(str(error))) from None
    recipient = address_of(one.recipient)
    if recipient is None:
        raise MalformedError("Expected one email address - at `$.recipient`")
    notice = Notice(
        id="",
        kind=Kind(one.type),
        at=utc(one.at),
        recipient=recipient,
        message_id=bracketed(one.message_id or ""),
        email_id=one.email_id or "",
    )
    if notice.kind is Kind.BOUNCED:
        notice = replace(notice, reason="Permanent" if one.permanent else "Transient")
    whole = replace(
        notice, consequence=_consequence(one), said=(one.detail or "")[:_DETAIL_CHARACTERS]
    )
    return Reading((with_id(whole, one.id or ""),))


def _unquoted(said: str) -> str:
    """What msgspec says of a message, without the message's words.

    It quotes a value that is none of an enumeration's, and the name of a field that there isn't.
    """
    return _QUOTED.sub("", said)


def _consequence(one: Feedback) -> Consequence:
    if one.type == "delivered":
        return Consequence.NOTHING
    if one.type == "bounced" and not one.permanent:
        return Consequence.COUNTED
    return Consequence.SUPPRESSED
