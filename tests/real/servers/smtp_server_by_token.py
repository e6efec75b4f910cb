"""Node's smtp-server again, which speaks XOAUTH2: with TLS, and access tokens."""

from collections.abc import Iterable
from pathlib import Path

from ion.settings import Security
from real import npm
from real.servers.smtp_server import SmtpServer
from smtp_server.certificates import server_pem, trusted_ca_pem


class SmtpServerByToken(SmtpServer):
    """Takes emails from the user ion, who shows a token.

    Args:
        security: `TLS` from the first byte, or `STARTTLS`.
    """

    title = "Node smtp-server with XOAUTH2"

    def __init__(
        self, folder: Path, *, limited: bool = False, security: Security = Security.STARTTLS
    ) -> None:
        super().__init__(folder, limited=limited)
        self._security = security
        self._tokens = folder / "tokens"
        pem = folder / "server.pem"
        pem.write_bytes(server_pem())
        script = npm.SCRIPTS / "smtp-server.js"
        self._command = [
            *("node", str(script), str(npm.modules()), str(self.port), str(folder)),
            *(str(pem), str(self._tokens), security),
        ]

    def start(self) -> None:
        self._process = self._launch()
        self._process.wait_for_greeting(self.port, tls=self._security is Security.TLS)

    def secrets(self, package: Path) -> str:
        """Without the keys of the token endpoint, which is another server."""
        (package / "ca.pem").write_bytes(trusted_ca_pem())
        return (
            f"[smtp]\nserver = {self.host}\nport = {self.port}\nca_file = ca.pem\n"
            f"security = {self._security}\nusername = ion\nauth = xoauth2\n"
        )

    def take(self, tokens: Iterable[str]) -> None:
        """From now on, these are good."""
        self._tokens.write_text("\n".join(tokens))

    @property
    def logins(self) -> list[bool]:
        """Whether each that was tried was right."""
        told = self.folder / "logins"
        return [one == "true" for one in told.read_text().split()] if told.exists() else []
