"""An email on the wire: envelope and content, from composing to sending."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Envelope:
    """Sender and recipients (RFC 5321 section 2.3.1).

    Addresses are ready for the wire: `local@domain`, domains as A-labels, quoting as RFC 5321
    wants it, no angle brackets.

    Args:
        sender: the reverse-path, where bounces go.
        recipients: at least one; to, cc and bcc in that order, each address once.
        smtputf8: an address in the header, or the sender, has a non-ASCII local part, so the
            server must offer SMTPUTF8 (RFC 6531), or nobody can be served: the header is the same
            for all. A recipient who is in no header (bcc) asks for it only for itself.
        author: the address in From, if it isn't the sender's.
    """

    sender: str
    recipients: tuple[str, ...]
    smtputf8: bool = False
    author: str = ""

    @property
    def senders(self) -> tuple[str, str]:
        """The sender and the author: a server may refuse either."""
        return self.sender, self.author or self.sender


@dataclass(frozen=True, slots=True)
class Email:
    """An envelope and its content.

    The content is a RFC 5322 message; lines end in CRLF, none longer than 998 octets, 7-bit only
    (unless `envelope.smtputf8`, whose header may be UTF-8), no bare CR or LF; ends in CRLF; not
    dot-stuffed.

    Args:
        envelope: see `Envelope`.
        pieces: the content, cut where lines begin: large pieces may belong to other emails, too.
            The first has the whole header.
        subject: as a person reads it, not encoded.
        queued_at: aware; when its message was published; None: that isn't known.
    """

    envelope: Envelope
    pieces: tuple[bytes, ...]
    subject: str = field(default="", repr=False)
    queued_at: datetime | None = None

    @property
    def content(self) -> bytes:
        """All of it, as a copy."""
        return b"".join(self.pieces)

    @property
    def size(self) -> int:
        """Octets of the content."""
        return sum(map(len, self.pieces))
