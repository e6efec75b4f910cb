"""An email as an application names its parts, and the JSON text that becomes of it."""

import json
import math
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypedDict
from uuid import uuid4

from ion.contract import BadInput, Mailbox, Send, header, parse
from ion.contract.paths import member
from ion.delivery import InDoubt
from ion.limits import MOST_MESSAGE_BYTES
from ion.mail import check
from ion.nearest import nearest
from ion.outcome import Problem, Reason
from ion_publisher.attachment import Attachment
from ion_publisher.failures import InvalidMessage

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


FIELDS = {"to": "recipient", "text": "body_text", "html": "body_html"}
"""The contract's name of a part, where it isn't the same."""

_SOME_SENDER = "sender@example.org"
"""Stands for the relay's setting, which isn't known here."""
_DEEPEST = 100
"""Levels, more than a context may have: what has no end is refused here, and the rest by ion."""
_LARGEST = 10**4000
"""Python writes no integer of more than 4,300 digits."""
# SQS takes what XML 1.0 takes, and these two characters it doesn't. JSON can spell them otherwise.
_ESCAPES = {0xFFFE: "\\ufffe", 0xFFFF: "\\uffff"}


@dataclass(frozen=True, slots=True)
class Letter:
    """An email that is ready to be published.

    Args:
        email_id: given or made.
        body: JSON text.
        size: of the body in octets.
    """

    email_id: str
    body: str = field(repr=False)
    size: int


def letter(email: Mapping[str, object]) -> Letter:
    """The email as the topic takes it.

    Raises:
        InvalidMessage: the relay would dead-letter it.
    """
    names = tuple(Email.__annotations__)
    for name in email:
        if name not in names:
            near = nearest(str(name), (*names, *FIELDS.values())) or ""
            near = _part(near) or near
            raise _invalid(Reason.INVALID_SCHEMA, member("$", str(name)), Problem.UNKNOWN, near)
    fields = {FIELDS.get(name, name): value for name, value in email.items()}
    if fields.get("email_id") is None:
        fields["email_id"] = str(uuid4())
    body = checked({"action": "send"} | fields)
    return Letter(str(fields["email_id"]), body, len(body.encode()))


def checked(fields: Mapping[str, object]) -> str:
    """The JSON text of a message of the contract; what is None is left out.

    Raises:
        InvalidMessage: the relay would dead-letter it.
    """
    given = {name: value for name, value in fields.items() if value is not None}
    text = json.dumps(_plain(given, "$"), ensure_ascii=False, separators=(",", ":"))
    body = text.translate(_ESCAPES)
    try:
        action = parse(body)
        if isinstance(action, Send):
            check(action, key=action.email_id or "", default_sender=_SOME_SENDER)
    except BadInput as bad:
        raise InvalidMessage.of(bad) from None
    if len(body.encode()) > MOST_MESSAGE_BYTES:
        raise _invalid(Reason.TOO_LARGE, "$")
    return body


def _part(field_name: str) -> str:
    """The part that a field of the contract is called here; empty: there is no such field."""
    return next((part for part, name in FIELDS.items() if name == field_name), "")


def _plain(value: object, path: str, depth: int = 0) -> object:
    """The value in the types that JSON has.

    Raises:
        InvalidMessage: it has others in it, or what JSON can't carry.
    """
    if depth > _DEEPEST:
        raise _invalid(Reason.INVALID_SCHEMA, path, Problem.TYPE)
    match value:
        case None | bool():
            return value
        case str():
            return _text(value, path)
        case int() | float():
            if not (abs(value) < _LARGEST if isinstance(value, int) else math.isfinite(value)):
                raise _invalid(Reason.INVALID_SCHEMA, path, Problem.VALUE)
            return value
        case Mailbox():
            return _plain({"email": value.email, "name": value.name}, path, depth)
        case Attachment():
            return _plain(_attached(value), path, depth)
        case Mapping():
            return {
                _name(name, path): _plain(one, _below(path, str(name)), depth + 1)
                for name, one in value.items()
            }
        case Sequence() if not isinstance(value, bytes | bytearray | memoryview):
            return [_plain(one, f"{path}[{i}]", depth + 1) for i, one in enumerate(value)]
        case _:
            raise _invalid(Reason.INVALID_SCHEMA, path, Problem.TYPE)


def _text(value: str, path: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise _invalid(Reason.INVALID_UNICODE, path) from None
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
        raise _invalid(Reason.INVALID_SCHEMA, f"{path}[*]", Problem.TYPE)
    return _text(name, f"{path}[*]")


def _below(path: str, name: str) -> str:
    return header(path, name) if path == "$.headers" else member(path, name)


def _invalid(
    reason: Reason, path: str, problem: Problem | None = None, did_you_mean: str = ""
) -> InvalidMessage:
    return InvalidMessage.of(BadInput(reason, path, problem, did_you_mean))
