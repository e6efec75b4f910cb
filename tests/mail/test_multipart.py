"""Pieces of an email: few, because each costs a write, and the large ones shared."""

from ion.mail.multipart import joined

LARGE = 16 * 1024


def test_small_pieces_are_joined_and_a_large_one_stays_as_it_is() -> None:
    large = b"x" * LARGE
    first, same, last = joined([b"a", b"b", large, b"y" * (LARGE - 1), b"c"])
    assert (first, last) == (b"ab", b"y" * (LARGE - 1) + b"c")
    assert same is large, "other emails may have it, too"


def test_no_piece_is_empty() -> None:
    large = b"x" * LARGE
    assert joined([large, b"", large]) == (large, large)
    assert joined([]) == ()
