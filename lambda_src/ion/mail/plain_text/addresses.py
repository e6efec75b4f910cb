"""Addresses of links, in angle brackets: so they end where they end (RFC 3986, appendix C)."""

import re

_controls = re.compile("[\x00-\x1f\x7f]")
_unsafe = re.compile(r"[\s<>]")
_not_to_read = re.compile(r"(?:about|blob|cid|data|javascript|vbscript):", re.IGNORECASE).match
_relative = re.compile(r"/(?!/)|\.\.?/|\?").match
"""To the page that it is on, and an email is on none."""
_scheme = re.compile(r"(?:https?://(?:www\.)?|mailto:|tel:|sms:)", re.IGNORECASE)
_web = re.compile("https?:", re.IGNORECASE).match
_in_brackets = re.compile(r" ?<[^<>\s]++>")
_phone_marks = str.maketrans("", "", " \xa0-\u2013().")

LONGEST_SAME = 2_048
"""Characters of a link's text that are kept to compare it with the address."""


def address(href: str) -> str:
    """The address as it is written between brackets; "" where it leads nowhere from a text."""
    href = _controls.sub("", href).strip()
    if not href or href.startswith("#") or _not_to_read(href) or _relative(href):
        return ""
    if "{{" in href:
        return href  # whoever fills it in looks for it as it is
    scheme, _, rest = href.partition(":")
    if scheme.lower() == "tel":
        return "".join(rest.split())
    if scheme.lower() == "mailto" and "?" not in rest:
        href = rest
    return _unsafe.sub(lambda found: "".join(f"%{octet:02X}" for octet in found[0].encode()), href)


def is_web(href: str) -> bool:
    """True for an address that would be less than itself without its scheme."""
    return _web(href.lstrip()) is not None


def says_the_same(text: str, href: str) -> bool:
    """True if a link's text is its address, give or take the scheme and a slash at the end."""
    text, href = _bare(text), _bare(href)
    return text == href or text.translate(_phone_marks) == href.translate(_phone_marks)


def without_addresses(line: str) -> str:
    """The words of a line."""
    return _in_brackets.sub("", line)


def _bare(address: str) -> str:
    return _scheme.sub("", address.strip(), count=1).rstrip("/").casefold()
