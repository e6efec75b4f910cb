"""Feedback by the whole way: an email, its bounce by the topic, the function under its role."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from ion.address_hash import address_hash
from ion.aws.address_key import AddressKey
from ion.aws.addresses import Addresses
from ion.feedback import email_fate
from ion.policy import timeline
from ion.policy.suppression import ALL, Suppression
from ion.settings import KEYS
from ionctl.local.mailbox_simulator import BOUNCE_LATER, COMPLAINT
from ionctl.local.peek import peek
from ionctl.local.stack import Stack
from system.test_flow import eventually

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

ANN = "ann@example.org"


LISTED = {"suppression": {"list": "on"}} if "suppression" in KEYS else {}


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with Stack(feedback=True, settings=LISTED) as stack:
        yield stack


def sent(stack: Stack, email_id: str, *recipients: str) -> None:
    stack.publish(
        {
            "action": "send",
            "email_id": email_id,
            "recipient": list(recipients),
            "subject": "Hi",
            "body_text": "Hi",
        }
    )
    assert stack.wait_until_settled()


def row(stack: Stack, email_id: str) -> Mapping[str, Any]:
    key: Any = {"email_id": {"S": email_id}}
    found = stack.aws.dynamodb.get_item(TableName=stack.names.table, Key=key).get("Item", {})
    return {name: next(iter(value.values())) for name, value in found.items()}


def statuses(stack: Stack, email_id: str) -> list[str]:
    return [one.status for one in timeline.read(row(stack, email_id).get("timeline", ""))]


def suppressions(stack: Stack, address: str) -> list[Suppression]:
    async def read() -> list[Suppression]:
        client, table = stack.aws.dynamodb, stack.names.table
        hashed = address_hash(await AddressKey(client, table).get(), address)
        found = await Addresses(client, table).read([hashed])
        return [one for state in found.values() for one in state.suppressions]

    return asyncio.run(read())


@pytest.mark.parametrize(
    ("address", "status", "why"),
    [(BOUNCE_LATER, "bounced", "bounce"), (COMPLAINT, "complained", "complaint")],
)
def test_what_the_mail_server_tells_later_is_in_the_row_and_on_the_list(
    stack: Stack, address: str, status: str, why: str
) -> None:
    sent(stack, f"order-{why}", ANN, address)
    assert eventually(lambda: status in statuses(stack, f"order-{why}")), statuses(
        stack, f"order-{why}"
    )
    (taken,), (told,) = (
        [one for one in timeline.read(row(stack, f"order-{why}")["timeline"]) if one.status == what]
        for what in ("sent", status)
    )
    assert told.to == (1,)
    assert told.at > taken.at
    assert email_fate.read(row(stack, f"order-{why}")["feedback"])["1"].type == status
    assert row(stack, f"order-{why}")["status"] == "sent"
    (one,) = suppressions(stack, address)
    assert (one.scope, one.why) == (ALL, why)
    assert suppressions(stack, ANN) == []


@pytest.mark.skipif(not LISTED, reason="there is no suppression list yet")
def test_the_next_email_to_who_has_bounced_goes_to_the_others_alone(stack: Stack) -> None:
    sent(stack, "order-before", BOUNCE_LATER)
    assert eventually(lambda: suppressions(stack, BOUNCE_LATER))
    before = len(stack.mailbag.emails)
    sent(stack, "order-after", BOUNCE_LATER, ANN)
    (arrived,) = stack.mailbag.emails[before:]
    assert arrived.recipients == (ANN,)
    assert row(stack, "order-after")["status"] == "sent"


@pytest.mark.row(83)
def test_what_is_malformed_stays_in_the_queue_and_holds_nothing_up(stack: Stack) -> None:
    def publish(message: Any) -> None:  # noqa: ANN401 - JSON
        stack.aws.sns.publish(TopicArn=stack.names.feedback_topic_arn, Message=json.dumps(message))

    notice = {"recipient": "cy@example.org", "at": "2026-11-29T01:02:03Z"}
    publish({"type": "exploded", **notice})
    publish({"type": "complained", **notice})
    assert eventually(lambda: suppressions(stack, "cy@example.org"))
    assert eventually(lambda: left(stack) == ["exploded"])


def left(stack: Stack) -> list[str]:
    waiting = peek(stack.ministack.endpoint, stack.names.feedback_queue_url)
    return [json.loads(one.body)["type"] for one in waiting]


@pytest.mark.row(83)
def test_what_can_never_be_read_ends_in_the_dead_letter_queue_as_it_came(stack: Stack) -> None:
    body = '{"type": "exploded", "recipient": "dan@example.org", "at": "2026-11-29T01:02:03Z"}'
    stack.aws.sqs.set_queue_attributes(
        QueueUrl=stack.names.feedback_queue_url, Attributes={"VisibilityTimeout": "1"}
    )
    stack.aws.sns.publish(TopicArn=stack.names.feedback_topic_arn, Message=body)

    def dead() -> list[str]:
        url = stack.names.feedback_dead_letter_queue_url
        return [one.body for one in peek(stack.ministack.endpoint, url)]

    assert eventually(lambda: body in dead())
