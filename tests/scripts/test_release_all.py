"""A whole release, from clones of what this checkout has: what is in it, and what is refused."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from at_length import only_at_length
from ionctl.build.compilers import lambdas_python
from ionctl.files import version

pytestmark = pytest.mark.timeout(300)

ROOT = Path(__file__).parents[2]
CHANGELOG = f"# Changelog\n\n## [Unreleased]\n\n## [{version()}]\n- First.\n\n## [0.0.1]\n- None.\n"
TAG = f"v{version()}"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """With all that isn't ignored here, in one commit, which is a release's."""
    return _repository(tmp_path / "repository")


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that one gives."""
    repository = _repository(tmp_path_factory.mktemp("release") / "repository")
    (repository / "config-secrets.cfg").write_text("[smtp]\n", encoding="utf-8")
    (repository / "terraform" / "terraform.tfstate").write_text("{}", encoding="utf-8")
    (repository / "terraform" / ".terraform").mkdir()
    (repository / "terraform" / ".terraform" / "provider").touch()
    (repository / "dist" / version()).mkdir(parents=True)
    (repository / "dist" / version() / "of-before.zip").touch()
    released = _release(repository)
    assert released.returncode == 0, released.stderr
    assert not [one.name for one in (repository / "dist").iterdir() if one.name != version()]
    return repository / "dist" / version()


@only_at_length
def test_another_clone_gives_the_same_bytes(release: Path, tmp_path: Path) -> None:
    clone = tmp_path / "another clone"
    _git(tmp_path, "clone", "--quiet", "--no-tags", str(release.parents[1]), str(clone))
    _with_compiler(clone)
    only_git = tmp_path / "commands"
    only_git.mkdir()
    (only_git / "git").symlink_to(shutil.which("git") or "/nowhere")
    released = _release(clone, "--snapshot", PATH=str(only_git), TZ="Asia/Tokyo", LC_ALL="C")
    assert released.returncode == 0, released.stderr
    assert _contents(clone / "dist" / version()) == _contents(release)


@only_at_length
def test_has_packages_module_changes_and_hashes_of_all(release: Path) -> None:
    contents = _contents(release)
    sums = contents.pop("SHA256SUMS").decode()
    assert sorted(contents) == [
        "CHANGES.md",
        *("ion-arm64.zip", "ion-arm64.zip.json"),
        f"ion-terraform-{version()}.zip",
        *("ion-x86_64.zip", "ion-x86_64.zip.json"),
    ]
    assert sums == "".join(
        f"{hashlib.sha256(content).hexdigest()}  {name}\n"
        for name, content in sorted(contents.items())
    )
    assert contents["CHANGES.md"] == f"## [{version()}]\n- First.\n".encode()


@only_at_length
def test_module_has_its_packages_and_no_tests_nor_what_was_left_there(release: Path) -> None:
    with zipfile.ZipFile(release / f"ion-terraform-{version()}.zip") as module:
        names = set(module.namelist())
        for name in (
            "ion-arm64.zip",
            "ion-arm64.zip.json",
            "ion-x86_64.zip",
            "ion-x86_64.zip.json",
        ):
            assert module.read(f"dist/{name}") == (release / name).read_bytes()
    tracked = _git(ROOT / "terraform", "ls-files", "--cached", "--others", "--exclude-standard")
    kept = {name for name in tracked.splitlines() if not name.startswith("tests/")}
    assert names == kept | {
        *("LICENSE", "CHANGELOG.md", "UPGRADE.md", "config-secrets-example.cfg"),
        *(f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")),
    } | {name for name in names if re.fullmatch(r"dist/ion-(arm64|x86_64)\.zip(\.json)?", name)}
    assert {"package.tf", "settings.json", "examples/minimal/main.tf"} <= names


def test_what_is_not_committed_is_no_release(repository: Path) -> None:
    (repository / "templates" / "new.txt.j2").touch()
    refused = _release(repository, "--snapshot")
    assert refused.returncode == 1
    assert refused.stderr.startswith("release: templates/new.txt.j2 isn't as it is committed")
    assert "commit or stash it" in refused.stderr
    assert not (repository / "dist").exists()


def test_version_without_changes_is_refused(repository: Path) -> None:
    (repository / "CHANGELOG.md").write_text("# Changelog\n\n## [Unreleased]\n", encoding="utf-8")
    _git(repository, "commit", "--quiet", "--all", "--message", "Changes")
    _git(repository, "tag", "--force", TAG)
    refused = _release(repository)
    assert refused.returncode == 1
    assert f"CHANGELOG.md has no section [{version()}]" in refused.stderr
    assert "write it, or build a --snapshot" in refused.stderr


@only_at_length
def test_snapshot_of_a_version_without_changes_has_those_of_the_next_one(repository: Path) -> None:
    unreleased = "## [Unreleased]\n- Next.\n"
    (repository / "CHANGELOG.md").write_text(f"# Changelog\n\n{unreleased}", encoding="utf-8")
    _git(repository, "commit", "--quiet", "--all", "--message", "Changes")
    released = _release(repository, "--snapshot")
    assert released.returncode == 0, released.stderr
    assert _contents(repository / "dist" / version())["CHANGES.md"].decode() == unreleased


@pytest.mark.parametrize(
    "since",
    [["tag", "--delete", TAG], ["commit", "--quiet", "--allow-empty", "--message", "Later"]],
    ids=["no tag", "the tag is of an earlier commit"],
)
def test_commit_without_the_versions_tag_is_refused(repository: Path, since: list[str]) -> None:
    _git(repository, *since)
    refused = _release(repository)
    assert refused.returncode == 1
    assert f"has no tag {TAG}: git tag {TAG}, or build a --snapshot" in refused.stderr


def test_folder_that_is_no_clone_is_refused(repository: Path) -> None:
    shutil.rmtree(repository / ".git")
    refused = _release(repository, GIT_CEILING_DIRECTORIES=str(repository.parent))
    assert refused.returncode == 1
    assert "built in a clone of the repository, by git: " in refused.stderr
    assert "not a git repository" in refused.stderr


def test_release_sh_is_the_door(tmp_path: Path) -> None:
    shown = subprocess.run(
        [ROOT / "release.sh", "--all", "--help"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "--snapshot" in shown.stdout


def _repository(folder: Path) -> Path:
    tracked = _git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    for name in filter(None, tracked):
        if (ROOT / name).is_file():  # one may be deleted and not committed yet
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    (folder / "CHANGELOG.md").write_text(CHANGELOG, encoding="utf-8")
    _git(folder, "init", "--quiet")
    _git(folder, "config", "user.name", "Test")
    _git(folder, "config", "user.email", "test@example.org")
    _git(folder, "add", "--all")
    _git(folder, "commit", "--quiet", "--message", "All")
    _git(folder, "tag", TAG)
    _with_compiler(folder)
    return folder


def _with_compiler(folder: Path) -> None:
    """Fetched once for all, as on a person's machine."""
    kept = ROOT / ".venv" / "pyodide"
    lambdas_python(kept)
    (folder / ".venv").mkdir()
    (folder / ".venv" / "pyodide").symlink_to(kept)


def _release(
    repository: Path, *arguments: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ionctl.build.release", *arguments],
        env={**os.environ, **environment, "PYTHONPATH": str(repository / "scripts")},
        capture_output=True,
        text=True,
        check=False,
    )


def _git(folder: Path, *arguments: str) -> str:
    git = subprocess.run(
        ["git", *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return git.stdout


def _contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}
