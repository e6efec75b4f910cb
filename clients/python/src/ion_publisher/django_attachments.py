"""Django's attachments as ion's."""

from email.message import Message

from django.conf import settings
from django.core.mail import EmailMessage

from ion_publisher.attachment import Attachment
from ion_publisher.failures import InvalidMessage


def attachments_of(message: EmailMessage) -> list[Attachment]:
    """The files of a message, in their order.

    Raises:
        InvalidMessage: one is itself made of parts, or is nothing that Django would attach.
    """
    charset = str(message.encoding or settings.DEFAULT_CHARSET)
    return [
        _of_part(one, where)
        if isinstance(one, Message)
        else _of_content(*one, charset=charset, where=where)
        for one, where in (
            (one, f"$.attachments[{i}]") for i, one in enumerate(message.attachments)
        )
    ]


def _of_content(
    filename: str | None, content: object, mimetype: str | None, *, charset: str, where: str
) -> Attachment:
    """A name, content and a type."""
    if isinstance(content, EmailMessage):
        content = content.message()
    if isinstance(content, Message):
        content = content.as_bytes()
    if isinstance(content, str):
        try:
            content = content.encode(charset)
        except (UnicodeEncodeError, LookupError):
            raise InvalidMessage(where, "can't be written in the message's encoding") from None
        if mimetype and mimetype.startswith("text/"):
            mimetype = f"{mimetype}; charset={charset}"
    if not isinstance(content, bytes):
        raise InvalidMessage(where, "is neither text nor octets nor an email")
    if mimetype and mimetype.startswith("message/"):  # mustn't be base64 (RFC 2046 section 5.2.1)
        return Attachment(filename or "message.eml", content)
    return Attachment(filename or "attachment", content, mimetype)


def _of_part(part: Message, where: str) -> Attachment:
    """A MIME part that the application has made, such as MIMEImage."""
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        raise InvalidMessage(where, "is made of parts, and not a file")
    charset = part.get_content_charset()
    kind = part.get_content_type() + (f"; charset={charset}" if charset else "")
    content_id = str(part.get("Content-ID", "")).strip().removeprefix("<").removesuffix(">")
    return Attachment(str(part.get_filename() or "attachment"), content, kind, content_id or None)
