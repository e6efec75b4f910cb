"""The grid of promise.md: eight faults at eleven steps."""

from collections.abc import Callable, Mapping
from itertools import product
from types import MappingProxyType
from typing import Final

from smtp_server.actions import Action, Step, delay, drop, garbage, glue, reply, trickle

DELAY_SECONDS: Final = 0.2
TRICKLE_SECONDS: Final = 0.002

GRID_STEPS: Final = (
    Step.CONNECT,
    Step.EHLO,
    Step.STARTTLS,
    Step.AUTH,
    Step.MAIL,
    Step.RCPT,
    Step.DATA,
    Step.BODY,
    Step.DOT,
    Step.RSET,
    Step.QUIT,
)

_TRANSIENT = {
    Step.CONNECT: (450, "too busy"),
    Step.STARTTLS: (454, "4.7.0 TLS not available due to temporary reason"),
    Step.AUTH: (454, "4.7.0 Temporary authentication failure"),
    Step.RCPT: (450, "4.2.0 mailbox busy"),
    Step.BODY: (452, "4.3.1 out of storage"),
}
_PERMANENT = {
    Step.CONNECT: (554, "no service here"),
    Step.AUTH: (535, "5.7.8 Authentication credentials invalid"),
    Step.MAIL: (550, "5.1.8 sender refused"),
    Step.RCPT: (550, "5.1.1 no such user"),
    Step.BODY: (552, "5.3.4 message too big"),
    Step.DOT: (554, "5.6.0 content refused"),
}

FAULTS: Final[Mapping[str, Callable[[Step], Action]]] = MappingProxyType(
    {
        "4xx": lambda step: reply(*_TRANSIENT.get(step, (451, "4.3.0 try again later"))),
        "5xx": lambda step: reply(*_PERMANENT.get(step, (554, "5.3.0 no"))),
        "421": lambda _: reply(421, "4.3.2 closing", close=True),
        "drop": lambda _: drop(),
        "delay": lambda _: delay(DELAY_SECONDS),
        "garbage": lambda _: garbage(b"\xff\xfe? not a reply\r\n"),
        "glued": lambda _: glue(b"250 2.0.0 glued\r\n"),
        "trickle": lambda _: trickle(TRICKLE_SECONDS),
    }
)

GRID: Final[tuple[tuple[str, Step], ...]] = tuple(product(FAULTS, GRID_STEPS))
