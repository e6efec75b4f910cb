"""What composing costs, without sending: microseconds an email, by way of composing."""

import json
import statistics
import sys
import time
import timeit
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.emails import QUEUED_AT, email_message, mime_multipart, published
from bench.rounds import answer_of
from ion.contract import Send, parse
from ion.mail import compose

if TYPE_CHECKING:
    from collections.abc import Callable

_NUMBER = 100


@dataclass(frozen=True, slots=True)
class Composing:
    """Microseconds of CPU for an email of 4 KB, medians.

    Args:
        parse: ion: the message body to a checked `Send`.
        compose: ion: that to bytes.
        email_message: `EmailMessage` and `as_bytes`, from a dict.
        mime_multipart: `MIMEMultipart` and `as_string`, from a dict: the first ion's.
        octets: the size that ion's email has.
    """

    parse: float
    compose: float
    email_message: float
    mime_multipart: float
    octets: float

    @property
    def times_faster(self) -> float:
        """Ion's composing, beside EmailMessage."""
        return self.email_message / self.compose


def measured(rounds: int) -> Composing:
    """All of them in turns, in a process of its own."""
    return Composing(**answer_of("bench.composing", {"rounds": rounds}, {}))


def shares_attachments() -> bool:
    """True if a message may have attachments."""
    return "attachments" in Send.__struct_fields__


def _measure(rounds: int) -> dict[str, float]:
    body = published(7)
    message = json.loads(body)
    send = parse(body)
    assert isinstance(send, Send)

    def ion() -> bytes:
        return compose(send, key="order-7", queued_at=QUEUED_AT, default_sender=None).content

    ways: dict[str, Callable[[], object]] = {
        "parse": lambda: parse(body),
        "compose": ion,
        "email_message": lambda: email_message(message).as_bytes(),
        "mime_multipart": lambda: mime_multipart(message),
    }
    turns: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            seconds = timeit.timeit(way, timer=time.process_time, number=_NUMBER)
            turns[name].append(seconds / _NUMBER * 1e6)
    return {name: statistics.median(times) for name, times in turns.items()} | {
        "octets": len(ion())
    }


if __name__ == "__main__":
    json.dump(_measure(json.loads(sys.argv[1])["rounds"]), sys.stdout)
