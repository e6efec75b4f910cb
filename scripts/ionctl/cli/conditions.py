"""What options ask for, as the message that would ask for it by the topic: checked in its way."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from ion.contract import BadInput, parse, seconds_of
from ion.contract.hints import hint
from ion.contract.steering import Age
from ionctl.problem import UsageProblem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ion.contract import Action

_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")
"""Of a path: the name of a field, or a place in a list."""


def tags(given: Iterable[str]) -> dict[str, str] | None:
    """Tags of `--tag NAME=VALUE`, or None. Raises UsageProblem: one is there twice, or is none."""
    found: dict[str, str] = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not equals:
            raise UsageProblem(f"--tag {one}: write it as NAME=VALUE")
        if name in found:
            raise UsageProblem(
                f"--tag {name} is there twice: an email has a tag once, so none has both"
            )
        found[name] = value
    return found or None


def named(text: str, argument: str) -> str:
    """An id or an address that was typed, without blanks around it. Raises UsageProblem: empty."""
    if not text.strip():
        raise UsageProblem(f"{argument} is empty: name one")
    return text.strip()


def age(text: str, option: str) -> timedelta:
    """A length of time, as `older_than` of a redrive has it. Raises UsageProblem: it is none."""
    try:
        seconds = seconds_of(msgspec.convert(text, Age))
    except msgspec.ValidationError:
        seconds = 0
    if not seconds:
        raise UsageProblem(f"{option} {text}: must be an age: 90s, 30m, 12h, 7d")
    return timedelta(seconds=seconds)


def asked(action: str, fields: Mapping[str, object], options: Mapping[str, str]) -> Action:
    """The action.

    Args:
        action: its name.
        fields: as the message has them; what is None, or an empty object, is left out.
        options: by the path of a field: the option that it comes from.

    Raises:
        UsageProblem: an option can't be meant.
    """
    message = {"action": action, **given(**fields)}
    try:
        return parse(msgspec.json.encode(message).decode())
    except BadInput as bad:
        path = bad.path.partition("['")[0].partition("[")[0]
        right = hint(bad.reason, path, bad.problem)
        option = options.get(path)
        if option is None:
            raise UsageProblem(f"{bad} ({right})" if right else str(bad)) from bad
        value = typed(fields, bad.path)
        words = f"{option} {value}: " if value else f"{option} "
        raise UsageProblem(words + (right or str(bad))) from bad


def given(**fields: object) -> dict[str, object]:
    """Those that are there and not empty."""
    return {name: value for name, value in fields.items() if value not in (None, [], {})}


def typed(fields: Mapping[str, object], path: str) -> str:
    """What stands at a path, as it was typed; empty: nothing that is one option's."""
    found: object = fields
    for name, number in _STEP.findall(path):
        if isinstance(found, dict) and name in found:
            found = found[name]
        elif isinstance(found, list) and number:
            found = found[int(number)]
    if isinstance(found, dict):
        return " ".join(f"{name}={value}" for name, value in found.items())
    return str(found) if isinstance(found, str | int | float) else ""
