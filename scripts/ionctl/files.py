"""Files of the repository that ionctl reads: the clone's, or those that the wheel carries."""

import tomllib
from pathlib import Path
from typing import Final

_PACKAGE = Path(__file__).resolve().parent
_CARRIED = _PACKAGE / "carried"

ROOT: Final = _CARRIED if _CARRIED.is_dir() else _PACKAGE.parents[1]
"""Of the repository. A wheel has config.cfg, docs/schema, docs/examples and pyproject.toml."""


def version() -> str:
    """Of ionctl and of the relay that it comes with."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["version"])
