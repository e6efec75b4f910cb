"""Outcome events as lines of a file."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, cast

from emulated import Account
from ionctl.console.outcomes import Outcomes
from ionctl.local.events_file import EventsFile

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


def test_each_event_becomes_a_line_that_the_console_reads(account: Account, tmp_path: Path) -> None:
    sqs, file = cast("SQSClient", account.sqs()), tmp_path / "events.jsonl"
    url = sqs.create_queue(QueueName="console-events")["QueueUrl"]
    event = {"type": "ion.email.sent", "time": "2026-11-28T12:00:00Z"}
    for number in range(12):
        body = json.dumps(event | {"id": f"e-{number}", "subject": f"order-{number}"}, indent=2)
        sqs.send_message(QueueUrl=url, MessageBody=body)
    shown = Outcomes(file)
    with EventsFile(sqs, url, file):
        while len(shown.latest()) < 12:  # bounded by the test's timeout
            time.sleep(0.05)
    assert {one["email_id"] for one in shown.latest()} == {f"order-{n}" for n in range(12)}
    assert len(file.read_text(encoding="utf-8").splitlines()) == 12
    left = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
    assert left["Attributes"]["ApproximateNumberOfMessages"] == "0"
