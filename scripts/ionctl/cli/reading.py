"""What files and standard input hold, as much of it as may be meant."""

from __future__ import annotations

import base64
import stat
import sys
from pathlib import Path

from ion.limits import MOST_MESSAGE_BYTES
from ionctl.problem import Problem

STDIN = "-"
_MOST_BYTES = 16 * 1024 * 1024
"""No message is larger, not even one in S3 (10 MB): whoever names /dev/zero doesn't mean it."""
_MOST_ATTACHED_BYTES = MOST_MESSAGE_BYTES * 3 // 4
"""As base64 it fills a message."""


def text_of(file: str) -> str:
    """The text of a file, or of standard input. Raises Problem: it can't be read."""
    try:
        if file == STDIN:
            octets = sys.stdin.buffer.read(_MOST_BYTES + 1)
        else:
            with Path(file).open("rb") as opened:  # a pipe, too: <(command)
                octets = opened.read(_MOST_BYTES + 1)
        if len(octets) > _MOST_BYTES:
            raise Problem(f"{file} has more than {_MOST_BYTES:,} octets, and no message has")
        return octets.decode()
    except UnicodeDecodeError as error:
        raise Problem(f"{file} is no UTF-8, which JSON is written in: {error.reason}") from error
    except OSError as error:
        raise Problem(f"{file} can't be read: {error.strerror}") from error


def attachment(file: Path) -> dict[str, str]:
    """A file as a message has it. Raises Problem: it can't be attached."""
    try:
        about = file.stat()
        if not stat.S_ISREG(about.st_mode):
            raise Problem(f"--attach {file}: is no regular file")
        if about.st_size > _MOST_ATTACHED_BYTES:
            raise Problem(
                f"--attach {file}: has {about.st_size:,} octets, and a message takes "
                f"{_MOST_ATTACHED_BYTES:,} of files: put it in S3 (docs/messages.md)"
            )
        content = base64.b64encode(file.read_bytes()).decode()
    except OSError as error:
        raise Problem(f"--attach {file} can't be read: {error.strerror}") from error
    return {"filename": file.name, "content": content}
