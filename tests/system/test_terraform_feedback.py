"""Feedback as Terraform adds it to a relay in use; the emulated AWS holds it to its role."""

import json
import shutil
from pathlib import Path

import pytest

from at_length import only_at_length
from ionctl.local import clients, iam_quirks
from ionctl.local.names import names_of
from ionctl.local.stack import ROOT, ministack_python
from runtime.execution import build
from system.terraform_root import Emulator, Root
from system.test_flow import eventually

pytestmark = [
    only_at_length,
    pytest.mark.system,
    pytest.mark.timeout(600),  # the provider waits for each queue to settle
    pytest.mark.skipif(shutil.which("terraform") is None, reason="Terraform isn't installed"),
]

ROW = {
    "email_id": {"S": "order-1"},
    "header_message_id": {"S": "<1@example.org>"},
    "status": {"S": "sent"},
    "fates": {"S": "s"},
    "token": {"S": "t"},
    "lease_until": {"N": "0"},
    "updated_at": {"S": "2026-11-29T00:00:00.000+00:00"},
}
NOTICE = {
    "type": "bounced",
    "recipient": "ann@example.org",
    "at": "2026-11-29T01:02:03Z",
    "message_id": "<1@example.org>",
}


def test_the_ledger_keeps_its_rows_and_they_are_found(tmp_path: Path) -> None:
    package = tmp_path / "ion-host.zip"
    build("host", package)
    with Emulator(ministack_python(), tmp_path) as emulator:
        names = names_of(emulator.endpoint)
        root = Root(ROOT / "terraform", tmp_path / "root", names)
        root.apply(package=str(package))
        aws = clients.connect(names)
        aws.dynamodb.put_item(TableName=names.table, Item=ROW)
        root.apply(feedback={})
        assert root.plan() == {}
        iam_quirks.make_up(aws, names.feedback_role)
        aws.sns.publish(TopicArn=names.feedback_topic_arn, Message=json.dumps(NOTICE))

        def feedback() -> str:
            row = aws.dynamodb.get_item(TableName=names.table, Key={"email_id": {"S": "order-1"}})[
                "Item"
            ]
            return row.get("feedback", {}).get("S", "")

        assert eventually(feedback)
        assert json.loads(feedback())["0"]["type"] == "bounced"
