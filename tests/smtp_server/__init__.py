"""A small SMTP server on 127.0.0.1 whose every step can be scripted with a fault.

async with ScriptedServer({Step.DOT: [drop()]}, tls=Tls.STARTTLS) as server:
    ...  # a client talks to server.host, server.port
assert server.accepted[0].saw_dot
"""

from smtp_server.actions import (
    NORMAL,
    Action,
    Ending,
    Reply,
    Step,
    delay,
    drop,
    garbage,
    glue,
    hang,
    in_body,
    once_behind,
    reply,
    trickle,
)
from smtp_server.certificates import Certificate
from smtp_server.faults import DELAY_SECONDS, FAULTS, GRID, GRID_STEPS
from smtp_server.habits import Habit
from smtp_server.offer import Offer, Tls
from smtp_server.record import Command, Session, Submission
from smtp_server.script import Moment, last_repeats
from smtp_server.server import ScriptedServer

__all__ = [
    "DELAY_SECONDS",
    "FAULTS",
    "GRID",
    "GRID_STEPS",
    "NORMAL",
    "Action",
    "Certificate",
    "Command",
    "Ending",
    "Habit",
    "Moment",
    "Offer",
    "Reply",
    "ScriptedServer",
    "Session",
    "Step",
    "Submission",
    "Tls",
    "delay",
    "drop",
    "garbage",
    "glue",
    "hang",
    "in_body",
    "last_repeats",
    "once_behind",
    "reply",
    "trickle",
]
