"""What makes much of little: each is refused, or paid for, by what it would make.

The functions have the signatures of the filters and methods that they stand before.
"""

import re
from collections.abc import Callable, Mapping

from ion.template.budget import RefusedError, size, spend_on, will_be

WIDEST = 10_000
"""Characters that a text is filled up to, elements of a row."""

_conversion = re.compile(r"%(?:\([^()]*\))?[#0\- +]*([*\d]*)(?:\.([*\d]*))?")
_MOST_DIGITS = 3
"""Of a width or a precision in a format."""
_GROWTH = 16
"""Characters that a character takes at most when it is written out inside a list, escaped."""


def will_be_formatted(text: str, data: object) -> None:
    """`text % data`, where each conversion may write out all of the data."""
    conversions = _conversion.findall(text)
    filled_up = 0
    for number in (number for both in conversions for number in both if number):
        check_format(number)
        filled_up += int(number)
    spend_on(data, printing=True)
    will_be(len(text) + filled_up + len(conversions) * _characters(data))


def check_format(spec: str) -> None:
    """Refuse a format with a number of more than three digits in it, or one that the data gives.

    Raises:
        RefusedError: it has.
    """
    if "*" in spec or re.search(rf"\d{{{_MOST_DIGITS + 1}}}", spec):
        raise RefusedError("fills up too far")


def _characters(data: object) -> int:
    """More than it takes to write out all of the data."""
    if isinstance(data, tuple | list):
        return sum(map(_characters, data))
    if isinstance(data, dict):
        return sum(_characters(one) for pair in data.items() for one in pair)
    return _GROWTH * len(data) if isinstance(data, str) else 32


def _width(number: object) -> int:
    if not isinstance(number, int):
        raise TypeError("no width")
    if number > WIDEST:
        raise RefusedError("fills up too far")
    return max(0, number)


def _single(value: object) -> None:
    """A list that fills up a list would be in it many times."""
    if isinstance(value, list | tuple | dict):
        raise TypeError("no single value")


# filters, and methods of a string where there are such


def _filled(text: object, width: object = 80, fill: object = " ") -> None:  # noqa: ARG001
    will_be(size(text) + _width(width))


def _indented(text: object, width: object = 4, first: object = None, blank: object = None) -> None:  # noqa: ARG001
    by = len(width) if isinstance(width, str) else _width(width)
    will_be(by * (2 + len(str(text).splitlines())))


def _wrapped(
    text: object,
    width: object = 79,
    break_long_words: object = None,  # noqa: ARG001
    wrapstring: object = None,
    break_on_hyphens: object = None,  # noqa: ARG001
) -> None:
    lines = 2 + len(str(text)) // max(1, _width(width) // 2)
    will_be(len(str(text)) + len(str(wrapstring or "")) * (lines + len(str(text).splitlines())))


def _rows(value: object, count: object, fill_with: object = None) -> None:  # noqa: ARG001
    _width(count)
    _single(fill_with)


def _rounded(value: object, precision: object = 0, method: object = None) -> None:  # noqa: ARG001
    if isinstance(precision, int) and abs(precision) > WIDEST // 100:
        raise RefusedError("rounds too far")


def _json(value: object, indent: object = None) -> None:
    if indent is not None:
        will_be(_width(indent) * 2 * _elements(value))


def _elements(value: object) -> int:
    """Lines of an indented JSON text, times their depth."""
    total, left = 0, [(value, 1)]
    while left:
        one, depth = left.pop()
        total += depth
        inner = one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
        left += [(each, depth + 1) for each in inner]
    return total


def _replaced(text: object, old: object, new: object, count: object = None) -> None:  # noqa: ARG001
    found = str(text).count(str(old))
    will_be(len(str(text)) + found * len(str(new)))


def _joined(value: object, glue: object = "", attribute: object = None) -> None:  # noqa: ARG001
    elements = len(value) if isinstance(value, list | tuple | dict | str | range) else 0
    will_be(elements * len(str(glue)) + _characters(value) // _GROWTH)


def _joined_by(glue: str, value: object) -> None:
    _joined(value, glue)


def _formatted(text: object, *data: object, **named: object) -> None:
    will_be_formatted(str(text), named or data)


def _added_up(value: object, attribute: object = None, start: object = 0) -> None:  # noqa: ARG001
    if not isinstance(start, int | float):
        raise TypeError("only numbers are added up")


FILTERS: Mapping[str, Callable[..., None]] = {
    "batch": _rows,
    "center": _filled,
    "format": _formatted,
    "indent": _indented,
    "join": _joined,
    "replace": _replaced,
    "round": _rounded,
    "slice": _rows,
    "sum": _added_up,
    "tojson": _json,
    "wordwrap": _wrapped,
}
METHODS: Mapping[str, Callable[..., None]] = {
    "center": _filled,
    "join": _joined_by,
    "ljust": _filled,
    "replace": _replaced,
    "rjust": _filled,
    "zfill": _filled,
}
