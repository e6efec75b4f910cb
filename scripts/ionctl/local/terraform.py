"""ion put into the emulated AWS by the real Terraform module, with the real provider."""

import json
import os
import platform
import shutil
from collections.abc import Iterator
from pathlib import Path

from ionctl.local.command import run
from ionctl.local.ministack import CREDENTIALS, ISOLATION
from ionctl.local.names import Names
from ionctl.local.variables import Variables
from ionctl.problem import Problem

_MIRROR = "registry.terraform.io"
_MIRROR_DEPTH = 4
_MIRROR_PLACES = (
    "~/.terraform.d",
    "/usr/share/terraform",
    "/usr/local/share/terraform",
    "/opt",
    "/srv",
)
_APPLY_SECONDS = 600


def find() -> str:
    """Give the path of the program.

    Raises:
        Problem: it isn't there.
    """
    terraform = shutil.which("terraform")
    if terraform is None:
        raise Problem(
            "--terraform needs Terraform 1.9 or newer, and there is none on the PATH: "
            "see https://developer.hashicorp.com/terraform/install, or leave --terraform out"
        )
    return terraform


def apply(module: Path, folder: Path, names: Names, variables: Variables) -> None:
    """Copy the module into `folder`, and apply the copy: nothing is left in the module's own.

    Raises:
        Problem: Terraform isn't there, or says no.
    """
    copy = Copy(module, folder / "terraform", emulated(names.endpoint, names.access_key))
    (copy.folder / "local.auto.tfvars.json").write_text(
        json.dumps(
            {
                "name": names.name,
                "package": str(variables.package),
                "secret_arn": variables.secret_arn,
                "settings": variables.settings,
                "alarm_topic_arns": variables.alarm_topic_arns,
                "outbox": variables.outbox,
                "attachment_buckets": variables.attachment_buckets,
                "events": {} if variables.events else None,
                "feedback": {} if variables.feedback else None,
                "unsubscribe": variables.unsubscribe,
                "dashboard": False,  # ministack keeps no saved queries
            }
        ),
        encoding="utf-8",
    )
    copy.run("apply", "-auto-approve", "-input=false")


def emulated(endpoint: str, access_key: str) -> dict[str, str]:
    """Give an environment in which Terraform sees an emulated AWS and no other."""
    return {**_environment(), "AWS_ACCESS_KEY_ID": access_key, "AWS_ENDPOINT_URL": endpoint}


class Copy:
    """A copy of a module, initialised with a provider from a mirror or from the registry.

    Args:
        module: the folder, with all that it refers to below it.
        folder: to be made.
        environment: of Terraform and its provider; None: one that leads to no AWS.

    Raises:
        Problem: Terraform isn't there, or has no provider.
    """

    def __init__(
        self, module: Path, folder: Path, environment: dict[str, str] | None = None
    ) -> None:
        self._terraform = find()
        self.environment = environment or _environment()
        self.folder = folder
        shutil.copytree(module, folder, ignore=_what_terraform_leaves)
        self._init()

    def run(self, *arguments: str) -> str:
        """Run `terraform` with these arguments in the copy, and give what it said.

        Raises:
            Problem: it failed.
        """
        status, output = run(
            [self._terraform, *arguments, "-no-color"],
            folder=self.folder,
            environment=self.environment,
            timeout_seconds=_APPLY_SECONDS,
        )
        if status:
            raise Problem(f"terraform {arguments[0]} failed:\n{output.strip()}")
        return output

    def _init(self) -> None:
        for mirror in mirrors():
            try:
                self.run("init", "-input=false", f"-plugin-dir={mirror}")
            except Problem:
                # of another platform, or without a version that the module takes
                (self.folder / ".terraform.lock.hcl").unlink(missing_ok=True)
            else:
                return
        self.run("init", "-input=false")


def _what_terraform_leaves(_folder: str, entries: list[str]) -> list[str]:
    return [
        entry
        for entry in entries
        if entry.startswith((".terraform", "terraform.tfstate")) or entry.endswith(".tfvars")
    ]


def _environment() -> dict[str, str]:
    """Give the person's own environment, without anything that leads to an AWS of theirs."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "TF_VAR_", "TF_CLI_ARGS", "TF_WORKSPACE", "TF_DATA_DIR"))
    }
    # Terraform only warns about it, then finds no mirror that it may have named: as if unset.
    if not Path(environment.get("TF_CLI_CONFIG_FILE", "")).is_file():
        environment.pop("TF_CLI_CONFIG_FILE", None)
    return {
        **environment,
        **CREDENTIALS,
        **ISOLATION,
        "TF_IN_AUTOMATION": "1",
        "CHECKPOINT_DISABLE": "1",
    }


def mirrors() -> Iterator[Path]:
    """Give the folders on this machine that hold providers, laid out as a mirror."""
    places = [os.environ.get("TF_PLUGIN_CACHE_DIR", ""), *_MIRROR_PLACES]
    for place in filter(None, places):
        top = Path(place).expanduser()
        for folder, below, _files in os.walk(top):
            if _MIRROR in below and _has_provider(Path(folder, _MIRROR)):
                yield Path(folder)
            if len(Path(folder).relative_to(top).parts) >= _MIRROR_DEPTH:
                below.clear()


def _has_provider(mirror: Path) -> bool:
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    target = f"{platform.system().lower()}_{machine}"
    return any(mirror.glob(f"hashicorp/aws/*/{target}")) or any(
        mirror.glob(f"hashicorp/aws/*_{target}.zip")
    )
