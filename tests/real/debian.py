"""Debian's packages, from where this machine's apt gets its own; nothing is installed.

Unpacked into .venv/, so only the first run needs the network.
"""

import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ion.deadline import Deadline
from real.unavailable import UnavailableError

FETCH_SECONDS = 150.0
"""For one server, package lists included; a few are enough where the network is good."""

CACHE = Path(__file__).parents[2] / ".venv"
_LOCK = "debian.lock"
_VERSION = "version"
_MISSING_LIBRARY = re.compile(r"^Inst (lib\S+) ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What some packages hold.

    Args:
        tree: their files, in a tree that begins with usr/ and etc/.
        version: of the first package.
    """

    tree: Path
    version: str


def unpacked(*wanted: str) -> Unpacked:
    """Unpack packages and the libraries that they need and this machine doesn't have.

    Raises:
        UnavailableError: this isn't Debian or akin to it, or it has no network.
    """
    if not (shutil.which("apt-get") and shutil.which("dpkg")):
        raise UnavailableError("there is no apt-get or no dpkg: this server comes from Debian")
    system = platform.freedesktop_os_release()
    digest = hashlib.sha256(repr(wanted).encode()).hexdigest()[:8]
    parts = (system["ID"], system.get("VERSION_ID", ""), platform.machine(), wanted[0], digest)
    folder = CACHE / "-".join(filter(None, parts))
    try:
        with locked(CACHE / _LOCK):
            if not folder.is_dir():
                _fetch(wanted, folder, Deadline.after(FETCH_SECONDS))
    except OSError as error:
        raise UnavailableError(f"no place for the packages of {wanted[0]}: {error}") from error
    return Unpacked(folder / "tree", (folder / _VERSION).read_text(encoding="utf-8"))


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One process at a time: tests run side by side, and apt-get update minds that."""
    path.parent.mkdir(exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _fetch(wanted: tuple[str, ...], folder: Path, deadline: Deadline) -> None:
    """All or nothing."""
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="debian-part-") as part:
        try:
            _download(wanted, part, deadline)
        except UnavailableError:  # no package lists, as in a new container, or old ones
            _run("apt-get", "--quiet", "update", folder=part, deadline=deadline)
            _download(wanted, part, deadline)
        whole = Path(part, "whole")
        whole.mkdir()
        for package in sorted(Path(part).glob("*.deb")):
            _run("dpkg", "-x", str(package), str(whole / "tree"), folder=part, deadline=deadline)
        (first,) = Path(part).glob(f"{wanted[0]}_*.deb")
        version = _run("dpkg", "-f", str(first), "Version", folder=part, deadline=deadline)
        (whole / _VERSION).write_text(version.strip(), encoding="utf-8")
        whole.rename(folder)


def _download(wanted: tuple[str, ...], folder: str, deadline: Deadline) -> None:
    plan = ("apt-get", "--quiet", "install", "--simulate", "--no-install-recommends", *wanted)
    missing = set(_MISSING_LIBRARY.findall(_run(*plan, folder=folder, deadline=deadline)))
    # never the C library: it goes with the machine's own loader
    packages = sorted({*wanted, *missing} - {"libc6"})
    _run("apt-get", "--quiet", "download", *packages, folder=folder, deadline=deadline)


def _run(*command: str, folder: str, deadline: Deadline) -> str:
    try:
        return subprocess.run(
            command,
            cwd=folder,
            env=os.environ | {"LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
            text=True,
            timeout=deadline.remaining(),
        ).stdout
    except subprocess.TimeoutExpired as expired:
        what = f"{command[0]}: not done after {FETCH_SECONDS:.0f} s altogether"
        raise UnavailableError(what) from expired
    except subprocess.CalledProcessError as failed:
        said = " ".join(failed.stderr.split()) or f"exit code {failed.returncode}"
        raise UnavailableError(f"{command[0]}: {said}") from failed
