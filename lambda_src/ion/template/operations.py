"""What templates may call, each paid for and bounded before it is done."""

import operator
from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from typing import Any, cast

from jinja2 import Undefined
from jinja2.filters import FILTERS
from jinja2.tests import TESTS

from ion.template import bounds
from ion.template.bounds import will_be_formatted
from ion.template.budget import (
    CALL,
    MOST_INTEGER_BITS,
    MOST_RANGE,
    RefusedError,
    short,
    size,
    spend,
    spend_on,
    will_be,
)

Operation = Callable[..., Any]
_BOTH = 2
"""Operands of a test that compares."""

METHODS: Mapping[type, frozenset[str]] = {
    str: frozenset(
        (
            *("upper", "lower", "title", "capitalize", "casefold", "swapcase", "strip", "lstrip"),
            *("rstrip", "removeprefix", "removesuffix", "split", "rsplit", "splitlines"),
            *("partition", "rpartition", "startswith", "endswith", "find", "rfind", "index"),
            *("rindex", "count", "isdigit", "isalpha", "isalnum", "isnumeric", "isspace"),
            *("isupper", "islower", "istitle", "replace", "join", "center", "ljust", "rjust"),
            *("zfill", "format"),
        )
    ),
    dict: frozenset(("items", "keys", "values", "get")),
    list: frozenset(("index", "count")),
    tuple: frozenset(("index", "count")),
    int: frozenset(),
    float: frozenset(("is_integer",)),
    range: frozenset(),
}
"""Of the types that data has; others have none."""

_FILTERS = frozenset(FILTERS) - {"pprint", "random", "urlize"}
"""All of Jinja's, but one for debugging, one that gives another email each time, and one whose
patterns are quadratic."""
_TEXT = frozenset(
    (
        *("capitalize", "center", "e", "escape", "forceescape", "format", "indent", "join"),
        *("lower", "replace", "safe", "string", "striptags", "title", "tojson", "trim"),
        *("truncate", "upper", "urlencode", "wordcount", "wordwrap", "xmlattr"),
    )
)
"""Those that write a value out, whatever it is."""
_DEEP = frozenset(("sort", "unique", "groupby", "min", "max", "dictsort", "sum"))
"""Those that compare elements, with all that is in them."""
_PATTERNS = frozenset(("striptags", "title", "wordcount", "wordwrap", "truncate"))
_MOST_IN_PATTERNS = 65_536
"""Characters that a regular expression goes through, slowly."""

_COMPARISONS: Mapping[str, Operation] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "gteq": operator.ge,
    "lt": operator.lt,
    "lteq": operator.le,
    "in": lambda left, right: left in right,
    "notin": lambda left, right: left not in right,
}
_BINARY: Mapping[str, Operation] = {
    "-": operator.sub,
    "/": operator.truediv,
    "//": operator.floordiv,
    "+": operator.add,
    "*": operator.mul,
    "**": operator.pow,
    "%": operator.mod,
}


# operators


def compared(left: Any, *rest: Any) -> bool:  # noqa: ANN401 - any data
    """`left < middle <= right`: operators and operands by turns."""
    for name, right in zip(rest[::2], rest[1::2], strict=True):
        _pay_for_comparison(left, right)
        if not _COMPARISONS[name](left, right):
            return False
        left = right
    return True


def calculated(name: str, left: Any, right: Any) -> Any:  # noqa: ANN401 - any data
    """`left + right` and the like."""
    spend(1)
    if isinstance(left, int) and isinstance(right, int):
        bits, more = left.bit_length(), right.bit_length()
        result = {"*": bits + more, "**": bits * max(0, right)}.get(name, max(bits, more))
        if result > MOST_INTEGER_BITS:
            raise RefusedError("makes too large a number")
    elif name == "%" and isinstance(left, str):
        will_be_formatted(left, right)
    elif name == "*":
        many, times = (right, left) if isinstance(left, int) else (left, right)
        if isinstance(many, str | list | tuple) and isinstance(times, int):
            will_be(len(many) * times)
            spend(len(many) * max(0, times))
    elif name == "+":
        spend(size(left) + size(right))
    result = _BINARY[name](left, right)
    short(result)
    return result


