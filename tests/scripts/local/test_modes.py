"""The mail server's switches and the whole relay: nothing is lost, and mail goes out after them."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from at_length import only_at_length
from ionctl.local import faults
from ionctl.local.mode import Mode
from ionctl.local.stack import Stack

pytestmark = pytest.mark.system

DEADLINE_SECONDS = 120
"""An email that is put off waits a minute, a fifth more or less, and then for the alarm."""


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """With an email in it that a full disk has put off, to be due at the module's end."""
    with Stack(settings={"drain": {"linger_seconds": "0"}}) as running:
        running.mail_server.mode = Mode.FULL
        publish(running, "full")
        wait_for(lambda: bool(events(running, "deferred")))
        running.mail_server.mode = Mode.WELL
        yield running


@pytest.fixture(autouse=True)
def _well(stack: Stack) -> Iterator[None]:
    yield
    stack.mail_server.mode = Mode.WELL


def publish(stack: Stack, name: str) -> None:
    recipient = f"{name}@example.org"
    stack.publish({"action": "send", "recipient": recipient, "body_text": "…", "email_id": name})


def wait_for(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def events(stack: Stack, message: str) -> list[dict[str, Any]]:
    return [event for event in stack.events() if event.get("message") == message]


def arrived(stack: Stack, name: str) -> bool:
    recipients = [email.recipients for email in stack.mailbag.emails]
    return recipients.count((f"{name}@example.org",)) == 1


def forget_backoff(stack: Stack) -> None:
    """As if the minutes had gone by after which the relay asks the server again."""
    dynamodb, table = stack.aws.dynamodb, stack.names.table
    for row in dynamodb.scan(TableName=table)["Items"]:
        if row["email_id"]["S"].startswith(" hold "):
            dynamodb.delete_item(TableName=table, Key={"email_id": row["email_id"]})


@pytest.mark.row(38)
@pytest.mark.row(42)
@pytest.mark.row(63)
@pytest.mark.parametrize(
    ("mode", "reason"),
    [(Mode.DOWN, "CONNECT"), (Mode.WRONG_LOGIN, "AUTH"), (Mode.QUOTA, "QUOTA")],
)
def test_the_site_is_at_fault_and_the_email_waits_uncounted(
    stack: Stack, mode: Mode, reason: str
) -> None:
    stack.mail_server.mode = mode
    publish(stack, mode)
    wait_for(lambda: reason in [event["reason"] for event in events(stack, "delivery suspended")])
    assert not arrived(stack, mode)
    assert not stack.dead_letters()
    stack.mail_server.mode = Mode.WELL
    if mode is not Mode.DOWN:  # that is tried with each wake-up, and the alarm rings on
        forget_backoff(stack)
        stack.invoke()
    wait_for(lambda: arrived(stack, mode))
    wait_for(lambda: mode in [event["email_id"] for event in events(stack, "sent")])
    (sent,) = (event for event in events(stack, "sent") if event["email_id"] == mode)
    assert sent["attempt"] == 1


@pytest.mark.row(62)
def test_a_throttle_slows_down_and_all_emails_go_out(stack: Stack) -> None:
    stack.mail_server.mode = Mode.THROTTLE
    names = [f"throttle-{number}" for number in range(4)]
    for name in names:
        publish(stack, name)
    wait_for(lambda: all(arrived(stack, name) for name in names))
    assert not stack.dead_letters()


@only_at_length
@pytest.mark.row(46)
def test_what_a_full_disk_has_put_off_goes_out_when_it_is_due(stack: Stack) -> None:
    (deferred,) = (event for event in events(stack, "deferred") if event["email_id"] == "full")
    assert deferred["reply"] == faults.DISK_FULL
    wait_for(lambda: arrived(stack, "full"))
