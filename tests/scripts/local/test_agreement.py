"""The local deployment and the Terraform module put the same things into AWS."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from at_length import only_at_length
from ionctl.local import clients, deploy, terraform
from ionctl.local.inventory import Inventory, inventory
from ionctl.local.ministack import Ministack
from ionctl.local.names import Names, names_of
from ionctl.local.stack import ROOT, ministack_python
from ionctl.local.variables import Variables
from ionctl.ops.account import Account

SETTINGS = {"smtp": {"connections": "7"}, "mail": {"sender": "ion@example.org"}}


class Cloud:
    """One emulated AWS; each deployment gets an account of its own in it."""

    def __init__(self, folder: Path, package: Path, ministack: Ministack) -> None:
        self._folder = folder
        self._package = package
        self._ministack = ministack
        self._accounts = iter(str(digit) * 12 for digit in range(1, 10))

    def with_boto3(self) -> Inventory:
        return self._deployed(deploy.deploy)

    def with_terraform(self) -> Inventory:
        def apply(_aws: Account, names: Names, variables: Variables) -> None:
            folder = self._folder / names.account
            terraform.apply(ROOT / "terraform", folder, names, variables)

        return self._deployed(apply)

    def _deployed(self, deploy_it: Callable[[Account, Names, Variables], None]) -> Inventory:
        names = names_of(self._ministack.endpoint, next(self._accounts))
        aws = clients.connect(names)
        operators = aws.sns.create_topic(Name="operators")["TopicArn"]
        variables = Variables(
            self._package,
            names.secret_arn,
            SETTINGS,
            (operators,),
            outbox=True,
            feedback=True,
            attachment_buckets=("arn:aws:s3:::files", "arn:aws:s3:::more/below/"),
            events=True,
            unsubscribe=True,
        )
        deploy_it(aws, names, variables)
        return inventory(aws, names)


def flat(value: object, path: str = "") -> frozenset[str]:
    """Each attribute as one line, so that a difference can be read."""
    if isinstance(value, dict):
        return frozenset[str]().union(*(flat(part, f"{path}/{key}") for key, part in value.items()))
    if isinstance(value, list):
        return frozenset[str]().union(*(flat(part, f"{path}[{i}]") for i, part in enumerate(value)))
    return frozenset({f"{path} = {value!r}"})


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    folder = tmp_path_factory.mktemp("cloud")
    package = folder / "package.zip"
    # what is inside is nobody's matter here
    shutil.make_archive(str(package.with_suffix("")), "zip", ROOT / "lambda_src" / "ion")
    with Ministack(ministack_python(), folder) as ministack:
        yield Cloud(folder, package, ministack)


@only_at_length
@pytest.mark.system
@pytest.mark.timeout(400)  # Terraform's provider waits for each queue to settle
@pytest.mark.skipif(shutil.which("terraform") is None, reason="Terraform isn't installed")
def test_local_deployment_and_terraform_module_agree(cloud: Cloud) -> None:
    ours, theirs = flat(cloud.with_boto3()), flat(cloud.with_terraform())
    assert sorted(ours - theirs) == sorted(theirs - ours)  # both empty, or shown side by side


@pytest.mark.system
def test_inventory_sees_what_a_deployment_consists_of(cloud: Cloud) -> None:
    found = cloud.with_boto3()
    assert found["function"]["Concurrency"] == {"ReservedConcurrentExecutions": 1}
    assert found["function"]["Environment"]["Variables"]["ION_SMTP_CONNECTIONS"] == "7"
    assert found["queue ion-input-queue"]["RedrivePolicy"]["maxReceiveCount"] > 1
    for queue in ("bulk", "later"):
        assert found[f"queue ion-{queue}-queue"]["RedrivePolicy"]["maxReceiveCount"] > 1
    heard_by = {alarm["AlarmName"]: alarm["AlarmActions"] for alarm in found["alarms"]}
    wakes = {name for name, arn in heard_by.items() if arn.endswith(":operators") is False}
    assert wakes == {f"ion-{queue}-queue-size-alarm" for queue in ("input", "bulk", "later")}
    assert {"ion-held-alarm", "ion-no-run-alarm"} <= heard_by.keys() - wakes
    assert {"ion-events-failed-alarm", "ion-events-late-alarm"} <= heard_by.keys() - wakes
    assert len(heard_by.keys() - wakes) == 20
    assert found["events function"]["EventSourceMappings"]["BisectBatchOnFunctionError"] is True
    assert found["events role"]["Policies"]["events"]
    assert found["unsubscribe function"]["Handler"] == "ion.unsubscribe.handler.run"
    assert "AuthType" in found["unsubscribe function"]["Urls"]
    assert found["rule"]["Targets"] == {"Arn": "arn:aws:lambda:us-east-1:ACCOUNT:function:ion"}
    assert len([name for name in found if name.startswith("subscription")]) == 6
