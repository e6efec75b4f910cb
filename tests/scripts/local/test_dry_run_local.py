"""A dry run beside ./run.sh: it finds the queues by itself, and understands every action."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ionctl.local.announcement import announced
from ionctl.local.dry_run import dry_run
from ionctl.local.stack import ROOT, Stack
from ionctl.ops import local_stack

pytestmark = pytest.mark.system

QUEUES = ("queue_url", "bulk_queue_url", "later_queue_url")
SOON = (datetime.now(UTC) + timedelta(days=1)).isoformat(timespec="seconds")
PAST = "2026-01-01T00:00:00Z"
EMAIL = {"action": "send", "recipient": "ann@example.org", "subject": "Hi", "body_text": "…"}
GOES = "would go from ion@simulator.test to ann@example.org: 'Hi', "


@pytest.fixture(scope="module")
def running(package_of_nothing: Path) -> Iterator[Stack]:
    with Stack(package=package_of_nothing) as stack:
        yield stack


@pytest.fixture
def stack(running: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """With empty queues and nothing in force; the shell's own AWS leads nowhere."""
    for queue in (*QUEUES, "dead_letter_queue_url"):
        running.aws.sqs.purge_queue(QueueUrl=getattr(running.names, queue))
    table = running.names.table
    for row in running.aws.dynamodb.scan(TableName=table)["Items"]:
        running.aws.dynamodb.delete_item(TableName=table, Key={"email_id": row["email_id"]})
    monkeypatch.setenv(local_stack.FILE_VARIABLE, str(tmp_path / "stack.json"))
    monkeypatch.setenv("AWS_PROFILE", "nobody-has-this-one")
    with announced(running):
        yield running


def put(stack: Stack, body: dict[str, Any] | str, queue: str = "queue_url") -> str:
    text = body if isinstance(body, str) else json.dumps(body)
    url = getattr(stack.names, queue)
    return stack.aws.sqs.send_message(QueueUrl=url, MessageBody=text)["MessageId"]


def said() -> dict[str, str]:
    """By message."""
    lines = [line.partition(": ")[2] for line in dry_run(ROOT, None, None)]
    return {number: words for number, _, words in (line.partition("  ") for line in lines)}


def said_of(stack: Stack, body: dict[str, Any] | str) -> str:
    number = put(stack, body)
    return said()[number]


def know(stack: Stack, key: str, **values: str) -> None:
    """Have the ledger's table know it."""
    item = {name: {"S": value} for name, value in {"email_id": key, **values}.items()}
    stack.aws.dynamodb.put_item(TableName=stack.names.table, Item=item)


def control(stack: Stack, **in_force: list[dict[str, Any]]) -> None:
    know(stack, " control ", control=json.dumps(in_force), version="1")


def test_it_finds_the_queues_and_the_sender_by_the_status_file(stack: Stack) -> None:
    for queue in QUEUES:
        put(stack, EMAIL, queue)
    first, bulk, later = dry_run(ROOT, None, None)
    assert first.startswith("ion-input-queue: ")
    assert f"  {GOES}" in first
    assert bulk.startswith("ion-bulk-queue: ")
    assert bulk.endswith(" bytes, as bulk")
    assert later.startswith("ion-later-queue: ")
    assert f"  {GOES}" in later


def test_what_cannot_be_seen_is_counted(stack: Stack) -> None:
    url = stack.names.later_queue_url
    stack.aws.sqs.send_message(QueueUrl=url, MessageBody="{}", DelaySeconds=900)
    lines = [line for line in dry_run(ROOT, None, None) if line.startswith("ion-later")]
    assert lines == [
        "ion-later-queue: 1 delayed: not to be seen before they are due.",
        "ion-later-queue: Nothing to send: no message is visible now.",
    ]


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ({"action": "cancel", "email_id": "order-17"}, "would cancel order-17"),
        (
            {"action": "stop", "where": {"tag": {"campaign": "spring"}}, "until": SOON},
            f"would dead-letter emails as STOPPED: tag campaign=spring, until {SOON}",
        ),
        ({"action": "stop"}, "would dead-letter emails as STOPPED: all, for an hour"),
        ({"action": "pause", "lane": "bulk"}, "would pause bulk mail, for an hour"),
        (
            {"action": "pause", "until": PAST},
            f"would pause all mail, until {PAST}: without effect, over already",
        ),
        ({"action": "resume"}, "would end all pauses and stops: 0 and 0 now"),
        (
            {"action": "redrive", "where": {"path": "$.recipient"}},
            "would move dead letters back to the input queue: path $.recipient; 0 now",
        ),
    ],
    # not by the words, which have the time in them: it is another one in each process
    ids=["cancel", "stop", "stop all", "pause bulk", "pause over", "resume", "redrive"],
)
def test_each_order_is_told(stack: Stack, order: dict[str, Any], words: str) -> None:
    assert said_of(stack, order) == words


