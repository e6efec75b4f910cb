"""An email taken apart for a reader, however broken it is: nothing here raises.

The standard library's parser does the work. Its grammar of header fields is only asked for the
mailboxes in From and To, and only where they are short: made for it, a field of 128 KB keeps it
busy for minutes. What can't be read is left out; the source has it all.
"""

from __future__ import annotations

import codecs
import email.header
import email.message
import email.parser
import email.policy
import re
from contextlib import suppress
from email.headerregistry import AddressHeader, HeaderRegistry
from itertools import islice
from typing import TYPE_CHECKING, cast

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import Message

_GRAMMAR_CHARACTERS = 4000
"""Of a field that is read by a grammar, whose time grows with their square, and worse."""
_SHOWN_CHARACTERS = 32_768
_MOST_CHARACTERS = 10_000_000
"""Of a text or of HTML."""
_HEADER_BYTES = 262_144
_MOST_WORK = 10_000_000
"""Boundaries times lines: the parser holds each line against each boundary that it is within."""
_MOST_FIELDS = 1000
_MOST_PARTS = 1000
_NO_CHARSETS = frozenset({"idna", "punycode", "raw-unicode-escape", "unicode-escape"})
"""Python's encodings that no email is in, and that raise, or take long."""
_end_of_header = re.compile(rb"\r?\n\r?\n")
_boundary = re.compile(rb"boundary", re.IGNORECASE)
_blanks = re.compile(r"\s+")
_registry = HeaderRegistry()


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """A file of an email.

    Args:
        n: its number among them.
        content_id: by which the HTML shows it, without brackets.
        inline: it belongs into the text.
    """

    n: int
    filename: str
    content_type: str
    content: bytes
    content_id: str
    inline: bool


class Mime(msgspec.Struct, frozen=True, kw_only=True):
    """An email's header and parts.

    Args:
        fields: of the header, in order, decoded; the first thousand.
        author, to: mailboxes in From and To.
        html: empty: there is none.
    """

    fields: list[tuple[str, str]]
    author: str
    to: list[str]
    text: str
    html: str
    attachments: list[Attachment]

    def field(self, name: str) -> str:
        """The first header field of that name, in lower case; empty: there is none."""
        return next((value for one, value in self.fields if one.lower() == name), "")


class _Decoding(email.policy.Compat32):
    """Fields as text, whatever octets are in them."""

    def header_fetch_parse(self, name: str, value: str) -> str:
        structured = name.lower().startswith("content-")
        return _decoded(value[: _GRAMMAR_CHARACTERS if structured else _SHOWN_CHARACTERS])


def mime(content: bytes) -> Mime:
    """Take an email apart."""
    message = _message(content)
    fields = list(islice(_fields(message), _MOST_FIELDS))
    text = html = ""
    attachments: list[Attachment] = []
    for part in islice(_parts(message), _MOST_PARTS):
        kind, attached = part.get_content_type(), part.get_content_disposition() == "attachment"
        if kind == "text/plain" and not attached and not text:
            text = _text(part)
        elif kind == "text/html" and not attached and not html:
            html = _text(part)
        else:
            attachments.append(_attachment(part, len(attachments)))
    return Mime(
        fields=fields,
        author=", ".join(_mailboxes(fields, "from")),
        to=_mailboxes(fields, "to"),
        text=text,
        html=html,
        attachments=[_as_shown(one, html) for one in attachments],
    )


def _as_shown(attachment: Attachment, html: str) -> Attachment:
    """It as inline if the HTML shows it, whatever its own part says."""
    content_id = attachment.content_id
    is_inline = attachment.inline or (bool(content_id) and f"cid:{content_id}" in html)
    return msgspec.structs.replace(attachment, inline=is_inline)


def _message(content: bytes) -> Message:
    """It parsed; its header alone, if the rest would take too long, or is nested too deep."""
    end = _end_of_header.search(content)
    header, body = (content[: end.start()], content[end.start() :]) if end else (content, b"")
    work = body.count(b"\n") * len(_boundary.findall(content))
    with suppress(Exception):
        if work <= _MOST_WORK:
            parser = email.parser.BytesParser(policy=_Decoding())
            return parser.parsebytes(header[:_HEADER_BYTES] + body)
    message = email.parser.BytesHeaderParser(policy=_Decoding()).parsebytes(header[:_HEADER_BYTES])
    message.set_payload("")
    return message


def _fields(message: Message) -> Iterator[tuple[str, str]]:
    for name, value in message.raw_items():
        yield name, _decoded(str(value)[:_SHOWN_CHARACTERS])


def _decoded(value: str) -> str:
    """A field's text: encoded words decoded, octets read as UTF-8, folding undone."""
    octets = value.encode("utf-8", "surrogateescape")
    text = _blanks.sub(" ", octets.decode("utf-8", "replace")).strip()
    with suppress(Exception):  # of unknown charsets, and of half a character in base64
        text = str(email.header.make_header(email.header.decode_header(text))) or text
    return _clean(text)


def _clean(text: str) -> str:
    """The same without halves of surrogate pairs, which JSON can't have."""
    return text.encode("utf-8", "replace").decode()


def _mailboxes(fields: list[tuple[str, str]], name: str) -> list[str]:
    """Those that the fields of that name have; a whole field where it can't be read."""
    found: list[str] = []
    for count, value in enumerate(value for one, value in fields if one.lower() == name):
        with suppress(Exception):
            if len(value) <= _GRAMMAR_CHARACTERS and not count:
                header = cast("AddressHeader", _registry(name, value))
                found += [_clean(str(one)) for one in header.addresses]
                continue
        found.append(value)
    return found


def _parts(message: Message) -> Iterator[Message]:
    """The leaves, in order; an email inside the email is one."""
    ahead = [message]
    while ahead:
        part = ahead.pop()
        if part.get_content_maintype() == "multipart" and part.is_multipart():
            ahead += reversed(cast("list[Message]", part.get_payload()))
        else:
            yield part


def _text(part: Message) -> str:
    octets = _octets(part)
    with suppress(Exception):  # LookupError, and what a codec finds
        charset = codecs.lookup(part.get_content_charset("utf-8")).name
        if charset not in _NO_CHARSETS:
            return _clean(octets.decode(charset, "replace"))[:_MOST_CHARACTERS]
    return octets.decode("utf-8", "replace")[:_MOST_CHARACTERS]


def _octets(part: Message) -> bytes:
    with suppress(Exception):
        if part.get_content_maintype() == "message" and part.is_multipart():
            (inner,) = cast("list[Message]", part.get_payload())
            return inner.as_bytes()
        payload = part.get_payload(decode=True)
        if isinstance(payload, bytes):
            return payload
    return b""


def _attachment(part: Message, n: int) -> Attachment:
    filename = ""
    with suppress(Exception):
        filename = _clean(part.get_filename() or "")
    return Attachment(
        n=n,
        filename=filename,
        content_type=part.get_content_type(),
        content=_octets(part),
        content_id=str(part.get("content-id", "")).strip("<> "),
        inline=part.get_content_disposition() == "inline",
    )
