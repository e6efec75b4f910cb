"""An email from its parts: envelope, header fields, bodies."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from ion.contract import Addresses, BadInput, S3Object, Send, is_given
from ion.envelope import Email, Envelope
from ion.mail.addresses import Correspondent, parse_address, parse_addresses
from ion.mail.attachments import Attached, Objects, check_attachments, objects_of
from ion.mail.body import Part, text_part
from ion.mail.characters import check_header_text, check_unicode
from ion.mail.custom_headers import custom_fields
from ion.mail.headers import address_field, text_field
from ion.mail.multipart import boundaries, joined, multipart
from ion.mail.plain_text import plain_text
from ion.mail.unsubscribe import UNSUBSCRIBE_FIELDS, unsubscribe_fields
from ion.outcome import Reason

MOST_RECIPIENTS = 1000
"""All of them together. SMTP takes 100 at a time (RFC 5321 section 4.5.3.1.8), in chunks; beyond
this it is a mailing, which wants a message for each."""

_UNDISCLOSED = "To: undisclosed-recipients:;\r\n"
"""An empty group (RFC 5322 section 3.4), where all recipients are bcc's: some programs want a
To, and some servers write one."""

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def compose(
    send: Send,
    *,
    key: str,
    queued_at: datetime,
    default_sender: str | None,
    objects: Objects | None = None,
) -> Email:
    """The email that `send` asks for; the same arguments give the same bytes.

    Args:
        send: what the publisher wrote.
        key: the idempotency key; Message-ID derives from it, so receivers can collapse copies.
        queued_at: aware; when the message was published, hence Date.
        default_sender: for messages that name none: an address; None: there is none.
        objects: the content of attachments that lie in S3.

    Raises:
        BadInput: with the reason and the path of what is wrong.
    """
    return check(send, key=key, default_sender=default_sender).email(queued_at, objects)


@dataclass(frozen=True, slots=True)
class Checked:
    """An email in which nothing is wrong, but whose content isn't made yet: that takes memory.

    Args:
        envelope: who sends to whom.
        fields: its header fields, those that are about the body and Date aside.
        text, html: the bodies.
        attached: the attachments.
        digest: of its key, in hexadecimal.
        subject: as it was written; `fields` has it encoded.
        message_id: the value of its Message-ID, with angle brackets.
    """

    envelope: Envelope
    fields: str = field(repr=False)
    text: str = field(repr=False)
    html: str = field(repr=False)
    attached: tuple[Attached, ...]
    digest: str
    subject: str = field(repr=False)
    message_id: str

    @property
    def objects(self) -> tuple[S3Object, ...]:
        """The objects in S3 that `email` wants, each once."""
        return objects_of(self.attached)

    def with_unsubscribe(self, url: str) -> "Checked":
        """With the fields by which the recipient unsubscribes (RFC 8058 section 3.1).

        Args:
            url: of https, the recipient's own, of at most 900 ASCII characters without blanks.
        """
        return replace(self, fields=self.fields + unsubscribe_fields(url))

    def email(self, queued_at: datetime, objects: Objects | None = None) -> Email:
        """The envelope and the content.

        Args:
            queued_at: see `compose`.
            objects: the content of each of `objects`.
        """
        body = _body(self.text, self.html, self.attached, objects or {}, self.digest)
        header = f"Date: {_date(queued_at)}\r\n{self.fields}MIME-Version: 1.0\r\n{body.fields}\r\n"
        pieces = joined((header.encode(), *body.pieces))
        return Email(self.envelope, pieces, self.subject, queued_at)


def check(send: Send, *, key: str, default_sender: str | None) -> Checked:
    """Everything that may be wrong with an email is found here; see `compose`.

    Raises:
        BadInput: with the reason and the path of what is wrong.
    """
    _check_count(send)
    sender = author(send, default_sender)
    to, cc, bcc = _addressees(send)
    reply_to = parse_addresses(send.reply_to, "$.reply_to")
    (reverse_path,) = parse_addresses(send.return_path, "$.return_path") or (sender,)
    subject = send.subject or ""
    check_header_text(subject, "$.subject")
    text, html = send.body_text or "", send.body_html or ""
    check_unicode(html, "$.body_html")
    check_unicode(text, "$.body_text")
    attached = check_attachments(send.attachments or [], "$.attachments")

    digest, message_id = _digest(key), header_message_id(key, sender)
    fields = (
        address_field("From", (sender,))
        + (address_field("To", to) if to else "" if cc else _UNDISCLOSED)
        + (address_field("Cc", cc) if cc else "")
        + (address_field("Reply-To", reply_to) if reply_to else "")
        + text_field("Subject", subject)
        + f"Message-ID: {message_id}\r\n"
        + custom_fields(send.headers or {}, "$.headers", _written_by_ion(send))
    )
    with_all = (reverse_path, sender, *to, *cc, *reply_to)
    envelope = Envelope(
        reverse_path.address,
        _each_once((*to, *cc, *bcc)),
        smtputf8=not all(one.local_part.isascii() for one in with_all),
        author="" if reverse_path.address == sender.address else sender.address,
    )
    return Checked(envelope, fields, text, html, attached, digest, subject, message_id)


def header_message_id(key: str, sender: Correspondent) -> str:
    """The Message-ID of the email with this key, with angle brackets (RFC 5322 section 3.6.4)."""
    return f"<{message_id_left(key)}@{sender.domain}>"


def _written_by_ion(send: Send) -> frozenset[str]:
    return UNSUBSCRIBE_FIELDS if send.unsubscribe else frozenset()


def message_id_left(key: str) -> str:
    """What stands before the @ in the Message-ID of the email with this key; it tells no key."""
    return _digest(key)[:32]


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def recipients(send: Send) -> tuple[str, ...]:
    """The envelope's recipients, in the order that fates are kept in.

    Raises:
        BadInput: one of them is no address.
    """
    to, cc, bcc = _addressees(send)
    return _each_once((*to, *cc, *bcc))


def _addressees(send: Send) -> tuple[tuple[Correspondent, ...], ...]:
    """To, cc and bcc."""
    return (
        parse_addresses(send.recipient, "$.recipient"),
        parse_addresses(send.cc, "$.cc"),
        parse_addresses(send.bcc, "$.bcc"),
    )


def _check_count(send: Send) -> None:
    if sum(map(_count, (send.recipient, send.cc, send.bcc))) > MOST_RECIPIENTS:
        raise BadInput(Reason.TOO_LARGE, "$.recipient")


def _count(addresses: Addresses | None) -> int:
    return sum(map(is_given, addresses if isinstance(addresses, list) else [addresses]))


def author(send: Send, default_sender: str | None) -> Correspondent:
    """Who is in From.

    Raises:
        BadInput: SENDER_MISSING; it is no address.
    """
    chosen = send.sender if is_given(send.sender) else default_sender
    if chosen is None:
        raise BadInput(Reason.SENDER_MISSING, "$.sender")
    return parse_address(chosen, "$.sender")


def _each_once(recipients: Sequence[Correspondent]) -> tuple[str, ...]:
    """Addresses without repetitions."""
    found: dict[tuple[str, str], str] = {}
    for one in recipients:
        found.setdefault(one.mailbox, one.address)
    return tuple(found.values())


def _date(when: datetime) -> str:
    """RFC 5322 section 3.3: weekdays in English, in any locale."""
    when = when.astimezone(UTC)
    return (
        f"{_DAYS[when.weekday()]}, {when.day:02} {_MONTHS[when.month - 1]} {when.year:04}"
        f" {when.hour:02}:{when.minute:02}:{when.second:02} +0000"
    )


def _body(
    text: str, html: str, attached: Sequence[Attached], objects: Objects, digest: str
) -> Part:
    """The bodies that say something, and what is attached to them; each level only if needed.

    An empty text beside HTML would hide that from some readers. One without HTML is there even if
    it is empty: some readers take an email without a text for a broken one.
    """
    text = text or (html and plain_text(html)) or ""
    parts = [text_part(text, "plain", "$.body_text")] if text or not html else []
    if html:
        parts.append(text_part(html, "html", "$.body_html"))
    marks = boundaries(digest, [piece for part in parts for piece in part.pieces])
    # RFC 2046 section 5.1.4: the plainest first
    body = parts[0] if len(parts) == 1 else multipart("alternative", parts, next(marks))
    inline = [one.part(objects) for one in attached if html and one.inline]
    files = [one.part(objects) for one in attached if not (html and one.inline)]
    if inline:
        root = "text/html" if len(parts) == 1 else "multipart/alternative"
        body = multipart(f'related; type="{root}"', (body, *inline), next(marks))
    return multipart("mixed", (body, *files), next(marks)) if files else body
