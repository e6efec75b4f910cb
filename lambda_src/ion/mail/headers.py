"""A header field: encoded where it must be, folded where it can be."""

import re
from collections.abc import Iterable

from ion.mail.addresses import Correspondent
from ion.mail.encoded_words import LONGEST_WORD, SMALLEST_ROOM, encoded_words

LINE = 76
"""Octets that a line is folded at: RFC 5322 section 2.1.1 asks for 78, RFC 2047 section 2
for 76 where there are encoded words."""

LONGEST_LINE = 998
"""Octets (RFC 5322 section 2.1.1)."""

words_with_blanks = re.compile(r"[ \t]+[^ \t]+").findall
# RFC 2047 section 2, and what lenient readers decode besides: no text at all, blanks in it
_holds_encoded_word = re.compile(r"=\?[^?]*\?[BbQq]\?[^?]*\?=").search
# Atoms (RFC 5322 section 3.2.3) without the apostrophe, which some servers take for a quote
_is_atoms = re.compile(r"[\w!#$%&*+/=?^`{|}~-]+(?: [\w!#$%&*+/=?^`{|}~-]+)*", re.ASCII).fullmatch
_needs_quoted_pair = re.compile(r'(["\\])')


def text_field(name: str, text: str) -> str:
    """An unstructured field (RFC 5322 section 2.2.1), CRLF included; reads back as `text` exactly.

    Args:
        name: checked.
        text: checked by `check_header_text`.
    """
    if text.isascii() and text.strip(" \t") == text and not _holds_encoded_word(text):
        if len(name) + len(text) + 2 <= LINE:
            return f"{name}: {text}\r\n"
        words = words_with_blanks(f" {text}")
        if max(map(len, words), default=0) <= LONGEST_LINE:  # each can have a line of its own
            return folded(name, words)
    return folded(name, [f" {word}" for word in encoded_words(text, room_behind(name))])


def address_field(name: str, correspondents: Iterable[Correspondent]) -> str:
    """An address list (RFC 5322 section 3.4), CRLF included."""
    words: list[str] = []
    for one in correspondents:
        if words:
            words[-1] += ","
        if one.name:
            words += phrase(one.name, LONGEST_WORD if words else room_behind(name))
            words.append(f" <{one.address}>")
        else:
            words.append(f" {one.address}")
    return folded(name, words)


def phrase(text: str, room: int = LONGEST_WORD) -> list[str]:
    """A name as words that lines may be folded between: atoms, or quoted, or encoded.

    Args:
        text: checked by `check_header_text`, no blanks around it.
        room: characters that are left for an encoded word on a line that has begun.
    """
    # programs that decode the line as a whole would join a "=?" to what another name ends in
    if text.isascii() and "=?" not in text and "\t" not in text:
        if _is_atoms(text):
            words = text.split(" ")
            if max(map(len, words)) < LINE:
                return [f" {word}" for word in words]
        quoted = '"' + _needs_quoted_pair.sub(r"\\\1", text) + '"'
        if len(quoted) < LINE:  # the fold must not fall inside the quotes
            return [f" {quoted}"]
    return [f" {word}" for word in encoded_words(text, room)]


def folded(name: str, words: Iterable[str]) -> str:
    """Words, each with the blanks before it, in lines.

    The first stays on the line of the name, unless that is too long for an encoded word, or longer
    than a line may be.
    """
    lines = []
    line = f"{name}:"
    begun = False
    for word in words:
        octets = _octets(line) + _octets(word)
        if octets > LONGEST_LINE or (octets > LINE and (begun or _holds_encoded_word(word))):
            lines.append(line)
            line = ""
        line += word
        begun = True
    lines.append(line)
    return "\r\n".join(lines) + "\r\n"


def _octets(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def room_behind(name: str) -> int:
    """Characters that an encoded word may have on the line that the name begins."""
    room = LINE - len(f"{name}: ")
    return room if room >= SMALLEST_ROOM else LONGEST_WORD
