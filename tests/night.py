"""The commands that docs/operations.md gives for each case of a bad night."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
OPERATIONS = ROOT / "docs" / "operations.md"
_SECTION = re.compile(r"^### (.+)$", re.MULTILINE)
_BLOCK = re.compile(r"^ *```sh\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


def cases() -> dict[str, list[list[str]]]:
    """Each case's commands, in words as the shell makes them of a line."""
    page = OPERATIONS.read_text(encoding="utf-8")
    chapter = page.partition("## At three in the morning\n")[2].partition("\n## ")[0]
    _, *parts = _SECTION.split(chapter)
    return {
        title: list(_commands(text)) for title, text in zip(parts[::2], parts[1::2], strict=True)
    }


def _commands(text: str) -> Iterator[list[str]]:
    for block in _BLOCK.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            if words := shlex.split(line, comments=True):
                yield words
