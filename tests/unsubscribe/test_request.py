"""What a function URL's events say, and which bodies are one click (RFC 8058 section 3.2)."""

import base64
from typing import Any

import pytest

from ion.unsubscribe.request import Request

PAIR = b"List-Unsubscribe=One-Click"
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=---FormBoundaryjWmhtjORrn"
IN_PARTS = (
    b"-----FormBoundaryjWmhtjORrn\r\n"
    b'Content-Disposition: form-data; name="List-Unsubscribe"\r\n'
    b"\r\nOne-Click\r\n"
    b"-----FormBoundaryjWmhtjORrn--\r\n"
)
"""As the RFC's own example has it (section 8.2)."""


def event(body: bytes | None, content_type: str | None = FORM, *, encoded: bool) -> dict[str, Any]:
    found: dict[str, Any] = {
        "version": "2.0",
        "rawPath": "/u/token",
        "headers": {} if content_type is None else {"content-type": content_type},
        "requestContext": {"http": {"method": "POST", "path": "/u/token"}},
        "isBase64Encoded": encoded,
    }
    if body is not None:
        found["body"] = base64.b64encode(body).decode() if encoded else body.decode()
    return found


@pytest.mark.parametrize("encoded", [True, False])
@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (PAIR, FORM),
        (PAIR + b"\r\n", FORM),
        (b"a=b&" + PAIR, FORM + "; charset=utf-8"),
        (PAIR, FORM.upper()),
        (PAIR, None),
        (PAIR, "text/plain"),
        (IN_PARTS, MULTIPART),
        (IN_PARTS, MULTIPART.replace("multipart/form-data", "Multipart/Form-Data")),
    ],
)
def test_the_pair_is_one_click_in_either_kind_of_form(
    body: bytes, content_type: str | None, encoded: bool
) -> None:
    assert Request.of(event(body, content_type, encoded=encoded)).is_one_click


@pytest.mark.parametrize("encoded", [True, False])
@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (None, FORM),
        (b"", FORM),
        (b"List-Unsubscribe", FORM),
        (b"List-Unsubscribe=", FORM),
        (b"List-Unsubscribe=One-Click-Not", FORM),
        (b'{"List-Unsubscribe": "One-Click"}', "application/json"),
        (PAIR + b"x" * 70_000, FORM),
        (b"x" * 70_000 + b"&" + PAIR, FORM),
        (IN_PARTS, FORM),
        (IN_PARTS, "multipart/form-data"),
        (IN_PARTS.replace(b"One-Click", b"No"), MULTIPART),
        (PAIR, MULTIPART),
        (IN_PARTS, MULTIPART.replace("=", "=\r\nX: y")),
    ],
)
def test_anything_else_is_not(body: bytes | None, content_type: str, encoded: bool) -> None:
    assert not Request.of(event(body, content_type, encoded=encoded)).is_one_click


def test_a_body_that_is_no_base64_is_none() -> None:
    broken = event(b"", encoded=True) | {"body": "%%%"}
    assert Request.of(broken).body == b""


def test_what_a_body_holds_is_not_shown() -> None:
    assert "One-Click" not in repr(Request.of(event(PAIR, encoded=False)))
