"""A text body that every server carries unharmed: 7-bit, short lines, CRLF."""

import re
from binascii import b2a_qp
from dataclasses import dataclass

from ion.contract import BadInput
from ion.mail.base64_lines import base64_lines
from ion.outcome import Reason

LONGEST_PLAIN_LINE = 900
"""Octets. RFC 5322 section 2.1.1 allows 998, but sendmail breaks lines at 990 by its default."""

_PLAIN = bytes((*b"\t\r\n", *range(0x20, 0x7F)))
# mbox stores rewrite a line that begins so to ">From", which breaks signatures over the body
_begins_from = re.compile(rb"^(?:From )+", re.MULTILINE)
_FROM = b"=46rom =\r\n"  # the soft break keeps the line short
# b2a_qp breaks the line first and then makes three characters of a blank at its end: 77, one more
# than RFC 2045 section 6.7 (5) allows
_overlong = re.compile(rb"=(20|09)\r(?<=[^\n]{78})")


@dataclass(frozen=True, slots=True)
class Part:
    """One MIME part.

    Args:
        fields: its Content-* fields, each with its CRLF.
        pieces: its content, encoded, cut where lines begin; ends in CRLF, or is empty.
    """

    fields: str
    pieces: tuple[bytes, ...]

    @property
    def content(self) -> bytes:
        """All of it, as a copy if it is in pieces."""
        return b"".join(self.pieces)


def text_part(text: str, subtype: str, path: str) -> Part:
    """A text as a part: as it is where that is safe, else quoted-printable or base64.

    CRLF, lone CR and lone LF each end a line, and come out as CRLF: a server must never see a bare
    one (SMTP smuggling, CVE-2023-51764). Dot-stuffing belongs to the conversation, not to this.

    Raises:
        BadInput: INVALID_UNICODE.
    """
    try:
        octets = _with_crlf(text).encode()
    except UnicodeEncodeError as error:
        raise BadInput(Reason.INVALID_UNICODE, path) from error
    encoding, content = _encoded(octets)
    fields = (
        f"Content-Type: text/{subtype}; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n"
    )
    return Part(fields, (content,))


def _with_crlf(text: str) -> str:
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.endswith("\n"):
        text += "\n"
    return text.replace("\n", "\r\n")


def _encoded(octets: bytes) -> tuple[str, bytes]:
    odd = len(octets.translate(None, _PLAIN))
    if not odd and not _is_fragile(octets):
        return "7bit", octets
    # Quoted-printable makes three octets of one, base64 four of every three.
    if 2 * (odd + octets.count(b"=")) <= len(octets) // 3:
        return "quoted-printable", _quoted_printable(octets)
    return "base64", base64_lines(octets)


def _is_fragile(octets: bytes) -> bool:
    """True if plain ASCII text could be altered on its way."""
    return (
        b" \r\n" in octets
        or b"\t\r\n" in octets
        or _may_begin_from(octets)
        or _has_longer_line(octets, LONGEST_PLAIN_LINE)
    )


def _may_begin_from(octets: bytes) -> bool:
    return b"\nFrom " in octets or octets.startswith(b"From ")


def _has_longer_line(octets: bytes, longest: int) -> bool:
    start = 0
    while len(octets) - start > longest + 2:
        end = octets.rfind(b"\r\n", start, start + longest + 2)
        if end < 0:
            return True
        start = end + 2
    return False


def _quoted_printable(octets: bytes) -> bytes:
    encoded = _overlong.sub(rb"=\r\n=\1\r", b2a_qp(octets))
    if _may_begin_from(encoded):
        return _begins_from.sub(lambda found: _FROM * found[0].count(b"From "), encoded)
    return encoded
