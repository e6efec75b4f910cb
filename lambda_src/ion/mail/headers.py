"""A header field: encoded where it must be, folded where it can be."""

import re
from collections.abc import Iterable, Mapping

from ion.contract import BadInput, header
from ion.mail.addresses import Correspondent
from ion.mail.characters import check_header_text
from ion.mail.encoded_words import encoded_words
from ion.outcome import Reason

LINE = 76
"""Characters that a line is folded at: RFC 5322 section 2.1.1 asks for 78, RFC 2047 section 2
for 76 where there are encoded words."""

LONGEST_PLAIN_WORD = 900
"""Characters that can't be folded but still fit, after a name of 76, into the 998 of RFC 5322
section 2.1.1. A longer one is encoded."""

# ftext (RFC 5322 section 2.2), and 76 so that a line can always be begun
_is_field_name = re.compile(r"[!-9;-~]{1,76}").fullmatch
# What ion writes itself, what the next server writes, what other machinery signs.
_reserved = re.compile(
    r"from|to|cc|bcc|sender|reply-to|subject|date|message-id|received|return-path"
    r"|(?:mime|content|resent|dkim|arc)-.*",
    re.IGNORECASE,
).fullmatch

_words = re.compile(r"[ \t]+[^ \t]+").findall
_may_be_encoded_word = re.compile(r"=\?.*\?=").search
_is_atoms = re.compile(r"[\w!#$%&'*+/=?^`{|}~-]+(?: [\w!#$%&'*+/=?^`{|}~-]+)*", re.ASCII).fullmatch
_needs_quoted_pair = re.compile(r'(["\\])')


def text_field(name: str, text: str) -> str:
    """An unstructured field (RFC 5322 section 2.2.1), CRLF included; reads back as `text` exactly.

    Args:
        name: checked.
        text: checked by `check_header_text`.
    """
    if text.isascii() and text.strip(" \t") == text and not _may_be_encoded_word(text):
        if len(name) + len(text) + 2 <= LINE:
            return f"{name}: {text}\r\n"
        words = _words(f" {text}")
        if max(map(len, words), default=0) <= LONGEST_PLAIN_WORD:
            return _folded(name, words)
    return _folded(name, [f" {word}" for word in encoded_words(text, LINE - len(name) - 2)])


def address_field(name: str, correspondents: Iterable[Correspondent]) -> str:
    """An address list (RFC 5322 section 3.4), CRLF included."""
    words: list[str] = []
    for one in correspondents:
        if words:
            words[-1] += ","
        if one.name:
            words += [f" {word}" for word in _phrase(one.name)]
            words.append(f" <{one.address}>")
        else:
            words.append(f" {one.address}")
    return _folded(name, words)


def custom_fields(headers: Mapping[str, str | None], path: str) -> str:
    """The publisher's own fields, checked, without the blanks around values; null is no field.

    Raises:
        BadInput: HEADER_NAME, HEADER_INJECTION, INVALID_UNICODE.
    """
    seen = set()
    fields = []
    for name, value in headers.items():
        if value is None:
            continue
        here = header(path, name)
        if not _is_field_name(name) or _reserved(name) or name.lower() in seen:
            raise BadInput(Reason.HEADER_NAME, here)
        seen.add(name.lower())
        check_header_text(value, here)
        fields.append(text_field(name, value.strip(" \t")))
    return "".join(fields)


def _phrase(name: str) -> list[str]:
    """A display name as words that lines may be folded between: atoms, or quoted, or encoded."""
    if name.isascii() and not _may_be_encoded_word(name) and "\t" not in name:
        if _is_atoms(name):
            words = name.split(" ")
            if max(map(len, words)) < LINE:
                return words
        quoted = '"' + _needs_quoted_pair.sub(r"\\\1", name) + '"'
        # the fold must not fall inside the quotes, and blanks at their edge get lost on the way
        if len(quoted) < LINE and name.strip(" ") == name:
            return [quoted]
    return encoded_words(name)


def _folded(name: str, words: Iterable[str]) -> str:
    """Words, each with the blanks before it, in lines; the first stays on the line of the name."""
    lines = []
    line = f"{name}:"
    begun = False
    for word in words:
        if begun and len(line) + len(word) > LINE:
            lines.append(line)
            line = ""
        line += word
        begun = True
    lines.append(line)
    return "\r\n".join(lines) + "\r\n"
