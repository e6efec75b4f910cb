"""The module's own tests, run by the real Terraform with the real provider."""

import os
import re

import pytest

from at_length import AT_LENGTH
from ionctl.local.stack import ROOT
from ionctl.local.terraform import Copy
from ionctl.problem import Problem
from system.provider import attached

ALWAYS = {"naming", "policies", "wiring"}
"""What any relay has, but for its alarms, which tests/alarms looks at."""
pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    try:
        return Copy(ROOT / "terraform", tmp_path_factory.mktemp("module") / "terraform")
    except Problem as problem:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"neither registry nor local mirror has the provider: {problem}")


def test_is_formatted(module: Copy) -> None:
    module.run("fmt", "-check", "-recursive", "-diff")


def test_is_valid(module: Copy) -> None:
    module.run("validate")


def test_names_wiring_policies_and_refusals_are_as_the_modules_tests_say(module: Copy) -> None:
    """At length also what is asked for by a variable, and the refusals: 200 plans, a second each.

    Their runs on emulated AWS (of events, feedback, unsubscribe) are for always.
    """
    files = {one.name.removesuffix(".tftest.hcl") for one in (module.folder / "tests").iterdir()}
    assert files > ALWAYS
    chosen = sorted(files if AT_LENGTH else ALWAYS)
    with attached(module):
        said = module.run("test", *(f"-filter=tests/{one}.tftest.hcl" for one in chosen))
    assert re.search(r"^Success! [1-9]\d* passed, 0 failed\.$", said, re.MULTILINE)


@pytest.fixture(scope="module")
def needs(module: Copy) -> dict[str, set[str]]:
    """Each resource, and all that it needs, itself included."""
    graph = module.run("graph")
    # Nodes by their own lines: a resource that needs nothing, and is needed by none, has no edge.
    direct = {one: set[str]() for one in re.findall(r'^  "([^"]+)" \[', graph, re.MULTILINE)}
    for one, other in re.findall(r'^  "([^"]+)" -> "([^"]+)";$', graph, re.MULTILINE):
        direct[one].add(other)

    def reached(start: str) -> set[str]:
        found, ahead = set[str](), [start]
        while ahead:
            if (one := ahead.pop()) not in found:
                found.add(one)
                ahead += direct[one]
        return found

    return {one: reached(one) for one in direct if not one.startswith("data.")}


def test_what_is_not_the_first_to_fail_comes_after_what_is(needs: dict[str, set[str]]) -> None:
    """A name that is taken fails at the log group, or at the role, which is the account's.

    Nothing may be adopted before.
    """
    early = [one for one, of in needs.items() if "aws_cloudwatch_log_group.relay" not in of]
    assert early == ["aws_iam_role.relay"]
    assert "aws_iam_role.relay" in needs["aws_cloudwatch_log_group.relay"]


def test_the_tables_which_aws_protects_are_destroyed_before_the_rest(
    needs: dict[str, set[str]],
) -> None:
    """What is missing here belongs into protect.tf."""
    tables = {"aws_dynamodb_table.ledger", "aws_dynamodb_table.outbox"}
    reads_its_stream = {"aws_lambda_event_source_mapping.events"}
    for table in tables:
        assert set(needs) - needs[table] - reads_its_stream == tables - {table}
