"""DKIM signatures (RFC 6376), for mail servers that don't sign: the last thing done to an email.

Header and body are canonicalized relaxed. The body is hashed piece by piece, so that an email of
40 MB takes no further memory.
"""

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, replace

from ion.envelope import Email
from ion.rsa_key import RsaKey

_SIGNED = (
    *("From", "To", "Cc", "Subject", "Date", "Message-ID", "Reply-To"),
    *("MIME-Version", "Content-Type", "Content-Transfer-Encoding"),
    *("List-Unsubscribe", "List-Unsubscribe-Post"),  # RFC 8058 section 4
)
"""Fields that are signed once more than they are there: one that is added on the way breaks the
signature (RFC 6376 section 8.15)."""
_LINE = 72
"""Octets of a folded line of the signature."""
_PART_BYTES = 256 * 1024
"""Of the body, hashed at a time."""

_blanks = re.compile(rb"[ \t]+").sub
_folds = re.compile(rb"\r\n(?=[ \t])").sub


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs emails whose From is of its domain, or of one below it.

    Those alone: a signature of another domain is no help to the sender's (DMARC, RFC 7489 section
    3.1.1, relaxed alignment).

    Args:
        domain: that answers for the emails (d=), as A-labels in small letters.
        selector: of the public key in DNS (s=).
        key: the private one.
    """

    domain: str
    selector: str
    key: RsaKey

    def sign(self, email: Email) -> Email:
        """The email with a signature before its first field; as it is, if it isn't ours to sign.

        The same email gets the same signature.
        """
        if not self._is_ours(email):
            return email
        first, *others = email.pieces
        header, _, body = first.partition(b"\r\n\r\n")
        fields = _fields(header)
        names = [name.lower() for name in _SIGNED]
        signed = [name for name in names for _ in range(1 + sum(one == name for one, _ in fields))]
        unsigned = self._field(email, signed, _body_hash((body, *others)))
        octets = b"".join(_chosen(fields, signed)) + _relaxed(unsigned.encode())[1]
        signature = b64encode(self.key.sign(octets)).decode()
        field = unsigned + "\r\n ".join(_cut(signature)) + "\r\n"
        return replace(email, pieces=(field.encode() + first, *others))

    def _is_ours(self, email: Email) -> bool:
        _, author = email.envelope.senders
        domain = author.rpartition("@")[2].lower()
        return domain == self.domain or domain.endswith(f".{self.domain}")

    def _field(self, email: Email, signed: list[str], body_hash: str) -> str:
        """The whole field, but for the signature at its end (RFC 6376 section 3.5)."""
        at = email.queued_at
        when = f" t={int(at.timestamp())};" if at is not None else ""
        return (
            f"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n"
            f" d={self.domain}; s={self.selector};{when}\r\n"
            f" h={_names(signed)};\r\n"
            f" bh={body_hash};\r\n b="
        )


def _names(signed: list[str]) -> str:
    """A list of names, folded at its colons."""
    lines, line = [], ""
    for name in signed:
        if len(line) + len(name) >= _LINE:
            lines.append(line)
            line = ""
        line += f"{name}:"
    return "\r\n  ".join([*lines, line])[:-1]


def _cut(text: str) -> list[str]:
    return [text[at : at + _LINE] for at in range(0, len(text), _LINE)]


def _fields(header: bytes) -> list[tuple[str, bytes]]:
    """Name and canonical form of each field (RFC 6376 section 3.4.2), in their order."""
    return [_relaxed(one) for one in _folds(b"", header).split(b"\r\n")]


def _relaxed(field: bytes) -> tuple[str, bytes]:
    """A field's name, and its canonical form without the CRLF."""
    name, _, value = _folds(b"", field).partition(b":")
    name = name.strip(b" \t").lower()
    return name.decode("ascii"), name + b":" + _blanks(b" ", value).strip(b" ")


def _chosen(fields: list[tuple[str, bytes]], signed: list[str]) -> Iterator[bytes]:
    """Those that are signed; of a name that is there several times the last comes first."""
    left = list(fields)
    for name in signed:
        for place in reversed(range(len(left))):
            if left[place][0] == name:
                yield left.pop(place)[1] + b"\r\n"
                break


def _body_hash(pieces: tuple[bytes, ...]) -> str:
    """SHA-256 of the canonical body (RFC 6376 section 3.4.4): no empty lines at its end."""
    digest = hashlib.sha256()
    held_back = 0
    """Ends of lines that count only if something follows."""
    begun = False
    for part in (part for piece in pieces for part in _parts(piece)):
        end = len(part)
        while part[max(0, end - 2) : end] == b"\r\n":
            end -= 2
        if end:
            digest.update(b"\r\n" * held_back)
            digest.update(part[:end])
            held_back, begun = 0, True
        held_back += (len(part) - end) // 2
    digest.update(b"\r\n" if begun else b"")
    return b64encode(digest.digest()).decode()


def _parts(piece: bytes) -> Iterator[bytes]:
    """The piece in parts of whole lines, their blanks as they are hashed."""
    at = 0
    while at < len(piece):
        end = piece.find(b"\r\n", at + _PART_BYTES) + 2
        part = piece[at : end if end > 1 else len(piece)]
        at += len(part)
        if b" " in part or b"\t" in part:  # base64 has none
            part = _blanks(b" ", part).replace(b" \r\n", b"\r\n")
        yield part
