"""How the relay of a life speaks, and to what sort of mail server."""

import random
from dataclasses import dataclass, replace

from ion.settings import Pipelining
from smtp_server import Habit, Offer

MIXED = "mixed"
"""Another `[smtp] pipelining` for each life."""
_MOST_EMAILS = (2, 12)
_CONNECTIONS = (1, 2, 4)
"""On a few connections, emails wait for one another; with more, one is idle while others work."""


@dataclass(frozen=True)
class Manner:
    """Of one life.

    Args:
        mode: `[smtp] pipelining`.
        habit: of its mail server.
        offers: that server has PIPELINING.
        most_emails: that it takes on one connection, if it is a limited one.
        connections: to it.
    """

    mode: Pipelining = Pipelining.ENVELOPE
    habit: Habit = Habit.USUAL
    offers: bool = True
    most_emails: int = 1
    connections: int = 4

    @property
    def pipelining(self) -> bool:
        """True if the envelopes go out in one flight each."""
        return self.offers and self.mode is not Pipelining.OFF

    @property
    def deep(self) -> bool:
        """True if an envelope goes out behind the dot of the email before."""
        return self.offers and self.mode is Pipelining.DEEP

    def on(self, offer: Offer) -> Offer:
        """What the mail server offers, beside all else."""
        return self.habit.on(replace(offer, pipelining=self.offers), self.most_emails)


def manner(life: int, seed: int, pipelining: str) -> Manner:
    """Turn and turn about, so that a few lives have them all; the seed says who begins.

    Args:
        life: number of whose it is.
        seed: of the soak.
        pipelining: the mode of all lives, or `MIXED`.
    """
    turn = life + seed
    modes, habits = [*Pipelining], [*Habit]  # 3 and 5: each with each in 15 lives
    mode = modes[turn % len(modes)] if pipelining == MIXED else Pipelining(pipelining)
    habit = habits[turn % len(habits)]
    offers = mode is not Pipelining.OFF or turn % 2 == 0
    chance = random.Random(f"{seed}/manner/{life}")
    most, connections = chance.randint(*_MOST_EMAILS), chance.choice(_CONNECTIONS)
    return Manner(mode, habit, offers, most, connections)
