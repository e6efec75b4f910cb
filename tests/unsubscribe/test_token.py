"""The token of a link: what it says, and that nobody else can make one."""

import base64
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ion.address_hash import address_hash
from ion.policy.suppression import ALL, tagged
from ion.unsubscribe.token import Subscription, make, read

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
ANN = address_hash(KEY, "ann@example.org")
SCOPES = [ALL, tagged("list", "news"), tagged("n" * 64, "v" * 256)]


@pytest.mark.parametrize("scope", SCOPES)
def test_it_is_read_as_it_was_made(scope: str) -> None:
    subscription = Subscription(ANN, scope)
    token = make(KEY, subscription)
    assert read(KEY, token) == subscription
    assert token == make(KEY, subscription), "the same email is the same, each time"
    assert len(token) <= 470
    assert "ann" not in token


@pytest.mark.row(86)
@pytest.mark.parametrize("scope", SCOPES)
def test_no_changed_token_is_read(scope: str) -> None:
    token = make(KEY, Subscription(ANN, scope))
    for place in range(len(token)):
        for other in "Aa0-_=.~":
            if token[place] != other:
                assert read(KEY, token[:place] + other + token[place + 1 :]) is None
    for changed in (token[:-1], token[1:], token + "A", f"{token}=", f" {token}", f"{token}\n"):
        assert read(KEY, changed) is None


@pytest.mark.row(86)
def test_a_token_is_for_one_address_one_scope_and_one_deployment() -> None:
    token = make(KEY, Subscription(ANN, ALL))
    assert read(OTHER_KEY, token) is None
    octets = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    for forged in (
        bytes.fromhex("00" * 8) + octets[8:],
        octets[:8] + b"tag:a=b" + octets[-16:],
        octets[:-16] + b"\0" * 16,
    ):
        assert read(KEY, base64.urlsafe_b64encode(forged).decode().rstrip("=")) is None


def test_the_link_of_an_old_email_works() -> None:
    """Whatever becomes of the code: RFC 8058 section 3.1."""
    token = "xIwETx7nGsB0YWc6bGlzdD1uZXdztwJFV0OGwxmSWdatllu2UA"
    assert read(KEY, token) == Subscription(ANN, tagged("list", "news"))


@pytest.mark.row(86)
def test_what_is_signed_with_the_same_key_for_another_purpose_is_no_token() -> None:
    mac = hmac.digest(KEY, f"{ANN}\0{ALL}".encode(), "sha256")[:16]
    octets = bytes.fromhex(ANN) + ALL.encode() + mac
    assert read(KEY, base64.urlsafe_b64encode(octets).decode().rstrip("=")) is None


@given(st.text() | st.binary(max_size=99).map(lambda one: base64.urlsafe_b64encode(one).decode()))
def test_anything_else_is_no_token(text: str) -> None:
    assert read(KEY, text) is None
