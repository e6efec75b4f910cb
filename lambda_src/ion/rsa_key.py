"""An RSA private key, and signatures with it (RFC 8017, RSASSA-PKCS1-v1_5 with SHA-256).

In Python alone: what else could sign would be the package's largest part, for one power of a
number. The key is read once and checked then; a signature is checked before it is given away.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_LEAST_BITS, _MOST_BITS = 1024, 4096
"""RFC 8301 section 3.2: verifiers take 1024 to 4096 bits."""
_SHA256 = bytes.fromhex("3031300d060960864801650304020105000420")
"""DigestInfo of SHA-256, before the digest (RFC 8017 section 9.2)."""
_RSA = bytes.fromhex("2a864886f70d010101")  # rsaEncryption (RFC 8017 appendix A.1)
_ED25519 = bytes.fromhex("2b6570")  # RFC 8410 section 3
_INTEGER, _OCTETS, _OID, _SEQUENCE = 0x02, 0x04, 0x06, 0x30
_armour = re.compile(r"-----(BEGIN|END) ([A-Z ]+)-----").sub
_FORM = (
    "as openssl genrsa 2048 writes it, in one line: without its line breaks, with the lines of "
    "dashes or without"
)


class KeyFormatError(ValueError):
    """The text is no key that can be used. What it says repeats nothing of it."""


@dataclass(frozen=True, slots=True)
class RsaKey:
    """A key that has signed something already, to see that it can.

    Args:
        n, e: modulus and public exponent.
        p, q, dp, dq, q_inverse: as RFC 8017 section 3.2 has them.
    """

    n: int
    e: int
    p: int = field(repr=False)
    q: int = field(repr=False)
    dp: int = field(repr=False)
    dq: int = field(repr=False)
    q_inverse: int = field(repr=False)

    def sign(self, signed: bytes) -> bytes:
        """The signature over these octets.

        Raises:
            KeyFormatError: the numbers of the key don't belong together.
        """
        size = (self.n.bit_length() + 7) // 8
        info = _SHA256 + hashlib.sha256(signed).digest()
        padding = b"\xff" * (size - len(info) - 3)
        number = int.from_bytes(b"\0\1" + padding + b"\0" + info)
        one, two = pow(number, self.dp, self.p), pow(number, self.dq, self.q)
        signature = two + self.q * ((one - two) * self.q_inverse % self.p)
        # A wrong one would tell the key's factors (RFC 8017 gives the formula, Boneh et al. 1997
        # the attack).
        if pow(signature, self.e, self.n) != number:
            raise KeyFormatError(f"is no RSA private key whose numbers belong together, {_FORM}")
        return signature.to_bytes(size)


def rsa_key(text: str) -> RsaKey:
    """The key of a text in PEM (RFC 7468), with its line breaks or without; or of its base64 alone.

    Raises:
        KeyFormatError: it is none, or too short a one.
    """
    if "ENCRYPTED" in text:
        raise KeyFormatError("is encrypted: the secret keeps it safe, so leave the passphrase out")
    try:
        der = base64.b64decode("".join(_armour("", text).split()), validate=True)
        return _checked(*_numbers(der))
    except (binascii.Error, IndexError, StopIteration, ValueError) as error:
        if isinstance(error, KeyFormatError):
            raise
        raise KeyFormatError(f"must be an RSA private key, {_FORM}") from None


def _checked(*numbers: int) -> RsaKey:
    version, n, e, _, p, q, dp, dq, q_inverse = numbers
    if version != 0 or n != p * q or min(p, q) < 2:
        raise ValueError
    if not _LEAST_BITS <= n.bit_length() <= _MOST_BITS:
        why = f"has {n.bit_length()} bits: receivers take {_LEAST_BITS} to {_MOST_BITS}, use 2048"
        raise KeyFormatError(why)
    key = RsaKey(n, e, p, q, dp, dq, q_inverse)
    key.sign(b"")
    return key


def _numbers(der: bytes) -> list[int]:
    """Of PKCS #1 (RFC 8017 appendix A.1.2), perhaps inside PKCS #8 (RFC 5208 section 5)."""
    ((kind, outer),) = _elements(der)
    parts = list(_elements(outer))
    if kind == _SEQUENCE and parts[1][0] == _SEQUENCE:
        algorithm = next(_elements(parts[1][1]))
        if algorithm == (_OID, _ED25519):
            raise KeyFormatError("is an Ed25519 key, which few receivers verify: use an RSA key")
        if algorithm != (_OID, _RSA) or parts[2][0] != _OCTETS:
            raise ValueError
        ((_, outer),) = _elements(parts[2][1])
        parts = list(_elements(outer))
    if any(kind != _INTEGER for kind, _ in parts):
        raise ValueError
    return [int.from_bytes(value, signed=True) for _, value in parts]


def _elements(der: bytes) -> Iterator[tuple[int, bytes]]:
    """Kind and value of each element (X.690 section 8.1), of definite lengths."""
    at = 0
    while at < len(der):
        kind, length = der[at], der[at + 1]
        at += 2
        if length & 0x80:
            count = length & 0x7F
            length = int.from_bytes(der[at : at + count])
            at += count
        value = der[at : at + length]
        if len(value) != length:
            raise ValueError
        yield kind, value
        at += length
