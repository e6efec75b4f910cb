"""What the renderer asks of the place that holds the templates."""

from collections.abc import Collection
from typing import Protocol

SUFFIX = ".j2"
"""Of every file that is a template; others are passed over."""
MOST_FILE_BYTES = 512 * 1024
"""Of one template's source; compiling costs far more than that."""


class FilesUnavailableError(Exception):
    """The templates can't be read just now. The text is AWS's code."""


class Files(Protocol):
    """Templates by name: "welcome/body.html.j2". Each method may wait for the network."""

    def refresh(self, not_before: float) -> bool:
        """Have the list of files as it was at `not_before` or later, seconds since the epoch.

        Returns:
            True if it is another list than before.

        Raises:
            FilesUnavailableError: it can't be had; an older one, if there is one, stays.
        """

    def names(self) -> Collection[str]:
        """All files, as last listed.

        Raises:
            FilesUnavailableError: they have never been listed.
        """

    def version(self, name: str) -> str:
        """Another one for another content; empty: there is no such file."""

    def read(self, name: str) -> bytes | None:
        """The content; None: there is no such file.

        Raises:
            FilesUnavailableError: it can't be known.
        """
