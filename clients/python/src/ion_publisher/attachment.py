"""A file of an email."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Self


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes in the message itself; with all else it has 256 KiB, a third of it base64's.

    Args:
        filename: what the reader sees, and saves it as.
        content: its octets.
        content_type: type/subtype; None: by the ending of the name, as ion knows them.
        content_id: what the HTML calls it (`<img src="cid:logo">`); with one it is inline.
    """

    filename: str
    content: bytes = field(repr=False)
    content_type: str | None = None
    content_id: str | None = None

    @classmethod
    def read(cls, path: str | Path, *, content_id: str | None = None) -> Self:
        """The file at a path, under its own name.

        Raises:
            OSError: it can't be read.
        """
        path = Path(path)
        return cls(path.name, path.read_bytes(), content_id=content_id)
