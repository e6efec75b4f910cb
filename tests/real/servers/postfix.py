"""Postfix as Debian ships it, and with what newer ones have by default."""

import re
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

from real import debian
from real.enclosure import Enclosure
from real.process import Process
from real.server import DOMAINS, MAILBOXES, Server, Stored, await_delivery, read_copies

_QUEUES = ("maildrop", "incoming", "active", "deferred")
_VMAIL = "vmail"
_MAIN = """\
compatibility_level = 3.6
maillog_file = /var/log/postfix.log
inet_interfaces = loopback-only
inet_protocols = ipv4
myhostname = mta.example
mydestination =
mynetworks = 127.0.0.0/8
virtual_mailbox_domains = {domains}
virtual_mailbox_maps = regexp:/etc/postfix/mailboxes
virtual_mailbox_base = /var/mail
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{uid}
queue_run_delay = 1s
minimal_backoff_time = 1s
maximal_backoff_time = 2s
default_transport = error:nothing leaves this machine
relay_transport = error:nothing leaves this machine
{more}"""


class Postfix(Server):
    """Debian's defaults towards clients; delivers to one Maildir, soon again after a kill."""

    title = "Postfix"
    odd = ("{}.odd@1.2.3.4", '"{} odd"@mta.example')
    limit = "20 recipients a transaction (smtpd_recipient_limit)"
    settings: ClassVar[tuple[str, ...]] = ()
    """Lines for main.cf."""

    def __init__(self, folder: Path, *, limited: bool = False) -> None:
        super().__init__(folder, limited=limited)
        packages = debian.unpacked("postfix")
        self.version = packages.version
        self._enclosure = Enclosure(packages.tree, folder, ("postfix", "postdrop", _VMAIL))
        self._spool = self._enclosure.make("/var/spool/postfix")
        self._enclosure.make("/var/lib/postfix", "postfix")
        self._enclosure.make("/var/log")
        self._mail = self._enclosure.make("/var/mail", _VMAIL)
        self._configure(packages.tree)

    def _launch(self) -> Process:
        return self._enclosure.start("postfix", "start-fg")

    def kill(self) -> None:
        super().kill()
        (self._spool / "quick-start").touch()  # its files needn't be checked a second time

    def stored(self) -> list[Stored]:
        await_delivery(self._has_undelivered)
        box = self._mail / "all/new"
        return list(read_copies(box)) if box.exists() else []

    def _has_undelivered(self) -> bool:
        """Any file that is whole (executable); others were begun when Postfix was killed."""
        for queue in _QUEUES:
            for path in (self._spool / queue).rglob("*"):
                with suppress(FileNotFoundError):  # delivered meanwhile
                    if path.is_file() and path.stat().st_mode & 0o100:
                        return True
        return False

    def _configure(self, tree: Path) -> None:
        more = [*self.settings, *(["smtpd_recipient_limit = 20"] if self.limited else [])]
        uid = self._mail.stat().st_uid
        text = _MAIN.format(domains=", ".join(DOMAINS), uid=uid, more="\n".join(more))
        self._enclosure.publish("postfix/main.cf", text)
        self._enclosure.publish("postfix/mailboxes", f"/^{MAILBOXES}@/ all/\n")
        services = (tree / "usr/share/postfix/master.cf.dist").read_text(encoding="utf-8")
        listener = f"{self.host}:{self.port} inet n - n - - smtpd"
        services = re.sub(r"^smtp +inet .*", listener, services, count=1, flags=re.MULTILINE)
        # in Debian's they are chrooted below the queue, where other scripts copy files from /etc
        services = re.sub(r"^(\w+ +unix(?: +\S+){2} +)y ", r"\1n ", services, flags=re.MULTILINE)
        self._enclosure.publish("postfix/master.cf", services)


class StrictPostfix(Postfix):
    """What Postfix 3.9 does by default; Debian's 3.7 has it backported, switched off."""

    title = "Postfix, smtpd_forbid_unauth_pipelining"
    settings = ("smtpd_forbid_unauth_pipelining = yes", "smtpd_forbid_bare_newline = yes")
