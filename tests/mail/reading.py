"""What a recipient's mail program makes of the bytes, by the stdlib's parser."""

import re
from datetime import UTC, datetime
from email import message_from_bytes, message_from_string, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import getaddresses
from typing import Any

import pytest

from ion.contract import BadInput, Send
from ion.envelope import Email
from ion.mail import compose
from ion.outcome import Reason

QUEUED_AT = datetime(2025, 3, 9, 7, 5, 2, tzinfo=UTC)
LONGEST_LINE = 998  # RFC 5322 section 2.1.1
LONGEST_LINE_WITH_ENCODED_WORD = 76  # RFC 2047 section 2

_has_encoded_word = re.compile(rb"(?:^|[ \t])=\?[^? ]+\?[BbQq]\?[^? ]+\?=(?:$|[ \t])").search


def composed(**fields: Any) -> Email:  # noqa: ANN401 - whatever a publisher may write
    fields = {"recipient": "ann@example.org", "body_text": "hi"} | fields
    return compose(
        Send(**fields), key="key-1", queued_at=QUEUED_AT, default_sender="relay@example.com"
    )


def refused(**fields: Any) -> tuple[Reason, str]:  # noqa: ANN401 - the same
    with pytest.raises(BadInput) as caught:
        composed(**fields)
    return caught.value.reason, caught.value.path


def read(email: Email) -> EmailMessage:
    # the parser of bytes takes raw UTF-8 (RFC 6532) for damage; the one of text doesn't
    if email.envelope.smtputf8:
        message = message_from_string(email.content.decode(), policy=policy.default)
    else:
        message = message_from_bytes(email.content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def people(email: Email, name: str) -> list[tuple[str, str]]:
    """Display name and address of each mailbox in a field.

    By the stdlib's older functions: up to 3.13 its newer ones put a blank between encoded words of
    a name, against RFC 2047 section 6.2.
    """
    raw = message_from_string(email.content.decode())[name]
    return [(str(make_header(decode_header(n))), a) for n, a in getaddresses([raw])]


def body(message: EmailMessage, subtype: str) -> str | None:
    """The text of the part of that type, its line ends as LF."""
    for part in message.walk():
        assert not part.defects
        if part.get_content_type() == f"text/{subtype}":
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            return content.decode().replace("\r\n", "\n")
    return None


def assert_clean_on_the_wire(email: Email) -> None:
    header, _, content = email.content.partition(b"\r\n\r\n")
    assert (header if not email.envelope.smtputf8 else content).isascii()
    assert content.isascii()
    assert email.content.endswith(b"\r\n")
    rest = email.content.replace(b"\r\n", b"")
    assert b"\r" not in rest
    assert b"\n" not in rest
    assert not set(rest) & ({*range(0x20), 0x7F} - {0x09})
    lines = email.content.split(b"\r\n")
    assert max(map(len, lines)) <= LONGEST_LINE
    for line in header.split(b"\r\n"):
        assert line.strip()
        assert len(line) <= LONGEST_LINE_WITH_ENCODED_WORD or not _has_encoded_word(line), line
