"""Node's smtp-server again, which speaks XOAUTH2: with STARTTLS, and access tokens."""

from collections.abc import Iterable
from pathlib import Path

from real import npm
from real.servers.smtp_server import SmtpServer
from smtp_server.certificates import server_pem, trusted_ca_pem


class SmtpServerByToken(SmtpServer):
    """Takes emails from the user ion, who shows a token."""

    title = "Node smtp-server with XOAUTH2"

    def __init__(self, folder: Path, *, limited: bool = False) -> None:
        super().__init__(folder, limited=limited)
        self._tokens = folder / "tokens"
        pem = folder / "server.pem"
        pem.write_bytes(server_pem())
        script = npm.SCRIPTS / "smtp-server.js"
        self._command = [
            *("node", str(script), str(npm.modules()), str(self.port), str(folder)),
            *(str(pem), str(self._tokens)),
        ]

    def secrets(self, package: Path) -> str:
        """Without the keys of the token endpoint, which is another server."""
        (package / "ca.pem").write_bytes(trusted_ca_pem())
        return (
            f"[smtp]\nserver = {self.host}\nport = {self.port}\nca_file = ca.pem\n"
            "username = ion\nauth = xoauth2\n"
        )

    def take(self, tokens: Iterable[str]) -> None:
        """From now on, these are good."""
        self._tokens.write_text("\n".join(tokens))

    @property
    def logins(self) -> list[bool]:
        """Whether each that was tried was right."""
        told = self.folder / "logins"
        return [one == "true" for one in told.read_text().split()] if told.exists() else []
