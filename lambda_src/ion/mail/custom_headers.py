"""The publisher's own header fields: text is encoded, what has a grammar is left as it is.

A field that programs read by a grammar (RFC 5322, RFC 2369) would be damaged by encoding it as if
it were text: RFC 2047 section 5 allows encoded words in text, in comments and in phrases alone.
"""

import re
from collections.abc import Mapping

from ion.contract import BLANKS, BadInput, header
from ion.mail.addresses import parse_address
from ion.mail.characters import check_header_text
from ion.mail.headers import (
    LONGEST_LINE,
    address_field,
    folded,
    phrase,
    room_behind,
    text_field,
    words_with_blanks,
)
from ion.outcome import Reason

# ftext (RFC 5322 section 2.2), and 76 so that a line can always be begun
_is_field_name = re.compile(r"[!-9;-~]{1,76}").fullmatch
# What ion writes itself, what the next server writes, what other machinery signs.
_reserved = re.compile(
    r"from|to|cc|bcc|sender|reply-to|subject|date|message-id|received|return-path"
    r"|(?:mime|content|resent|dkim|arc)-.*",
    re.IGNORECASE,
).fullmatch

_LISTS_OF_ADDRESSES = frozenset(
    {
        "author",  # RFC 9057
        "disposition-notification-to",  # RFC 8098
        "errors-to",
        "mail-followup-to",
        "mail-reply-to",
        "original-from",  # RFC 5703
        "read-receipt-to",
        "return-receipt-to",
    }
)
_OTHERS_WITH_A_GRAMMAR = frozenset(
    {
        "archived-at",  # RFC 5064
        "auto-submitted",  # RFC 3834
        "disposition-notification-options",  # RFC 8098
        "in-reply-to",
        "original-message-id",  # RFC 3798
        "original-recipient",  # RFC 3798
        "references",
        "supersedes",  # RFC 2156, as is the next
        "obsoletes",
    }
)
_OF_PROVIDERS = re.compile(
    r"x-smtpapi"  # SendGrid
    r"|x-mc-.*"  # Mandrill
    r"|x-mailgun-(?:recipient-)?variables"
    r"|x-msys-api"  # SparkPost
    r"|x-mj-vars"  # Mailjet
).fullmatch
"""JSON for the provider, which knows no encoded words in it. A fold inside a text is no harm: what
puts the lines together again leaves the blank."""
_OF_MAILING_LISTS = "list-"  # RFC 2369, RFC 2919, RFC 8058

# Neither a quoted string nor what stands between angle brackets is folded or divided. What is never
# closed goes to its end, so that nothing is looked through twice.
_QUOTED = r'"(?:[^"\\]|\\.)*"?'
_WHOLE = rf'{_QUOTED}|<(?:{_QUOTED}|[^"<>])*>?'
_words = re.compile(rf'[ \t]+(?:{_WHOLE}|[^ \t"<])+').findall
_list_members = re.compile(rf'(?:{_WHOLE}|[^,"<])+').findall
_as_list_id = re.compile(r"([^<>]+)(<[!-;=?-~]+>)").fullmatch  # RFC 2919 section 3
_quoted_pair = re.compile(r"\\(.)")


def custom_fields(
    headers: Mapping[str, str | None], path: str, written: frozenset[str] = frozenset()
) -> str:
    """The publisher's own fields, checked, without the blanks around values; null is no field.

    Args:
        headers: by name.
        path: of them in the message.
        written: names in small letters that ion writes itself in this email.

    Raises:
        BadInput: HEADER_NAME, HEADER_VALUE, HEADER_INJECTION, INVALID_UNICODE.
    """
    seen = set(written)
    fields = []
    for name, value in headers.items():
        if value is None:
            continue
        here = header(path, name)
        if not _is_field_name(name) or _reserved(name) or name.lower() in seen:
            raise BadInput(Reason.HEADER_NAME, here)
        seen.add(name.lower())
        check_header_text(value, here)
        text = value.strip(BLANKS)
        structured = _has_grammar(name.lower())
        fields.append(_structured(name, text, here) if structured else text_field(name, text))
    return "".join(fields)


def _has_grammar(name: str) -> bool:
    return (
        name.startswith(_OF_MAILING_LISTS)
        or name in _LISTS_OF_ADDRESSES
        or name in _OTHERS_WITH_A_GRAMMAR
        or bool(_OF_PROVIDERS(name))
    )


def _structured(name: str, value: str, path: str) -> str:
    """A field with a grammar: as it is, but for phrases beyond ASCII."""
    if value.isascii():
        words = words_with_blanks if _OF_PROVIDERS(name.lower()) else _words
        field = folded(name, words(f" {value}") or [" "])
    elif name.lower() in _LISTS_OF_ADDRESSES:
        field = _address_list(name, value, path)
    elif name.lower() == "list-id":
        field = _list_id(name, value, path)
    else:
        raise BadInput(Reason.HEADER_VALUE, path)
    if max(map(len, field.split("\r\n"))) > LONGEST_LINE:
        raise BadInput(Reason.HEADER_VALUE, path)
    return field


def _address_list(name: str, value: str, path: str) -> str:
    try:
        correspondents = [parse_address(one, path) for one in _list_members(value)]
    except BadInput:
        raise BadInput(Reason.HEADER_VALUE, path) from None
    if not all(one.local_part.isascii() for one in correspondents):
        raise BadInput(Reason.HEADER_VALUE, path)
    return address_field(name, correspondents)


def _list_id(name: str, value: str, path: str) -> str:
    described = _as_list_id(value)
    if not described:
        raise BadInput(Reason.HEADER_VALUE, path)
    description = described[1].strip(BLANKS)
    if description[0] == description[-1] == '"':
        description = _quoted_pair.sub(r"\1", description[1:-1])
    return folded(name, [*phrase(description, room_behind(name)), f" {described[2]}"])
