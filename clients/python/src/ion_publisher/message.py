"""An email as an application names its parts, and the JSON text that becomes of it."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypedDict
from uuid import uuid4

from ion.contract import BadInput, Lane, Mailbox, Send, parse
from ion.contract.paths import member
from ion.delivery import InDoubt
from ion.limits import MOST_MESSAGE_BYTES
from ion.mail import check
from ion.nearest import nearest
from ion.outcome import Problem, Reason
from ion_publisher.attachment import Attachment
from ion_publisher.failures import InvalidMessage, invalid
from ion_publisher.plain import plain
from ion_publisher.times import check_ahead, written

Address = str | Mailbox | Mapping[str, str | None]
"""`a@b`, `Name <a@b>`, `Mailbox("a@b", "Name")`, or {"email": …, "name": …}."""

Addresses = Address | Sequence[Address | None]


class Email(TypedDict, total=False):
    """What `send` takes. None is the same as left out.

    Args:
        to, cc, bcc: at least one address among them.
        sender: for From; the relay's own setting if left out.
        reply_to: where answers go.
        return_path: where bounces go; the sender's address if left out.
        subject: one line.
        text, html: at least one, a template or a file. With HTML alone ion makes the text from it.
        template: name of one of the deployment's; whether it is there the relay alone knows.
        context: what the template is rendered with.
        locale: the reader's language, for the template: `de-AT`.
        attachments: files; or as ion's messages have them, by mappings.
        headers: custom ones, by name.
        email_id: the name of this email, 1-256 printable ASCII characters without spaces. What is
            published twice under one name is sent once.
        lane: `bulk` goes when nothing normal is there to go.
        tenant: for whom it is, 1-128 printable ASCII characters without spaces: SQS keeps one
            tenant's flood from holding up the others.
        send_at: not before this, at most 13 days ahead: an aware datetime, or RFC 3339 with a zone.
        expires_at: not after this; the same.
        tags: names with values, for the relay's log and for `redrive` to ask for.
        unsubscribe: True, or the tag that it is about: the email has a link by which its one
            recipient unsubscribes (RFC 8058).
        in_doubt: what the relay does if the mail server may or may not have the email.
    """

    to: Addresses | None
    cc: Addresses | None
    bcc: Addresses | None
    sender: Address | None
    reply_to: Addresses | None
    return_path: Address | None
    subject: str | None
    text: str | None
    html: str | None
    template: str | None
    context: Mapping[str, Any] | None
    locale: str | None
    attachments: Sequence[Attachment | Mapping[str, object]] | None
    headers: Mapping[str, str | None] | None
    email_id: str | None
    in_doubt: InDoubt | Literal["resend_once", "resend", "park"] | None
    lane: Lane | Literal["normal", "bulk"] | None
    tenant: str | None
    send_at: datetime | str | None
    expires_at: datetime | str | None
    tags: Mapping[str, str | None] | None
    unsubscribe: bool | str | None


FIELDS = {"to": "recipient", "text": "body_text", "html": "body_html", "send_at": "not_before"}
"""The contract's name of a part, where it isn't the same."""

_is_group = re.compile(r"[!-~]{1,128}").fullmatch
"""What a MessageGroupId may be (SQS, SNS)."""
_SOME_SENDER = "sender@example.org"
"""Stands for the relay's setting, which isn't known here."""
# SQS takes what XML 1.0 takes, and these two characters it doesn't. JSON can spell them otherwise.
_ESCAPES = {0xFFFE: "\\ufffe", 0xFFFF: "\\uffff"}


@dataclass(frozen=True, slots=True)
class Letter:
    """An email that is ready to be published.

    Args:
        email_id: given or made.
        body: JSON text.
        size: of the body in octets.
        bulk: it goes by the topic for bulk, if there is one.
        tenant: the MessageGroupId; empty: none.
    """

    email_id: str
    body: str = field(repr=False)
    size: int
    bulk: bool = False
    tenant: str = field(default="", repr=False)


def letter(email: Mapping[str, object]) -> Letter:
    """The email as the topic takes it.

    Raises:
        InvalidMessage: the relay would dead-letter it.
    """
    names = tuple(Email.__annotations__)
    for name in email:
        if name not in names:
            near = _part(name) or nearest(str(name), (*names, *FIELDS.values())) or ""
            near = _part(near) or near
            raise invalid(Reason.INVALID_SCHEMA, member("$", str(name)), Problem.UNKNOWN, near)
    fields = {FIELDS.get(name, name): value for name, value in email.items()}
    tenant = _tenant(fields.pop("tenant", None))
    for name in ("not_before", "expires_at"):
        if isinstance(time := fields.get(name), datetime):
            fields[name] = written(time, f"$.{name}")
    if fields.get("email_id") is None:
        fields["email_id"] = str(uuid4())
    # the lane is said on the topic for bulk as well: the content is the same by either way
    body = checked({"action": "send"} | fields)
    bulk = fields.get("lane") == Lane.BULK
    return Letter(str(fields["email_id"]), body, len(body.encode()), bulk, tenant)


def steering(fields: Mapping[str, object], email_id: str = "") -> Letter:
    """A message that is no email, as the topic takes it.

    Args:
        fields: the contract's.
        email_id: of the email that it is about, if there is one.

    Raises:
        InvalidMessage: the relay would dead-letter it.
    """
    body = checked(fields)
    return Letter(email_id, body, len(body.encode()))


def checked(fields: Mapping[str, object]) -> str:
    """The JSON text of a message of the contract; what is None is left out.

    Raises:
        InvalidMessage: the relay would dead-letter it.
    """
    given = {name: value for name, value in fields.items() if value is not None}
    text = json.dumps(plain(given, "$"), ensure_ascii=False, separators=(",", ":"))
    body = text.translate(_ESCAPES)
    try:
        action = parse(body)
        if isinstance(action, Send):
            check(action, key=action.email_id or "", default_sender=_SOME_SENDER)
            check_ahead(action.not_before)
    except BadInput as bad:
        raise InvalidMessage.of(bad) from None
    if len(body.encode()) > MOST_MESSAGE_BYTES:
        raise invalid(Reason.TOO_LARGE, "$")
    return body


def _tenant(tenant: object) -> str:
    if tenant is None:
        return ""
    if not isinstance(tenant, str):
        raise invalid(Reason.INVALID_SCHEMA, "$.tenant", Problem.TYPE)
    if not _is_group(tenant):
        raise invalid(Reason.INVALID_SCHEMA, "$.tenant", Problem.VALUE)
    return tenant


def _part(field_name: str) -> str:
    """The part that a field of the contract is called here; empty: there is no such field."""
    return next((part for part, name in FIELDS.items() if name == field_name), "")