def test_a_redrive_is_told_with_the_letters_that_it_would_move(stack: Stack) -> None:
    for reason in ("POISON", "EXPIRED", "EXPIRED"):
        stack.aws.sqs.send_message(
            QueueUrl=stack.names.dead_letter_queue_url,
            MessageBody=json.dumps(EMAIL),
            MessageAttributes={"reason": {"DataType": "String", "StringValue": reason}},
        )
    move = "would move dead letters back to the input queue: "
    assert said_of(stack, {"action": "redrive"}) == f"{move}all; 3 now (EXPIRED 2, POISON 1)"
    expired = {"action": "redrive", "where": {"reason": "EXPIRED"}, "max": 1}
    assert said_of(stack, expired) == f"{move}reason EXPIRED, at most 1; 1 now (EXPIRED 1)"
    assert len(stack.dead_letters()) == 3
    assert all(letter.visible for letter in stack.dead_letters())


def test_what_the_ledger_knows_is_heeded(stack: Stack) -> None:
    know(stack, "order-17", status="sent")
    assert said_of(stack, {**EMAIL, "email_id": "order-17"}) == (
        "would not be sent: order-17 is sent already, as the ledger has it"
    )
    assert said_of(stack, {"action": "cancel", "email_id": "order-17"}) == (
        "would cancel order-17: the ledger has it as sent"
    )


def test_what_operators_have_asked_for_is_heeded(stack: Stack) -> None:
    stop = {"id": "s-1", "where": {"recipient_domain": "example.org"}, "until": SOON, "why": "oops"}
    control(stack, pauses=[{"lane": "bulk", "until": SOON}], stops=[stop])
    assert said_of(stack, EMAIL) == "would be dead-lettered: STOPPED, stop s-1: oops"
    assert said_of(stack, {**EMAIL, "recipient": "ann@x.org"}).startswith("would go from ")
    assert (
        said_of(stack, {**EMAIL, "lane": "bulk"}) == f"would wait: bulk mail is paused until {SOON}"
    )
    assert said_of(stack, {"action": "resume"}) == "would end all pauses and stops: 1 and 1 now"


def test_times_are_heeded(stack: Stack) -> None:
    assert said_of(stack, {**EMAIL, "not_before": SOON}).startswith("would wait until ")
    assert said_of(stack, {**EMAIL, "expires_at": PAST}) == (
        "would be dead-lettered: EXPIRED at $.expires_at"
    )


def test_what_a_message_points_to_is_fetched(stack: Stack) -> None:
    bucket = stack.names.files
    stack.aws.s3.put_object(Bucket=bucket, Key="m.json", Body=json.dumps(EMAIL).encode())
    stack.aws.dynamodb.put_item(
        TableName=stack.names.outbox,
        Item={"email_id": {"S": "order-17"}, "email": {"S": json.dumps(EMAIL)}},
    )

    def pointer(key: str) -> str:
        return json.dumps(
            [
                "software.amazon.payloadoffloading.PayloadS3Pointer",
                {"s3BucketName": bucket, "s3Key": key},
            ]
        )

    assert said_of(stack, pointer("m.json")).startswith(GOES)
    assert said_of(stack, '{"email_id": "order-17"}').startswith(GOES)
    assert said_of(stack, pointer("n.json")) == "would wait: CLAIM_MISSING at $: S3: NoSuchKey"
    assert said_of(stack, '{"email_id": "order-18"}') == (
        "would wait: CLAIM_MISSING at $: no such item in the outbox"
    )


def test_it_hides_and_deletes_nothing(stack: Stack) -> None:
    number = put(stack, EMAIL)
    for _ in range(2):
        assert said()[number].startswith(GOES)
    (queued,) = stack.queued()
    assert queued.visible
