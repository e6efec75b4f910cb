"""A call of the function's URL, as ion reads it (Lambda's payload format 2.0)."""

import binascii
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from email import message_from_bytes
from typing import Any
from urllib.parse import parse_qsl

_FIELD, _VALUE = "List-Unsubscribe", "One-Click"
"""The one pair that a one-click request has (RFC 8058 section 3.2)."""
_MOST_BYTES = 64 * 1024
"""Of a body; the pair has 26."""


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody asks for.

    Args:
        method: of HTTP, whose names are in capital letters (RFC 9110 section 9.1).
        path: not decoded, which no token needs.
        content_type: of the body.
        body: the octets.
    """

    method: str
    path: str
    content_type: str = ""
    body: bytes = field(default=b"", repr=False)

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> "Request":
        """The request that an event of a function URL is about."""
        http = event["requestContext"]["http"]
        headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
        return cls(
            method=str(http["method"]),
            path=str(event.get("rawPath") or http["path"]),
            content_type=str(headers.get("content-type", "")),
            body=_octets(event),
        )

    @property
    def is_one_click(self) -> bool:
        """True if the body has the pair, as either kind of form (RFC 8058 section 3.2)."""
        if len(self.body) > _MOST_BYTES:
            return False
        kind = self.content_type.partition(";")[0].strip().lower()
        if kind == "multipart/form-data":
            return _has_pair(self.content_type, self.body)
        # Some programs send the pair and no type, or another one.
        return (_FIELD, _VALUE) in parse_qsl(self.body.decode("utf-8", "replace").strip())


def _octets(event: Mapping[str, Any]) -> bytes:
    body = str(event.get("body") or "")
    if not event.get("isBase64Encoded"):
        return body.encode("utf-8", "replace")
    try:
        return b64decode(body)
    except binascii.Error:
        return b""


def _has_pair(content_type: str, body: bytes) -> bool:
    header = f"Content-Type: {' '.join(content_type.split())}\r\n\r\n"
    form = message_from_bytes(header.encode("utf-8", "replace") + body)
    for part in form.get_payload() if form.is_multipart() else ():
        if isinstance(part, str):
            continue
        value = part.get_payload(decode=True)
        name = part.get_param("name", header="content-disposition")
        if name == _FIELD and isinstance(value, bytes) and value.strip() == _VALUE.encode():
            return True
    return False
