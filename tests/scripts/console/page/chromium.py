"""A Chromium: this machine's, else Debian's packages, unpacked and not installed."""

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from real.debian import unpacked

_NAMES = ("chromium", "google-chrome", "chromium-browser")
_PACKAGES = ("chromium", "chromium-common", "fontconfig-config", "fonts-dejavu-core")


@dataclass(frozen=True, slots=True)
class Chromium:
    """How one is started.

    Args:
        environment: beside this process's.
    """

    path: str
    environment: dict[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()


def found() -> Chromium:
    """Give this machine's, or an unpacked one.

    Raises:
        UnavailableError: there is none, and Debian's can't be had.
    """
    arguments = ("--no-sandbox",) if os.geteuid() == 0 else ()
    for name in _NAMES:
        if path := shutil.which(name):
            return Chromium(path, arguments=arguments)
    return from_debian()


def from_debian() -> Chromium:
    """Give Debian's: not its script, which names /usr, but the program itself.

    Its sandbox needs a helper that belongs to root, so it goes without.
    """
    tree = unpacked(*_PACKAGES).tree
    libraries = sorted({str(one.parent) for one in (tree / "usr" / "lib").rglob("*.so*")})
    fonts = tree / "etc" / "fonts"
    environment = {
        "LD_LIBRARY_PATH": os.pathsep.join(libraries),
        "FONTCONFIG_PATH": str(fonts),
        "FONTCONFIG_SYSROOT": str(tree),
    }
    return Chromium(str(_program(tree)), environment, ("--no-sandbox",))


def _program(tree: Path) -> Path:
    return tree / "usr" / "lib" / "chromium" / "chromium"
