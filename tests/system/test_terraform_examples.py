"""Each example is applied as it stands, and nothing is left to be changed after it."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from at_length import few
from ionctl.local.ministack import REGION, Ministack
from ionctl.local.names import Names, names_of
from ionctl.local.stack import ROOT, ministack_python
from system.terraform_root import Emulator, Root

pytestmark = [
    pytest.mark.system,
    pytest.mark.timeout(900),  # the provider waits for each queue to settle
    pytest.mark.skipif(shutil.which("terraform") is None, reason="Terraform isn't installed"),
]

ACCOUNTS = {
    "complete": "3" * 12,
    "cross-account": "4" * 12,
    "minimal": "5" * 12,
    "two-deployments": "6" * 12,
    "vpc": "7" * 12,
}
"""One for each, in which nothing else is."""
SHORT = "complete"
"""The one with most in it: each takes a minute and more."""


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ministack]:
    with Emulator(ministack_python(), tmp_path_factory.mktemp("examples")) as emulator:
        yield emulator


def variables(example: str, names: Names) -> dict[str, Any]:
    """What an example must be told; with TLS required an emulator without it would refuse all."""
    if example == "complete":
        return {"require_tls": False}
    return network(names) if example == "vpc" else {}


def network(names: Names) -> dict[str, Any]:
    """A VPC as there are many: it is there before the relay is."""
    ec2 = boto3.client(
        "ec2",
        region_name=REGION,
        endpoint_url=names.endpoint,
        aws_access_key_id=names.access_key,
        aws_secret_access_key="test",
        config=Config(proxies={}),  # not the person's
    )
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24")["Subnet"]["SubnetId"]
        for number in (1, 2)
    ]
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    return {"vpc_id": vpc, "subnet_ids": subnets, "route_table_ids": [table]}


def test_there_is_no_example_that_is_not_applied() -> None:
    assert sorted(ACCOUNTS) == sorted(
        path.parent.name for path in (ROOT / "terraform" / "examples").glob("*/main.tf")
    )


@pytest.mark.parametrize("example", few(sorted(ACCOUNTS), [SHORT]))
def test_an_example_is_applied_and_two_plans_after_it_are_empty(
    emulator: Ministack, tmp_path: Path, example: str
) -> None:
    names = names_of(emulator.endpoint, ACCOUNTS[example])
    shutil.copytree(
        ROOT / "terraform", tmp_path / "terraform", ignore=shutil.ignore_patterns(".terraform*")
    )
    # where ./release.sh puts it
    shutil.make_archive(str(tmp_path / "dist" / "ion-arm64"), "zip", ROOT / "lambda_src" / "ion")
    folder = tmp_path / "terraform" / "examples" / example
    root = Root(folder, folder.with_name(f"{example}-applied"), names)
    root.apply(**variables(example, names))
    if example == "vpc":
        # ministack 1.5.33 forgets an endpoint's security groups, and a rule's prefix list
        changes = root.plan("-target=module.ion") | root.plan("-target=module.ion")
        assert {address.partition("[")[0] for address in changes} <= {"aws_vpc_endpoint.interface"}
    else:
        assert root.plan() == {}
        assert root.plan() == {}
