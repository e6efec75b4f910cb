"""The module's own tests, run by the real Terraform with the real provider."""

import os
import re
import shutil
from pathlib import Path

import pytest

from ionctl.local.problem import Problem
from ionctl.local.stack import ROOT
from ionctl.local.terraform import Copy

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

EXAMPLES = ("minimal", "complete")


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
    said = module.run("test")
    assert re.search(r"^Success! [1-9]\d* passed, 0 failed\.$", said, re.MULTILINE)


@pytest.mark.parametrize("example", EXAMPLES)
def test_example_is_valid(module: Copy, tmp_path: Path, example: str) -> None:
    shutil.copytree(module.folder, tmp_path / "terraform", ignore=shutil.ignore_patterns(".*"))
    folder = tmp_path / "terraform" / "examples" / example
    Copy(folder, folder.with_name(f"{example}-copy")).run("validate")
