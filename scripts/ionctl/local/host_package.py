"""The Lambda package for this machine: built when its sources have changed, else at hand."""

import fcntl
import hashlib
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ionctl.local.command import run
from ionctl.problem import Problem

_SOURCES = ("lambda_src", "templates", "config.cfg", "pyproject.toml", "scripts/ionctl/build")
"""What goes into a package, and what makes it."""
_LEFT_OUT = frozenset({"__pycache__"})
_BUILD_SECONDS = 900
"""The first time everything is downloaded, over whatever line there is."""
_KEPT = 4
"""Packages that stay: going back and forth between two branches builds neither anew."""


def host_package(root: Path, output: Path, say: Callable[[str], None]) -> Path:
    """Write the package to `output`, and give that.

    Args:
        root: the repository.
        output: a path in a folder of the caller's.
        say: told before it is built.

    Raises:
        Problem: it can't be built.
    """
    folder = root / ".venv" / "packages"
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / f"ion-host-{_fingerprint(root)}.zip"
    with _locked(folder / "lock"):  # of several stacks that start at once, one builds it
        if kept.is_file():
            kept.touch()  # it has been of use
        else:
            say("building the package")
            _build(root, output)
            partial = shutil.copyfile(output, kept.with_suffix(".partial"))
            partial.replace(kept)
            _forget_old(folder)
        shutil.copyfile(kept, output)
    return output


def _fingerprint(root: Path) -> str:
    digest = hashlib.sha256(f"{sys.version} {sys.prefix} {platform.machine()}".encode())
    for source in _SOURCES:
        top = root / source
        files = sorted(path for path in [top, *top.rglob("*")] if path.is_file())
        for file in files:
            if not _LEFT_OUT.intersection(file.parts):
                content = hashlib.sha256(file.read_bytes()).hexdigest()
                digest.update(f"{file.relative_to(root)} {content}\n".encode())
    return digest.hexdigest()[:16]


def _build(root: Path, output: Path) -> None:
    status, said = run(
        [
            sys.executable,
            "-m",
            "ionctl.build.package",
            "--architecture",
            "host",
            "--output",
            output,
        ],
        folder=root / "scripts",
        timeout_seconds=_BUILD_SECONDS,
    )
    if status:
        raise Problem(f"the package couldn't be built:\n{said.strip()}")


def _forget_old(folder: Path) -> None:
    packages = sorted(folder.glob("*.zip"), key=lambda package: package.stat().st_mtime)
    for package in packages[:-_KEPT]:
        package.unlink(missing_ok=True)


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    with file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # ends with the file, and with our process
        yield
