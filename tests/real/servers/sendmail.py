"""Sendmail as Debian ships it; what it accepts stays in its queue."""

import re
from collections.abc import Iterator
from pathlib import Path

from real import debian
from real.enclosure import Enclosure
from real.process import Process
from real.server import DOMAINS, MAILBOXES, Server, Stored

_PROGRAM = "/usr/libexec/sendmail/sendmail"
_CONFIGURATION = "/var/lib/sendmail/sendmail.cf"
_LIMIT = "define(`confMAX_RCPTS_PER_MESSAGE', `20')dnl"
# Of a queue file: recipients, and the header with flags before each field.
_RECIPIENT = re.compile(r"^R[A-Z]*:<?([^>\n]+)>?$", re.MULTILINE)
_FIELD = re.compile(r"^H\?[^?]*\?(.*(?:\n[ \t].*)*)", re.MULTILINE)


class Sendmail(Server):
    """Debian's defaults."""

    title = "Sendmail"
    odd = ('"{} odd"@mta.example', "{}.odd@1.2.3.4")
    limit = "20 recipients a transaction (confMAX_RCPTS_PER_MESSAGE)"

    def __init__(self, folder: Path, *, limited: bool = False) -> None:
        super().__init__(folder, limited=limited)
        packages = debian.unpacked("sendmail-bin", "sendmail-base", "sendmail-cf", "m4")
        self.version = packages.version
        self._enclosure = Enclosure(packages.tree, folder, ("smmta", "smmsp"))
        self._queue = self._enclosure.make("/var/spool/mqueue")
        for place in ("/var/lib/sendmail", "/var/tmp", "/run/sendmail/mta"):
            self._enclosure.make(place)
        text = Path(__file__).with_name("sendmail.mc").read_text(encoding="utf-8")
        values = {
            "PORT": str(self.port),
            "MORE": _LIMIT if limited else "dnl",
            "MAILBOXES": MAILBOXES,
            "DOMAINS": "|".join(DOMAINS),
        }
        for name, value in values.items():
            text = text.replace(f"ION_{name}", value)
        self._enclosure.publish("mail/ion.mc", text)
        self._enclosure.publish("mail/ion.switch", "hosts\tfiles\naliases\tfiles\n")
        made = f"m4 /etc/mail/ion.mc > {_CONFIGURATION}; chmod 644 {_CONFIGURATION}"
        self._enclosure.run("sh", "-ec", made)

    def _launch(self) -> Process:
        return self._enclosure.start(_PROGRAM, "-C", _CONFIGURATION, "-bD")

    def stored(self) -> list[Stored]:
        return list(self._read())

    def _read(self) -> Iterator[Stored]:
        for path in sorted(self._queue.glob("qf*")):
            name = path.name.removeprefix("qf")
            about = path.read_bytes().decode("utf-8", "surrogateescape")
            header = "".join(f"{field}\n" for field in _FIELD.findall(about))
            body = self._queue.joinpath(f"df{name}").read_bytes()
            content = header.encode("utf-8", "surrogateescape") + b"\n" + body
            for recipient in _RECIPIENT.findall(about):
                yield Stored(recipient, name, content)
