"""The work that a rendering may do, counted and not timed: the same message has the same fate.

A step is a node of the template that is evaluated, an element that a filter looks at, or four
characters that are copied. Everything that can repeat itself spends before it works.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from jinja2 import Undefined

MOST_STEPS = 2_000_000
"""A second or so of a processor at the worst. An order of a thousand lines takes some 140,000."""
CALL = 5
"""Steps of a call: as long as five nodes."""
LOOKUP = 10
"""Steps of looking for a template by its name, which may come from a list of the data."""
MOST_CHARACTERS = 1024 * 1024
"""Of one string, on the way to the output."""
MOST_INTEGER_BITS = 16_384
"""Python writes out integers of 14,000 bits at the most."""
MOST_RANGE = 100_000


class RefusedError(Exception):
    """What a template does is out of bounds; the text says how, and nothing of the data."""


class Budget:
    """The steps that are left of one rendering."""

    __slots__ = ("left",)

    def __init__(self, steps: int = MOST_STEPS) -> None:
        self.left = steps


_budget: ContextVar[Budget] = ContextVar("budget")


@contextmanager
def limited_by(budget: Budget) -> Iterator[Budget]:
    """Inside, work is paid from `budget`."""
    token = _budget.set(budget)
    try:
        yield budget
    finally:
        _budget.reset(token)


def spend(steps: int) -> bool:
    """Pay for steps, before they are done. True, for use in a condition.

    Raises:
        RefusedError: there are no more.
    """
    budget = _budget.get()
    budget.left -= steps
    if budget.left < 0:
        raise RefusedError("takes too much work")
    return True


def size(value: object) -> int:
    """The steps that it takes to go through a value once, what is inside its elements aside."""
    if isinstance(value, str):
        return 1 + len(value) // 4
    return 1 + len(value) if isinstance(value, dict | list | tuple | range) else 1


def spend_on(value: object, *, printing: bool = False) -> None:
    """Pay for going through all that is inside a value, as often as it is there.

    Args:
        value: any.
        printing: refuse what is no data: a function, a generator.

    Raises:
        RefusedError: that is too much, or no data.
        UndefinedError: it isn't there.
    """
    left = [value]
    while left:
        one = left.pop()
        spend(size(one))
        if isinstance(one, dict):
            left += one.keys()
            left += one.values()
        elif isinstance(one, list | tuple):
            left += one
        elif printing and not isinstance(one, str | int | float | None):
            if isinstance(one, Undefined):
                str(one)  # says which
            raise RefusedError("writes out what is no data, such as a function without its ()")


def short(text: object) -> None:
    """Refuse a string that has grown too long.

    Raises:
        RefusedError: it has.
    """
    if isinstance(text, str) and len(text) > MOST_CHARACTERS:
        raise RefusedError("makes too long a text")


def will_be(characters: int) -> None:
    """Refuse and pay for a string before it is made.

    Raises:
        RefusedError: it would be too long.
    """
    if characters > MOST_CHARACTERS:
        raise RefusedError("makes too long a text")
    spend(max(0, characters) // 4)
