"""A browser for tests, which writes down what it was started with and what it was shown."""

import time
from pathlib import Path

_SCRIPT = """#!/bin/sh
file=${{1#file://}}
{{ stat -c %a "$file" 2>/dev/null || stat -f %Lp "$file"; echo "$1"; cat "$file"; }} >{seen}.part
mv {seen}.part {seen}
"""


class SeenBrowser:
    """Started by Python's webbrowser, as BROWSER says.

    Args:
        folder: for it.
    """

    def __init__(self, folder: Path) -> None:
        self._program, self._seen = folder / "browser", folder / "seen"
        self._program.write_text(_SCRIPT.format(seen=self._seen))
        self._program.chmod(0o755)

    @property
    def environment(self) -> dict[str, str]:
        """Variables with which it is the one that is started."""
        return {"BROWSER": f"{self._program} %s"}

    def opened(self) -> tuple[str, str, int]:
        """What was on its command line, and the file's content and mode; waits for it."""
        while not self._seen.exists():
            time.sleep(0.02)
        mode, command, page = self._seen.read_text().split("\n", 2)
        return command, page, int(mode, 8)
