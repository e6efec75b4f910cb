"""Emails of every size: what a function's memory is measured with."""

import json
from collections.abc import Callable
from enum import StrEnum
from functools import cache

from bench.emails import SENDER, published

_LARGE, _MIDDLE = 950_000, 250_000
"""Octets of a message's body. SQS takes a little more, 1 MiB."""
REDRIVE = '{"action": "redrive"}'
_PARAGRAPH = (
    '<p style="margin:0 0 1em">We have received your order, and are packing it now. You will hear '
    "from us again as soon as it has left our house; from then on it takes two to three working "
    "days. Should anything be wrong with it, just answer this email, and somebody will read it the "
    "same day. You can return what you don't like within thirty days. Prices include value added "
    "tax. This email was sent because an order was placed with your address: number {}.</p>\n"
)
_ROW = '<tr><td class="what">{}</td><td class="price">149.00</td></tr>\n'


class Mail(StrEnum):
    """What waits in the queue."""

    SMALL = "4 KB"
    LARGE = "950 KB, HTML"
    """HTML alone, from which ion makes a text part."""
    TAGS = "950 KB, HTML of many tags"
    """The same, where that is the most work."""
    WIDE = "950 KB, HTML with emoji"
    """One character beyond the BMP: Python keeps all of the text in four bytes a character."""
    MIXED = "4 KB, 250 KB and 950 KB, one to ten recipients"
    CROWDS = "4 KB, to a thousand recipients each"
    SURPRISE = "4 KB, and then 950 KB"
    REFUSED = "950 KB, with an address that is none"
    REDRIVEN = "950 KB, all of them dead letters, and a redrive"


def body(mail: Mail, number: int, of: int) -> str:
    """The body of message `number` of so many."""
    return _MAKERS[mail](number, of)


def _large(number: int, octets: int = _LARGE, **fields: object) -> str:
    return _message(number, html=_html(octets), **fields)


def _mixed(number: int, _of: int) -> str:
    if number % 3 == 0:
        return published(number)
    everybody = [f"reader{number}-{i}@example.org" for i in range(1 + number % 10)]
    return _large(number, _MIDDLE if number % 3 == 1 else _LARGE, recipient=everybody)


def _crowd(number: int, _of: int) -> str:
    everybody = [f"{number}-{i}@example.org" for i in range(1000)]
    return json.dumps(json.loads(published(number)) | {"recipient": everybody})


def _message(number: int, *, html: str, **fields: object) -> str:
    message = {
        "action": "send",
        "email_id": f"newsletter-{number}",
        "recipient": f"reader{number}@example.org",
        "sender": SENDER,
        "subject": f"Newsletter {number}",
        "body_html": html,
    }
    return json.dumps(message | fields, ensure_ascii=False)


@cache
def _html(octets: int, each: str = _PARAGRAPH, extra: str = "") -> str:
    count = octets // (len(each) + 2 * each.count('"'))  # quotes are escaped in JSON
    lines = [each.format(number) for number in range(count)]
    return f"<!doctype html>\n<html><body>\n{extra}{''.join(lines)}</body></html>\n"


_MAKERS: dict[Mail, Callable[[int, int], str]] = {
    Mail.SMALL: lambda number, _: published(number),
    Mail.LARGE: lambda number, _: _large(number),
    Mail.TAGS: lambda number, _: _message(number, html=_html(_LARGE, _ROW)),
    Mail.WIDE: lambda number, _: _message(
        number, html=_html(_LARGE, extra="<p>\N{PARTY POPPER}</p>")
    ),
    Mail.MIXED: _mixed,
    Mail.CROWDS: _crowd,
    Mail.SURPRISE: lambda number, of: published(number) if 2 * number < of else _large(number),
    Mail.REDRIVEN: lambda number, _: _large(number),
    Mail.REFUSED: lambda number, _: _large(number, recipient="nobody in particular"),
}
