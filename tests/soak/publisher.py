"""In which order what is published: the mail, its twins somewhat later, and redrives in between."""

import random
from collections.abc import Iterator

from soak.books import PARK
from soak.mail import REDRIVE, REDRIVE_ALL_BUT_THE_DOUBTED, Mail, written

_AT_ONCE = 100
_TWIN_DISTANCE = 150
_REDRIVES = (0.5, 1.0)
"""Shares of the messages after which a redrive is published."""


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

    def hundreds(self) -> Iterator[tuple[list[Mail], list[str]]]:
        """Give what is new, and the bodies to be published now."""
        mails: list[Mail] = []
        bodies: list[str] = []
        for number, mail in enumerate(self._mails, 1):
            last = number == self._messages
            mails.append(mail)
            bodies.append(mail.body)
            if mail.twice:
                later = number + self._chance.randint(0, _TWIN_DISTANCE)
                self._twins.append((later, mail.body))
            bodies += self._due(number, last=last)
            bodies += [self._redrive] * self._redrives.count(number)
            if last or len(mails) == _AT_ONCE:
                yield mails, bodies
                mails, bodies = [], []

    def _due(self, number: int, *, last: bool) -> list[str]:
        """Twins whose time has come."""
        due = [body for when, body in self._twins if last or when <= number]
        self._twins = [(when, body) for when, body in self._twins if when > number and not last]
        return due
