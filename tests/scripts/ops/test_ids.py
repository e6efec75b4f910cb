"""The email that an id belongs to which isn't its key."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ion.mail import message_id_left
from ionctl.ops.ids import key_by_message_id, message_id_in
from ionctl.ops.life import life
from ionctl.ops.publishes import groups
from ionctl.ops.result import LifeState
from ionctl.problem import Problem
from relays import Operated

SNS_ID = "34d9b400-c6dd-5444-820d-fbeb0f1f54cf"
SQS_ID = "4a1f27cc-4d6c-4c5f-8b0d-b1e3a6b1a9f7"
EVENTS = Path(__file__).parents[2] / "data" / "sns"
TAKEN = "250 2.0.0 Ok: queued as 4ZxY1z2w3vz9rxL"


def ago(seconds: float) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=seconds)


def sent(relay: Operated, key: str, **about: object) -> None:
    relay.row(key, status="sent", fates="s", attempts=1, reason="ACCEPTED", reply="250 ok")
    relay.logged("sent", ago(60), email_id=key, message_id="m-1", **about)


def delivered(relay: Operated, file: str, group: int, **changes: Any) -> None:  # noqa: ANN401
    """An event of SNS's delivery log, in the group of that number."""
    event = json.loads((EVENTS / file).read_text(encoding="utf-8"))
    for name, value in changes.items():
        event["notification" if name in event["notification"] else "delivery"][name] = value
    logs, name = relay.clients.logs, groups(relay.deployment)[group]
    logs.create_log_group(logGroupName=name)
    logs.create_log_stream(logGroupName=name, logStreamName="a")
    logs.put_log_events(
        logGroupName=name,
        logStreamName="a",
        logEvents=[{"timestamp": int(ago(60).timestamp() * 1000), "message": json.dumps(event)}],
    )


@pytest.mark.parametrize(
    ("text", "message_id"),
    [
        ("<a.b@example.org>", "<a.b@example.org>"),
        ("<0100018f-000000@email.amazonses.com>", "<0100018f-000000@email.amazonses.com>"),
        (f"{'0a' * 16}@example.org", f"<{'0a' * 16}@example.org>"),
        ("ann@example.org", ""),
        ("order-17", ""),
        ("<order 17>", ""),
    ],
)
def test_a_message_id_is_told_by_its_form(text: str, message_id: str) -> None:
    assert message_id_in(text) == message_id


def test_a_message_id_is_found_in_the_log_whatever_it_was_made_of(relay: Operated) -> None:
    sent(relay, "other", header_message_id="<b@example.org>")
    sent(relay, "order-17", header_message_id="<a@example.org>")
    assert life(relay.deployment, "<a@example.org>").email_id == "order-17"


def test_events_of_earlier_versions_are_checked_by_the_left_part(relay: Operated) -> None:
    sent(relay, "order-17")
    message_id = f"<{message_id_left('order-17')}@example.org>"
    assert key_by_message_id(relay.deployment, message_id, None) == "order-17"


def test_a_message_id_that_the_log_has_forgotten_is_found_by_a_scan(relay: Operated) -> None:
    for number in range(20):
        relay.row(f"o-{number}", status="sent", fates="s", header_message_id=f"<{number}@e.org>")
    relay.row(" address x", header_message_id="<7@e.org>")
    with pytest.raises(Problem, match="with --scan"):
        life(relay.deployment, "<7@e.org>")
    seen: list[tuple[int, int]] = []
    found = life(
        relay.deployment, "<7@e.org>", scan=True, progress=lambda done, of: seen.append((done, of))
    )
    assert (found.email_id, found.state) == ("o-7", LifeState.SENT)
    assert max(seen)[0] >= 20
    with pytest.raises(Problem, match="and no row of the ledger"):
        life(relay.deployment, "<99@e.org>", scan=True)


