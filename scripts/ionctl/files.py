"""Files: the repository's that ionctl reads, and those that it writes for their owner alone."""

import os
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Final

from ionctl.problem import Problem

_PACKAGE = Path(__file__).resolve().parent
_CARRIED = _PACKAGE / "carried"

ROOT: Final = _CARRIED if _CARRIED.is_dir() else _PACKAGE.parents[1]
"""Of the repository. A wheel has config.cfg, docs/schema, docs/examples and pyproject.toml."""


def write_own(
    file: Path, content: bytes, opened: Callable[[int], None] = lambda _descriptor: None
) -> None:
    """Write a file that its owner alone can read; one that is there is replaced.

    Args:
        file: its path.
        content: of it.
        opened: is given the new file's descriptor, before it takes the other one's place.

    Raises:
        OSError: it can't be written.
    """
    part = file.with_name(f"{file.name}.{os.getpid()}")
    part.unlink(missing_ok=True)
    # a file of ours, and no link that was put into a folder of everybody's
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode=0o600)
    with os.fdopen(descriptor, "wb") as new:
        new.write(content)
        opened(descriptor)
    part.replace(file)


def create_own(file: Path, advice: str = "name another one") -> int:
    """Make a new file that its owner alone can read; give its descriptor, for writing.

    Args:
        file: its path.
        advice: what helps if there is one already.

    Raises:
        Problem: there is, or it can't be made.
    """
    try:
        return os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Problem(f"{file} is there already: {advice}") from None
    except OSError as error:
        raise Problem(f"{file} can't be written: {error.strerror}") from error


def version() -> str:
    """Of ionctl and of the relay that it comes with."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["version"])
