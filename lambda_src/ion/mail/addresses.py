"""Which mailbox a publisher means: strict, because what passes here is written into MAIL and RCPT.

The grammar is RFC 5321 section 4.1.2 with RFC 6531's additions; no comments, no routes, no folding.
"""

import re
from dataclasses import dataclass

from ion.contract import BLANKS, Address, Addresses, BadInput, is_given
from ion.mail.characters import check_header_text, check_unicode, has_unseen
from ion.mail.domains import LONGEST_DOMAIN, wire_domain
from ion.outcome import Reason

# RFC 5321 section 4.5.3.1, octets; the path's includes its angle brackets
LONGEST_LOCAL_PART = 64
LONGEST_PATH = 256
_LONGEST_SPELLING = 2 * LONGEST_LOCAL_PART + len('""')
"""Of a local part that quotes each character."""

# Within ASCII this is exactly atext (RFC 5322 section 3.2.3); beyond it, all but white space and
# controls (RFC 6532 section 3.2).
_ATOM = r'[^\s\x00-\x20\x7f-\x9f"(),.:;<>@\[\\\]]+'
_QUOTED = r'"(?:[^\x00-\x1f\x7f-\x9f\u2028\u2029"\\]|\\[ -~])*"'
_is_dot_atom = re.compile(rf"{_ATOM}(?:\.{_ATOM})*").fullmatch
_is_quoted = re.compile(_QUOTED).fullmatch

# `Name <a@b>`, `"Name" <a@b>`, `<a@b>`. What stands between the brackets is checked afterwards.
_as_named = re.compile(
    r'(?:"(?P<quoted>(?:[^"\\]|\\.)*)"[ \t]*|(?P<plain>[^"<>]*))<(?P<address>.*)>', re.DOTALL
).fullmatch
_quoted_pair = re.compile(r"\\(.)", re.DOTALL)
# Outside quotes these begin a list, a group or another address, so the field isn't one mailbox.
_needs_quoted_pair = re.compile(r'(["\\])')
_has_list_syntax = re.compile(r"[,:;@\\]").search


@dataclass(frozen=True, slots=True)
class Correspondent:
    """One mailbox (RFC 5322 section 3.4).

    Args:
        local_part: quoted only where RFC 5321 wants it, so that a mailbox has one spelling; may be
            beyond ASCII.
        domain: A-labels or an address literal.
        name: display name as a person reads it: neither quoted nor encoded; may be empty.
    """

    local_part: str
    domain: str
    name: str = ""

    @property
    def address(self) -> str:
        """As the envelope has it."""
        return f"{self.local_part}@{self.domain}"

    @property
    def mailbox(self) -> tuple[str, str]:
        """What tells it from others: only the domain knows whether its local parts' case counts."""
        return self.local_part, self.domain.lower()


def parse_address(address: Address, path: str) -> Correspondent:
    """The mailbox that a field names. Blanks around the address and the name are dropped.

    Raises:
        BadInput: INVALID_ADDRESS; for its name HEADER_INJECTION; INVALID_UNICODE.
    """
    if not isinstance(address, str):
        name = (address.name or "").strip(BLANKS)
        check_header_text(name, f"{path}.name")
        return _mailbox(address.email.strip(BLANKS), name, f"{path}.email")
    address = address.strip(BLANKS)
    if not address.endswith(">"):
        return _mailbox(address, "", path)
    named = _as_named(address)
    if not named:
        raise BadInput(Reason.INVALID_ADDRESS, path)
    quoted, plain = named["quoted"], named["plain"]
    name = (plain if quoted is None else _quoted_pair.sub(r"\1", quoted)).strip(BLANKS)
    check_header_text(name, path)
    if quoted is None and _has_list_syntax(name):
        raise BadInput(Reason.INVALID_ADDRESS, path)
    return _mailbox(named["address"].strip(BLANKS), name, path)


def address_of(text: str) -> str | None:
    """The address that a text names, with a name or without, as the envelope has it; or None."""
    try:
        return parse_address(text, "$").address
    except BadInput:
        return None


def is_address(text: str) -> bool:
    """True for what a field may name as one mailbox, with a name or without."""
    return address_of(text) is not None


def parse_addresses(addresses: Addresses | None, path: str) -> tuple[Correspondent, ...]:
    """All mailboxes of a field, in their order; null and the empty text are none.

    Raises:
        BadInput: as `parse_address`, with the index in the path.
    """
    if not isinstance(addresses, list):
        return (parse_address(addresses, path),) if is_given(addresses) else ()
    return tuple(
        parse_address(one, f"{path}[{i}]") for i, one in enumerate(addresses) if is_given(one)
    )


def _mailbox(address: str, name: str, path: str) -> Correspondent:
    if not address.isascii():
        check_unicode(address, path)
    # from the right: a quoted local part may hold an "@", a domain can't
    local_part, at, domain = address.rpartition("@")
    if not at or len(domain) > LONGEST_DOMAIN or len(local_part) > _LONGEST_SPELLING:
        raise BadInput(Reason.INVALID_ADDRESS, path)
    name_on_wire = wire_domain(domain)
    local_part = _canonical(local_part)
    octets = len(local_part.encode())
    if (
        name_on_wire is None
        or not local_part
        or has_unseen(local_part)
        or octets > LONGEST_LOCAL_PART
        or octets + len(f"<@{name_on_wire}>") > LONGEST_PATH
    ):
        raise BadInput(Reason.INVALID_ADDRESS, path)
    return Correspondent(local_part, name_on_wire, name)


def _canonical(local_part: str) -> str:
    """The one spelling of a local part; empty: it is none.

    Quotes and quoted pairs that nothing needs are no part of the name (RFC 5321 section 4.1.2).
    """
    if _is_dot_atom(local_part):
        return local_part
    if not _is_quoted(local_part):
        return ""
    content = _quoted_pair.sub(r"\1", local_part[1:-1])
    if _is_dot_atom(content):
        return content
    return '"' + _needs_quoted_pair.sub(r"\\\1", content) + '"'
