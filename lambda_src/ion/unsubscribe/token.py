"""The token of an unsubscribe link: whom it is for and which mail it is about, signed.

It has the hash of an address and no address, is good for nothing but to unsubscribe, and never
expires: RFC 8058 section 3.1 wants the link of an old email to work.
"""

import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass

from ion.address_hash import DIGITS

_HASH_BYTES = DIGITS // 2
_MAC_BYTES = 16
"""128 bits: half of what HMAC-SHA256 gives, as RFC 2104 section 5 allows."""
_PURPOSE = b"unsubscribe\0"
"""Keeps it apart from what else is made with the same key."""
_is_token = re.compile(r"[A-Za-z0-9_-]{33,900}").fullmatch


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a link ends.

    Args:
        hashed: the address's hash.
        scope: which mail, as `policy.suppression` has it.
    """

    hashed: str
    scope: str


def make(key: bytes, subscription: Subscription) -> str:
    """The token, in the alphabet of base64url (RFC 4648 section 5), without padding."""
    mac = _mac(key, subscription)
    octets = bytes.fromhex(subscription.hashed) + subscription.scope.encode() + mac
    return urlsafe_b64encode(octets).decode().rstrip("=")


def read(key: bytes, token: str) -> Subscription | None:
    """What the token ends; None: it isn't one that was made with this key."""
    if not _is_token(token):
        return None
    try:
        octets = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        scope = octets[_HASH_BYTES:-_MAC_BYTES].decode()
    except ValueError:
        return None
    subscription = Subscription(octets[:_HASH_BYTES].hex(), scope)
    # The last character may have bits that say nothing: only one spelling is right.
    return subscription if hmac.compare_digest(make(key, subscription), token) else None


def _mac(key: bytes, subscription: Subscription) -> bytes:
    signed = _PURPOSE + f"{subscription.hashed}\0{subscription.scope}".encode()
    return hmac.digest(key, signed, "sha256")[:_MAC_BYTES]
