"""OpenSMTPD as Debian ships it: no PIPELINING, and 100 emails a connection."""

from pathlib import Path

from real import debian
from real.enclosure import Enclosure
from real.process import Process
from real.server import DOMAINS, MAILBOXES, Server, Stored, await_delivery, read_copies

_VMAIL = "vmail"
_CONFIGURATION = """\
{limit}
listen on 127.0.0.1 port {port} hostname mta.example
table ours {{ {domains} }}
table everybody {{ "@" = "vmail" }}
action "keep" maildir "/var/mail/all" virtual <everybody>
match from any for domain <ours> rcpt-to regex {{ "^{mailboxes}@" }} action "keep"
"""


class OpenSmtpd(Server):
    """Delivers to one Maildir."""

    title = "OpenSMTPD"
    odd = ('"{} odd"@mta.example',)
    limit = "10 emails a connection, 20 recipients a transaction (smtp limit)"

    def __init__(self, folder: Path, *, limited: bool = False) -> None:
        super().__init__(folder, limited=limited)
        packages = debian.unpacked("opensmtpd")
        self.version = packages.version
        self._enclosure = Enclosure(packages.tree, folder, ("opensmtpd", "opensmtpq", _VMAIL))
        self._spool = self._enclosure.make("/var/spool/smtpd", mode=0o711)
        self._enclosure.make("/var/lib/opensmtpd/empty")
        self._mail = self._enclosure.make("/var/mail", _VMAIL)
        self._enclosure.publish(
            "smtpd.conf",
            _CONFIGURATION.format(
                port=self.port,
                domains=", ".join(f'"{domain}"' for domain in DOMAINS),
                mailboxes=MAILBOXES,
                limit="smtp limit max-mails 10\nsmtp limit max-rcpt 20" if limited else "",
            ),
        )

    def _launch(self) -> Process:
        return self._enclosure.start("smtpd", "-d", "-v")

    def stored(self) -> list[Stored]:
        queue = self._spool / "queue"
        await_delivery(lambda: any(path.is_file() for path in queue.rglob("*")))
        box = self._mail / "all/new"
        return list(read_copies(box)) if box.exists() else []
