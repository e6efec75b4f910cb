"""The copy of an email for another mailbox: marked, and otherwise the same."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ion.contract import Send
from ion.envelope import Email
from ion.mail import compose, redirected
from ion.mail.redirected import LONGEST_PREFIX, ORIGINALS

INBOX = "inbox@example.com"
ANN, BOB = "ann@a.example", "bob@b.example"


def composed(**fields: object) -> Email:
    send = Send(**{"recipient": ANN, "body_text": "hello"} | fields)  # type: ignore[arg-type]
    queued_at = datetime(2026, 11, 28, tzinfo=UTC)
    return compose(send, key="k", queued_at=queued_at, default_sender="ion@example.org")


def read(email: Email) -> EmailMessage:
    return message_from_bytes(email.content, policy=policy.default)


def test_the_originals_are_before_the_subject_and_in_a_header() -> None:
    copy = redirected(composed(subject="Hi"), [ANN, BOB], INBOX)
    assert read(copy)["Subject"] == "[ann@a.example, bob@b.example] Hi"
    assert read(copy)[ORIGINALS] == "ann@a.example, bob@b.example"
    assert (copy.envelope.recipients, copy.envelope.sender) == ((INBOX,), "ion@example.org")


def test_all_else_is_as_it_was() -> None:
    email = composed(
        subject="Grüße aus Köln",
        bcc=BOB,
        headers={"X-Tag": "Subject: no", "List-Id": "<x.example>"},
        body_text="Subject: Grüße\r\n",
    )
    before, after = read(email), read(redirected(email, [BOB], INBOX))
    assert after["Subject"] == "[bob@b.example] Grüße aus Köln"
    del before["Subject"], after["Subject"], after[ORIGINALS]
    assert after.items() == before.items()
    assert after.get_content() == before.get_content()


def test_without_a_subject_the_prefix_is_the_subject() -> None:
    assert read(redirected(composed(), [ANN], INBOX))["Subject"] == "[ann@a.example]"


def test_a_prefix_names_as_many_as_there_is_room_for() -> None:
    many = [f"recipient{number}@example.org" for number in range(1000)]
    copy = redirected(composed(subject="Hi"), many, INBOX)
    prefix = str(read(copy)["Subject"]).removesuffix(" Hi")
    assert prefix.startswith("[recipient0@example.org, recipient1@example.org, ")
    assert prefix.endswith(f"recipient{prefix.count('@') - 1}@example.org, 996 more]")
    assert len(prefix) <= LONGEST_PREFIX
    assert str(read(copy)[ORIGINALS]).split(", ") == many
    assert max(map(len, copy.content.split(b"\r\n"))) <= 78


@pytest.mark.parametrize("address", ["jörg@xn--bcher-kva.example", f"{'a' * 64}@{'b' * 63}.test"])
def test_an_address_beyond_ascii_or_of_any_length_can_be_read(address: str) -> None:
    copy = redirected(composed(subject="Grüße"), [address, address], INBOX)
    assert read(copy)["Subject"].startswith(f"[{address}, ")
    assert read(copy)["Subject"].endswith("] Grüße")
    assert read(copy)[ORIGINALS] == f"{address}, {address}"
    assert copy.content.isascii()


HEADER_TEXT = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=200)


@given(HEADER_TEXT, HEADER_TEXT)
def test_any_subject_is_found_and_kept(subject: str, other: str) -> None:
    email = composed(subject=subject, headers={"X-Other": other}, recipient=f'"Subject:" <{ANN}>')
    copy = redirected(email, [ANN], INBOX)
    assert copy.subject == f"[ann@a.example] {subject}".removesuffix(" " if not subject else "")
    assert copy.content.count(b"\r\nSubject:") == 1
    marked = composed(
        subject=copy.subject, headers={"X-Other": other}, recipient=f'"Subject:" <{ANN}>'
    )
    line = f"{ORIGINALS}: {ANN}\r\n".encode()
    assert copy.content.replace(line, b"", 1) == marked.content
