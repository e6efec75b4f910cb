"""What the server offers, and what it demands."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto


class Tls(Enum):
    NONE = auto()
    STARTTLS = auto()
    IMPLICIT = auto()


@dataclass(frozen=True, kw_only=True)
class Offer:
    """The service extensions of the EHLO reply.

    Attributes:
        users: Passwords (access tokens, with XOAUTH2) by user name. AUTH is offered, and demanded
            before MAIL, if there are any; on a STARTTLS server only after TLS.
        mechanisms: Of AUTH.
        size_bytes: The greatest content taken; None: SIZE isn't offered.
        max_recipients: More get 452 4.5.3.
        max_emails: On one connection. Further ones are put off at MAIL, for ever, and the
            connection is kept open, as OpenSMTPD does it; None: as many as the client likes.
        minds_early_mail: An envelope behind an unanswered dot is out of sequence, as with Haraka.
        terse: Whatever succeeds after the login gets `250 2.0.0 OK`: no reply tells what it is to.
        enforces_pipelining: A client that goes on where it must wait is refused, and the connection
            is closed, as Postfix does it with smtpd_forbid_unauth_pipelining.
        enhanced_status_codes: Whether they are announced; they are given in any case.
        require_tls: 530 to MAIL before STARTTLS.
    """

    users: Mapping[str, str] = field(default_factory=dict)
    mechanisms: tuple[str, ...] = ("PLAIN", "LOGIN", "CRAM-MD5")
    size_bytes: int | None = 10_000_000
    max_recipients: int = 100
    max_emails: int | None = None
    minds_early_mail: bool = False
    terse: bool = False
    enforces_pipelining: bool = False
    eight_bit_mime: bool = True
    smtputf8: bool = True
    pipelining: bool = False
    enhanced_status_codes: bool = True
    require_tls: bool = False

    def keywords(self, *, starttls: bool, auth: bool) -> tuple[str, ...]:
        """The lines of the EHLO reply after the first."""
        offered = {
            "STARTTLS": starttls,
            f"AUTH {' '.join(self.mechanisms)}": auth,
            f"SIZE {self.size_bytes}": self.size_bytes is not None,
            "8BITMIME": self.eight_bit_mime,
            "SMTPUTF8": self.smtputf8,
            "PIPELINING": self.pipelining,
            "ENHANCEDSTATUSCODES": self.enhanced_status_codes,
        }
        return tuple(keyword for keyword, is_offered in offered.items() if is_offered)

    def mail_parameters(self) -> frozenset[str]:
        """The keywords that may follow MAIL FROM."""
        offered = {
            "SIZE": self.size_bytes is not None,
            "BODY": self.eight_bit_mime,
            "SMTPUTF8": self.smtputf8,
            "AUTH": bool(self.users),
        }
        return frozenset(keyword for keyword, is_offered in offered.items() if is_offered)
