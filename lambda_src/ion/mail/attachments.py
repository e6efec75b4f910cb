"""An attachment from what the publisher wrote: checked first, made into a part later."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from ion.contract import Attachment, BadInput, S3Object
from ion.mail.base64_lines import base64_lines, octets_of
from ion.mail.body import Part
from ion.mail.characters import check_header_text, check_unicode
from ion.mail.encoded_words import encoded_words
from ion.mail.media_types import is_media_type, type_by_name
from ion.outcome import Problem, Reason

MOST_ATTACHMENTS = 100
"""Of an email. Each costs header fields, so that ten thousand empty ones would be a large email."""

LONGEST_FILENAME = 255
"""Octets of UTF-8: what file systems take."""

_LONGEST_KEY = 1024
"""Octets of UTF-8 (S3)."""
# Separators would be a path to some readers; the others turn the text around: "exe.pdf" may end in
# something else than it seems to (Unicode, UAX 9).
_misleads = re.compile("[/\\\\\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]").search
# RFC 5322's msg-id without its brackets and quotes; readers don't insist on its "@"
_is_content_id = re.compile(r"[\w!#$%&'*+/=?^`{|}~.@-]{1,255}", re.ASCII).fullmatch

Objects = Mapping[S3Object, Sequence[bytes]]
"""Content of objects, as base64 in lines."""


@dataclass(frozen=True, slots=True)
class Attached:
    """An attachment in which nothing is wrong, as far as can be said without S3.

    Args:
        fields: its Content-* fields.
        content: base64 as the publisher wrote it, if the message has it.
        s3: else, where it is.
        inline: the HTML refers to it.
    """

    fields: str = field(repr=False)
    content: str = field(repr=False)
    s3: S3Object | None = field(repr=False)
    inline: bool

    def part(self, objects: Objects) -> Part:
        """With its content."""
        if self.s3 is not None:
            return Part(self.fields, tuple(objects[self.s3]))
        return Part(self.fields, (base64_lines(octets_of(self.content) or b""),))


def check_attachments(attachments: Sequence[Attachment], path: str) -> tuple[Attached, ...]:
    """All attachments of a message, in their order.

    Raises:
        BadInput: TOO_LARGE, INVALID_SCHEMA, HEADER_INJECTION, INVALID_UNICODE.
    """
    if len(attachments) > MOST_ATTACHMENTS:
        raise BadInput(Reason.TOO_LARGE, path)
    ids: set[str] = set()
    return tuple(_check(one, f"{path}[{i}]", ids) for i, one in enumerate(attachments))


def objects_of(attached: Iterable[Attached]) -> tuple[S3Object, ...]:
    """The objects that are needed, each once."""
    return tuple(dict.fromkeys(one.s3 for one in attached if one.s3 is not None))


def _check(one: Attachment, path: str, ids: set[str]) -> Attached:
    name = one.filename.strip(" ")  # at the edge readers lose them anyway
    _check_name(name, f"{path}.filename")
    media_type = type_by_name(name) if one.content_type is None else one.content_type
    if not is_media_type(media_type):
        raise _wrong(f"{path}.content_type")
    if one.content_id is not None:
        _check_id(one.content_id, f"{path}.content_id", ids)
    if one.content is not None and octets_of(one.content) is None:
        raise _wrong(f"{path}.content")
    if one.s3 is not None:
        check_unicode(one.s3.key, f"{path}.s3.key")
        if len(one.s3.key.encode()) > _LONGEST_KEY:
            raise _wrong(f"{path}.s3.key")
    fields = _fields(name, media_type, one.content_id)
    return Attached(fields, one.content or "", one.s3, one.content_id is not None)


def _check_name(name: str, path: str) -> None:
    check_header_text(name, path)
    is_file_name = name.strip(". ") and len(name.encode()) <= LONGEST_FILENAME
    if not is_file_name or "\t" in name or _misleads(name):
        raise _wrong(path)


def _check_id(content_id: str, path: str, ids: set[str]) -> None:
    if not _is_content_id(content_id):
        raise _wrong(path)
    if content_id in ids:
        raise BadInput(Reason.INVALID_SCHEMA, path, Problem.DUPLICATE)
    ids.add(content_id)


def _wrong(path: str) -> BadInput:
    return BadInput(Reason.INVALID_SCHEMA, path, Problem.VALUE)


def _fields(name: str, media_type: str, content_id: str | None) -> str:
    disposition = "attachment" if content_id is None else "inline"
    return (
        f"Content-Type: {media_type};\r\n {_old_name(name)}\r\n"
        "Content-Transfer-Encoding: base64\r\n"
        f"Content-Disposition: {disposition};\r\n {_name(name)}\r\n"
        + (f"Content-ID: <{content_id}>\r\n" if content_id is not None else "")
    )


def _name(name: str) -> str:
    """RFC 2183, and beyond ASCII RFC 2231."""
    if _is_plain(name):
        return f'filename="{_escaped(name)}"'
    return f"filename*=utf-8''{quote(name, safe='')}"


def _old_name(name: str) -> str:
    """The same for readers older than RFC 2183, and for those that don't know RFC 2231.

    An encoded word has no business within quotes (RFC 2047 section 5), but there they look for it.
    """
    if _is_plain(name):
        return f'name="{_escaped(name)}"'
    return 'name="' + "\r\n ".join(encoded_words(name, 60)) + '"'


def _escaped(name: str) -> str:
    return name.replace('"', '\\"')


def _is_plain(name: str) -> bool:
    return name.isascii() and "=?" not in name
