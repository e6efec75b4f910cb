from datetime import timedelta, timezone
from email.utils import parsedate_to_datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ion.contract import Address, BadInput, Mailbox, Send
from ion.envelope import Email
from ion.mail import check, compose
from ion.outcome import Reason
from mail.reading import (
    QUEUED_AT,
    assert_clean_on_the_wire,
    body,
    composed,
    people,
    read,
    refused,
)

text = st.text(max_size=40)
addresses = st.sampled_from(
    [
        "ann@example.org",
        "Ann <ann@EXAMPLE.org>",
        '"Lee, \\"Ann\\"" <ann@example.org>',
        "jörg@bücher.example",
        '"a b"@example.org',
        "bob@[IPv6:::1]",
    ]
)
some_text = text.filter(str.strip)
any_address = addresses | some_text | st.builds(Mailbox, addresses | text, st.none() | text)
likely_address = addresses | st.builds(Mailbox, st.just("ann@例え.テスト"), st.none() | text)
nobody = st.sampled_from([None, "", " "])


def sends(one: st.SearchStrategy[Address]) -> st.SearchStrategy[Send]:
    many = one | st.lists(one | nobody, max_size=4)
    return st.builds(
        Send,
        recipient=one | st.lists(one, min_size=1, max_size=4),
        cc=st.none() | many,
        bcc=st.none() | many,
        sender=st.none() | one,
        reply_to=st.none() | many,
        return_path=st.none() | one,
        subject=st.none() | text,
        body_text=text,
        body_html=st.none() | text,
        headers=st.dictionaries(
            st.sampled_from(["X-A", "x-a", "X-B", "To", "Errors-To", "List-Id", "References"])
            | text,
            st.none() | text,
            max_size=2,
        ),
    )


@settings(deadline=None)
@given(
    sends(any_address) | sends(likely_address),
    st.text(),
    st.none() | addresses,
)
def test_any_send_is_an_email_or_bad_input(send: Send, key: str, default: str | None) -> None:
    try:
        checked = check(send, key=key, default_sender=default)
    except BadInput:
        return
    email = checked.email(QUEUED_AT)  # by then it is claimed: too late to find anything wrong
    assert_clean_on_the_wire(email)
    assert email == compose(send, key=key, queued_at=QUEUED_AT, default_sender=default)
    message = read(email)
    assert message["Bcc"] is None
    assert message["Subject"] == (send.subject or "")
    assert not message.defects
    for recipient in email.envelope.recipients:  # beyond ASCII, perhaps, one who is in no header
        recipient.encode()


def test_a_whole_email_byte_for_byte() -> None:
    email = compose(
        Send(
            recipient=["Ann <ann@example.org>", "bob@example.org"],
            cc=Mailbox("cy@example.org", "Cy, the Third"),
            bcc="eve@example.net",
            sender="Shop <shop@example.com>",
            reply_to="help@example.com",
            subject="Grüße",
            body_text="Hi\n.\n",
            body_html="<p>Hi é and the rest of the sentence</p>",
            headers={"X-Tag": "a b"},
        ),
        key="order-17",
        queued_at=QUEUED_AT,
        default_sender=None,
    )
    assert email.envelope.sender == "shop@example.com"
    assert email.envelope.recipients == (
        "ann@example.org",
        "bob@example.org",
        "cy@example.org",
        "eve@example.net",
    )
    assert not email.envelope.smtputf8
    assert email.content.decode("ascii").split("\r\n") == [
        "Date: Sun, 09 Mar 2025 07:05:02 +0000",
        "From: Shop <shop@example.com>",
        "To: Ann <ann@example.org>, bob@example.org",
        'Cc: "Cy, the Third" <cy@example.org>',
        "Reply-To: help@example.com",
        "Subject: =?utf-8?b?R3LDvMOfZQ==?=",
        "Message-ID: <72a90ea3da8b5dd01bde2f27314e02e2@example.com>",
        "X-Tag: a b",
        "MIME-Version: 1.0",
        "Content-Type: multipart/alternative;",
        ' boundary="=_17f935182ea573a7ff9b5f5060ef996b"',
        "",
        "--=_17f935182ea573a7ff9b5f5060ef996b",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 7bit",
        "",
        "Hi",
        ".",
        "",
        "--=_17f935182ea573a7ff9b5f5060ef996b",
        "Content-Type: text/html; charset=utf-8",
        "Content-Transfer-Encoding: quoted-printable",
        "",
        "<p>Hi =C3=A9 and the rest of the sentence</p>",
        "",
        "--=_17f935182ea573a7ff9b5f5060ef996b--",
        "",
    ]


