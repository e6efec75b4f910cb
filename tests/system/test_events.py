"""Events by the whole way: a row of the ledger, the function under its role, a subscribed queue."""

import json
from collections.abc import Iterator
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
