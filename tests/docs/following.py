"""A run of a page's commands, as its reader would: in a clone, from top to bottom."""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from docs.blocks import script
from docs.rules import ANSWERS, TERRAFORM_ACCOUNT
from ionctl.build.compilers import lambdas_python
from ionctl.files import ROOT
from ionctl.local.command import run
from ionctl.local.terraform import mirrors

_SECONDS = 800
_RUN = Path(__file__).with_name("run_page.sh")


def run_page(
    page: str, projects: Path, folder: Path, environment: Mapping[str, str]
) -> tuple[int, str]:
    """Run a page's commands in a clone of the repository; give status and output.

    Args:
        page: its path in the repository.
        projects: for the clone, and what lies beside it; of one page after the other.
        folder: for all else.
        environment: leads to an AWS.
    """
    home = folder / "home"
    home.mkdir()
    own = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "ION_", "TF_"))
    }
    path = {"HOME": str(home), "PATH": f"{_programs(folder)}:{os.environ['PATH']}"}
    text = (ROOT / page).read_text(encoding="utf-8")
    return run_text(
        text, page, _clone(projects), {**own, **path, **_terraforms(home), **environment}
    )


def run_text(text: str, page: str, clone: Path, environment: Mapping[str, str]) -> tuple[int, str]:
    """Run the commands of a page's text; give status and output.

    Args:
        text: Markdown.
        page: what the page is called.
        clone: where each block begins.
        environment: of the commands.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".sh", encoding="utf-8") as file:
        file.write(script(text, page))
        file.flush()
        return run(
            ["bash", _RUN, page, file.name, "|".join(ANSWERS)],
            folder=clone,
            environment={**environment, "CLONE": str(clone)},
            timeout_seconds=_SECONDS,
        )


def _clone(projects: Path) -> Path:
    """All that git has or would take, with what ion has installed for the page before."""
    folder = projects / "ion"
    installed = folder / ".venv"
    for one in projects.glob("*/*"):  # hidden ones, too
        if one != installed:
            shutil.rmtree(one) if one.is_dir() and not one.is_symlink() else one.unlink()
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():  # one may be deleted and not committed yet
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    if not installed.exists():
        installed.mkdir()
        for fetched in ("pyodide", "wheels"):  # once for all, as on a person's machine
            kept = ROOT / ".venv" / fetched
            kept.mkdir(exist_ok=True, parents=True)
            (installed / fetched).symlink_to(kept)
    lambdas_python(ROOT / ".venv" / "pyodide")
    return folder


def _programs(folder: Path) -> Path:
    """A folder with what a person has on the PATH; `aws` and `terraform` reach the emulated AWS."""
    programs = folder / "programs"
    programs.mkdir()
    tests = Path(sys.executable).parent
    terraform = shutil.which("terraform") or "/nowhere/terraform"
    other = f"AWS_ACCESS_KEY_ID={TERRAFORM_ACCOUNT}"
    environment = folder / "python"
    for name, program in {
        "aws": f'case "$*" in *:{TERRAFORM_ACCOUNT}:*) export {other} ;; esac\n'
        # of SQS the CLI asks AWS itself, whatever AWS_ENDPOINT_URL says
        f'exec {shlex.quote(str(tests / "aws"))} --endpoint-url "$AWS_ENDPOINT_URL" "$@"',
        "terraform": f'{other} exec {shlex.quote(terraform)} "$@"',
        "uv": f'exec {shlex.quote(str(tests / "uv"))} "$@"',
        # into an environment of the page's own
        "pip": f"[ -d {environment} ] || uv venv --quiet --no-config {environment}\n"
        f'exec uv pip "$1" --quiet --python {environment} "${{@:2}}"',
    }.items():
        path = programs / name
        path.write_text(f"#!/usr/bin/env bash\nset -e\n{program}\n", encoding="utf-8")
        path.chmod(0o755)
    return programs


def _terraforms(home: Path) -> dict[str, str]:
    """Terraform asks nothing, and takes its provider from a mirror if one is here."""
    settings = {
        "TF_CLI_ARGS": "-no-color",
        "TF_CLI_ARGS_apply": "-auto-approve -input=false",
        "TF_VAR_dashboard": "false",  # ministack keeps no saved queries
        "CHECKPOINT_DISABLE": "1",
    }
    mirror = next(mirrors(), None)
    if mirror:
        file = home / "terraform.rc"
        file.write_text(
            f'provider_installation {{\n  filesystem_mirror {{\n    path = "{mirror}"\n  }}\n}}\n'
        )
        settings["TF_CLI_CONFIG_FILE"] = str(file)
    return settings
