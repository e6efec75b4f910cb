"""A program run to its end, where the reader of its output has gone or there is no room left."""

from __future__ import annotations

import errno
import os
import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


def run(name: str, program: Callable[[], int]) -> int:
    """Run it; give its exit status.

    Args:
        name: that it calls itself by on standard error.
        program: gives its exit status.
    """
    try:
        status = program()
        sys.stdout.flush()
    except BrokenPipeError:
        _drop_output()
        return 128 + signal.SIGPIPE
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        _drop_output()
        where = error.filename2 or error.filename or "the output, or a temporary file"
        print(
            f"{name}: {where}: {error.strerror}; make room, or name another folder for temporary "
            "files in TMPDIR",
            file=sys.stderr,
        )
        return 1
    return status


def _drop_output() -> None:
    """Python would complain once more while it writes the rest at its exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
