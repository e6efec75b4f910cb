"""What the local mail server does to each recipient, after the mailbox simulator of Amazon SES.

Every other recipient gets their mail.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

DOMAIN = "simulator.test"
BOUNCE = f"bounce@{DOMAIN}"
"""Refused for good: 550 5.1.1 at RCPT."""
BOUNCE_LATER = f"bounce-later@{DOMAIN}"
"""Accepted, and bounced afterwards: a notice comes by the feedback topic."""
COMPLAINT = f"complaint@{DOMAIN}"
"""Accepted; then the recipient complains: a notice comes by the feedback topic."""
DEFER = f"defer@{DOMAIN}"
"""Put off once: 451 4.3.0 after DATA, then accepted."""
THROTTLE = f"throttle@{DOMAIN}"
"""Throttled twice as SES does it: 454 4.7.0 after DATA, then accepted."""
DROP = f"drop@{DOMAIN}"
"""The connection is lost after the final dot, once; the server has the email all the same."""

THROTTLED_TIMES = 2

NO_SUCH_USER = "550 5.1.1 The email account that you tried to reach does not exist"
_TRY_LATER = "451 4.3.0 Mail server temporarily rejected message"
_THROTTLED = "454 4.7.0 Throttling failure: Maximum sending rate exceeded."


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of an email that has been received whole.

    Args:
        refusal: the reply; None: the email is accepted.
        silent: the connection is lost instead of a reply. The email stays accepted: this is the
            case in doubt (RFC 1047), in which only the server knows.
    """

    refusal: str | None = None
    silent: bool = False


class MailboxSimulator:
    """Remembers what each message has been put through, so that it ends well in the end."""

    def __init__(self) -> None:
        self._times: Counter[tuple[str, str]] = Counter()

    def at_rcpt(self, recipient: str) -> str | None:
        """Give the refusal of one recipient, or None."""
        return NO_SUCH_USER if recipient.lower() == BOUNCE else None

    def after_data(self, recipients: Iterable[str], message: str) -> Verdict:
        """Judge one email.

        Args:
            recipients: those that were accepted at RCPT.
            message: what stays the same when the message is tried again.
        """
        asked = {recipient.lower() for recipient in recipients}
        for recipient, times, verdict in (
            (DEFER, 1, Verdict(refusal=_TRY_LATER)),
            (THROTTLE, THROTTLED_TIMES, Verdict(refusal=_THROTTLED)),
            (DROP, 1, Verdict(silent=True)),
        ):
            if recipient in asked and self._times[recipient, message] < times:
                self._times[recipient, message] += 1
                return verdict
        return Verdict()
