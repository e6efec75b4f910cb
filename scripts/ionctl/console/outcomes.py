"""The outcome events of the local stack, as its file of them grows: the last ones."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

FILE = "events.jsonl"
"""In the local stack's folder: an event a line, as it came out of the outcome topic."""
MOST = 50
"""Events that a page shows."""
_TAIL_BYTES = 256 * 1024
"""Of the file's end: an event has some 700 bytes."""


class Outcomes:
    """Reads the file's end, and only when it has grown.

    Args:
        file: it; it may not be there yet.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._size = -1
        self._latest: list[dict[str, Any]] = []

    def latest(self) -> list[dict[str, Any]]:
        """The last events, the newest first: what a page shows of each."""
        try:
            size = self._file.stat().st_size
            if size != self._size:
                with self._file.open("rb") as opened:
                    opened.seek(max(0, size - _TAIL_BYTES))
                    lines = opened.read(_TAIL_BYTES).split(b"\n")
                told = [one for one in map(_shown, lines) if one is not None]
                self._latest, self._size = told[: -MOST - 1 : -1], size
        except FileNotFoundError:
            return []
        return self._latest


def _shown(line: bytes) -> dict[str, Any] | None:
    """None: it isn't a whole event. The first line that was read may be cut, as the last may."""
    try:
        event = json.loads(line)
        data = event.get("data") or {}
        return {
            "id": str(event["id"]),
            "type": str(event["type"]).removeprefix("ion.email."),
            "email_id": str(event["subject"]),
            "at": str(event["time"]),
            "reason": str(data.get("reason") or ""),
            "reply": str(data.get("reply") or ""),
        }
    except (ValueError, KeyError, AttributeError, TypeError):
        return None
