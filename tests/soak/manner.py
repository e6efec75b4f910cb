"""How the relay of a life speaks, and to what sort of mail server."""

import random
from dataclasses import dataclass
from enum import StrEnum

MIXED = "mixed"
"""A mode a life."""
_MOST_EMAILS = (2, 25)


class Mode(StrEnum):
    """`[smtp] pipelining`."""

    ENVELOPE = "envelope"
    DEEP = "deep"
    OFF = "off"


class Habit(StrEnum):
    """What real mail servers do with which nothing is wrong."""

    USUAL = "usual"
    TERSE = "terse"
    """Says `250 2.0.0 OK` to everything: no reply tells what it is to."""
    STRICT = "strict"
    """Refuses a client that doesn't wait where it must (RFC 2920 section 3.1), as Postfix does."""
    LIMITED = "limited"
    """Puts off at MAIL what is beyond so many emails a connection, as OpenSMTPD does."""
    IN_ORDER = "in order"
    """Says 503 to an envelope that comes behind an unanswered dot, as Haraka does."""


@dataclass(frozen=True)
class Manner:
    """Of one life.

    Args:
        mode: of the relay.
        habit: of its mail server.
        offers: that server has PIPELINING.
        most_emails: that it takes on one connection, if it is a limited one.
    """

    mode: Mode = Mode.ENVELOPE
    habit: Habit = Habit.USUAL
    offers: bool = True
    most_emails: int | None = None

    @property
    def pipelining(self) -> bool:
        """True if the envelopes go out in one flight each."""
        return self.offers and self.mode is not Mode.OFF

    @property
    def deep(self) -> bool:
        """True if an envelope goes out behind the dot of the email before."""
        return self.offers and self.mode is Mode.DEEP


def manner(life: int, seed: int, pipelining: str) -> Manner:
    """Turn and turn about, so that a few lives have them all; the seed says who begins.

    Args:
        life: number of whose it is.
        seed: of the soak.
        pipelining: the mode of all lives, or `MIXED`.
    """
    turn = life + seed
    modes, habits = [*Mode], [*Habit]  # 3 and 5: each with each in 15 lives
    mode = modes[turn % len(modes)] if pipelining == MIXED else Mode(pipelining)
    habit = habits[turn % len(habits)]
    offers = mode is not Mode.OFF or turn % 2 == 0
    most = random.Random(f"{seed}/manner/{life}").randint(*_MOST_EMAILS)
    return Manner(mode, habit, offers, most if habit is Habit.LIMITED else None)
