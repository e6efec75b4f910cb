"""Postfix's smtp-sink and smtp-source: this machine's, else from Debian's package, not installed.

Unpacked into .venv/, so only the first run needs the network.
"""

import os
import platform
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench.unavailable import UnavailableError

_CACHE = Path(__file__).parents[2] / ".venv"
_FETCH_SECONDS = 120
_SYSTEM = Path("/usr/sbin")
_ADVICE = "install Postfix (no need to start it), or run this on Debian or Ubuntu"


@dataclass(frozen=True, slots=True)
class Postfix:
    """Where the two programs are.

    Args:
        sink, source: their paths.
        libraries: folder of the shared libraries that come with them; None: the system knows.
    """

    sink: Path
    source: Path
    libraries: Path | None = None

    @property
    def environment(self) -> dict[str, str]:
        """What they need, beside everything else that is there."""
        return {} if self.libraries is None else {"LD_LIBRARY_PATH": str(self.libraries)}


def found() -> Postfix:
    """Give Postfix's two programs.

    Raises:
        UnavailableError: they can't be had here; the text says why and what helps.
    """
    installed = Postfix(_SYSTEM / "smtp-sink", _SYSTEM / "smtp-source")
    if installed.sink.exists() and installed.source.exists():
        return installed
    if not (shutil.which("apt-get") and shutil.which("dpkg")):
        raise UnavailableError(f"Postfix's smtp-sink isn't there: {_ADVICE}")
    system = platform.freedesktop_os_release()
    name = "-".join(("postfix", system["ID"], system.get("VERSION_ID", ""), platform.machine()))
    folder = _CACHE / name
    if not folder.is_dir():
        _fetch(folder)
    unpacked = Postfix(
        folder / "usr/sbin/smtp-sink", folder / "usr/sbin/smtp-source", folder / "usr/lib/postfix"
    )
    _check(unpacked)
    return unpacked


def _fetch(folder: Path) -> None:
    """All or nothing, whoever else is at it."""
    folder.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="postfix-part-") as part:
        try:
            _run("apt-get", "--quiet", "download", "postfix", folder=part)
        except UnavailableError:  # no package lists, as in a new container, or old ones
            _run("apt-get", "--quiet", "update", folder=part)
            _run("apt-get", "--quiet", "download", "postfix", folder=part)
        (package,) = Path(part).glob("*.deb")
        whole = Path(part, "whole")
        _run("dpkg", "-x", str(package), str(whole), folder=part)
        if not folder.is_dir():
            whole.rename(folder)


def _check(postfix: Postfix) -> None:
    listed = subprocess.run(
        ["ldd", postfix.sink, postfix.source],
        env={**os.environ, **postfix.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    missing = {line.split()[0] for line in listed.stdout.splitlines() if "not found" in line}
    if missing:
        raise UnavailableError(f"smtp-sink needs {', '.join(sorted(missing))}: {_ADVICE}")


def _run(*command: str, folder: str) -> None:
    try:
        subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
            timeout=_FETCH_SECONDS,
        )
    except (subprocess.SubprocessError, OSError) as error:
        said = " ".join(str(getattr(error, "stderr", None) or error).split())
        raise UnavailableError(f"{command[0]} {command[1]}: {said}; {_ADVICE}") from error
