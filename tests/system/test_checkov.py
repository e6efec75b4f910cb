"""checkov finds nothing in the Terraform module that isn't explained beside it.

An exception is a comment in the resource that it is about: `#checkov:skip=ID:reason`.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from at_length import only_at_length
from ionctl.local.command import run
from ionctl.local.stack import ROOT

pytestmark = [only_at_length, pytest.mark.system, pytest.mark.timeout(600)]

LEAST_REASON = 30
"""Characters: shorter than that, it says no more than that the check is skipped."""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The report on the module and its examples, made without a network."""
    scripts = ROOT / "scripts"
    status, output = run(
        [scripts / "venv.sh", "checkov", scripts / "checkov.txt"], folder=ROOT, timeout_seconds=500
    )
    if status:
        assert os.environ.get("CI") != "true", output
        pytest.skip(f"checkov can't be had: {output}")
    checkov = Path(output.splitlines()[-1]).with_name("checkov")
    asked = ["--directory", "terraform", "--framework", "terraform", "--output", "json"]
    _, report = run(
        [checkov, *asked, "--skip-download"],
        folder=ROOT,
        timeout_seconds=300,
        environment={"PATH": os.environ["PATH"], "HOME": str(tmp_path_factory.mktemp("checkov"))},
    )
    found: dict[str, Any] = json.loads(report)
    return found


def test_it_has_looked_at_all_of_it(found: dict[str, Any]) -> None:
    assert found["summary"]["parsing_errors"] == 0
    assert found["summary"]["resource_count"] >= 100


def test_nothing_fails(found: dict[str, Any]) -> None:
    failed = found["results"]["failed_checks"]
    assert [(one["check_id"], one["resource"], one["check_name"]) for one in failed] == []


def test_each_exception_says_why(found: dict[str, Any]) -> None:
    skipped = found["results"]["skipped_checks"]
    reasons = {one["check_id"]: one["check_result"]["suppress_comment"] for one in skipped}
    assert reasons
    assert {check for check, why in reasons.items() if len(why) < LEAST_REASON} == set()
