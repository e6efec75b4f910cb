"""The npm packages of a package-lock.json, in .venv/: only the first run needs the network."""

import hashlib
import json
import shutil
import subprocess
import tempfile
from pathlib import Path

from real.debian import CACHE, locked
from real.unavailable import UnavailableError

INSTALL_SECONDS = 240
SCRIPTS = Path(__file__).parent / "node"
_FILES = ("package.json", "package-lock.json", ".npmrc")


def modules(lock_folder: Path = SCRIPTS) -> Path:
    """Give the folder node_modules of the package-lock.json in a folder.

    Raises:
        UnavailableError: there is no Node.js, or no network.
    """
    if not (shutil.which("node") and shutil.which("npm")):
        raise UnavailableError("there is no node or no npm: this comes from npm")
    digest = hashlib.sha256((lock_folder / "package-lock.json").read_bytes()).hexdigest()[:8]
    CACHE.mkdir(exist_ok=True)
    folder = CACHE / f"npm-{digest}"
    with locked(CACHE / "npm.lock"):
        if not folder.is_dir():
            _install(folder, lock_folder)
    return folder / "node_modules"


def _install(folder: Path, lock_folder: Path) -> None:
    """All or nothing. No package's own script is run."""
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="npm-part-") as part:
        whole = Path(part, "whole")
        whole.mkdir()
        for name in _FILES:
            shutil.copy(lock_folder / name, whole)
        command = ["npm", "ci", "--no-audit", "--no-fund", "--no-update-notifier"]
        try:
            subprocess.run(
                command,
                cwd=whole,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=True,
                text=True,
                timeout=INSTALL_SECONDS,
            )
        except subprocess.SubprocessError as error:
            said = " ".join(str(getattr(error, "stderr", None) or error).split())
            raise UnavailableError(f"npm ci: {said}") from error
        whole.rename(folder)


def version(package: str) -> str:
    """Give the version of a package that is installed."""
    about = json.loads((modules() / package / "package.json").read_text(encoding="utf-8"))
    return str(about["version"])
