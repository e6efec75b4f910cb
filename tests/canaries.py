"""Words that must not be written anywhere, and every spelling that one may hide in."""

import base64
import binascii
import quopri
import re
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import quote

_PLACES = """
    recipient domain name cc bcc sender replyto subject line html header value field
    username password secret attribute appid appsecret refreshtoken accesstoken scope
""".split()  # noqa: SIM905 - read more easily so

WORDS: Mapping[str, str] = {place: f"canary{place}7" for place in _PLACES} | {
    "idn": "kanarienvögel",
    "local": "jürgenkanari",
}
"""By the place that the word was put into. None is a word that a mail server uses."""


def _address(text: str) -> tuple[str, str]:
    local, _, domain = text.rpartition("@")
    return (local, domain) if local else (text, "example.org")


def _every_octet(text: str, mark: str) -> str:
    return "".join(f"{mark}{octet:02X}" for octet in text.encode())


def _a_labels(text: str) -> str:
    local, domain = _address(text)
    labels = [part.encode("idna").decode() for part in domain.split(".")]
    return f"{local}@{'.'.join(labels)}"


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


SPELLINGS: Mapping[str, Callable[[str], str]] = {
    "plain": str,
    "in brackets": lambda text: f"<{text}>",
    "in parentheses": lambda text: f"(was: {text})",
    "quoted": lambda text: f'"{text}"',
    "in quotes with others": lambda text: f"'your message {text} was'",
    "upper case": str.upper,
    "glued": lambda text: f"to={text},from:{text};",
    "percent-encoded": lambda text: quote(text, safe=""),
    "every octet in percent": lambda text: _every_octet(text, "%"),
    "in a link": lambda text: f"https://mx.example/why?rcpt={quote(text)}&x=1",
    "base64": _base64,
    "base64 of a line": lambda text: _base64(f"To: {text}\r\n"),
    "encoded word": lambda text: f"=?utf-8?b?{_base64(text)}?=",
    "hex": lambda text: text.encode().hex(),
    "quoted-printable": lambda text: quopri.encodestring(text.encode()).decode().strip(),
    "every octet quoted-printable": lambda text: _every_octet(text, "="),
    "character references": lambda text: "".join(f"&#{ord(one)};" for one in text),
    "VERP": lambda text: "bounce-17-{}={}".format(*_address(text)),
    "VERP address": lambda text: "bounce-17-{}={}@lists.example".format(*_address(text)),
    "SRS": lambda text: "SRS0=h4Sh=TT={1}={0}@relay.example".format(*_address(text)),
    "SRS without a host": lambda text: "SRS0=h4Sh=TT={1}={0}".format(*_address(text)),
    "quoted local part": lambda text: '"{}"@{}'.format(*_address(text)),
    "local part alone": lambda text: _address(text)[0],
    "domain alone": lambda text: _address(text)[1],
    "A-labels": _a_labels,
}
"""How a server may give back what it was told."""
COMMON_SPELLINGS = ("plain", "glued", "percent-encoded", "base64", "VERP", "A-labels")


def hits(text: str) -> list[str]:
    """Which canaries are in a text, in whatever spelling: "subject as base64"."""
    folded = text.lower()
    # as well, should a word have been cut by an escape, a line's end or a hyphen
    haystacks = (folded, re.sub(r"\\n|[^\w%=&#;]", "", folded))
    return [
        f"{place} as {spelling}"
        for place, word in WORDS.items()
        for spelling, form in _forms(word)
        if any(form.lower() in haystack for haystack in haystacks)
    ]


def _forms(word: str) -> Iterator[tuple[str, str]]:
    octets = word.encode()
    yield "plain", word
    yield "escaped", word.encode("unicode_escape").decode()
    yield "percent", quote(word)
    yield "percent", _every_octet(word, "%")
    yield "quoted-printable", quopri.encodestring(octets).decode()
    yield "quoted-printable", _every_octet(word, "=")
    yield "hex", binascii.hexlify(octets).decode()
    yield "character references", "".join(f"&#{ord(one)};" for one in word)
    yield "A-labels", word.encode("idna").decode()
    yield "A-labels", word.encode("punycode").decode().rstrip("-")
    for before in range(3):  # base64 spells a word in three ways, by what stands before it
        whole = base64.b64encode(b"\0" * before + octets).decode()
        yield "base64", whole[(0, 2, 3)[before] : (before + len(octets)) // 3 * 4]
