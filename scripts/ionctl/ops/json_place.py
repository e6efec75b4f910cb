"""Where in a JSON text a JSONPath leads, for people who look at it in an editor. Pure."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

Step = str | int
Path = tuple[Step, ...]

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+')
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]|\['([^']*)'\]", re.ASCII)
_ANYWHERE = "$.."
_MARK = "\ufeff"
_DEEPEST = 100
"""Levels in which a name that is there twice is looked for: the contract has fewer."""


def place(text: str, path: str) -> tuple[int, int]:
    """Line and column, each from 1; of a field: where its name begins.

    Args:
        text: JSON that can be read.
        path: as ion writes it on a dead letter. What isn't there, or isn't named (`*`), is where
            the object or the list around it begins.
    """
    text = text.removeprefix(_MARK)
    if path.startswith(_ANYWHERE):
        return _line_and_column(text, _second(text, path))
    offsets: dict[Path, int] = {}
    wanted = _steps(path)
    for steps, offset in _places(text, len(wanted)):
        offsets.setdefault(steps, offset)
    while wanted and wanted not in offsets:
        wanted = wanted[:-1]
    return _line_and_column(text, offsets.get(wanted, 0))


def _steps(path: str) -> Path:
    return tuple(
        int(index) if index else name or quoted for name, index, quoted in _STEP.findall(path)
    )


def _second(text: str, path: str) -> int:
    """Offset of a name where it is there for the second time in one object."""
    wanted, seen = _steps(path[len(_ANYWHERE) - 1 :]), set[Path]()
    for steps, offset in _places(text, _DEEPEST):
        if steps in seen and (not wanted or steps[-1:] == wanted):
            return offset
        seen.add(steps)
    return 0


def _places(text: str, deepest: int) -> Iterator[tuple[Path, int]]:
    """The path of each value, and the offset at which it, or its name, begins.

    Args:
        text: JSON.
        deepest: so many steps a path may have. Without a bound a text of nothing but brackets
            would take the square of its length.
    """
    around: list[Step | None] = []
    """For each object or list around: the present name (None: one is to come) or index."""
    named_at = 0
    for token in _TOKEN.finditer(text):
        mark = token[0]
        if mark in "]}":
            around.pop()
        elif mark == ",":
            around[-1] = around[-1] + 1 if isinstance(around[-1], int) else None
        elif around and around[-1] is None:
            around[-1], named_at = json.loads(mark), token.start()
        elif mark != ":":
            is_named = around and isinstance(around[-1], str)
            if len(around) <= deepest:
                yield _path(around), named_at if is_named else token.start()
            if mark in "[{":
                around.append(0 if mark == "[" else None)


def _path(around: list[Step | None]) -> Path:
    return tuple(one for one in around if one is not None)


def _line_and_column(text: str, offset: int) -> tuple[int, int]:
    begins = text.rfind("\n", 0, offset) + 1
    return text.count("\n", 0, offset) + 1, offset - begins + 1
