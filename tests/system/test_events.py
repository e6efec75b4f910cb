"""Events by the whole way: a row of the ledger, the function under its role, a subscribed queue."""

import json
from collections.abc import Iterator
from email.parser import BytesHeaderParser
from typing import Any

import pytest

from events.telling import record
from ionctl.local.outcomes import Outcomes
from ionctl.local.peek import peek
from ionctl.local.stack import Stack

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

PATIENCE_SECONDS = 60


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with Stack(events=True) as stack:
        yield stack


@pytest.fixture(scope="module")
def outcomes(stack: Stack) -> Outcomes:
    """All of them."""
    return Outcomes(stack.aws, stack.names)


def published(stack: Stack, **fields: object) -> None:
    """An email, with all that is told of it."""
    stack.publish({"action": "send", "subject": "Hi", "body_text": "Hi"} | fields)
    assert stack.wait_until_settled(PATIENCE_SECONDS)
    assert stack.ledger_stream.catch_up(PATIENCE_SECONDS)


def test_a_published_email_is_told_as_sent_to_who_asks_for_its_tag(
    stack: Stack, outcomes: Outcomes
) -> None:
    policy = {"tag_list": ["news"]}
    news = Outcomes(stack.aws, stack.names, "news", policy)
    for key, tags in (("order-1", {"list": "news", "order": "1"}), ("order-2", {"order": "2"})):
        published(stack, recipient="ann@example.org", email_id=key, tags=tags)
    (event,) = news.heard()
    assert (event["type"], event["subject"]) == ("ion.email.sent", "order-1")
    assert event["data"]["tags"] == {"list": "news", "order": "1"}
    assert event["data"]["fates"] == ["sent"]
    assert event["data"]["ms_from_publish"] > 0
    (arrived,) = (
        one
        for one in stack.mailbag.emails
        if _header_id(one.content) == event["data"]["header_message_id"]
    )
    assert event["data"]["queue_id"] in event["data"]["reply"]
    assert arrived.recipients == ("ann@example.org",)
    assert [one["type"] for one in told_of(outcomes, "order-2")] == ["ion.email.sent"]


def test_bad_input_is_told_as_bounced_with_the_place(stack: Stack, outcomes: Outcomes) -> None:
    published(stack, recipient=["ann@example.org", "bob at example.org"], email_id="order-3")
    (event,) = told_of(outcomes, "order-3")
    assert (event["type"], event["data"]["reason"], event["data"]["path"]) == (
        "ion.email.bounced",
        "INVALID_ADDRESS",
        "$.recipient[1]",
    )
    assert "bob" not in json.dumps(event)


def test_a_refused_recipient_is_told_beside_the_one_who_has_it(
    stack: Stack, outcomes: Outcomes
) -> None:
    to = ["ann@example.org", "bounce@simulator.test"]
    published(stack, recipient=to, email_id="order-4")
    told = {one["type"]: one["data"] for one in told_of(outcomes, "order-4")}
    assert {kind: data["recipients"] for kind, data in told.items()} == {
        "ion.email.sent": [0],
        "ion.email.bounced": [1],
    }
    assert told["ion.email.bounced"]["fates"] == ["sent", "dead_lettered"]
    assert told["ion.email.bounced"]["code"] == 550


def test_a_cancelled_email_is_told_as_such(stack: Stack, outcomes: Outcomes) -> None:
    stack.publish({"action": "cancel", "email_id": "order-5"})
    assert stack.wait_until_settled(PATIENCE_SECONDS)
    assert stack.ledger_stream.catch_up(PATIENCE_SECONDS)
    assert [one["type"] for one in told_of(outcomes, "order-5")] == ["ion.email.cancelled"]


def _header_id(content: bytes) -> str:
    return str(BytesHeaderParser().parsebytes(content)["Message-ID"])


def told_of(outcomes: Outcomes, email_id: str) -> list[dict[str, Any]]:
    return [one for one in outcomes.heard() if one["subject"] == email_id]


def test_what_partiql_writes_is_told(stack: Stack, outcomes: Outcomes) -> None:
    timeline = record("bounced")["dynamodb"]["NewImage"]["timeline"]
    stack.aws.dynamodb.execute_statement(
        Statement=f"INSERT INTO \"{stack.names.table}\" VALUE {{'email_id': 'p-1', 'timeline': ?}}",
        Parameters=[timeline],
    )
    assert stack.ledger_stream.catch_up(PATIENCE_SECONDS)
    (one,) = told_of(outcomes, "p-1")  # the attempt before it isn't told by default
    assert one["type"] == "ion.email.bounced"
    assert one["source"] == stack.names.function_arn


@pytest.mark.row(81)
def test_poison_is_in_the_failure_queue_the_rest_goes_on_and_it_is_told_once_mended(
    stack: Stack, outcomes: Outcomes
) -> None:
    for name, key in (("poison", "p-2"), ("sent", "p-3")):
        row = record(name)["dynamodb"]["NewImage"] | {"email_id": {"S": key}}
        stack.aws.dynamodb.put_item(TableName=stack.names.table, Item=row)
    assert stack.ledger_stream.catch_up(PATIENCE_SECONDS)
    assert [one["type"] for one in told_of(outcomes, "p-3")] == ["ion.email.sent"]
    (aside,) = peek(stack.ministack.endpoint, stack.names.events_queue_url)
    assert aside.attributes["reason"] == "unreadable: DecodeError"
    request = json.loads(aside.body)
    request["Records"][0]["dynamodb"]["NewImage"] |= {
        "timeline": record("sent")["dynamodb"]["NewImage"]["timeline"]
    }
    answer = stack.aws.functions.invoke(
        FunctionName=stack.names.events_function, Payload=json.dumps(request).encode()
    )
    assert json.load(answer["Payload"]) == {"batchItemFailures": []}
    assert [one["type"] for one in told_of(outcomes, "p-2")] == ["ion.email.sent"]
