"""What the module calls a limit of AWS is one: by botocore's models and by Terraform's provider.

Where AWS has raised a limit, the provider's counts: it refuses what it doesn't know yet.
"""

import json
import os
import re

import botocore.session
import pytest

from ionctl.local.stack import ROOT
from ionctl.local.terraform import Copy
from ionctl.problem import Problem

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

TERRAFORM = ROOT / "terraform"
SESSION = botocore.session.get_session()


def module_text() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in TERRAFORM.glob("*.tf"))


def bounds(variable: str) -> tuple[int, int]:
    """Of a number, as its validation has them."""
    (low,) = re.findall(rf"condition .*\bvar\.{variable} >= (\d+)", module_text())
    (high,) = re.findall(rf"condition .*\bvar\.{variable} <= (\d+)", module_text())
    return int(low), int(high)


def longest(variable: str) -> int:
    """Of a list, as its validation has it."""
    (found,) = re.findall(rf"\blength\(var\.{re.escape(variable)}\) <= (\d+)", module_text())
    return int(found)


def retention_days() -> list[int]:
    (found,) = re.findall(
        r"condition = contains\(\[\n([\d, \n]+)\], var.log_retention_days", module_text()
    )
    return [int(day) for day in re.findall(r"\d+", found)]


def model(service: str, shape: str) -> dict[str, int]:
    found: dict[str, int] = SESSION.get_service_model(service).shape_for(shape).metadata
    return found


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    folder = tmp_path_factory.mktemp("limits")
    (folder / "root").mkdir()
    try:
        (folder / "root" / "versions.tf").write_text((TERRAFORM / "versions.tf").read_text())
        return Copy(folder / "root", folder / "copy")
    except Problem as problem:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"neither registry nor local mirror has the provider: {problem}")


def refused(copy: Copy, timeout: int, memory: int, days: list[int]) -> set[str]:
    """Give what Terraform's provider refuses of a function and of log groups."""
    function = {
        "function_name": "relay",
        "role": "arn:aws:iam::123456789012:role/relay",
        "handler": "ion.handler.run",
        "runtime": "python3.13",
        "filename": "package.zip",
        "timeout": timeout,
        "memory_size": memory,
    }
    groups = {f"days{day}": {"name": "log", "retention_in_days": day} for day in days}
    root = {"aws_lambda_function": {"relay": function}, "aws_cloudwatch_log_group": groups}
    (copy.folder / "main.tf.json").write_text(json.dumps({"resource": root}), encoding="utf-8")
    try:
        said = copy.run("validate", "-json")
    except Problem as problem:
        said = str(problem)
    told = [one["summary"] for one in json.loads(said[said.index("{") :])["diagnostics"]]
    return {" ".join(*re.findall(r"^expected (\w+) to be .*, got (\d+)$", one)) for one in told}


def test_the_module_takes_what_aws_takes_and_the_provider_does(copy: Copy) -> None:
    (_, timeout), (memory_low, memory) = bounds("timeout_seconds"), bounds("memory_mb")
    assert timeout <= model("lambda", "Timeout")["max"]
    assert memory <= model("lambda", "MemorySize")["max"]
    assert memory_low == model("lambda", "MemorySize")["min"]
    assert refused(copy, timeout, memory, retention_days()) == set()


def test_the_module_refuses_no_more_than_the_provider(copy: Copy) -> None:
    (_, timeout), (_, memory) = bounds("timeout_seconds"), bounds("memory_mb")
    assert refused(copy, timeout + 1, memory + 1, [max(retention_days()) + 1]) == {
        f"timeout {timeout + 1}",
        f"memory_size {memory + 1}",
        f"retention_in_days {max(retention_days()) + 1}",
    }


def test_retention_has_the_steps_of_cloudwatch() -> None:
    said = SESSION.get_service_model("logs").shape_for("Days").documentation
    steps = re.findall(r"\d+", said.partition("Possible values are:")[2].partition("</p>")[0])
    assert retention_days() == [int(step) for step in steps]


def test_a_vpc_and_alarms_have_as_many_of_each_as_aws_takes() -> None:
    assert longest("vpc.subnet_ids") == model("lambda", "SubnetIds")["max"]
    assert longest("vpc.security_group_ids") == model("lambda", "SecurityGroupIds")["max"]
    assert longest("alarm_topic_arns") == model("cloudwatch", "ResourceList")["max"]
    assert longest("role_path") == model("iam", "pathType")["max"]


def test_throttled_wake_ups_are_dropped_as_soon_and_as_surely_as_lambda_allows() -> None:
    ages = re.findall(r"maximum_event_age_in_seconds = (\d+)", module_text())
    tries = re.findall(r"maximum_retry_attempts += (\d+)", module_text())
    assert {int(age) for age in ages} == {model("lambda", "MaximumEventAgeInSeconds")["min"]}
    assert {int(one) for one in tries} == {model("lambda", "MaximumRetryAttempts")["min"]}


def test_no_concurrency_is_what_lambda_calls_none() -> None:
    """`enabled = false` reserves 0."""
    assert model("lambda", "ReservedConcurrentExecutions")["min"] == 0


def test_the_longest_name_leaves_room_for_what_is_put_behind_it() -> None:
    (more,) = re.findall(r"\[A-Za-z\]\[A-Za-z0-9_-\]\{0,(\d+)\}", module_text())
    assert int(more) + 1 + len("-lambda-role") == model("iam", "roleNameType")["max"]
