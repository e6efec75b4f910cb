"""What `--once` says of mail that waits, and of mail that is steered: the whole relay, once."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ionctl.local.once import run
from ionctl.local.stack import Stack

pytestmark = pytest.mark.system


def email(**fields: object) -> dict[str, Any]:
    return {"action": "send", "recipient": "ann@example.org", "body_text": "Hi"} | fields


def test_each_is_told_with_its_fate(tmp_path: Path) -> None:
    """The scheduled ones are sent half a minute after their time: a clock of the relay may err."""
    due = datetime.now(UTC) + timedelta(seconds=40)
    before = datetime.now(UTC) - timedelta(seconds=1)
    cancel = {"action": "cancel", "email_id": "order-17"}
    messages = {
        "bulk": email(lane="bulk"),
        "scheduled": email(not_before=due.isoformat()),
        "expired": email(expires_at=before.isoformat()),
        "waits": email(not_before=due.isoformat(), email_id="order-17"),
        "cancel": cancel,
        "sent": email(email_id="order-18"),
        "guarded": email(recipient=["ann@example.org", "eve@elsewhere.test"]),
    }
    files = [(Path(name), json.dumps(message).encode()) for name, message in messages.items()]
    with Stack(settings={"guard": {"only": "*@example.org"}}) as stack:
        fates = {fate.file.name: fate for fate in run(stack, files, 120, tmp_path)}
    assert {name: str(fate).partition(" → ")[2] for name, fate in fates.items()} == {
        "bulk": "sent to ann@example.org",
        "scheduled": "sent to ann@example.org",
        "expired": "dead-lettered EXPIRED $.expires_at",
        "waits": "not sent order-17: it was cancelled",
        "cancel": "cancelled order-17: nothing of that id has been tried yet",
        "sent": "sent to ann@example.org",
        "guarded": "sent to ann@example.org; dead-lettered GUARDED not in [guard] only",
    }
    (scheduled,) = fates["scheduled"].emails
    assert scheduled.at >= due
