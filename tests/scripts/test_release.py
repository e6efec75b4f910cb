"""The shell around the builder: it runs from anywhere, and makes environments that it can trust."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from at_length import only_at_length

pytestmark = pytest.mark.timeout(400)  # pip, several times

ROOT = Path(__file__).parents[2]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """One with nothing in it but venv.sh and its install.sh, and idna to install."""
    repository = tmp_path / "with space"
    (repository / "scripts").mkdir(parents=True)
    for name in ("venv.sh", "install.sh"):
        shutil.copy(ROOT / "scripts" / name, repository / "scripts")
    lock = (ROOT / "lambda_src" / "requirements.txt").read_text(encoding="utf-8")
    start = lock.index("\nidna==") + 1
    idna = lock[start : lock.index("    # via", start)]
    (repository / "requirements.txt").write_text(idna, encoding="utf-8")
    return repository


def test_release_runs_from_anywhere(tmp_path: Path) -> None:
    shown = _run([str(ROOT / "release.sh"), "--help"], cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert "--with-secrets" in shown.stdout


@only_at_length
def test_environment_is_made_again_only_when_it_has_to_be(repository: Path) -> None:
    made = _venv(repository)
    python = repository / ".venv" / "some" / "bin" / "python"
    assert made.stdout == f"{python}\n"
    assert "installing requirements.txt into .venv/some, once; packages: 1" in made.stderr
    assert _run([str(python), "-c", "import idna"], cwd=repository).returncode == 0

    assert "installing" not in _venv(repository).stderr

    # as if interrupted
    (repository / ".venv" / "some" / "stamp").unlink()
    assert "installing" in _venv(repository).stderr

    with (repository / "requirements.txt").open("a", encoding="utf-8") as lock:
        lock.write("# changed\n")
    assert "installing" in _venv(repository).stderr
    assert "installing" not in _venv(repository).stderr


@only_at_length
def test_failed_installation_is_not_taken_for_an_environment(repository: Path) -> None:
    lock = f"idna==3.10 --hash=sha256:{'0' * 64}\n"
    (repository / "requirements.txt").write_text(lock, encoding="utf-8")
    for _ in range(2):
        failed = _venv(repository)
        assert failed.returncode != 0
        assert failed.stdout == ""
        assert "HASHES" in failed.stderr


@only_at_length
def test_uv_installs_what_is_locked_and_pip_where_it_can_not(repository: Path) -> None:
    uv = repository / "commands" / "uv"
    uv.parent.mkdir()
    uv.write_text(f"#!/bin/sh\necho \"$*\" >'{repository}/asked'\nexit 2\n", encoding="utf-8")
    uv.chmod(0o755)
    made = _venv(repository, PATH=f"{uv.parent}:{os.environ['PATH']}")
    assert "--require-hashes --requirement" in (repository / "asked").read_text(encoding="utf-8")
    assert _run([made.stdout.strip(), "-c", "import idna"], cwd=repository).returncode == 0


def test_old_python_is_refused_in_words(repository: Path) -> None:
    refused = _venv(repository, PATH=_path_with_python(repository, "exit 1"))
    assert refused.returncode == 1
    assert "ion needs Python 3.11 or newer" in refused.stderr


def test_debian_without_venv_is_told_what_to_install(repository: Path) -> None:
    no_ensurepip = 'case "$*" in *ensurepip*) exit 1 ;; esac'
    refused = _venv(repository, PATH=_path_with_python(repository, no_ensurepip))
    assert refused.returncode == 1
    assert "apt-get install python3-venv" in refused.stderr


@only_at_length
def test_environment_stays_when_another_python_comes_first_on_the_path(repository: Path) -> None:
    """Programs may run in it."""
    assert _venv(repository).returncode == 0
    kept = repository / ".venv" / "some" / "kept"
    kept.touch()
    site = repository / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text("import sys; sys.base_prefix = '/elsewhere'\n")
    other = f'PYTHONPATH="{site}" exec "{sys.executable}" "$@"'
    made = _venv(repository, PATH=_path_with_python(repository, other))
    assert (made.returncode, made.stderr) == (0, "")
    assert kept.exists()


@only_at_length
def test_what_pip_unpacks_is_in_the_environment_and_goes_with_it(repository: Path) -> None:
    temporary = repository / "temporary"
    temporary.mkdir(mode=0o500)
    pip = repository / "pip"
    pip.mkdir()
    (pip / "sitecustomize.py").write_text(
        "import os, sys, tempfile\n"
        "if 'pip' in sys.argv or 'install' in sys.orig_argv:\n"
        "    print('TMP', tempfile.gettempdir(), file=sys.stderr)\n"
    )
    without_uv = _path_without_uv(repository)
    made = _venv(repository, PATH=without_uv, TMPDIR=str(temporary), PYTHONPATH=str(pip))
    assert made.returncode == 0, made.stderr
    inside = repository / ".venv" / "some" / "tmp"
    assert f"TMP {inside}\n" in made.stderr
    assert not inside.exists()
    assert list(temporary.iterdir()) == []


def _path_without_uv(repository: Path) -> str:
    """A PATH on which uv fails, so that pip installs."""
    commands = repository / "without-uv"
    commands.mkdir()
    (commands / "uv").write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    (commands / "uv").chmod(0o755)
    return f"{commands}:{os.environ['PATH']}"


def _path_with_python(repository: Path, script: str) -> str:
    """A PATH whose Pythons are all this `script`."""
    commands = repository / "commands"
    commands.mkdir()
    for name in ("python3", "python3.13", "python3.12", "python3.11"):
        (commands / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        (commands / name).chmod(0o755)
    return f"{commands}:{os.environ['PATH']}"


def _venv(repository: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [str(repository / "scripts" / "venv.sh"), "some", "requirements.txt"]
    return _run(command, cwd=repository, **environment)


def _run(command: list[str], cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
