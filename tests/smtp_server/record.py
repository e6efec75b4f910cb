"""What the server saw."""

import re
from dataclasses import dataclass, field

from smtp_server.actions import Step

_BARE_NEWLINE = re.compile(rb"\r(?!\n)|(?<!\r)\n")


@dataclass(frozen=True)
class Command:
    """A command line as received, without its CRLF.

    Attributes:
        at_seconds: On the monotonic clock, comparable between sessions.
        pipelined: More input was there already when it was answered.
    """

    line: str
    at_seconds: float
    pipelined: bool

    @property
    def verb(self) -> str:
        return self.line.partition(" ")[0].upper()


@dataclass
class Session:
    """One connection.

    Attributes:
        tls_error: Why the handshake failed, if it did.
        username: Who logged in; None: nobody.
        early_plaintext: What the client sent behind STARTTLS, before TLS (never trusted).
        taken: Emails that the server took.
        put_off: MAILs after as many as it takes (`Offer.max_emails`).
        early_mails: MAILs that came behind a dot that wasn't answered yet.
        minded_mails: Those of them that the server minded (`Offer.minds_early_mail`).
        unawaited: Steps that were answered while there was more input already, though the client
            must wait for the answer (RFC 2920 section 3.1).
    """

    number: int
    commands: list[Command] = field(default_factory=list)
    tls: bool = False
    tls_error: str | None = None
    username: str | None = None
    auth_commands: int = 0
    early_plaintext: bytes = b""
    taken: int = 0
    put_off: int = 0
    early_mails: int = 0
    minded_mails: int = 0
    unawaited: list[Step] = field(default_factory=list)
    over: bool = False

    @property
    def verbs(self) -> list[str]:
        return [command.verb for command in self.commands]


@dataclass
class Submission:
    """An email whose body the server began to read.

    Attributes:
        recipients: Those accepted.
        parameters: Of MAIL, as received ("BODY=8BITMIME").
        content: What was read of it, dots un-stuffed, final CRLF kept, the dot's line not.
        saw_dot: The end of the content arrived.
        more_behind: The client had gone on by then, without waiting for the verdict.
        verdict: The code the server decided on, sent or not; None: it never came to that.
        replied: That reply was written, whole. Nothing is said about its arrival.
    """

    session: int
    sender: str
    recipients: tuple[str, ...]
    parameters: tuple[str, ...]
    content: bytes = b""
    saw_dot: bool = False
    more_behind: bool = False
    verdict: int | None = None
    replied: bool = False

    @property
    def accepted(self) -> bool:
        """By the dot, not by the reply: whatever isn't an explicit 4xx or 5xx is delivered."""
        refused = self.verdict is None or self.verdict // 100 in {4, 5}
        return self.saw_dot and bool(self.recipients) and not refused

    @property
    def bare_newline(self) -> bool:
        """A CR or an LF stands alone in the content."""
        return _BARE_NEWLINE.search(self.content) is not None
