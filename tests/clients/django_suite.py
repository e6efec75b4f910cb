"""Django's own tests of mail back ends: its source distribution has them, its wheel doesn't."""

import importlib.util
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from types import ModuleType

import django

from real.debian import CACHE, locked
from real.unavailable import UnavailableError

DOWNLOAD_SECONDS = 240
REQUIREMENTS = Path(__file__).parents[1] / "requirements.txt"


def mail_tests() -> ModuleType:
    """Django's module tests/mail/tests.py, of the version that is installed.

    Raises:
        UnavailableError: there is no network.
    """
    folder = CACHE / f"django-{django.__version__}"
    CACHE.mkdir(exist_ok=True)
    with locked(CACHE / "django.lock"):
        if not folder.is_dir():
            _unpack(folder)
    spec = importlib.util.spec_from_file_location("djangos_mail_tests", folder / "tests.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _unpack(folder: Path) -> None:
    """All or nothing."""
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="django-part-") as part:
        pinned = Path(part, "requirements.txt")
        pinned.write_text(_pinned("django"), encoding="utf-8")
        command = ["-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "django"]
        options = ["--require-hashes", "--requirement", str(pinned), "--dest", part]
        try:
            subprocess.run(
                [sys.executable, *command, *options],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=True,
                text=True,
                timeout=DOWNLOAD_SECONDS,
            )
        except subprocess.SubprocessError as error:
            said = " ".join(str(getattr(error, "stderr", None) or error).split())
            raise UnavailableError(f"pip download: {said}") from error
        (archive,) = Path(part).glob("*.tar.gz")
        with tarfile.open(archive) as source:
            member = source.extractfile(
                f"{archive.name.removesuffix('.tar.gz')}/tests/mail/tests.py"
            )
            assert member
            whole = Path(part, "whole")
            whole.mkdir()
            (whole / "tests.py").write_bytes(member.read())
        whole.rename(folder)


def _pinned(package: str) -> str:
    """A package's lines in the lock file: its version and its hashes."""
    lines = iter(REQUIREMENTS.read_text(encoding="utf-8").splitlines())
    found = [next(line for line in lines if line.startswith(f"{package}=="))]
    while found[-1].endswith("\\"):
        found.append(next(lines))
    return "\n".join(found) + "\n"
