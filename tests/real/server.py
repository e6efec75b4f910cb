"""What all mail servers here have in common: how they are configured, and what they must tell."""

import re
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from real.process import HOST, Process, free_port

DOMAINS = ("mta.example", "xn--bcher-kva.example")
"""The server has mailboxes here, and nothing leaves the machine."""
MAILBOXES = r"e[0-9]+[.]r[0-9]+"
"""Of these names, in either domain; there is nobody else."""
DELIVERED_SECONDS = 60
_POLL_SECONDS = 0.02
_HEADER_ENDS = re.compile(rb"\r?\n\r?\n")
_DELIVERED_TO = re.compile(rb"(?im)^(?:Delivered-To|Envelope-to): *<?([^>\r\n]+?)>?\r?$")
_RECEIVED = re.compile(rb"(?ims)^Received: .*?\bid <?([\w.-]+)")


@dataclass(frozen=True, slots=True)
class Stored:
    """One email in one mailbox.

    Args:
        recipient: whose mailbox.
        acceptance: the server's name for the transaction: two copies with the same one are the
            server's own doing.
        content: as it lies there.
    """

    recipient: str
    acceptance: str
    content: bytes


class Server(ABC):
    """A mail server on a free port of 127.0.0.1, between `start` and `kill` as often as one likes.

    Args:
        folder: an empty one.
        limited: with a limit to what it takes on a connection, or in a transaction, so low that
            a few emails reach it.
    """

    title: ClassVar[str]
    """For people."""
    odd: ClassVar[tuple[str, ...]] = ()
    """Recipients that ion takes for addresses and this server doesn't; `{}` is the email's name."""
    refuses_strangers: ClassVar[bool] = True
    """False: it takes emails for anybody."""
    forgets: ClassVar[str] = ""
    """Why its books can't be read after a kill; empty: they can."""
    breaks_when_deep: ClassVar[bool] = False
    """True: its process dies of a MAIL that comes before its reply to a dot."""
    limit: ClassVar[str] = ""
    """What `limited` does; empty: there is no such limit."""
    host = HOST
    version: str

    def __init__(self, folder: Path, *, limited: bool = False) -> None:
        self.folder = folder
        self.limited = limited
        self.port = free_port()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.kill()

    def __repr__(self) -> str:
        return f"<{self.title} {self.version}>"

    def secrets(self, package: Path) -> str:
        """Give the text of config-secrets.cfg; files that it names go into the package."""
        return f"[smtp]\nserver = {self.host}\nport = {self.port}\nsecurity = none\n"

    def start(self) -> None:
        """Serve; returns once it greets. After `kill`, on the same port and the same files."""
        self._process = self._launch()
        self._process.wait_for_greeting(self.port)

    @property
    def alive(self) -> bool:
        """False if it has ended by itself."""
        return self._process.alive

    def kill(self) -> None:
        """SIGKILL: nothing is put in order."""
        self._process.kill()

    @abstractmethod
    def _launch(self) -> Process:
        """Start the server's own process, which stays in the foreground."""

    @abstractmethod
    def stored(self) -> list[Stored]:
        """Read what is in the mailboxes, once everything accepted has been delivered."""


def await_delivery(undelivered: Callable[[], bool]) -> None:
    """Return once a server has put into mailboxes all that it has accepted."""
    ends = time.monotonic() + DELIVERED_SECONDS
    while undelivered():
        assert time.monotonic() < ends, "the server still has undelivered mail"
        time.sleep(_POLL_SECONDS)


def read_copies(folder: Path) -> Iterator[Stored]:
    """Read files of one email each, in whose header the server has written whose they are."""
    for path in sorted(folder.iterdir()):
        content = path.read_bytes()
        header = _HEADER_ENDS.split(content, 1)[0]
        received = _RECEIVED.search(header)
        acceptance = received[1].decode() if received else path.name
        for recipient in _DELIVERED_TO.findall(header):
            yield Stored(recipient.decode(), acceptance, content)
