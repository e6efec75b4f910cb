"""Node's smtp-server from npm, which test suites and small relays are built upon."""

from pathlib import Path

from real import npm
from real.process import Process
from real.server import Server, Stored, read_copies


class SmtpServer(Server):
    """The library with nothing but handlers that keep what comes in a folder."""

    title = "Node smtp-server"
    odd = ('"{} odd"@mta.example', "{}.odd@1.2.3.4")

    def __init__(self, folder: Path, *, limited: bool = False) -> None:
        super().__init__(folder, limited=limited)
        modules = npm.modules()
        self.version = npm.version("smtp-server")
        for name in ("mail", "parts"):
            (folder / name).mkdir()
        script = npm.SCRIPTS / "smtp-server.js"
        self._command = ["node", str(script), str(modules), str(self.port), str(folder)]

    def _launch(self) -> Process:
        return Process(self._command, self.folder / "server.log")

    def stored(self) -> list[Stored]:
        return list(read_copies(self.folder / "mail"))
