"""Domains on the wire: A-label names and address literals."""

import ipaddress
import re
from functools import lru_cache

from ion.mail.characters import has_unseen

LONGEST_DOMAIN = 255
"""Octets (RFC 5321 section 4.5.3.1.2)."""

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"  # RFC 1035 section 2.3.4: at most 63
_is_ascii_domain = re.compile(rf"{_LABEL}(?:\.{_LABEL})*").fullmatch
# ipaddress takes "%scope" with anything at all in it, so the characters are checked here
_as_literal = re.compile(r"\[(?:(?P<v6>[Ii][Pp][Vv]6:)(?P<six>[0-9A-Fa-f:.]+)|(?P<four>[0-9.]+))\]")


@lru_cache(maxsize=4096)
def wire_domain(domain: str) -> str | None:
    """The domain as SMTP and DNS spell it; None if it isn't one.

    A domain in ASCII stays as it is; one beyond ASCII becomes A-labels (RFC 5890). Callers bound
    the length first: this cache keeps what it is given.
    """
    if _is_ascii_domain(domain):
        return domain if len(domain) <= LONGEST_DOMAIN else None
    if domain.startswith("["):
        return domain if _is_address_literal(domain) else None
    if domain.isascii():
        return None
    name = _a_labels(domain)
    return name if len(name) <= LONGEST_DOMAIN and _is_ascii_domain(name) else None


def _is_address_literal(domain: str) -> bool:
    """`[192.0.2.1]` or `[IPv6:2001:db8::1]` (RFC 5321 section 4.1.3)."""
    literal = _as_literal.fullmatch(domain)
    if not literal:
        return False
    try:
        if literal["v6"]:
            ipaddress.IPv6Address(literal["six"])
        else:
            ipaddress.IPv4Address(literal["four"])
    except ValueError:
        return False
    return True


def _a_labels(domain: str) -> str:
    """The A-label form as IDNA 2008 has it, else as UTS 46 alone does; empty if neither does.

    UTS 46 takes invisible characters away: what is left is the domain that a reader sees.
    IDNA 2008 refuses symbols, yet emoji domains are registered and get mail; UTS 46 is what
    browsers go by. The stdlib's codec (IDNA 2003) would turn "ß" into "ss": another domain.
    """
    import idna  # noqa: PLC0415 - 13 ms of a cold start, for the few that need it

    try:
        return idna.encode(domain, uts46=True, std3_rules=True).decode("ascii")
    except UnicodeError:  # idna.IDNAError is one
        pass
    try:
        labels = idna.uts46_remap(domain, std3_rules=True).split(".")
    except UnicodeError:
        return ""
    if any(map(has_unseen, labels)):  # joiners, where IDNA 2008 doesn't allow them
        return ""
    return ".".join(
        label if label.isascii() else "xn--" + label.encode("punycode").decode("ascii")
        for label in labels
    )
