"""The load publisher as Terraform deploys it, held to its role's policy by the emulated AWS."""

import json
import shutil
from pathlib import Path

import pytest

from at_length import only_at_length
from ionctl.local import clients, iam_quirks
from ionctl.local.names import names_of
from ionctl.local.peek import peek
from ionctl.local.stack import ROOT, ministack_python
from runtime.execution import build
from system.terraform_root import Emulator, Root

pytestmark = [
    only_at_length,
    pytest.mark.system,
    pytest.mark.timeout(600),  # the provider waits for each queue to settle
    pytest.mark.skipif(shutil.which("terraform") is None, reason="Terraform isn't installed"),
]


def test_it_is_applied_publishes_and_leaves_nothing_to_be_changed(tmp_path: Path) -> None:
    package = tmp_path / "ion-host.zip"
    build("host", package)
    with Emulator(ministack_python(), tmp_path) as emulator:
        names = names_of(emulator.endpoint)
        root = Root(ROOT / "terraform", tmp_path / "root", names)
        root.apply(package=str(package), load={"messages_per_minute": 12, "lane": "bulk"})
        assert root.plan() == {}
        aws = clients.connect(names)
        iam_quirks.make_up(aws, "ion-load-role")
        answer = aws.functions.invoke(FunctionName="ion-load", Payload=b'{"id": "minute"}')
        assert json.load(answer["Payload"]) == {"published": 12}
        bodies = [json.loads(one.body) for one in peek(emulator.endpoint, names.bulk_queue_url)]
    assert {one["recipient"] for one in bodies} == {"success@simulator.amazonses.com"}
    assert {one["email_id"] for one in bodies} == {f"load-minute-{n}" for n in range(12)}
