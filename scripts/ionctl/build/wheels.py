"""The dependencies of the package, as wheels for the machine that will run it."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import sysconfig
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

LAMBDA_PYTHON: Final = "3.13"


class WheelsUnavailableError(Exception):
    """Locked packages can't be had; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Target:
    """A machine that runs the package.

    name: as in the file's name, and for Lambda as in its `architectures`.
    platforms: the wheels that it takes, best first; none means those of this machine.
    python: its Python; none means this one.
    """

    name: str
    platforms: tuple[str, ...] = ()
    python: str | None = None

    @property
    def kept(self) -> bool:
        """Whether its wheels stay on disk.

        The local stack starts many times a day. A release checks every hash each time.
        """
        return not self.platforms

    @property
    def pip_options(self) -> tuple[str, ...]:
        """What makes pip choose for this machine."""
        options = [option for platform in self.platforms for option in ("--platform", platform)]
        if self.python is not None:
            options += ["--python-version", self.python, "--implementation", "cp"]
        return tuple(options)


def _lambda(name: str, machine: str) -> Target:
    # Amazon Linux 2023, glibc 2.34; the last is an older name of manylinux_2_17.
    glibc = ("manylinux_2_34", "manylinux_2_28", "manylinux_2_17", "manylinux2014")
    return Target(name, tuple(f"{tag}_{machine}" for tag in glibc), LAMBDA_PYTHON)


TARGETS: Final[Mapping[str, Target]] = {
    target.name: target
    for target in (_lambda("arm64", "aarch64"), _lambda("x86_64", "x86_64"), Target("host"))
}


@dataclass(frozen=True, slots=True)
class Distribution:
    """What the package takes from one project; `files` by their path in the package."""

    name: str
    version: str
    files: Mapping[str, bytes]


# Licences travel with the code, and METADATA is what vulnerability scanners read.
# Powertools is here for Logger and Metrics: what these can't import would be half of the package.
_LEFT_OUT = re.compile(
    r"""
      \.\./.*               # commands, such as ../../bin/idna
    | .*/__pycache__/.*
    | [^/]+\.dist-info/(RECORD|INSTALLER|REQUESTED|WHEEL|entry_points\.txt|top_level\.txt)
    | aws_lambda_powertools/event_handler/.*
    | aws_lambda_powertools/utilities/(?!__init__\.py|jmespath_utils/|typing/).*
    """,
    re.VERBOSE,
)


def dependencies(requirements: Path, target: Target, cache: Path) -> list[Distribution]:
    """The locked `requirements` for `target`, sorted by name.

    Raises:
        WheelsUnavailableError: one can't be fetched, or isn't what was locked.
    """
    kept = cache / _key(requirements)
    if target.kept and kept.is_dir():
        return _read(kept)
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as temporary:
        folder = Path(temporary) / "wheels"
        install(requirements, target, folder)
        found = _read(folder)
        if target.kept:
            with suppress(OSError):  # another run kept them first
                folder.rename(kept)
    return found


def _key(requirements: Path) -> str:
    return hashlib.sha256(machine() + requirements.read_bytes()).hexdigest()


def machine() -> bytes:
    """What this machine's wheels depend on."""
    return f"{sysconfig.get_platform()} {sys.version}\n".encode()


def install(requirements: Path, target: Target, folder: Path) -> None:
    """The wheels of the locked `requirements` for `target`, unpacked into `folder`.

    Raises:
        WheelsUnavailableError: one can't be fetched, or isn't what was locked.
    """
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--no-input", "--no-deps", "--require-hashes", "--only-binary=:all:"]
    command += ["--no-compile", *target.pip_options]
    command += ["--target", str(folder), "--requirement", str(requirements)]
    pip = subprocess.run(command, capture_output=True, text=True, check=False)
    if pip.returncode != 0:
        raise WheelsUnavailableError(_explained(pip.stderr, requirements, target))


def _explained(stderr: str, requirements: Path, target: Target) -> str:
    """What pip said, without its warnings, and what to do about it.

    Pip says "no matching distribution" too when there is no network, hence the order.
    """
    if re.search(r"NewConnectionError|NameResolutionError|ConnectTimeoutError|ProxyError", stderr):
        advice = "The package index can't be reached: check the network, or pip's settings."
    elif "DO NOT MATCH THE HASHES" in stderr:
        advice = "A package isn't the one that was locked. If you trust it: ./scripts/lock.sh"
    elif "No matching distribution found" in stderr:
        advice = (
            f"pip's index has no wheel of it for {target.name}. Ask for a version that has one in"
            f" {requirements.parent.name}/{requirements.stem}.in, then: ./scripts/lock.sh"
        )
    else:
        advice = "pip could not fetch the dependencies."
    said = [line for line in stderr.splitlines() if line and not line.startswith("WARNING")]
    return "\n".join([*said, advice])


def _read(folder: Path) -> list[Distribution]:
    found = [
        Distribution(
            name=installed.name,
            version=installed.version,
            files={
                file.as_posix(): Path(str(file.locate())).read_bytes()
                for file in installed.files or ()
                if not _LEFT_OUT.fullmatch(file.as_posix())
            },
        )
        for installed in distributions(path=[str(folder)])
    ]
    return sorted(found, key=lambda distribution: distribution.name.lower())
