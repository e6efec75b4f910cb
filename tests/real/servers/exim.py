"""Exim as Debian ships it: STARTTLS and a login before it takes anything."""

import os
import shutil
import socket
import subprocess
from pathlib import Path
from typing import ClassVar

import trustme

from real import debian
from real.process import Process
from real.server import DOMAINS, MAILBOXES, Server, Stored, read_copies
from real.unavailable import UnavailableError

USERNAME = "relay"
PASSWORD = "open-sesame"

_USER = "Debian-exim"  # the one that Debian's Exim was built for
_NOBODY = 65534
_IDLE = "5m"  # should the tests be killed, it ends by itself
_SECONDS = 300  # for a thousand deliveries, one after another


class Exim(Server):
    """Never runs as root: an Exim that isn't root can do everything but change its user.

    Args:
        folder: an empty one that any user may enter; everything is in there.
        limited: see `limit`.
    """

    title = "Exim"
    odd = ('"{} odd"@mta.example', "{}.odd@1.2.3.4")
    limit = "10 emails a connection, 20 recipients a transaction (421, 452)"
    limited_by: ClassVar[str] = "ION_LIMITED"
    """Name of the macro for it in exim.conf."""

    def __init__(self, folder: Path, *, limited: bool = False) -> None:
        super().__init__(folder, limited=limited)
        # The wrapper shows a process its own /etc/passwd: Debian's Exim wants its user in there.
        packages = debian.unpacked("exim4-daemon-light", "libnss-wrapper")
        self.version = packages.version
        self._user = _NOBODY if os.getuid() == 0 else os.getuid()
        self._exim = folder / "debian/usr/sbin/exim4"
        self._configuration = folder / "exim.conf"
        shutil.copytree(packages.tree, folder / "debian", symlinks=True)
        # Debian's is setuid root: not wanted, and such a program may not choose its libraries
        self._exim.chmod(0o755)
        self._configure()
        self._environment = self._surroundings()
        self._run("-bV")

    def secrets(self, package: Path) -> str:
        """Over STARTTLS, with a login."""
        (package / "ca.pem").write_bytes(self.ca_pem)
        return (
            f"[smtp]\nserver = {self.host}\nport = {self.port}\nsecurity = starttls\n"
            f"ca_file = ca.pem\nusername = {USERNAME}\npassword = {PASSWORD}\n"
        )

    def start(self) -> None:
        self._process = self._launch()

    def _launch(self) -> Process:
        # It gets a socket that listens already: nobody can take the port, nor come too early.
        with socket.create_server((self.host, self.port)) as listening:
            return Process(
                [self._exim, "-C", self._configuration, f"-bw{_IDLE}"],
                self.folder / "server.log",
                cwd=self.folder,
                environment=self._environment,
                stdin=listening.fileno(),
                user=self._user if os.getuid() == 0 else None,
            )

    def stored(self) -> list[Stored]:
        self._run("-q")
        box = self.folder / "mail/new"
        return list(read_copies(box)) if box.exists() else []

    def log(self, kind: str = "main") -> str:
        """One of Exim's logs: main, reject, panic."""
        path = self.folder / "log" / kind
        return path.read_text(encoding="utf-8") if path.exists() else ""

    @property
    def ca_pem(self) -> bytes:
        """The CA of its certificate."""
        return self._ca.cert_pem.bytes()

    # -- setting up ----------------------------------------------------------------------

    def _configure(self) -> None:
        folder = self.folder
        for name in ("spool", "log", "mail"):
            (folder / name).mkdir()
            os.chown(folder / name, self._user, self._user)
        _publish(folder / "passwd", f"{_USER}:x:{self._user}:{self._user}::/:/bin/false\n")
        _publish(folder / "group", f"{_USER}:x:{self._user}:\n")
        self._ca = trustme.CA()
        certificate = self._ca.issue_cert(self.host)
        certificate.private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
        os.chown(folder / "server.pem", self._user, self._user)
        macros = {
            "ION_DOMAINS": " : ".join(DOMAINS),
            "ION_EXIM": self._exim,
            "ION_FOLDER": folder,
            "ION_MAILBOXES": MAILBOXES,
            "ION_PASSWORD": PASSWORD,
            "ION_USERNAME": USERNAME,
        } | ({self.limited_by: "yes"} if self.limited else {})
        _publish(
            self._configuration,
            "".join(f"{name} = {value}\n" for name, value in macros.items())
            + Path(__file__).with_name("exim.conf").read_text(encoding="utf-8"),
        )

    def _surroundings(self) -> dict[str, str]:
        (wrapper,) = (self.folder / "debian").glob("usr/lib/*/libnss_wrapper.so")
        triplet = wrapper.parent.name
        libraries = (self.folder / "debian" / place / triplet for place in ("usr/lib", "lib"))
        return {
            "LD_LIBRARY_PATH": ":".join(map(str, libraries)),
            "LD_PRELOAD": str(wrapper),
            "NSS_WRAPPER_PASSWD": str(self.folder / "passwd"),
            "NSS_WRAPPER_GROUP": str(self.folder / "group"),
        }

    def _run(self, what: str) -> None:
        """Exim as a command, to its end."""
        root = os.getuid() == 0
        try:
            subprocess.run(
                [self._exim, "-C", self._configuration, what],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=True,
                timeout=_SECONDS,
                cwd=self.folder,
                env=self._environment,
                user=self._user if root else None,
                group=self._user if root else None,
                extra_groups=[] if root else None,
            )
        except subprocess.CalledProcessError as failed:
            raise UnavailableError(f"Exim doesn't run here: {failed.stderr.strip()}") from failed
        except OSError as error:
            # perhaps the folder for temporary files isn't for everybody, or root can't be another
            raise UnavailableError(f"Exim can't be started: {error}") from error


class EximThatRefusesAtData(Exim):
    """It says at DATA, and not at RCPT, that there were too many recipients."""

    title = "Exim, recipients_max_reject"
    limit = "20 recipients a transaction (554 at DATA)"
    limited_by = "ION_FEWER_AT_DATA"


def _publish(path: Path, text: str) -> None:
    """A file that all may read and, as Exim insists, nobody else may write."""
    path.write_text(text, encoding="utf-8")
    path.chmod(0o644)
