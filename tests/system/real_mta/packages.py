"""Exim's packages, from wherever this machine's apt gets its own; nothing is installed.

Kept in .venv/, so only the first run needs the network.
"""

import os
import platform
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from ion.deadline import Deadline

FETCH_SECONDS = 150.0
"""For all of it, package lists included; a few are enough where the network is good."""

_CACHE = Path(__file__).parents[3] / ".venv"
# The wrapper shows a process its own /etc/passwd: Debian's Exim wants its user to be in there.
_WANTED = ("exim4-daemon-light", "libnss-wrapper")
_MISSING_LIBRARY = re.compile(r"^Inst (lib\S+) ", re.MULTILINE)


class UnavailableError(Exception):
    """Exim can't be had or can't be run here; the text says why."""


def fetched() -> list[Path]:
    """The packages' files: Exim and those libraries that this machine doesn't have.

    Raises:
        UnavailableError: this isn't Debian or akin to it, or it has no network.
    """
    if not (shutil.which("apt-get") and shutil.which("dpkg")):
        raise UnavailableError("there is no apt-get or no dpkg: Exim comes from Debian's packages")
    system = platform.freedesktop_os_release()
    parts = ("exim", system["ID"], system.get("VERSION_ID", ""), platform.machine())
    folder = _CACHE / "-".join(filter(None, parts))
    if not folder.is_dir():
        try:
            _fetch(folder, Deadline.after(FETCH_SECONDS))
        except OSError as error:
            raise UnavailableError(f"no place for Exim's packages: {error}") from error
    return sorted(folder.glob("*.deb"))


def _fetch(folder: Path, deadline: Deadline) -> None:
    """All or nothing, whoever else is at it."""
    folder.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="exim-part-") as part:
        try:
            _download(part, deadline)
        except UnavailableError:  # no package lists, as in a new container, or old ones
            _apt("update", folder=part, deadline=deadline)
            _download(part, deadline)
        whole = Path(part, "whole")
        whole.mkdir()
        for package in Path(part).glob("*.deb"):
            package.rename(whole / package.name)
        if not folder.is_dir():
            whole.rename(folder)


def _download(folder: str, deadline: Deadline) -> None:
    plan = ("install", "--simulate", "--no-install-recommends", *_WANTED)
    missing = set(_MISSING_LIBRARY.findall(_apt(*plan, folder=folder, deadline=deadline)))
    # never the C library: it goes with the machine's own loader
    packages = sorted({*_WANTED, *missing} - {"libc6"})
    _apt("download", *packages, folder=folder, deadline=deadline)


def _apt(*arguments: str, folder: str, deadline: Deadline) -> str:
    try:
        return subprocess.run(
            ["apt-get", "--quiet", *arguments],
            cwd=folder,
            env=os.environ | {"LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
            text=True,
            timeout=deadline.remaining(),
        ).stdout
    except subprocess.TimeoutExpired as expired:
        what = f"apt-get {arguments[0]}: not done after {FETCH_SECONDS:.0f} s altogether"
        raise UnavailableError(what) from expired
    except subprocess.CalledProcessError as failed:
        said = " ".join(failed.stderr.split()) or f"exit code {failed.returncode}"
        raise UnavailableError(f"apt-get {arguments[0]}: {said}") from failed
