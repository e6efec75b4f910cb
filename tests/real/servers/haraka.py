"""Haraka from npm, with a plugin that keeps what comes in a folder."""

import shutil
from pathlib import Path

from real import npm
from real.process import Process
from real.server import Server, Stored, read_copies

_PLUGIN = npm.SCRIPTS / "haraka-keep.js"


class Haraka(Server):
    """One process, nothing but the defaults and our plugin."""

    title = "Haraka"
    odd = ('"{} odd"@mta.example', "{}.odd@1.2.3.4")

    def __init__(self, folder: Path, *, limited: bool = False) -> None:
        super().__init__(folder, limited=limited)
        haraka = npm.modules() / "Haraka"
        self.version = npm.version("Haraka")
        for name in ("config", "plugins", "queue", "mail", "parts"):
            (folder / name).mkdir()
        shutil.copy(_PLUGIN, folder / "plugins/keep.js")
        shutil.copy(haraka / "config/connection.ini", folder / "config")
        files = {
            "smtp.ini": f"listen={self.host}:{self.port}\nnodes=0\n",
            "plugins": "keep\n",
            "me": "mta.example\n",
        }
        for name, text in files.items():
            (folder / "config" / name).write_text(text, encoding="utf-8")
        self._command = ["node", str(haraka / "bin/haraka"), "-c", str(folder)]

    def _launch(self) -> Process:
        return Process(self._command, self.folder / "server.log", cwd=self.folder)

    def stored(self) -> list[Stored]:
        return list(read_copies(self.folder / "mail"))