def printed(value: Any) -> Any:  # noqa: ANN401 - any data
    """The value, if it is data; paid for, as it is about to be written out."""
    if isinstance(value, str):
        spend(1 + len(value) // 4)
        short(value)
    elif not isinstance(value, Undefined):  # which tells its name when it is written out
        spend_on(value, printing=True)
    return value


def built(value: Any) -> Any:  # noqa: ANN401 - any data
    """A new list or object, paid for with all that is in it."""
    spend_on(value)
    return value


def bounded_range(*arguments: int) -> range:
    """As `range`, with so many elements at the most."""
    made = range(*arguments)
    if len(made) > MOST_RANGE:
        raise RefusedError("counts too far")
    return made


def new_dict(*arguments: Any, **members: Any) -> dict[Any, Any]:  # noqa: ANN401 - any data
    """As `dict`."""
    made: dict[Any, Any] = dict(*arguments, **members)
    spend_on(made)
    return made


def _pay_for_comparison(left: object, right: object) -> None:
    if isinstance(left, str) and isinstance(right, str):
        spend(1 + (len(left) + len(right)) // 64)
    elif isinstance(left, list | tuple | dict) and isinstance(right, list | tuple | dict):
        spend_on(left)
        spend_on(right)
    else:
        spend(size(right))


# filters, tests and methods


def filters() -> dict[str, Operation]:
    """By name."""
    return {name: _metered(name, FILTERS[name]) for name in _FILTERS}


def tests() -> dict[str, Operation]:
    """By name."""
    return {name: _tested(cast("Operation", test)) for name, test in TESTS.items()}


def paid_call(
    function: Any,  # noqa: ANN401 - any callable
    arguments: tuple[Any, ...],
    named: Mapping[str, Any],
) -> tuple[Any, ...]:
    """The arguments of a call that is paid for, and bounded if it is a string's method."""
    spend(CALL + sum(map(size, arguments)))
    text = getattr(function, "__self__", None)
    if isinstance(text, str | dict | list | tuple):
        spend(size(text))
    if isinstance(text, str):
        arguments = tuple(list(one) if isinstance(one, Iterator) else one for one in arguments)
        bounds.METHODS.get(function.__name__, _unbounded)(text, *arguments, **named)
    return arguments


def kept(result: Any) -> Any:  # noqa: ANN401 - any data
    """What a call gave, paid for; an iterator pays as it goes."""
    short(result)
    if isinstance(result, Iterator):
        return _each(result)
    spend(size(result))
    return result


def _metered(name: str, function: Operation) -> Operation:
    passed = 1 if hasattr(function, "jinja_pass_arg") else 0

    def call(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - as the filter has it
        environment, value, others = arguments[:passed], arguments[passed], arguments[passed + 1 :]
        if isinstance(value, Undefined):
            return function(*arguments, **named)
        if name in _TEXT or name in _DEEP:
            value = list(value) if isinstance(value, Iterator) else value
            spend_on(value, printing=name in _TEXT)
        spend(sum(map(size, (value, *others, *named.values()))))
        if name in _PATTERNS and len(str(value)) > _MOST_IN_PATTERNS:
            raise RefusedError("looks for patterns in too long a text")
        bounds.FILTERS.get(name, _unbounded)(value, *others, **named)
        return kept(function(*environment, value, *others, **named))

    return wraps(function)(call)


def _tested(test: Operation) -> Operation:
    def call(*arguments: Any) -> Any:  # noqa: ANN401 - as the test has it
        spend(sum(map(size, arguments)))
        if len(arguments) == _BOTH:
            _pay_for_comparison(*arguments)
        return test(*arguments)

    return wraps(test)(call)


def _unbounded(*arguments: object, **named: object) -> None:
    """For what makes no more than it was given."""


def _each(iterator: Iterator[Any]) -> Iterator[Any]:
    for one in iterator:
        spend(1)
        yield one
