"""The keyed hash of an email address: what logs and rows have in its place.

A plain hash would be no secret: a list of addresses could be hashed and compared. With the key, an
operator can look for an address that is known; no address can be read out of its hash.
"""

import hmac
import unicodedata

DIGITS = 16
"""Hexadecimal: 64 bits, of which two among a hundred million addresses are the same once in 3,700
deployments."""


def address_hash(key: bytes, address: str) -> str:
    """The first 16 hexadecimal digits of the HMAC-SHA256 (RFC 2104) of the lower-cased address.

    Args:
        key: of this deployment (`aws.address_key`).
        address: as the envelope has it: `local-part@domain`, the domain as A-labels (RFC 5890).
    """
    # one letter may be written as one character or as two (Unicode, Annex 15); people see the same
    known = unicodedata.normalize("NFC", address.lower())
    return hmac.digest(key, known.encode("utf-8", "surrogatepass"), "sha256").hex()[:DIGITS]
