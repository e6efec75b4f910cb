"""Django's email as ion's, or the reason why it can't be one."""

from collections.abc import Mapping
from email.utils import getaddresses
from typing import cast

from django.core.mail import EmailMessage, EmailMultiAlternatives

from ion.contract import Mailbox, header
from ion.outcome import Reason
from ion_publisher.django_attachments import attachments_of
from ion_publisher.django_misspelt import check_attributes
from ion_publisher.django_options import ATTRIBUTES, options_of
from ion_publisher.failures import InvalidMessage
from ion_publisher.message import Email

EMAIL_ID = "x-ion-id"
"""The header with the email_id. It is for ion, and not in the email."""

_TAKEN = ("from", "reply-to", EMAIL_ID)
"""Headers that are fields of ion's messages."""
_PARTS = {"text/plain": "text", "text/html": "html"}
_WRITTEN_BY_ION = {
    "message-id": "is written by ion, from the email_id: set X-Ion-Id to tell emails apart",
    "date": "is written by ion: the time of the publish",
    "to": "is written by ion, from `to`",
    "cc": "is written by ion, from `cc`",
    "bcc": "would tell all recipients: use `bcc`",
}


def email_of(message: EmailMessage) -> Email:
    """What `send` takes.

    From in `headers` is the sender, and then `from_email` is where bounces go, as with Django's
    SMTP back end.

    Raises:
        InvalidMessage: something in it has no place in a message of ion's.
    """
    if type(message).message is not EmailMessage.message:
        raise InvalidMessage("$", "builds its own MIME, which ion does itself")
    bodies = _bodies(message)
    check_attributes(message, ATTRIBUTES, bodies)
    headers = _headers(message.extra_headers)
    own = {name.lower(): value for name, value in headers.items()}
    reply_to = own.get("reply-to")
    email: Email = {
        "to": [str(one) for one in message.to],
        "cc": [str(one) for one in message.cc],
        "bcc": [str(one) for one in message.bcc],
        "sender": own.get("from") or str(message.from_email),
        "reply_to": _mailboxes(reply_to) if reply_to else [str(one) for one in message.reply_to],
        "subject": str(message.subject),
        "attachments": attachments_of(message),
        "headers": {name: value for name, value in headers.items() if name.lower() not in _TAKEN},
    }
    email |= options_of(message)
    if own.get(EMAIL_ID):
        email["email_id"] = own[EMAIL_ID]
    if "from" in own:
        email["return_path"] = str(message.from_email)
    return cast("Email", {name: value for name, value in email.items() if value} | bodies)


def _bodies(message: EmailMessage) -> dict[str, object]:
    """Text and HTML: either may be the body, and the other the alternative."""
    body = str(message.body)
    alternatives = message.alternatives if isinstance(message, EmailMultiAlternatives) else []
    given: list[tuple[object, str, str]] = []
    if body or not alternatives:
        given.append((body, f"text/{message.content_subtype}", "body"))
    given += [
        (content, mimetype, f"alternatives[{i}]")
        for i, (content, mimetype) in enumerate(alternatives)
    ]
    bodies: dict[str, object] = {}
    for content, mimetype, where in given:
        part = _PARTS.get(mimetype)
        if not part or part in bodies:
            raise InvalidMessage(f"$.{where}", "can't be sent: one text and one HTML are all")
        bodies[part] = content
    return bodies


def _headers(extra: Mapping[str, object]) -> dict[str, str]:
    for name in extra:
        said = _WRITTEN_BY_ION.get(name.lower())
        if said:
            raise InvalidMessage(header("$.headers", name), said, reason=Reason.HEADER_NAME)
    return {name: str(value) for name, value in extra.items()}


def _mailboxes(text: str) -> list[Mailbox | str]:
    """The addresses of a header; the text itself if it has none, for ion to refuse."""
    found = getaddresses([text])
    return [Mailbox(address, name) for name, address in found if address] or [text]
