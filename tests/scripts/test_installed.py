"""ionctl installed by itself, as by pipx: it needs neither a clone nor anything of one's PATH."""

import os
import re
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from at_length import few
from clients.building import run, wheel_of
from interpreter import interpreter
from ionctl.build.wheels import LAMBDA_PYTHON
from ionctl.files import ROOT, version
from ionctl.local import command

pytestmark = pytest.mark.timeout(300)  # an installation from an index

UV = Path(sys.executable).with_name("uv")
NOT_OF_THE_TOOL = {"aiosmtpd", "deflate", "pip", "trustme"}
"""What scripts/requirements.in has for run.sh and release.sh."""

USE_IT = """
import importlib, pkgutil, ion, ionctl
from ionctl.console.contract import contract
from ionctl.ops.publishing import check
for package in (ion, ionctl):
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
bad = check('{"action": "send", "recipeint": "ann@example.org"}')
print(bad)
assert len(contract()["examples"]) > 30
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wheel_of(ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module", params=few(["this", LAMBDA_PYTHON], ["this"]))
def installed(
    request: pytest.FixtureRequest, wheel: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The folder of its programs."""
    found = interpreter(LAMBDA_PYTHON)
    if request.param == LAMBDA_PYTHON and found is None:
        pytest.skip(f"no Python {LAMBDA_PYTHON} here")
    python = found.path if found and request.param == LAMBDA_PYTHON else "python3"
    folder = tmp_path_factory.mktemp("installed")
    for arguments in (
        ("venv", "--quiet", "--no-config", "--python", python, str(folder / "venv")),
        ("pip", "install", "--quiet", "--python", str(folder / "venv/bin/python"), str(wheel)),
    ):
        status, output = command.run([UV, *arguments], folder=folder, timeout_seconds=250)
        if status:
            assert os.environ.get("CI") != "true", output
            pytest.skip(f"what ionctl needs can't be had: {output}")
    return folder / "venv" / "bin"


def ran(program: Path, *arguments: str, folder: Path) -> str:
    status, output = command.run(
        [program, *arguments],
        folder=folder,
        environment={"PATH": "/nowhere", "HOME": str(folder)},
        timeout_seconds=60,
    )
    assert status == 0, output
    return output


def test_it_runs_outside_of_a_clone_with_an_empty_path(installed: Path, tmp_path: Path) -> None:
    assert ran(installed / "ionctl", "--version", folder=tmp_path) == f"ionctl {version()}\n"
    assert "dead letters" in ran(installed / "ionctl", "--help", folder=tmp_path)
    status, output = command.run(
        [installed / "ionctl", "render", "welcome"],
        folder=tmp_path,
        environment={"PATH": "/nowhere", "HOME": str(tmp_path)},
        timeout_seconds=60,
    )
    assert (status, output.count("\n")) == (2, 1)
    assert "--templates FOLDER is needed" in output


def test_each_of_its_modules_works_there(installed: Path, tmp_path: Path) -> None:
    said = ran(installed / "python", "-c", USE_IT, folder=tmp_path)
    assert "did you mean recipient?" in said


def test_it_takes_two_names_and_has_nothing_that_needs_a_clone(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"ion", "ionctl"}
    assert not [name for name in names if name.startswith(("ionctl/local/", "ionctl/build/"))]
    assert len(names) == len(set(names))


def test_no_module_looks_for_a_file_of_the_repository_by_itself(wheel: Path) -> None:
    """`ionctl.files` knows where they are without a clone."""
    with zipfile.ZipFile(wheel) as archive:
        rooms = re.compile(r"ionctl/(ops|cli|console)/.*\.py")
        lost = [
            name
            for name in filter(rooms.fullmatch, archive.namelist())
            if re.search(r"__file__\)(\.resolve\(\))?\.parents\[", archive.read(name).decode())
        ]
    assert lost == []


def test_a_source_distribution_makes_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    run("-m", "hatchling", "build", "-t", "sdist", "-d", str(tmp_path), cwd=ROOT)
    (source,) = tmp_path.glob("*.tar.gz")
    assert wheel_of(source, tmp_path).read_bytes() == wheel.read_bytes()


def test_what_is_locked_is_what_is_asked_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = {one.name: one for one in map(Requirement, project["dependencies"])}
    named = {
        canonicalize_name(found[0])
        for room in ("scripts", "lambda_src")
        for line in (ROOT / room / "requirements.in").read_text(encoding="utf-8").splitlines()
        if (found := re.match(r"[\w-]+", line)) and not line.startswith("-r")
    }
    assert asked.keys() == named - NOT_OF_THE_TOOL
    locked = (ROOT / "scripts" / "requirements.txt").read_text(encoding="utf-8")
    versions = dict(re.findall(r"^([\w.-]+)==(\S+)", locked, re.MULTILINE))
    for name, one in asked.items():
        assert one.specifier.contains(versions[name]), one
