"""A message is checked as the relay checks it, and published under a name."""

import json
import re

import pytest

from function import email
from ionctl.ops import publishing
from ionctl.ops.publishing import check
from ionctl.problem import Problem
from relays import Operated

LEAST = {"action": "send", "recipient": "ann@example.org", "body_text": "x"}


def lines(**fields: object) -> str:
    return json.dumps(LEAST | fields, indent=2)


@pytest.mark.parametrize(
    ("body", "reason", "words", "line", "column"),
    [
        (
            '{"action": "send",\n "recipeint": "a@b.c", "body_text": "x"}',
            "INVALID_SCHEMA",
            "unknown field recipeint: did you mean recipient?",
            2,
            2,
        ),
        ("{broken", "BAD_JSON", "this is no JSON", 1, 2),
        (
            '{"action": "send", "body_text": "x"}',
            "INVALID_SCHEMA",
            "the email needs recipient, cc or bcc",
            1,
            1,
        ),
        (
            '{"action": "send", "recipient": "a@b.c"}',
            "INVALID_SCHEMA",
            "the email needs body_text, body_html or template",
            1,
            1,
        ),
        ('{"subject": "x"}', "INVALID_SCHEMA", "action is missing", 1, 1),
        (lines(lane="fast"), "INVALID_SCHEMA", "lane must be normal or bulk", 5, 3),
        (lines(subject=5), "INVALID_SCHEMA", "subject is of the wrong type", 5, 3),
        (
            lines(cc=["bob@example.org", "bob@"]),
            "INVALID_ADDRESS",
            "cc[1] must be a@b, Name <a@b>, or email and name apart",
            7,
            5,
        ),
        (
            '{"action": "send", "recipient": "a@b.c",\n"subject": "x", "subject": "y"}',
            "INVALID_SCHEMA",
            "subject is there twice",
            2,
            17,
        ),
        (
            lines(subject="a\nb"),
            "HEADER_INJECTION",
            "subject holds a line break or another control character",
            5,
            3,
        ),
        (
            lines(not_before="2099-01-01T00:00:00Z"),
            "INVALID_SCHEMA",
            (
                "not_before must be a time with a zone: 2027-03-08T09:00:00+01:00, at most 13 days "
                "ahead"
            ),
            5,
            3,
        ),
        (
            lines(body_text="x" * 300_000),
            "TOO_LARGE",
            (
                "the message is too large: at most 256 KiB of JSON, or of a message in S3 10 MB "
                "and what the function has memory for"
            ),
            1,
            1,
        ),
    ],
)
def test_what_is_wrong_is_told_in_words_with_its_place(
    body: str, reason: str, words: str, line: int, column: int
) -> None:
    checked = check(body)
    (fault,) = checked.faults
    assert (fault.reason, fault.words) == (reason, words)
    assert (fault.line, fault.column) == (line, column)
    assert not checked.ok


def test_a_size_is_counted_in_octets() -> None:
    """SNS and SQS do: half as many umlauts fill a message."""
    (fault,) = check(lines().replace('"x"', f'"{"ü" * 140_000}"')).faults
    assert fault.reason == "TOO_LARGE"


def test_what_will_be_taken_has_no_fault() -> None:
    checked = check(lines(email_id="order-17", sender="ion@example.org"), "order.json")
    assert (checked.ok, checked.faults, checked.warnings) == (True, [], [])
    assert (checked.source, checked.action, checked.email_id) == ("order.json", "send", "order-17")
    assert check('{"action": "cancel", "email_id": "k"}').email_id == "k"
    assert check('{"action": "resume"}').action == "resume"


@pytest.mark.parametrize(
    ("fields", "warned"),
    [
        ({"sender": None}, "sender: none is given"),
        ({"email_id": None}, "email_id: none is given"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at: is over"),
        ({"template": "welcome"}, "template: not filled in here; ionctl render welcome"),
    ],
)
def test_what_is_allowed_and_hardly_meant_is_a_warning(
    fields: dict[str, object], warned: str
) -> None:
    usual = {"sender": "ion@example.org", "email_id": "k"}
    checked = check(lines(**(usual | fields)))
    assert checked.ok
    (warning,) = checked.warnings
    assert warning.startswith(warned)


def test_a_sender_that_is_known_to_be_the_relays_is_checked() -> None:
    assert check(lines(email_id="k"), default_sender="ion@example.org").warnings == []


def test_a_claim_check_is_not_looked_through() -> None:
    checked = check('{"email_id": "order-17"}')
    assert (checked.ok, len(checked.warnings)) == (True, 1)


def test_an_email_is_published_under_a_name(relay: Operated) -> None:
    done = publishing.publish(relay.deployment, email(subject="Grüße"))
    assert done.topic_arn == relay.names.topic_arn
    (received,) = relay.clients.sqs.receive_message(QueueUrl=relay.names.queue_url)["Messages"]
    fields = json.loads(received["Body"])
    assert fields.pop("email_id") == done.email_id
    assert fields == json.loads(email(subject="Grüße"))


def test_a_file_with_a_byte_order_mark_is_published_under_a_name(relay: Operated) -> None:
    """As editors on Windows write it; the relay takes such a message, too."""
    done = publishing.publish(relay.deployment, f"\ufeff{email()}")
    (received,) = relay.clients.sqs.receive_message(QueueUrl=relay.names.queue_url)["Messages"]
    assert json.loads(received["Body"])["email_id"] == done.email_id


def test_a_message_with_a_name_goes_out_as_it_is_and_bulk_by_its_own_topic(
    relay: Operated,
) -> None:
    bodies = [
        email(email_id="one", lane="bulk"),
        ' {"action": "cancel", "email_id": "two"}',
        email(email_id="three"),
    ]
    for body, name in zip(bodies, ("one", "two", "three"), strict=True):
        done = publishing.publish(relay.deployment, body, bulk=name == "three")
        assert (done.email_id, done.topic_arn == relay.names.bulk_topic_arn) == (
            name,
            name != "two",
        )
    urls = (relay.names.bulk_queue_url, relay.names.queue_url, relay.names.bulk_queue_url)
    received = {
        one["Body"]
        for url in urls
        for one in relay.clients.sqs.receive_message(QueueUrl=url)["Messages"]
    }
    assert received == set(bodies)


def test_what_would_be_dead_lettered_is_not_published(relay: Operated) -> None:
    with pytest.raises(Problem, match="nothing is published: unknown field recipeint: did you me"):
        publishing.publish(relay.deployment, '{"action": "send", "recipeint": "a@b.c"}')
    depth = relay.clients.sqs.receive_message(QueueUrl=relay.names.queue_url)
    assert "Messages" not in depth


def test_what_no_queue_takes_is_published_escaped_or_not_at_all(relay: Operated) -> None:
    fields = {**LEAST, "body_text": "a \uffff", "email_id": "order-17"}
    publishing.publish(relay.deployment, json.dumps(fields, ensure_ascii=False))
    (received,) = relay.clients.sqs.receive_message(QueueUrl=relay.names.queue_url)["Messages"]
    assert "\uffff" not in received["Body"]
    assert json.loads(received["Body"]) == fields
    for wrong, name in (('{"action": "\x01"}', "U+0001"), ("\ufffe", "U+FFFE")):
        with pytest.raises(Problem, match=rf"nothing is published: .*{re.escape(name)}, which SQS"):
            publishing.publish(relay.deployment, wrong, as_it_is=True)
    assert publishing.not_for_sqs("\t\n\r \x7f\ud7ff\ue000\ufffd\U0001f48c") == ""
