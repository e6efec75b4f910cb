"""What operators ask for by message, and what is in force: the control row as the soak reads it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from soak.flow import BULK, NORMAL, Flow, rfc3339
from soak.mail import name_of

REDRIVE = '{"action": "redrive"}'
REDRIVE_ALL_BUT_THE_DOUBTED = json.dumps(
    {
        "action": "redrive",
        "where": {
            "reason": [
                "BAD_JSON",
                "INVALID_SCHEMA",
                "INVALID_ADDRESS",
                "SENDER_REJECTED",
                "RCPT_REJECTED",
                "DATA_REJECTED",
                "CONTENT_REJECTED",
                "PROTOCOL",
                "EXPIRED",
                "STOPPED",
            ]
        },
    }
)
RESUME = '{"action": "resume"}'
NOTHING_IN_FORCE = "{}"
"""The control row's text then."""
_CANCEL = '{"action": "cancel", '
_SEND = '"action": "send"'


def cancel(name: str) -> str:
    """Don't send it."""
    return f'{_CANCEL}"email_id": "{name}"}}'


def stop(campaign: str, until: float) -> str:
    """Dead-letter all that has this tag."""
    asked = {"where": {"tag": {"campaign": campaign}}, "until": rfc3339(until)}
    return json.dumps({"action": "stop", **asked})


def pause(lane: str, until: float) -> str:
    """Receive nothing of a lane; "": nothing at all."""
    return json.dumps({"action": "pause", "lane": lane or None, "until": rfc3339(until)})


def redrive_stopped(tags: Mapping[str, str]) -> str:
    """Bring back what was stopped, of that which has these tags."""
    where = {"reason": "STOPPED", "tag": tags}
    return json.dumps({"action": "redrive", "where": where})


def is_order(body: str) -> bool:
    """True for what asks for something else than an email, unbroken."""
    return body.startswith('{"action": ') and _SEND not in body


def email_of(body: str) -> str:
    """Name of the email that a message is; empty: it is none."""
    return "" if is_order(body) else name_of(body)


def cancelled_by(body: str) -> str:
    """Name of the email that a message cancels; empty: none."""
    return name_of(body) if body.startswith(_CANCEL) else ""


@dataclass(frozen=True)
class Pause:
    """Nothing of a lane, or of any (""), is to be sent until then."""

    lane: str
    until: float


@dataclass(frozen=True)
class Stop:
    """Nothing with these tags is to be sent until then."""

    tags: Mapping[str, str]
    until: float


@dataclass(frozen=True)
class InForce:
    """What is in force from a moment on, until the next.

    Args:
        at: that moment.
        pauses: all of them.
        stops: all of them.
    """

    at: float
    pauses: tuple[Pause, ...] = ()
    stops: tuple[Stop, ...] = ()

    def same_as(self, other: "InForce") -> bool:
        """True if nothing else is in force."""
        return (self.pauses, self.stops) == (other.pauses, other.stops)

    def pauses_until(self, flow: Flow) -> float:
        """When the last pause of its lane ends; 0: there is none."""
        lanes = {"", BULK if flow.is_bulk else NORMAL}
        return max((one.until for one in self.pauses if one.lane in lanes), default=0.0)

    def stops_until(self, flow: Flow) -> float:
        """When the last stop that is about it ends; 0: there is none."""
        about = (one for one in self.stops if one.tags.items() <= flow.tags.items())
        return max((one.until for one in about), default=0.0)


def read(at: float, text: str) -> InForce:
    """What ion has written into the row."""
    row: dict[str, list[dict[str, Any]]] = json.loads(text)
    return InForce(
        at,
        tuple(Pause(one.get("lane", ""), _until(one)) for one in row.get("pauses", ())),
        tuple(Stop(one["where"]["tag"], _until(one)) for one in row.get("stops", ())),
    )


def _until(order: Mapping[str, str]) -> float:
    return datetime.fromisoformat(order["until"]).timestamp()
