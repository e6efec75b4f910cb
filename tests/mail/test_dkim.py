"""Signatures, as dkimpy verifies them, and an email's bytes around them."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import dkim
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dkim_keys
from ion.contract import Attachment, Send
from ion.envelope import Email, Envelope
from ion.mail import check, redirected
from ion.mail.dkim import Signer
from mail.reading import assert_clean_on_the_wire, composed

SIGNER = Signer("example.com", "ion1", dkim_keys.key())
PUBLIC = dkim_keys.record(dkim_keys.pem())
EVERYTHING = {
    "recipient": ["Änn Björk <ann@example.org>", "bob@bücher.example"],
    "cc": "cc@example.org",
    "reply_to": "r@example.org",
    "subject": "Grüße " * 30,
    "body_text": "two  blanks\t \r\n\r\n. dot\r\nFrom here \n\n\n",
    "body_html": "<p>hi  there </p>\n\n",
    "headers": {"X-Tag": "a   b", "List-Id": "News <news.example.com>"},
    "attachments": [Attachment(filename="a.txt", content="QUJD" * 5000)],
}


def asked_of_dns(name: bytes, **_: object) -> bytes | None:
    return PUBLIC if name == b"ion1._domainkey.example.com." else None


def is_valid(content: bytes) -> bool:
    valid: bool = dkim.verify(content, dnsfunc=asked_of_dns)
    return valid


def with_body(body: bytes, *others: bytes) -> Email:
    header = b"From: a@example.com\r\nTo: b@example.org\r\nSubject: s\r\n\r\n"
    return Email(Envelope("a@example.com", ("b@example.org",)), (header + body, *others))


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"body_text": ""},
        {"body_text": "\n\n\n"},
        EVERYTHING,
        {"bcc": "b@example.org", "recipient": None},
        {"recipient": "jörg@example.org"},
        {"headers": {"List-Unsubscribe": "<https://example.org/u>"}},
        {"sender": "Ann <ann@news.example.com>"},
        {"sender": "ann@EXAMPLE.com"},
    ],
)
def test_another_implementation_verifies_it(fields: dict[str, object]) -> None:
    email = composed(**fields)
    signed = SIGNER.sign(email)
    assert signed.content.endswith(email.content), "it stands before the email, which is as it was"
    assert is_valid(signed.content)
    assert signed.envelope == email.envelope
    added = signed.content[: -len(email.content)]
    assert max(map(len, added.split(b"\r\n"))) <= 78
    assert_clean_on_the_wire(signed)


def test_the_links_to_unsubscribe_are_signed() -> None:
    send = Send(recipient="ann@example.org", body_text="x", unsubscribe=True)
    checked = check(send, key="k", default_sender="relay@example.com")
    email = checked.with_unsubscribe("https://example.org/u/token").email(datetime.now(UTC))
    content = SIGNER.sign(email).content
    assert is_valid(content)
    assert not is_valid(content.replace(b"/u/token", b"/u/Token"))
    assert not is_valid(content.replace(b"=One-Click", b"=Two-Click"))


@pytest.mark.parametrize(
    "name",
    [
        *("From", "To", "Cc", "Subject", "Date", "Message-ID", "Reply-To", "MIME-Version"),
        *("Content-Type", "Content-Transfer-Encoding", "List-Unsubscribe", "List-Unsubscribe-Post"),
    ],
)
@pytest.mark.parametrize("where", ["before", "behind"])
def test_a_field_that_is_added_breaks_it(name: str, where: str) -> None:
    content = SIGNER.sign(composed(**EVERYTHING)).content
    assert is_valid(content)
    line = f"{name}: x\r\n".encode()
    header, _, body = content.partition(b"\r\n\r\n")
    changed = line + content if where == "before" else header + b"\r\n" + line + b"\r\n" + body
    assert not is_valid(changed)


def test_of_a_field_that_is_there_twice_the_last_is_signed_first() -> None:
    """RFC 6376 section 5.4.2."""
    header = b"From: a@example.com\r\nTo: b@example.org\r\nTo: c@example.org\r\nSubject: s\r\n"
    email = Email(Envelope("a@example.com", ("b@example.org",)), (header + b"\r\nx\r\n",))
    assert is_valid(SIGNER.sign(email).content)


def test_a_changed_body_breaks_it_and_a_trace_field_does_not() -> None:
    content = SIGNER.sign(composed(body_text="Total: 17")).content
    assert not is_valid(content.replace(b"Total: 17", b"Total: 71"))
    assert is_valid(b"Received: by mx.example; now\r\nReturn-Path: <x@y>\r\n" + content)


@given(
    st.lists(st.text("a =.\t", max_size=6), max_size=12),
    st.lists(st.sampled_from([b"a b \r\n", b"\r\n", b" \r\n", b"YQ==\r\n"]), max_size=4),
)
@settings(max_examples=200)
def test_any_blanks_and_empty_lines_are_canonical(lines: list[str], more: list[bytes]) -> None:
    body = b"".join(line.encode() + b"\r\n" for line in lines)
    assert is_valid(SIGNER.sign(with_body(body, *more)).content)


def test_a_large_body_is_hashed_in_parts_and_as_a_whole_alike() -> None:
    text = b"".join(b"%d  words and \t blanks \r\n" % number for number in range(60_000))
    base64 = (b"QUJD" * 19 + b"\r\n") * 20_000
    assert is_valid(SIGNER.sign(with_body(text, base64, b"\r\n" * 5, text)).content)


def test_the_same_email_has_the_same_signature() -> None:
    email = composed(**EVERYTHING)
    signed = SIGNER.sign(email).content
    assert SIGNER.sign(email).content == signed
    assert email.queued_at is not None
    assert f" t={int(email.queued_at.timestamp())};".encode() in signed
    later = replace(email, queued_at=datetime(2030, 1, 1, tzinfo=UTC))
    assert SIGNER.sign(later).content != signed


@pytest.mark.parametrize(
    "sender", ["a@example.org", "a@example.com.evil.example", "a@notexample.com", "a@com"]
)
def test_email_of_another_domain_is_left_as_it_is(sender: str) -> None:
    email = composed(sender=sender)
    assert SIGNER.sign(email) is email


def test_the_author_counts_and_not_where_bounces_go() -> None:
    signed = SIGNER.sign(composed(return_path="b@bounces.example.org"))
    assert is_valid(signed.content)
    other = composed(sender="a@example.org", return_path="b@example.com")
    assert SIGNER.sign(other) is other


def test_a_redirected_copy_is_signed_as_it_goes_out() -> None:
    copy = redirected(composed(**EVERYTHING), ["ann@example.org"], "inbox@example.org")
    signed = SIGNER.sign(copy).content
    assert is_valid(signed)
    assert re.search(rb"\r\nX-Ion-Original-To: ann@example\.org\r\n", signed)


@pytest.mark.parametrize("bits", [1024, 4096])
def test_other_lengths_of_keys(bits: int) -> None:
    public = dkim_keys.record(dkim_keys.pem(bits))
    signed = Signer("example.com", "ion1", dkim_keys.key(bits)).sign(composed())
    assert dkim.verify(signed.content, dnsfunc=lambda *_, **__: public)
