"""Text beyond ASCII as RFC 2047 encoded words."""

from base64 import b64encode

LONGEST_WORD = 75
"""Characters of an encoded word (RFC 2047 section 2)."""

_B, _Q, _END = "=?utf-8?b?", "=?utf-8?q?", "?="
_FRAME = len(_B) + len(_END)
SMALLEST_ROOM = 32
"""Characters of a word that is of use: even the widest character, 12 in Q, gets on."""

# RFC 2047 section 5 (3): what may stand for itself also within a display name
_LITERAL = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/"
_Q_OCTETS = tuple(
    "_" if octet == ord(" ") else chr(octet) if octet in _LITERAL else f"={octet:02X}"
    for octet in range(256)
)


def encoded_words(text: str, first_room: int = LONGEST_WORD) -> list[str]:
    """The words that a reader joins to exactly `text`, in the shorter one of B and Q.

    No character is split between words (RFC 2047 section 5: each must decode on its own).

    Args:
        text: not empty, without lone surrogates.
        first_room: how long the first word may be, where its line has begun already.
    """
    octets = text.encode()
    room = max(min(first_room, LONGEST_WORD), SMALLEST_ROOM) - _FRAME
    q = "".join([_Q_OCTETS[octet] for octet in octets])
    if len(q) <= (len(octets) + 2) // 3 * 4:
        return [f"{_Q}{word}{_END}" for word in _cut_q(q, room)]
    return [f"{_B}{b64encode(word).decode()}{_END}" for word in _cut_octets(octets, room // 4 * 3)]


def _cut_octets(octets: bytes, room: int) -> list[bytes]:
    words = []
    start = 0
    while start < len(octets):
        end = start + room
        while end < len(octets) and octets[end] & 0xC0 == 0x80:  # a continuation
            end -= 1
        words.append(octets[start:end])
        start, room = end, (LONGEST_WORD - _FRAME) // 4 * 3
    return words


def _cut_q(q: str, room: int) -> list[str]:
    words = []
    start = 0
    while start < len(q):
        end = start + room
        if end < len(q):
            end -= next((back for back in (1, 2) if q[end - back] == "="), 0)
            while q[end] == "=" and q[end + 1] in "89AB":  # a continuation octet of UTF-8
                end -= 3
        words.append(q[start:end])
        start, room = end, LONGEST_WORD - _FRAME
    return words
