"""maildev from npm, which developers look at their emails in; it takes whatever comes."""

import json
import urllib.request
from pathlib import Path

from real import npm
from real.process import Process, free_port, wait_for_port
from real.server import Server, Stored


class Maildev(Server):
    """Contents are on disk, envelopes in its memory."""

    title = "maildev"
    odd = ('"{} odd"@mta.example',)
    refuses_strangers = False
    forgets = "it keeps the envelopes in memory"

    def __init__(self, folder: Path, *, limited: bool = False) -> None:
        super().__init__(folder, limited=limited)
        program = npm.modules() / "maildev/dist/bin/maildev.js"
        self.version = npm.version("maildev")
        self._web_port = free_port()
        self._mail = folder / "mail"
        self._command = [
            *("node", str(program)),
            *("--ip", self.host, "--smtp", str(self.port)),
            *("--web-ip", self.host, "--web", str(self._web_port)),
            *("--mail-directory", str(self._mail)),
        ]

    def start(self) -> None:
        super().start()
        wait_for_port(self._web_port)

    def _launch(self) -> Process:
        return Process(self._command, self.folder / "server.log")

    def stored(self) -> list[Stored]:
        url = f"http://{self.host}:{self._web_port}/api/email"
        with urllib.request.urlopen(url) as answer:
            emails = json.load(answer)
        return [
            Stored(
                _on_the_wire(to["address"]),
                one["id"],
                (self._mail / f"{one['id']}.eml").read_bytes(),
            )
            for one in emails
            for to in one["envelope"]["to"]
        ]


def _on_the_wire(address: str) -> str:
    """It shows domains as a person reads them."""
    local_part, _, domain = address.rpartition("@")
    return f"{local_part}@{domain.encode('idna').decode()}"
