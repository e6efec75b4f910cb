"""What a command prints: its result as JSON or for people, errors in one line on stderr."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import msgspec
from rich.console import Console

if TYPE_CHECKING:
    from typing import TextIO

    from rich.console import RenderableType

    from ionctl.cli.target import Target

_UNCUT = 10_000_000
"""Columns of what is no terminal: whatever reads it wants whole lines, and rich would take 80."""


def _width(stream: TextIO) -> int | None:
    """Columns; None: those of the terminal."""
    return None if stream.isatty() else _UNCUT


console = Console(highlight=False, width=_width(sys.stdout))
"""Standard output: results."""
errors = Console(stderr=True, highlight=False, width=_width(sys.stderr))
"""Standard error: progress, questions and errors."""


def show(target: Target, result: msgspec.Struct, picture: RenderableType) -> None:
    """Print a result.

    Args:
        target: says whether as JSON.
        result: as JSON has it.
        picture: the same for people.
    """
    if target.as_json:
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(result)) + b"\n")
    else:
        console.print(picture)
