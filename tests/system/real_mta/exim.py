"""One Exim: its folder, its process, and what it has stored."""

import os
import signal
import socket
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from types import TracebackType
from typing import Self

import trustme

from system.real_mta.packages import UnavailableError

DOMAIN = "mta.example"
USERNAME = "relay"
PASSWORD = "open-sesame"

_USER = "Debian-exim"  # the one that Debian's Exim was built for
_NOBODY = 65534
_IDLE = "5m"  # should the tests be killed, it ends by itself
_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Stored:
    """An email in the mailbox.

    Args:
        recipient: from the envelope.
        sender: from the envelope.
        received: Exim's own trace field, unfolded.
        message: as the standard library reads it.
    """

    recipient: str
    sender: str
    received: str
    message: EmailMessage


class Exim:
    """A mail server on a free port of 127.0.0.1, for as long as the `with` lasts.

    Never runs as root: an Exim that isn't root can do everything but change its user, and this
    one has a single one.

    Args:
        packages: Debian's, as files.
        folder: an empty one that any user may enter; everything is in there.

    Raises:
        UnavailableError: Exim doesn't run on this machine.
    """

    host = "127.0.0.1"

    def __init__(self, packages: Sequence[Path], folder: Path) -> None:
        self._folder = folder
        self._user = _NOBODY if os.getuid() == 0 else os.getuid()
        self._group = _NOBODY if os.getuid() == 0 else os.getgid()
        self._exim = folder / "debian/usr/sbin/exim4"
        self._configuration = folder / "exim.conf"
        self._unpack(packages)
        self._configure()
        self._environment = self._surroundings()
        self.version = self._run("-bV").splitlines()[0]

    def __repr__(self) -> str:
        return f"<{self.version}>"

    def __enter__(self) -> Self:
        # It gets a socket that listens already: nobody can take the port, nor come too early.
        with socket.create_server((self.host, 0)) as listening:
            self.port: int = listening.getsockname()[1]
            self._daemon = self._start(
                f"-bw{_IDLE}", stdin=listening.fileno(), output=subprocess.DEVNULL
            )
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _kill(self._daemon)

    def stored(self, recipient: str) -> list[Stored]:
        """What is in a mailbox once everything accepted has been delivered, in no order."""
        self._run("-q")
        files = sorted((self._folder / "mail").glob("new/*"))
        everything = [_read(file.read_bytes()) for file in files]
        return [one for one in everything if one.recipient == recipient]

    def log(self, kind: str = "main") -> str:
        """One of Exim's logs: main, reject, panic."""
        path = self._folder / "log" / kind
        return path.read_text(encoding="utf-8") if path.exists() else ""

    @property
    def ca_pem(self) -> bytes:
        """The CA of its certificate."""
        return self._ca.cert_pem.bytes()

    # -- setting up ----------------------------------------------------------------------

    def _unpack(self, packages: Sequence[Path]) -> None:
        tree = self._folder / "debian"
        for package in packages:
            subprocess.run(["dpkg", "-x", package, tree], check=True, timeout=_SECONDS)
        # Debian's is setuid root: not wanted, and such a program may not choose its libraries
        self._exim.chmod(0o755)

    def _configure(self) -> None:
        folder = self._folder
        for name in ("spool", "log", "mail"):
            (folder / name).mkdir()
            os.chown(folder / name, self._user, self._group)
        _publish(folder / "passwd", f"{_USER}:x:{self._user}:{self._group}::/:/bin/false\n")
        _publish(folder / "group", f"{_USER}:x:{self._group}:\n")
        self._ca = trustme.CA()
        certificate = self._ca.issue_cert(self.host)
        certificate.private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
        os.chown(folder / "server.pem", self._user, self._group)
        macros = {
            "ION_DOMAIN": DOMAIN,
            "ION_EXIM": self._exim,
            "ION_FOLDER": folder,
            "ION_PASSWORD": PASSWORD,
            "ION_USERNAME": USERNAME,
        }
        _publish(
            self._configuration,
            "".join(f"{name} = {value}\n" for name, value in macros.items())
            + Path(__file__).with_name("exim.conf").read_text(encoding="utf-8"),
        )

    def _surroundings(self) -> dict[str, str]:
        (wrapper,) = (self._folder / "debian").glob("usr/lib/*/libnss_wrapper.so")
        triplet = wrapper.parent.name
        libraries = (self._folder / "debian" / place / triplet for place in ("usr/lib", "lib"))
        return {
            "LD_LIBRARY_PATH": ":".join(map(str, libraries)),
            "LD_PRELOAD": str(wrapper),
            "NSS_WRAPPER_PASSWD": str(self._folder / "passwd"),
            "NSS_WRAPPER_GROUP": str(self._folder / "group"),
        }

    # -- running -------------------------------------------------------------------------

    def _run(self, what: str) -> str:
        """Exim as a command, to its end; returns what it printed."""
        process = self._start(what, stdin=subprocess.DEVNULL, output=subprocess.PIPE)
        try:
            said, _ = process.communicate(timeout=_SECONDS)
        except subprocess.TimeoutExpired:
            _kill(process)
            raise
        if process.returncode != 0:
            raise UnavailableError(f"Exim doesn't run here: {said.strip()}")
        return said

    def _start(self, what: str, *, stdin: int, output: int) -> subprocess.Popen[str]:
        root = os.getuid() == 0
        try:
            return subprocess.Popen(
                [self._exim, "-C", self._configuration, what],
                stdin=stdin,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
                cwd=self._folder,
                env=self._environment,
                start_new_session=True,
                user=self._user if root else None,
                group=self._group if root else None,
                extra_groups=[] if root else None,
            )
        except (OSError, subprocess.SubprocessError) as error:
            # perhaps the folder for temporary files isn't for everybody, or root can't be another
            raise UnavailableError(f"Exim can't be started: {error}") from error


def _publish(path: Path, text: str) -> None:
    """A file that all may read and, as Exim insists, nobody else may write."""
    path.write_text(text, encoding="utf-8")
    path.chmod(0o644)


def _kill(process: subprocess.Popen[str]) -> None:
    """The process and all that it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _read(octets: bytes) -> Stored:
    message = message_from_bytes(octets, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return Stored(
        recipient=message["Envelope-to"],
        sender=str(message["Return-path"]).strip("<>"),
        received=" ".join(str(message["Received"]).split()),
        message=message,
    )
