"""Octets as base64 in lines (RFC 2045 section 6.8), and back from a publisher's."""

from base64 import b64encode
from binascii import a2b_base64

LINE_OCTETS = 57
"""Octets that a line carries; of 76 characters (RFC 2045 section 6.8)."""

_LONGEST_LINE = 76
_WHITE_SPACE = b" \t\r\n"
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
# RFC 4648 section 5: "-" and "_" in the place of "+" and "/"
_STANDARD = bytes(
    ord("+") if octet == ord("-") else ord("/") if octet == ord("_") else octet
    for octet in range(256)
)


def base64_lines(octets: bytes) -> bytes:
    """Lines with CRLF; pieces of a multiple of `LINE_OCTETS`, encoded apart, are the whole."""
    encoded = b64encode(octets)
    step = _LONGEST_LINE
    lines = [encoded[start : start + step] for start in range(0, len(encoded), step)]
    lines.append(b"")
    return b"\r\n".join(lines)


def encoded_size(octets: int) -> int:
    """Octets that so many make, line ends included."""
    characters = (octets + 2) // 3 * 4
    return characters + 2 * ((characters + _LONGEST_LINE - 1) // _LONGEST_LINE)


def octets_of(text: str) -> bytes | None:
    """The octets of a base64 text; None: it isn't one.

    Both alphabets of RFC 4648 are read, with white space anywhere, and without the padding if it is
    left out altogether: encoders differ in that, and none of it can be misread.
    """
    if not text.isascii():
        return None
    encoded = text.encode().translate(_STANDARD, _WHITE_SPACE)
    characters = encoded.rstrip(b"=")
    padding, missing = len(encoded) - len(characters), -len(characters) % 4
    if padding not in (0, missing) or missing > 2 or characters.translate(None, _ALPHABET):
        return None
    return a2b_base64(characters + b"=" * missing)
