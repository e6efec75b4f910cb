"""From what a publisher asks for to an email: envelope and RFC 5322 bytes, without any I/O."""

from ion.mail.addresses import address_of, is_address
from ion.mail.attachments import Objects
from ion.mail.compose import (
    Checked,
    author,
    check,
    compose,
    header_message_id,
    message_id_left,
    recipients,
)
from ion.mail.redirected import redirected

__all__ = [
    "Checked",
    "Objects",
    "address_of",
    "author",
    "check",
    "compose",
    "header_message_id",
    "is_address",
    "message_id_left",
    "recipients",
    "redirected",
]
