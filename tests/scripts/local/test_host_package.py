"""The package of the local stack is built when its sources have changed, and only then."""

import shutil
from pathlib import Path

import pytest

from ionctl.local.host_package import host_package
from ionctl.local.stack import ROOT
from ionctl.problem import Problem


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """What a package is made of and by, with the wheels that are at hand."""
    root = tmp_path / "ion"
    for folder in ("lambda_src", "templates", "scripts/ionctl"):
        left_out = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / folder, root / folder, ignore=left_out)
    for file in ("config.cfg", "pyproject.toml"):
        shutil.copy(ROOT / file, root / file)
    (root / ".venv").mkdir()
    (ROOT / ".venv" / "wheels").mkdir(exist_ok=True)
    (root / ".venv" / "wheels").symlink_to(ROOT / ".venv" / "wheels")
    return root


def test_unchanged_sources_are_built_once(copy: Path, tmp_path: Path) -> None:
    said: list[str] = []
    first = host_package(copy, tmp_path / "first.zip", said.append).read_bytes()
    assert said == ["building the package"]
    again = host_package(copy, tmp_path / "again.zip", said.append).read_bytes()
    assert said == ["building the package"]
    assert again == first
    (copy / "config.cfg").unlink()
    with pytest.raises(Problem, match=r"couldn't be built:\n.*there is no config.cfg"):
        host_package(copy, tmp_path / "changed.zip", said.append)
    assert said == ["building the package"] * 2
