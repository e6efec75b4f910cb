"""In which order what is published: the mail, its twins somewhat later, and orders in between.

Half of it comes in bursts before lulls in which the connections fall idle, half as one long crowd.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from soak.books import PARK
from soak.flow import BULK, CAMPAIGNS, NORMAL
from soak.mail import AFTER, BEFORE, Mail, written
from soak.orders import REDRIVE, REDRIVE_ALL_BUT_THE_DOUBTED, RESUME, cancel, pause, stop

_CROWD = 100
_BURST = (5, 40)
_BURSTS_IN_A_ROW = 8
"""As many messages as in two hundreds."""
_DISTANCE = 150
"""Messages between an email and its twin, or its cancel, at most."""
_REDRIVES = (0.5, 1.0)
"""Shares of the messages after which a redrive is published."""

_BETWEEN_ORDERS = (60, 180)
"""Messages."""
_STOP, _RESUME, _ALL = "stop", "resume", ""
_ORDERS = (_STOP, _STOP, _STOP, _RESUME, _RESUME, BULK, NORMAL, _ALL)
"""Each turn has all of them, in another order. A lane stands for a pause of it, `_ALL` for one of
both."""
_STOPS_SECONDS, _PAUSES_SECONDS = (300, 3600), (300, 720)
"""Until when, by the soak's clock; an order needs minutes to be received."""
_BY_HAND, _BY_HAND_SECONDS = 0.4, (60, 300)
"""Of pauses that end when an operator says so, past the queue."""


@dataclass(frozen=True)
class Post:
    """A message to be published."""

    body: str
    door: str = NORMAL
    tenant: str = ""


@dataclass(frozen=True)
class Portion:
    """What is published at once.

    Args:
        mails: that are new, though some may only be published with a later portion.
        posts: everything.
        then_a_lull: nothing more comes until there has been nothing to do for a while.
        resumed_after: seconds after which an operator ends all pauses and stops; 0: none does.
    """

    mails: list[Mail]
    posts: list[Post]
    then_a_lull: bool
    resumed_after: float = 0.0


class Publisher:
    """Draws from the seed.

    Args:
        messages: how many, twins and orders not counted.
        seed: of it all.
        policy: for emails in doubt; to `park` and then to redrive everything would copy them.
        now: seconds since the epoch, by the soak's clock.
    """

    def __init__(self, messages: int, seed: int, policy: str, now: Callable[[], float]) -> None:
        self._messages = messages
        self._mails = written(seed, messages, now)
        self._chance = random.Random(f"{seed}/publisher")
        self._now = now
        redrive = REDRIVE_ALL_BUT_THE_DOUBTED if policy == PARK else REDRIVE
        self._put_off = [(int(share * messages), Post(redrive)) for share in _REDRIVES]
        """What comes after so many messages."""
        self._turn: list[str] = []
        self._next_order = self._chance.randint(*_BETWEEN_ORDERS)

    def portions(self) -> Iterator[Portion]:
        """Give everything, in order, each portion as if it were published now."""
        sizes = self._sizes()
        number = 0
        while number < self._messages:
            size, then_a_lull = next(sizes)
            mails: list[Mail] = []
            posts: list[Post] = []
            resumed_after = 0.0
            while number < self._messages and len(mails) < size:
                mail = next(self._mails)
                number += 1
                mails.append(mail)
                posts += self._posts(mail, number)
                if number >= self._next_order:
                    self._next_order += self._chance.randint(*_BETWEEN_ORDERS)
                    order, after = self._order()
                    posts.append(order)
                    resumed_after = after or resumed_after
                posts += self._due(number)
            yield Portion(mails, posts, then_a_lull, resumed_after)

    def _posts(self, mail: Mail, number: int) -> list[Post]:
        """An email, and what is to be done about it; what comes later is put off."""
        post = Post(mail.body, mail.flow.door, mail.flow.tenant)
        if mail.twice:
            self._later(number, post)
        if not mail.cancelled:
            return [post]
        order = Post(cancel(mail.name))
        if mail.cancelled == BEFORE:
            self._later(number, post)
            return [order]
        if mail.cancelled == AFTER:
            self._later(number, order)
            return [post]
        return [post, order]

    def _later(self, number: int, post: Post) -> None:
        self._put_off.append((number + self._chance.randint(0, _DISTANCE), post))

    def _due(self, number: int) -> list[Post]:
        """What was put off and whose time has come."""
        last = number == self._messages
        due = [post for when, post in self._put_off if last or when <= number]
        self._put_off = [(when, post) for when, post in self._put_off if not last and when > number]
        return due

    def _order(self) -> tuple[Post, float]:
        """The next, and after how many seconds an operator ends it; 0: it ends by itself."""
        if not self._turn:
            self._turn = self._chance.sample(_ORDERS, len(_ORDERS))
        what, now = self._turn.pop(), self._now()
        if what == _RESUME:
            return Post(RESUME), 0.0
        if what == _STOP:
            until = now + self._chance.uniform(*_STOPS_SECONDS)
            return Post(stop(self._chance.choice(CAMPAIGNS), until)), 0.0
        by_hand = self._chance.random() < _BY_HAND
        after = self._chance.uniform(*_BY_HAND_SECONDS) if by_hand else 0.0
        return Post(pause(what, now + self._chance.uniform(*_PAUSES_SECONDS))), after

    def _sizes(self) -> Iterator[tuple[int, bool]]:
        """Of portions, for ever, and whether there is a lull after each."""
        while True:
            for _ in range(_BURSTS_IN_A_ROW):
                yield self._chance.randint(*_BURST), True
            for _ in range(2):
                yield _CROWD, False
