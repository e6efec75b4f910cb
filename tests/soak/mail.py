"""What is published, drawn from the seed: each message has a name that everything of it carries."""

import json
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from soak.flow import Flow, drawn

_BIG_LINES = 1000
_SEVERAL = (2, 4)
_TWICE, _NAMELESS = 0.02, 0.10

_BROKEN = 0.015
_REFUSED = 0.01
_SEVERAL_UP_TO = 0.10
_REFUSED_OF_SEVERAL = 0.5
_BIG = 0.02
_REFUSALS = (".bounced", ".malformed")
_CANCELLED, _CANCELLED_OF_SCHEDULED = 0.03, 0.3

BEFORE, WITH, AFTER = "before", "with", "after"
"""When an email is cancelled: before it is published, at once, or some messages later."""


@dataclass(frozen=True)
class Mail:
    """A message.

    Args:
        name: of it; in every address and in the text.
        body: as published.
        recipients: in order.
        due: what the whole of it is dead-lettered for, whatever happens; empty: it is an email.
        twice: it is published once more, later.
        flow: how it is to travel.
        cancelled: when it is cancelled; empty: it isn't.
    """

    name: str
    body: str
    recipients: tuple[str, ...]
    due: str = ""
    twice: bool = False
    flow: Flow = field(default_factory=Flow)
    cancelled: str = ""

    @property
    def fates(self) -> tuple[str, ...]:
        """Who or what has a fate of its own: each recipient, or the message if it has none."""
        return self.recipients or ("",)

    def due_of(self, fate: str) -> str:
        """What this one is dead-lettered for, whatever happens; empty: it is to be served."""
        return self.due or ("RCPT_REJECTED" if is_refused(fate) else "")


def name_of(text: str) -> str:
    """The name in a body, an address or an email; empty: it has none."""
    found = re.search(r"\bm\d{7}(?=\b)", text)
    return found[0] if found else ""


def is_bounced(address: str) -> bool:
    """True for those whom the mail server doesn't know."""
    return ".bounced@" in address


def is_malformed(address: str) -> bool:
    """True for those whose address the mail server can't read."""
    return ".malformed@" in address


def is_refused(address: str) -> bool:
    """True for those whom the mail server never accepts."""
    return is_bounced(address) or is_malformed(address)


def written(seed: int, count: int, now: Callable[[], float]) -> Iterator[Mail]:
    """So many, the same for the same seed at the same times.

    Args:
        seed: of it all.
        count: how many.
        now: asked for each: what it says of times is in relation to that.
    """
    for number in range(count):
        yield _mail(f"m{number:07}", random.Random(f"{seed}/{number}"), now())


def _mail(name: str, chance: random.Random, now: float) -> Mail:
    draw = chance.random()
    twice = chance.random() < _TWICE
    flow = drawn(chance, now)
    if draw < _BROKEN:
        return _broken(name, chance, flow)
    draw -= _BROKEN
    count = chance.randint(*_SEVERAL) if _REFUSED < draw < _SEVERAL_UP_TO else 1
    refused = None
    if draw < _REFUSED or (count > 1 and chance.random() < _REFUSED_OF_SEVERAL):
        refused = chance.randrange(count)
    how = chance.choice(_REFUSALS)
    recipients = tuple(f"{name}.{i}{how * (i == refused)}@example.org" for i in range(count))
    message = _message(name, recipients[0] if count == 1 else list(recipients), chance, flow)
    cancelled = ""
    if chance.random() < (_CANCELLED_OF_SCHEDULED if flow.not_before else _CANCELLED):
        cancelled = chance.choice([BEFORE, WITH, AFTER, AFTER])
    # Under SQS's id as its key, a second copy is another email: only a named one is a twin, and
    # only a named one can be cancelled.
    is_named = "email_id" in message
    return Mail(
        name,
        json.dumps(message),
        recipients,
        twice=twice and is_named,
        flow=flow,
        cancelled=cancelled if is_named else "",
    )


def _broken(name: str, chance: random.Random, flow: Flow) -> Mail:
    address = f"{name}.0@example.org"
    message = _message(name, address, chance, Flow()) | {"email_id": name}
    reason = chance.choice(["BAD_JSON", "INVALID_SCHEMA", "INVALID_ADDRESS"])
    if reason == "BAD_JSON":
        body = json.dumps(message)[:-10]
    elif reason == "INVALID_SCHEMA":
        wrong = chance.choice([("no_such_field", "x"), ("not_before", "2027-03-08T09:00:00")])
        body = json.dumps(message | dict([wrong]))
    else:
        body = json.dumps(message | {"recipient": f"{address}>\r\nRCPT TO:<x@example.org"})
    return Mail(name, body, (), reason, flow=Flow(door=flow.door, tenant=flow.tenant))


def _message(
    name: str, recipient: str | list[str], chance: random.Random, flow: Flow
) -> dict[str, object]:
    big = chance.random() < _BIG
    message: dict[str, object] = {
        "action": "send",
        "recipient": recipient,
        "sender": f"{name}@sender.example.org",
        "subject": f"Number {name}",
        "body_text": f"This is {name}.\n" + ".a line of a long text\n" * (big * _BIG_LINES),
    }
    if chance.random() >= _NAMELESS:
        message["email_id"] = name
    return message | flow.fields
