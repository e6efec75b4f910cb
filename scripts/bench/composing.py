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
from ion.mail import check, compose
from ion.mail.base64_lines import base64_lines

if TYPE_CHECKING:
    from collections.abc import Callable

_NUMBER = 100
_ATTACHED_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Composing:
    """Microseconds of CPU for an email of 4 KB, medians.

    Args:
        parse: ion: the message body to a checked `Send`.
        compose: ion: that to bytes.
        email_message: `EmailMessage` and `as_bytes`, from a dict.
        mime_multipart: `MIMEMultipart` and `as_string`, from a dict: the first ion's.
        octets: the size that ion's email has.
        shared: ion: the same with an attachment of 1 MB that is in S3, and that another email of
            the run had before.
        shared_email_message: `EmailMessage` and `as_bytes` with it.
        first: ion: what the first email with it costs besides: encoding it.
    """

    parse: float
    compose: float
    email_message: float
    mime_multipart: float
    octets: float
    shared: float
    shared_email_message: float
    first: float

    @property
    def times_faster_with_attachment(self) -> float:
        """The same with the attachment."""
        return self.shared_email_message / self.shared

    @property
    def times_faster(self) -> float:
        """Ion's composing, beside EmailMessage."""
        return self.email_message / self.compose


def measured(rounds: int) -> Composing:
    """All of them in turns, in a process of its own."""
    return Composing(**answer_of("bench.composing", {"rounds": rounds}, {}))


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
    ways |= _with_attachment(message)
    turns: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            number = 2 if "shared_" in name else _NUMBER
            seconds = timeit.timeit(way, timer=time.process_time, number=number)
            turns[name].append(seconds / number * 1e6)
    return {name: statistics.median(times) for name, times in turns.items()} | {
        "octets": len(ion())
    }


def _with_attachment(message: dict[str, str]) -> "dict[str, Callable[[], object]]":
    octets = bytes(range(250)) * (_ATTACHED_BYTES // 250)
    file = {"filename": "catalogue.pdf", "s3": {"bucket": "catalogues", "key": "2026.pdf"}}
    send = parse(json.dumps(message | {"attachments": [file]}))
    assert isinstance(send, Send)
    checked = check(send, key="order-7", default_sender=None)
    objects = dict.fromkeys(checked.objects, (base64_lines(octets),))

    def ion() -> object:
        again = check(send, key="order-7", default_sender=None)
        return again.email(QUEUED_AT, objects).pieces

    def standard_library() -> bytes:
        email = email_message(message)
        email.add_attachment(octets, "application", "pdf", filename="catalogue.pdf")
        return email.as_bytes()

    return {
        "shared": ion,
        "shared_email_message": standard_library,
        "first": lambda: base64_lines(octets),
    }


if __name__ == "__main__":
    json.dump(_measure(json.loads(sys.argv[1])["rounds"]), sys.stdout)
