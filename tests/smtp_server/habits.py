"""What real mail servers do with which nothing is wrong, and which has cost clients emails."""

from dataclasses import replace
from enum import StrEnum

from smtp_server.offer import Offer


class Habit(StrEnum):
    """Of a server."""

    USUAL = "usual"
    TERSE = "terse"
    """Says `250 2.0.0 OK` to everything: no reply tells what it is to."""
    STRICT = "strict"
    """Refuses a client that doesn't wait where it must (RFC 2920 section 3.1), as Postfix does."""
    LIMITED = "limited"
    """Puts off at MAIL what is beyond so many emails a connection, as OpenSMTPD does."""
    IN_ORDER = "in order"
    """Says 503 to an envelope that comes behind an unanswered dot, as Haraka does."""

    def on(self, offer: Offer, most_emails: int) -> Offer:
        """The offer of a server that has it.

        Args:
            offer: all else that it offers.
            most_emails: on one connection, if it is a limited one.
        """
        match self:
            case Habit.TERSE:
                return replace(offer, terse=True)
            case Habit.STRICT:
                return replace(offer, enforces_pipelining=True)
            case Habit.LIMITED:
                return replace(offer, max_emails=most_emails)
            case Habit.IN_ORDER:
                return replace(offer, minds_early_mail=True)
        return offer
