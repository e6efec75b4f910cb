"""The whole way: real package, real Terraform apply, IAM enforced, an email at the end of it."""

import email
import email.policy
import json
import time
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from typing import TypeVar

import pytest

from ionctl.local.mail_session import Arrived
from ionctl.local.peek import Queued
from ionctl.local.stack import Method, Stack

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

T = TypeVar("T")

PATIENCE_SECONDS = 60.0


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with Stack(Method.TERRAFORM) as stack:
        yield stack


def eventually(found: Callable[[], T]) -> T:
    """The first true answer; the last one if the time is up."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (answer := found()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return answer


def emails_about(stack: Stack, subject: str) -> list[Arrived]:
    return [one for one in stack.mailbag.emails if read(one)["Subject"] == subject]


def read(arrived: Arrived) -> EmailMessage:
    return email.message_from_bytes(arrived.content, policy=email.policy.default)


def dead_letters_with(stack: Stack, body: str) -> list[Queued]:
    return [one for one in stack.dead_letters() if one.body == body]


def send(recipient: str, subject: str) -> dict[str, str]:
    return {"action": "send", "recipient": recipient, "subject": subject, "body_text": "Hi."}


def test_published_message_arrives_as_email(stack: Stack) -> None:
    stack.publish(
        {
            "action": "send",
            "recipient": "Ann <ann@bücher.example>",
            "bcc": "bob@example.org",
            "subject": "Grüße",
            "body_text": "plain",
            "body_html": "<p>html</p>",
        }
    )
    (arrived,) = eventually(lambda: emails_about(stack, "Grüße"))
    assert arrived.recipients == ("ann@xn--bcher-kva.example", "bob@example.org")
    message = read(arrived)
    assert message["To"] == "Ann <ann@xn--bcher-kva.example>"
    assert b"bob" not in arrived.content
    assert [part.get_content().strip() for part in message.iter_parts()] == ["plain", "<p>html</p>"]
    assert stack.wait_until_settled()


def test_refused_recipient_is_dead_lettered_with_its_reason(stack: Stack) -> None:
    body = json.dumps(send("bounce@simulator.test", "refused"), indent=3)
    stack.publish(body)
    (dead,) = eventually(lambda: dead_letters_with(stack, body))
    assert dead.attributes["reason"] == "RCPT_REJECTED"
    assert dead.attributes["reply"].startswith("550 5.1.1")
    record = json.loads(dead.attributes["ion"])
    assert (record["stage"], record["attempts"], record["redrives"]) == ("rcpt", 1, 0)


def test_broken_json_is_dead_lettered_byte_for_byte(stack: Stack) -> None:
    body = '{"action": "send",\n\t"recipient": "ann@example.org"  \u2603'
    stack.publish(body)
    (dead,) = eventually(lambda: dead_letters_with(stack, body))
    assert dead.attributes["reason"] == "BAD_JSON"


def test_deferred_message_is_sent_later(stack: Stack) -> None:
    stack.publish(send("defer@simulator.test", "deferred"))
    assert eventually(lambda: [e for e in stack.events() if e.get("message") == "deferred"])
    (waiting,) = [one for one in stack.queued() if "deferred" in one.body]
    assert not waiting.visible
    assert dead_letters_with(stack, waiting.body) == []


def test_redrive_brings_dead_letters_back(stack: Stack) -> None:
    body = json.dumps(send("ann@example.org", "redriven"))
    stack.aws.sqs.send_message(
        QueueUrl=stack.names.dead_letter_queue_url,
        MessageBody=body,
        MessageAttributes={
            "reason": {"DataType": "String", "StringValue": "RCPT_REJECTED"},
            "theirs": {"DataType": "Number", "StringValue": "7"},
        },
    )
    stack.publish({"action": "redrive"})
    assert len(eventually(lambda: emails_about(stack, "redriven"))) == 1
    assert dead_letters_with(stack, body) == []


def test_queue_filled_behind_the_relays_back_is_drained_because_of_the_alarm(stack: Stack) -> None:
    stack.aws.events.disable_rule(Name=stack.names.rule)
    stack.invoke()  # when it has ended, no run is under way, and nothing but the alarm can wake one
    before = alarms_raised(stack)
    for number in range(25):
        body = json.dumps(send(f"user{number}@example.org", "unannounced"))
        stack.aws.sqs.send_message(QueueUrl=stack.names.queue_url, MessageBody=body)
    assert eventually(lambda: len(emails_about(stack, "unannounced")) == 25)
    assert alarms_raised(stack) > before
    stack.aws.events.enable_rule(Name=stack.names.rule)


def alarms_raised(stack: Stack) -> int:
    history = stack.aws.cloudwatch.describe_alarm_history(AlarmName=stack.names.alarm)
    return sum("to ALARM" in item["HistorySummary"] for item in history["AlarmHistoryItems"])


def test_direct_invocation_returns_the_summary(stack: Stack) -> None:
    summary = stack.invoke()
    assert summary["stopped"] == "empty"
    assert {
        "received",
        "sent",
        "deferred",
        "released",
        "dead_lettered",
        "redriven",
        "seconds",
    } <= set(summary)


def test_no_address_and_no_content_is_logged(stack: Stack) -> None:
    stack.publish(
        {
            "action": "send",
            "recipient": "canary-address@example.org",
            "subject": "canary-subject",
            "body_text": "canary-body",
        }
    )
    assert eventually(lambda: emails_about(stack, "canary-subject"))
    assert stack.wait_until_settled() or stack.queued()
    assert eventually(lambda: any("canary" not in line for line in stack.log()))
    assert not [line for line in stack.log() if "canary" in line]
    assert not [line for line in stack.log() if stack.mail_server.login.password in line]
