"""In which order what is published: the mail, its twins somewhat later, and redrives in between.

Half of it comes in bursts after lulls in which the connections fall idle, half as one long crowd.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from soak.books import PARK
from soak.mail import REDRIVE, REDRIVE_ALL_BUT_THE_DOUBTED, Mail, written

_CROWD = 100
_BURST = (5, 40)
_BURSTS_IN_A_ROW = 8
"""As many messages as in two hundreds."""
_TWIN_DISTANCE = 150
_REDRIVES = (0.5, 1.0)
"""Shares of the messages after which a redrive is published."""


@dataclass(frozen=True)
class Portion:
    """What is published at once.

    Args:
        mails: that are new.
        bodies: of everything.
        after_a_lull: it waits until there has been nothing to do for a while.
    """

    mails: list[Mail]
    bodies: list[str]
    after_a_lull: bool


class Publisher:
    """Draws from the seed.

    Args:
        messages: how many, twins and redrives not counted.
        seed: of it all.
        policy: for emails in doubt; to `park` and then to redrive everything would copy them.
    """

    def __init__(self, messages: int, seed: int, policy: str) -> None:
        self._messages = messages
        self._mails = written(seed, messages)
        self._chance = random.Random(f"{seed}/publisher")
        self._redrive = REDRIVE_ALL_BUT_THE_DOUBTED if policy == PARK else REDRIVE
        self._redrives = [int(share * messages) for share in _REDRIVES]
        self._twins: list[tuple[int, str]] = []

    def portions(self) -> Iterator[Portion]:
        """Give everything, in order."""
        mails: list[Mail] = []
        bodies: list[str] = []
        sizes = self._sizes()
        size, after_a_lull = next(sizes)
        for number, mail in enumerate(self._mails, 1):
            last = number == self._messages
            mails.append(mail)
            bodies.append(mail.body)
            if mail.twice:
                later = number + self._chance.randint(0, _TWIN_DISTANCE)
                self._twins.append((later, mail.body))
            bodies += self._due(number, last=last)
            bodies += [self._redrive] * self._redrives.count(number)
            if last or len(mails) == size:
                yield Portion(mails, bodies, after_a_lull)
                mails, bodies = [], []
                size, after_a_lull = next(sizes)

    def _sizes(self) -> Iterator[tuple[int, bool]]:
        """Of portions, for ever, and whether there is a lull before each."""
        while True:
            for _ in range(_BURSTS_IN_A_ROW):
                yield self._chance.randint(*_BURST), True
            for _ in range(2):
                yield _CROWD, False

    def _due(self, number: int, *, last: bool) -> list[str]:
        """Twins whose time has come."""
        due = [body for when, body in self._twins if last or when <= number]
        self._twins = [(when, body) for when, body in self._twins if when > number and not last]
        return due
