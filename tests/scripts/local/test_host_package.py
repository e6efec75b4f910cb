"""The package of the local stack is built when its sources have changed, and only then."""

import os
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


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """What is built, each with its number in it: a package takes long."""
    built: list[Path] = []

    def build(_root: Path, output: Path) -> None:
        built.append(output)
        output.write_text(str(len(built)))

    monkeypatch.setattr("ionctl.local.host_package._build", build)
    return built


@pytest.mark.parametrize(
    "source",
    [
        "lambda_src/ion/a.py",
        "templates/a/b.j2",
        "config.cfg",
        "pyproject.toml",
        "scripts/ionctl/build/a.py",
    ],
)
def test_a_change_of_what_goes_into_a_package_builds_it_anew(
    tmp_path: Path, built: list[Path], source: str
) -> None:
    changing = tmp_path / source
    changing.parent.mkdir(parents=True, exist_ok=True)
    for content in ("old", "new", "old"):
        changing.write_text(content)
        output = host_package(tmp_path, tmp_path / f"{content}.zip", lambda _words: None)
        assert output.read_text() == {"old": "1", "new": "2"}[content]
    assert len(built) == 2


def test_the_packages_that_were_of_use_last_are_kept(tmp_path: Path, built: list[Path]) -> None:
    def use(version: int) -> str:
        (tmp_path / "config.cfg").write_text(str(version))
        package = host_package(tmp_path, tmp_path / "package.zip", lambda _words: None)
        for kept in (tmp_path / ".venv" / "packages").glob("*.zip"):  # a minute goes by
            before = kept.stat().st_mtime - 60
            os.utime(kept, (before, before))
        return package.read_text()

    assert [use(version) for version in (1, 2, 3, 4, 1, 5, 6)] == [
        "1",
        "2",
        "3",
        "4",
        "1",
        "5",
        "6",
    ]
    assert [use(version) for version in (1, 6, 5, 4)] == ["1", "6", "5", "4"]
    assert use(2) == "7"
    assert len(built) == 7
