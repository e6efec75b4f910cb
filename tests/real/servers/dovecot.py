"""Dovecot's submission service as Debian ships it, which hands on to a Postfix behind it."""

from pathlib import Path

import trustme

from real import debian
from real.enclosure import Enclosure
from real.process import Process
from real.server import Server, Stored
from real.servers.postfix import Postfix

_USERNAME, _PASSWORD = "relay", "open-sesame"
_VMAIL = "vmail"
_CONFIGURATION = """\
protocols = submission
listen = 127.0.0.1
hostname = mta.example
log_path = /var/log/dovecot.log
ssl = required
ssl_cert = </etc/dovecot/server.pem
ssl_key = </etc/dovecot/server.pem
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid=vmail gid=vmail home=/var/mail
}}
mail_location = maildir:/var/mail/box
submission_relay_host = 127.0.0.1
submission_relay_port = {behind}
service submission-login {{
  inet_listener submission {{
    port = {port}
  }}
}}
"""


class Dovecot(Server):
    """STARTTLS and a login; the verdicts are those of the Postfix behind it, which keeps all."""

    title = "Dovecot submission"
    odd = Postfix.odd
    breaks_when_deep = True
    limit = Postfix.limit

    def __init__(self, folder: Path, *, limited: bool = False) -> None:
        super().__init__(folder, limited=limited)
        (folder / "dovecot").mkdir()
        (folder / "postfix").mkdir()
        self._behind = Postfix(folder / "postfix", limited=limited)
        packages = debian.unpacked("dovecot-core", "dovecot-submissiond")
        self.version = packages.version
        users = ("dovecot", "dovenull", _VMAIL)
        self._enclosure = Enclosure(packages.tree, folder / "dovecot", users)
        for place in ("/var/log", "/var/lib/dovecot"):
            self._enclosure.make(place)
        self._enclosure.make("/var/mail", _VMAIL)
        text = _CONFIGURATION.format(port=self.port, behind=self._behind.port, password=_PASSWORD)
        configuration = self._enclosure.publish("dovecot/dovecot.conf", text)
        self._ca = trustme.CA()
        self._ca.issue_cert(self.host).private_key_and_cert_chain_pem.write_to_path(
            configuration.with_name("server.pem")
        )

    def secrets(self, package: Path) -> str:
        """Over STARTTLS, with a login."""
        (package / "ca.pem").write_bytes(self._ca.cert_pem.bytes())
        return (
            f"[smtp]\nserver = {self.host}\nport = {self.port}\nsecurity = starttls\n"
            f"ca_file = ca.pem\nusername = {_USERNAME}\npassword = {_PASSWORD}\n"
        )

    def start(self) -> None:
        self._behind.start()
        super().start()

    def _launch(self) -> Process:
        return self._enclosure.start("dovecot", "-F")

    def kill(self) -> None:
        super().kill()
        self._behind.kill()

    def stored(self) -> list[Stored]:
        return self._behind.stored()
