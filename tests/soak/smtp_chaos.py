"""Which transaction, or connection, meets which fault of the mail server: drawn from the seed.

By the email's name and how often it was tried, so that the faults don't hang on who comes first.
"""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from smtp_server import (
    NORMAL,
    Action,
    Ending,
    Reply,
    Step,
    delay,
    drop,
    garbage,
    glue,
    in_body,
    reply,
)
from soak.manner import Manner

_RATE = 0.10
_AGAIN = 0.4
"""Of an email that was in doubt already: the second doubt is where policies differ."""
_SPARED = 0.9
"""Of faults over which ion is more careful with a server from then on: else there would be little
of what it begins with."""
_OF_CONNECTIONS = 0.03
_OF_PROBES, _SLOW_PROBES = 0.04, 0.3
_DELAY_SECONDS = 0.15
_IN_BODY_BYTES = (1, 200)
"""Every email here has more, or the fault would be counted and not happen."""
_GARBAGE = b"\xff\xfe? not a reply\r\n"
_GLUED = b"250 2.0.0 glued\r\n"
OUT_OF_STEP = Action(Reply(503, ("5.5.1 what?",)))
REASONS = {
    Step.MAIL: "SENDER_REJECTED",
    Step.RCPT: "RCPT_REJECTED",
    Step.DATA: "DATA_REJECTED",
    Step.BODY: "CONTENT_REJECTED",
    Step.DOT: "CONTENT_REJECTED",
}


@dataclass(frozen=True)
class Fault:
    """What happens in a transaction.

    Args:
        name: for the count.
        step: where; the first of its kind.
        action: what the server does there.
        told: the client learns for certain what the server decided.
        reason: of the dead letter that follows from it, if any.
    """

    name: str
    step: Step
    action: Action
    told: bool = True
    reason: str = ""

    @property
    def loses_the_thread(self) -> bool:
        """True if the client can't believe what the server says from now on, or it says no more."""
        action = self.action
        strange = action.raw is not None or bool(action.extra) or action == OUT_OF_STEP
        return strange or action.ending is not Ending.GO_ON

    def costs(self, manner: Manner) -> bool:
        """True if what goes out in one flight may be to blame for it."""
        in_a_flight = self.step in (Step.MAIL, Step.RCPT, Step.DATA) or manner.deep
        return manner.pipelining and self.loses_the_thread and in_a_flight


_SYNTAX = {
    Step.MAIL: (
        Fault("501", Step.MAIL, reply(501, "5.1.7 Bad sender address"), reason=REASONS[Step.MAIL]),
    ),
    Step.RCPT: (
        Fault("501", Step.RCPT, reply(501, "5.1.3 Bad address"), reason=REASONS[Step.RCPT]),
        Fault("553", Step.RCPT, reply(553, "5.1.3 Bad address"), reason=REASONS[Step.RCPT]),
    ),
}
"""In step, these refuse an address, and say nothing against the connection."""


def _anywhere(step: Step, chance: random.Random) -> list[Fault]:
    """At any command, and at the dot: there the server takes the email and doesn't say so."""
    at_dot = step is Step.DOT
    return [
        *_SYNTAX.get(step, ()),
        Fault("4xx", step, reply(451, "4.3.0 try again later")),
        Fault("greylisted", step, reply(450, "4.7.1 greylisted")),
        Fault("throttled", step, reply(454, "4.7.0 Throttling failure: too many messages")),
        Fault("5xx", step, reply(550, "5.3.0 no"), reason=REASONS[step]),
        Fault("421", step, reply(421, "4.3.2 closing", close=True)),
        Fault("delay", step, delay(_DELAY_SECONDS * chance.random())),
        Fault("drop", step, drop(), told=not at_dot),
        Fault("reset", step, drop(reset=True), told=not at_dot),
        Fault("garbage", step, garbage(_GARBAGE), told=not at_dot),
        Fault("glued", step, glue(_GLUED), told=not at_dot),
        Fault("out of step", step, OUT_OF_STEP, told=not at_dot, reason="PROTOCOL"),
    ]


def _at_dot(chance: random.Random) -> list[Fault]:
    """Neither of these can be told from the other by the client."""
    refused = replace(drop(), reply=Reply(451, ("4.3.0 lost",)))
    return [
        Fault("taken, then drop", Step.DOT, drop(), told=False),
        Fault("taken, then reset", Step.DOT, drop(reset=True), told=False),
        Fault("not taken, then drop", Step.DOT, refused, told=False),
        Fault("taken, reply, then drop", Step.DOT, drop(after=NORMAL)),
    ]


