"""Small damage, drawn at random; for bytes and for text alike."""

from collections.abc import Sequence
from random import Random
from typing import TypeVar

Sequential = TypeVar("Sequential", bytes, str)


def spliced(random: Random, whole: Sequential, tokens: Sequence[Sequential]) -> Sequential:
    """One change: a piece taken out, doubled or moved, or a token put in or over a piece."""
    start = random.randrange(len(whole) + 1)
    end = min(len(whole), start + random.choice((0, 1, 1, 1, 2, 3, 8, 40)))
    before, piece, after = whole[:start], whole[start:end], whole[end:]
    match random.randrange(6):
        case 0:
            return before + after
        case 1:
            return before + piece + piece + after
        case 2:
            return after + piece + before
        case 3:
            return before + random.choice(tokens) + after
        case _:
            return before + random.choice(tokens) + piece + after


def flipped(random: Random, whole: bytes) -> bytes:
    """One octet changed to any other."""
    if not whole:
        return whole
    at = random.randrange(len(whole))
    return whole[:at] + random.randbytes(1) + whole[at + 1 :]


def cut(random: Random, whole: bytes, most: int) -> list[bytes]:
    """In pieces of at most `most` octets, as a network would hand them over."""
    pieces = []
    start = 0
    usual = random.choice((1, 4, 16, 64, most))
    while start < len(whole):
        # Single octets all along would be slow over kilobytes, and find nothing more.
        size = random.randint(1, usual) if start < 200 else most
        pieces.append(whole[start : start + size])
        start += size
    return pieces