def test_the_index_is_asked_first_where_there_is_one(relay: Operated) -> None:
    relay.clients.dynamodb.update_table(
        TableName=relay.names.table,
        AttributeDefinitions=[{"AttributeName": "header_message_id", "AttributeType": "S"}],
        GlobalSecondaryIndexUpdates=[
            {
                "Create": {
                    "IndexName": "header-message-id",
                    "KeySchema": [{"AttributeName": "header_message_id", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "KEYS_ONLY"},
                }
            }
        ],
    )
    relay.row("order-17", status="sent", fates="s", header_message_id="<a@e.org>")
    assert key_by_message_id(relay.deployment, "<a@e.org>", None) == "order-17"


@pytest.mark.parametrize(
    "queue_id",
    [
        "0100018f3c2a1b4d-5e6f7a8b-1234-4c5d-8e9f-0a1b2c3d4e5f-000000",  # SES
        "4ZxY1z2w3vz9rxL",  # Postfix, long queue ids
        "3D5F2C01A9B",  # Postfix, short
        "54421890213457",  # Exchange
        "x2mQ9fLkR5-Zb7w1s8TqUA",  # SendGrid
        "a640c23a62f3a-ab3e1f2c",  # Gmail
        "1tGb2C-000Abc-1x",  # Exim
    ],
)
def test_a_mail_servers_name_for_an_email_leads_to_it(relay: Operated, queue_id: str) -> None:
    sent(relay, "other", queue_id="another", reply="250 ok")
    sent(relay, "order-17", queue_id=queue_id, reply="250 ok")
    assert life(relay.deployment, queue_id).email_id == "order-17"


def test_in_events_of_earlier_versions_it_is_in_the_reply(relay: Operated) -> None:
    sent(relay, "other", reply="250 2.0.0 Ok: queued as 4ZxY1z2w3vz9rxLM")
    sent(relay, "order-17", reply=TAKEN)
    assert life(relay.deployment, "4ZxY1z2w3vz9rxL").email_id == "order-17"
    sent(relay, "order-18", reply="250 2.6.0 InternalId=54421890213457")
    assert life(relay.deployment, "InternalId=54421890213457").email_id == "order-18"


def test_what_the_log_has_forgotten_is_found_by_a_scan(relay: Operated) -> None:
    relay.row("order-17", status="sent", fates="s", queue_id="4ZxY1z2w3vz9rxL")
    assert life(relay.deployment, "4ZxY1z2w3vz9rxL").state is LifeState.NEVER_SEEN
    assert life(relay.deployment, "4ZxY1z2w3vz9rxL", scan=True).email_id == "order-17"


@pytest.mark.parametrize("group", [0, 2])
def test_what_sns_returned_leads_to_the_email(relay: Operated, group: int) -> None:
    """Of both topics."""
    relay.row("order-17", status="sent", fates="s")
    relay.logged("sent", ago(60), email_id="order-17", message_id=SQS_ID)
    delivered(relay, "delivered.json", group)
    found = life(relay.deployment, SNS_ID)
    assert (found.email_id, found.state) == ("order-17", LifeState.SENT)


def test_where_sns_writes_no_log_it_is_said_what_to_turn_on(relay: Operated) -> None:
    words = life(relay.deployment, SNS_ID).words
    assert "SNS's delivery log, which knows both ids, is off: Terraform's log_publishes" in words
    assert "An email_id of the publisher's own is the better way" in words
    assert "log_publishes" not in life(relay.deployment, "order-17").words


def test_a_publish_that_the_log_does_not_have_is_told_so(relay: Operated) -> None:
    delivered(relay, "delivered.json", 0, messageId=SQS_ID)
    words = life(relay.deployment, SNS_ID).words
    assert "SNS's delivery log has no such publish since" in words


def test_a_publish_that_never_reached_the_queue_is_told_with_snss_words(relay: Operated) -> None:
    delivered(relay, "failed.json", 1)
    words = life(relay.deployment, SNS_ID).words
    assert "SNS couldn't put that publish into its queue: " in words
    assert "(403)" in words
