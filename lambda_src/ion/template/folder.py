"""Templates in a folder of the package, which never change while the process lives."""

from collections.abc import Collection
from functools import cached_property
from pathlib import Path

from ion.template.files import SUFFIX


class Folder:
    """The files of a folder and of the folders in it. It need not be there.

    Args:
        root: the folder.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def refresh(self, not_before: float) -> bool:  # noqa: ARG002 - as `Files` has it
        """False: it is the list that it was."""
        return False

    def names(self) -> Collection[str]:
        """All files."""
        return self._paths

    def version(self, name: str) -> str:
        """The same as long as the process lives."""
        return name if name in self._paths else ""

    def read(self, name: str) -> bytes | None:
        """The content. Only what was listed is read, so no name leads out of the folder."""
        path = self._paths.get(name)
        return path.read_bytes() if path else None

    @cached_property
    def _paths(self) -> dict[str, Path]:
        found = sorted(self._root.rglob(f"*{SUFFIX}"))
        return {path.relative_to(self._root).as_posix(): path for path in found if path.is_file()}
