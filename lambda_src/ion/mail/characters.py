"""Which characters a header may hold. Nothing here repairs: what is wrong is refused."""

import re
import unicodedata

from ion.contract.bad_input import BadInput
from ion.outcome import Reason

# C0 but TAB, DEL, C1, and the line and paragraph separators: `str.splitlines`, and so many a
# mail program in Python, ends a line at several of them. Encoding would hide them from this wire
# and hand them to the next program.
_control = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]").search

# Default_Ignorable_Code_Point (Unicode, section 5.21) so far as it isn't of category Cf, and the
# braille blank
_blank = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U000e0100-\U000e01ef]"
).search
_UNSEEN = frozenset({"Cf", "Co", "Cn"})
"""Categories: format, private use, unassigned (in the Unicode of this Python)."""


def check_unicode(text: str, path: str) -> None:
    """Refuses lone surrogates, which no encoding of Unicode can carry.

    Raises:
        BadInput: INVALID_UNICODE.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise BadInput(Reason.INVALID_UNICODE, path) from error


def has_unseen(text: str) -> bool:
    """True if a character is invisible, or has no looks of its own: private use, unassigned."""
    if text.isascii():
        return False
    return bool(_blank(text)) or not _UNSEEN.isdisjoint(map(unicodedata.category, text))


def check_header_text(text: str, path: str) -> None:
    """Refuses what could end a header line or steer a terminal.

    Raises:
        BadInput: HEADER_INJECTION, INVALID_UNICODE.
    """
    if text.isascii():
        if text.isprintable():
            return
    else:
        check_unicode(text, path)
    if _control(text):
        raise BadInput(Reason.HEADER_INJECTION, path)
