"""What a command prints: its result as JSON or for people, errors in one line on stderr."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import msgspec
from rich.console import Console

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ionctl.cli.target import Target

console = Console(highlight=False, soft_wrap=False)
"""Standard output: results."""
errors = Console(stderr=True, highlight=False)
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
