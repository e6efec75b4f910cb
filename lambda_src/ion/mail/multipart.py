"""Parts within parts: multipart bodies (RFC 2046 section 5.1)."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence

from ion.mail.body import Part

_LARGE_BYTES = 16 * 1024
"""A piece of this size stays as it is. Smaller ones are joined: each costs a write."""


def boundaries(digest: str, texts: Sequence[bytes]) -> Iterator[str]:
    """Boundaries, one for each level, none of them the beginning of another.

    Args:
        digest: of the email's key: the same email has the same boundaries.
        texts: parts that may hold anything. "=_" can't occur in quoted-printable or base64
            (RFC 2045 section 6.7); in 7-bit text it can, if the key is known.
    """
    boundary = f"=_{digest[32:]}"
    while True:
        mark = boundary.encode()
        if not any(mark in text for text in texts):
            yield boundary
        boundary = f"=_{hashlib.sha256(mark).hexdigest()[:32]}"


def multipart(subtype: str, parts: Iterable[Part], boundary: str) -> Part:
    """Parts as one: `subtype` with its parameters, the boundary aside."""
    mark = boundary.encode()
    pieces: list[bytes] = []
    for part in parts:
        pieces += (b"--%b\r\n%b\r\n" % (mark, part.fields.encode()), *part.pieces, b"\r\n")
    pieces.append(b"--%b--\r\n" % mark)
    return Part(f'Content-Type: multipart/{subtype};\r\n boundary="{boundary}"\r\n', tuple(pieces))


def joined(pieces: Iterable[bytes]) -> tuple[bytes, ...]:
    """The same content in fewer pieces. Large ones aren't copied: other emails may have them."""
    done: list[bytes] = []
    small: list[bytes] = []
    for piece in pieces:
        if len(piece) < _LARGE_BYTES:
            small.append(piece)
            continue
        done += (b"".join(small), piece)
        small.clear()
    return tuple(filter(None, (*done, b"".join(small))))
