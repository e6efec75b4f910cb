"""The keyed hash of an address: the same for the same mailbox, and of no use without the key."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ion.address_hash import DIGITS, address_hash

KEY = bytes(range(32))


def test_it_is_the_beginning_of_an_hmac() -> None:
    whole = hmac.new(KEY, b"ann@example.org", hashlib.sha256).hexdigest()
    assert address_hash(KEY, "ann@example.org") == whole[:DIGITS] == "824fe6c7fa82cc7d"


@pytest.mark.parametrize("address", ["Ann@example.org", "ANN@EXAMPLE.ORG", "ann@Example.org"])
def test_an_address_is_the_same_in_upper_and_lower_case(address: str) -> None:
    assert address_hash(KEY, address) == address_hash(KEY, "ann@example.org")


@pytest.mark.parametrize(
    ("composed", "decomposed"),
    [("j\u00f6@example.org", "jo\u0308@example.org"), ("J\u00d6@x.org", "jO\u0308@x.org")],
)
def test_a_letter_is_the_same_as_one_character_and_as_two(composed: str, decomposed: str) -> None:
    assert address_hash(KEY, composed) == address_hash(KEY, decomposed)


def test_another_key_gives_another_hash() -> None:
    assert address_hash(KEY[::-1], "ann@example.org") != address_hash(KEY, "ann@example.org")


@pytest.mark.parametrize("other", ["ann@example.com", "anne@example.org", "ann+x@example.org"])
def test_another_address_has_another_hash(other: str) -> None:
    assert address_hash(KEY, other) != address_hash(KEY, "ann@example.org")


@given(st.text())
def test_any_text_has_one_of_hexadecimal_digits(text: str) -> None:
    """What can't be an address is asked about, too; a lone surrogate, for one."""
    hashed = address_hash(KEY, text)
    assert len(hashed) == DIGITS
    assert set(hashed) <= set("0123456789abcdef")