def _in_body(chance: random.Random) -> list[Fault]:
    def after(action: Action) -> Action:
        return in_body(chance.randint(*_IN_BODY_BYTES), action)

    return [
        Fault("drop", Step.BODY, after(drop()), told=False),
        Fault("reset", Step.BODY, after(drop(reset=True)), told=False),
        Fault("early 4xx", Step.BODY, after(reply(452, "4.3.1 out of storage"))),
        Fault("garbage", Step.BODY, after(garbage(_GARBAGE)), told=False),
    ]


_STEPS: tuple[Callable[[random.Random], list[Fault]], ...] = (
    lambda chance: _anywhere(Step.MAIL, chance),
    lambda chance: _anywhere(Step.RCPT, chance),
    lambda chance: _anywhere(Step.DATA, chance),
    lambda chance: _anywhere(Step.DOT, chance),
    _at_dot,
    _in_body,
)

_CONNECTION = (
    Fault("421", Step.CONNECT, reply(421, "4.3.2 too busy", close=True)),
    Fault("drop", Step.CONNECT, drop()),
    Fault("drop", Step.EHLO, drop()),
    Fault("454", Step.STARTTLS, reply(454, "4.7.0 TLS not available")),
    Fault("454", Step.AUTH, reply(454, "4.7.0 Temporary authentication failure")),
    Fault("drop", Step.AUTH, drop()),
    Fault("drop", Step.RSET, drop()),
    Fault("garbage", Step.QUIT, garbage(_GARBAGE)),
)

_OF_A_PROBE = (
    Fault("drop", Step.NOOP, drop()),
    Fault("reset", Step.NOOP, drop(reset=True)),
    Fault("421", Step.NOOP, reply(421, "4.4.2 idle for too long", close=True)),
    Fault("garbage", Step.NOOP, garbage(_GARBAGE)),
    Fault("glued", Step.NOOP, glue(_GLUED)),
)
"""Mostly the server has closed a connection that was idle for long."""


class SmtpChaos:
    """Draws. Counts what has happened.

    Args:
        seed: of it all.

    Attributes:
        on: off: nothing happens, and is counted, any more.
        transactions: begun while it was on.
        faults: by step and sort.
    """

    def __init__(self, seed: int) -> None:
        self.on = True
        self.transactions = 0
        self.faults: Counter[str] = Counter()
        self.faulty_transactions = 0
        self._seed = seed
        self._tries: Counter[str] = Counter()
        self._doubted: set[str] = set()

    def of_transaction(self, name: str, manner: Manner) -> Fault | None:
        """What is to happen to the email this time."""
        if not self.on:
            return None
        self.transactions += 1
        self._tries[name] += 1
        chance = random.Random(f"{self._seed}/smtp/{name}/{self._tries[name]}")
        if chance.random() >= (_AGAIN if name in self._doubted else _RATE):
            return None
        at_step = _at_dot if name in self._doubted else chance.choice(_STEPS)
        fault = chance.choice(at_step(chance))
        if fault.costs(manner) and chance.random() < _SPARED:
            cheap = [*_anywhere(Step.DOT, chance), *_at_dot(chance)]
            fault = chance.choice([one for one in cheap if not one.costs(manner)])
        if not fault.told:
            self._doubted.add(name)
        return fault

    def of_connection(self, number: str) -> Fault | None:
        """What is to happen to the connection, before and after its emails."""
        if not self.on:
            return None
        chance = random.Random(f"{self._seed}/connection/{number}")
        return chance.choice(_CONNECTION) if chance.random() < _OF_CONNECTIONS else None

    def of_probe(self, number: str) -> Fault | None:
        """What is to happen to a NOOP."""
        chance = random.Random(f"{self._seed}/probe/{number}")
        if chance.random() < _OF_PROBES:
            return chance.choice(_OF_A_PROBE)
        if chance.random() < _SLOW_PROBES:
            return Fault("delay", Step.NOOP, delay(_DELAY_SECONDS * chance.random()))
        return None

    def happened(self, fault: Fault, *, to_an_email: bool) -> None:
        self.faults[f"{fault.step.value} {fault.name}"] += 1
        self.faulty_transactions += to_an_email
