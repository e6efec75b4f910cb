"""The module as a release has it, fetched by the real Terraform from a web server."""

import os
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from at_length import only_at_length
from ionctl.build.archive import zipped
from ionctl.build.contents import Package
from ionctl.build.release import module_files
from ionctl.build.wheels import TARGETS
from ionctl.local.terraform import Copy
from ionctl.problem import Problem

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

NAME = "ion-terraform.zip"
ROOT_MODULE = """
terraform {{
  required_providers {{
    aws = {{ source = "hashicorp/aws" }}
  }}
}}

module "ion" {{
  source           = "{url}"
  architecture     = "x86_64"
  alarm_topic_arns = ["arn:aws:sns:eu-west-1:123456789012:operators"]
  providers        = {{ aws = aws }}
}}
"""
PLAN = """
mock_provider "aws" {
  override_during = plan
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
}

run "plan" {
  command = plan
}
"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    served = tmp_path / "served"
    served.mkdir()
    return served


@pytest.fixture
def url(folder: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}/{NAME}"
        server.shutdown()


def test_archive_is_all_that_a_root_needs(folder: Path, url: str, tmp_path: Path) -> None:
    _publish(folder, _packages())
    assert "1 passed, 0 failed" in _planned(url, tmp_path)


@only_at_length
def test_package_that_was_changed_in_it_is_refused(folder: Path, url: str, tmp_path: Path) -> None:
    _publish(folder, {**_packages(), "ion-x86_64.zip": b"another"})
    with pytest.raises(Problem) as refused:
        _planned(url, tmp_path)
    said = " ".join(str(refused.value).split())
    assert "/dist/ion-x86_64.zip isn't what its manifest says, " in said
    assert "its SHA-256 is another." in said


def test_wrong_processor_is_told_with_what_to_do(folder: Path, url: str, tmp_path: Path) -> None:
    packages = _packages()
    _publish(
        folder,
        {
            "ion-x86_64.zip": packages["ion-arm64.zip"],
            "ion-x86_64.zip.json": packages["ion-arm64.zip.json"],
        },
    )
    with pytest.raises(Problem) as refused:
        _planned(url, tmp_path)
    said = " ".join(str(refused.value).split())
    assert "ion-x86_64.zip is for arm64, and architecture is x86_64." in said
    assert "./release.sh --architecture x86_64" in said


def _packages() -> dict[str, bytes]:
    """What stands for packages, with manifests as a real one's."""
    made = [
        Package(target, [], target.name.encode()) for target in TARGETS.values() if target.python
    ]
    return {f"ion-{one.target.name}.zip": one.content for one in made} | {
        f"ion-{one.target.name}.zip.json": one.manifest() for one in made
    }


def _publish(folder: Path, packages: dict[str, bytes]) -> None:
    (folder / NAME).write_bytes(zipped(module_files(packages)))


def _planned(url: str, folder: Path) -> str:
    root = folder / "root"
    root.mkdir()
    (root / "main.tf").write_text(ROOT_MODULE.format(url=url), encoding="utf-8")
    (root / "main.tftest.hcl").write_text(PLAN, encoding="utf-8")
    try:
        copy = Copy(root, folder / "copy")
    except Problem as problem:
        if os.environ.get("CI") == "true" or "provider" not in str(problem):
            raise
        pytest.skip(f"neither registry nor local mirror has the provider: {problem}")
    return copy.run("test")
