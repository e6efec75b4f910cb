"""Which dead letters a redrive by tag, sender or name is about."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from ion.contract import Where
from ion.deadletter.query import is_meant
from ion.history import ION, History
from ion.message import Attribute, Message

DIED_AT = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
ASKED_AT = DIED_AT.timestamp() + 7200
SPRING = {"tags": {"campaign": "spring", "n": "1"}, "sender": "News <news@example.org>"}
UNREADABLE = ["{broken", '{"email_id": "order-17"}', '{"action": "redrive"}', "[]"]


def letter(
    body: str, *, email_id: str = "order-17", left: tuple[int, ...] = (), path: str = ""
) -> Message:
    """A dead letter of RCPT_REJECTED, as ion writes it."""
    history = History(
        email_id=email_id,
        first_queued_at=DIED_AT,
        original_message_id="m-1",
        left=left,
        path=path,
        failed_at=DIED_AT,
    )
    return Message(
        id="m-9",
        receipt="r",
        body=body,
        attributes={
            ION: Attribute.text(msgspec.json.encode(history).decode()),
            "reason": Attribute.text("RCPT_REJECTED"),
        },
        sent_at=DIED_AT.timestamp(),
        receives=1,
    )


def email(**fields: Any) -> str:  # noqa: ANN401
    least = {"action": "send", "recipient": "ann@example.org", "body_text": "x"}
    return json.dumps(least | fields)


@pytest.mark.parametrize(
    ("where", "meant"),
    [
        (Where(tag={"campaign": "spring"}), True),
        (Where(tag={"campaign": "spring", "n": "2"}), False),
        (Where(sender="news@EXAMPLE.org"), True),
        (Where(sender="post@example.org"), False),
        (Where(email_id="order-17"), True),
        (Where(email_id="order-18"), False),
        (Where(email_id="order-17", tag={"campaign": "autumn"}), False),
        (Where(email_id="order-18", tag={"campaign": "spring"}), False),
        (Where(email_id="order-17", sender="news@example.org", older_than="1h"), True),
        (Where(email_id="order-17", older_than="1d"), False),
        (Where(tag={"campaign": "spring"}, recipient_domain="example.org"), True),
        (Where(tag={"campaign": "spring"}, recipient_domain="example.com"), False),
    ],
)
def test_a_letter_is_meant_by_what_the_email_says(where: Where, meant: bool) -> None:
    assert is_meant(letter(email(**SPRING)), where, ASKED_AT) is meant


@pytest.mark.parametrize(
    ("where", "meant"),
    [
        (Where(older_than="2h"), True),
        (Where(older_than="7201s"), False),
        (Where(younger_than="2h"), False),
        (Where(younger_than="7201s"), True),
    ],
)
def test_an_age_is_counted_from_when_it_died(where: Where, meant: bool) -> None:
    """Not from when SQS has it: a letter that was moved by hand is new to SQS."""
    again = replace(letter(email()), sent_at=ASKED_AT)
    assert is_meant(again, where, ASKED_AT) is meant


def test_a_letter_that_sqs_moved_is_as_old_as_its_message() -> None:
    silent = Message("m-9", "r", email(), {}, DIED_AT.timestamp(), 1)
    assert is_meant(silent, Where(older_than="2h"), ASKED_AT)
    assert not is_meant(silent, Where(older_than="7201s"), ASKED_AT)


def test_a_letter_without_a_sender_is_the_relays() -> None:
    where = Where(sender="relay@example.com")
    assert is_meant(letter(email()), where, ASKED_AT, "Relay <relay@example.com>")
    assert not is_meant(letter(email()), where, ASKED_AT)


def test_a_letter_is_known_by_the_name_that_its_publisher_gave_or_sqs() -> None:
    assert is_meant(letter(email(email_id="a"), email_id="a"), Where(email_id="a"), ASKED_AT)
    by_sqs = letter(email(), email_id="m-1")
    assert is_meant(by_sqs, Where(email_id="m-1"), ASKED_AT)
    # SQS moved this one without a word
    silent = Message("m-9", "r", email(email_id="a"), {}, DIED_AT.timestamp(), 1)
    assert is_meant(silent, Where(email_id="a"), ASKED_AT)
    assert not is_meant(silent, Where(email_id="m-9"), ASKED_AT)


@pytest.mark.parametrize(
    ("path", "meant"), [("$.cc[1]", True), ("$.cc[10]", False), ("$.cc", False), ("$", False)]
)
def test_a_letter_is_meant_by_the_path_that_is_written_on_it(path: str, meant: bool) -> None:
    one = letter("{broken", path="$.cc[1]")
    assert is_meant(one, Where(path=path), ASKED_AT) is meant
    assert not is_meant(letter(email()), Where(path=path), ASKED_AT), "nothing is written there"


@pytest.mark.parametrize("body", UNREADABLE)
def test_what_can_not_be_read_is_known_by_its_name_alone(body: str) -> None:
    one = letter(body)
    assert is_meant(one, Where(email_id="order-17"), ASKED_AT)
    assert is_meant(one, Where(email_id="order-17", reason=None, tag=None), ASKED_AT)
    assert not is_meant(one, Where(email_id="order-18"), ASKED_AT)
    for where in (Where(tag={"a": "b"}), Where(sender="a@b.c"), Where(recipient_domain="b.c")):
        assert not is_meant(one, where, ASKED_AT)
    both = Where(email_id="order-17", sender="a@b.c")
    assert not is_meant(one, both, ASKED_AT)


def test_an_address_that_is_none_keeps_no_letter_from_its_tag() -> None:
    one = letter(email(recipient="no address", **SPRING))
    assert is_meant(one, Where(tag={"campaign": "spring"}), ASKED_AT)
    assert is_meant(one, Where(sender="news@example.org"), ASKED_AT)
    assert not is_meant(one, Where(recipient_domain="example.org"), ASKED_AT)


def test_a_letter_about_some_recipients_is_not_about_the_others() -> None:
    one = letter(email(recipient=["ann@example.org", "bob@example.com"], **SPRING), left=(1,))
    where = Where(tag={"campaign": "spring"}, recipient_domain="example.org")
    assert not is_meant(one, where, ASKED_AT)