def test_no_line_of_a_common_header_is_longer_than_78_octets() -> None:
    """RFC 5322 section 2.1.1, the boundary's line included."""
    email = composed(subject="Your order is on its way", body_html="<p>hi")
    header, _, _ = email.content.partition(b"\r\n\r\n")
    assert max(map(len, header.split(b"\r\n"))) <= 78


def test_each_address_is_in_the_envelope_once() -> None:
    email = composed(
        recipient=["b@example.org", "a@example.org", "b@Example.ORG", "B@example.org"],
        cc=["Ann <a@EXAMPLE.org>", "c@bücher.example"],
        bcc=["d@example.org", "c@xn--bcher-kva.example"],
    )
    assert email.envelope.recipients == (
        "b@example.org",
        "a@example.org",
        "B@example.org",
        "c@xn--bcher-kva.example",
        "d@example.org",
    )


def test_bcc_is_in_the_envelope_only() -> None:
    email = composed(bcc=["Secret Person <hidden@secret.example>"])
    assert "hidden@secret.example" in email.envelope.recipients
    assert b"hidden" not in email.content
    assert b"ecret" not in email.content


def test_message_id_follows_the_key_and_date_the_time_of_publishing() -> None:
    def made(key: str, hours: int = 0) -> Email:
        when = QUEUED_AT.astimezone(timezone(timedelta(hours=hours)))
        send = Send(recipient="ann@example.org", body_text="hi")
        return compose(send, key=key, queued_at=when, default_sender="relay@bücher.example")

    assert made("a") == made("a", hours=-7)
    assert made("a").content != made("b").content
    message = read(made("a"))
    assert message["Message-ID"] == (
        "<ca978112ca1bbdcafac231b39a23dc4d@xn--bcher-kva.example>"  # SHA-256 of "a"
    )
    assert parsedate_to_datetime(message["Date"]) == QUEUED_AT


def test_without_any_sender_there_is_no_email() -> None:
    send = Send(recipient="ann@example.org", body_text="hi")
    with pytest.raises(BadInput) as caught:
        compose(send, key="k", queued_at=QUEUED_AT, default_sender=None)
    assert (caught.value.reason, caught.value.path) == (Reason.SENDER_MISSING, "$.sender")


def test_the_default_sender_may_have_a_name() -> None:
    send = Send(recipient="ann@example.org", body_text="hi")
    email = compose(send, key="k", queued_at=QUEUED_AT, default_sender="Shop <shop@example.com>")
    assert email.envelope.sender == "shop@example.com"
    assert people(email, "From") == [("Shop", "shop@example.com")]


@pytest.mark.row(9)
def test_more_than_a_thousand_recipients_are_refused() -> None:
    crowd = [f"a{i}@example.org" for i in range(998)]
    full = composed(recipient=crowd, cc="b@example.org", bcc="c@example.org")
    assert len(full.envelope.recipients) == 1000
    assert refused(recipient=crowd, cc="b@example.org", bcc=["c@example.org"] * 2) == (
        Reason.TOO_LARGE,
        "$.recipient",
    )


def test_the_messages_of_the_first_version_work() -> None:
    email = composed(
        recipient="ann@example.org", subject="Hi", body_text="plain", body_html="<p>html</p>"
    )
    message = read(email)
    assert people(email, "To") == [("", "ann@example.org")]
    assert people(email, "From") == [("", "relay@example.com")]
    assert message["Subject"] == "Hi"
    assert body(message, "plain") == "plain\n"
    assert body(message, "html") == "<p>html</p>\n"
