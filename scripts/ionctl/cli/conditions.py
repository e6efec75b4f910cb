"""What options ask for, as the message that would ask for it by the topic: checked in its way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ion.contract import BadInput, parse
from ion.contract.hints import hint
from ionctl.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ion.contract import Action


def tags(given: Iterable[str]) -> dict[str, str] | None:
    """Tags of `--tag NAME=VALUE`, or None. Raises Problem: one is there twice, or is none."""
    found: dict[str, str] = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not equals:
            raise Problem(f"--tag {one}: write it as NAME=VALUE")
        if name in found:
            raise Problem(f"--tag {name} is there twice: an email has a tag once, so none has both")
        found[name] = value
    return found or None


def asked(action: str, fields: Mapping[str, object], options: Mapping[str, str]) -> Action:
    """The action.

    Args:
        action: its name.
        fields: as the message has them; what is None, or an empty object, is left out.
        options: by the path of a field: the option that it comes from.

    Raises:
        Problem: an option can't be meant.
    """
    message = {"action": action, **given(**fields)}
    try:
        return parse(msgspec.json.encode(message).decode())
    except BadInput as bad:
        path = bad.path.partition("['")[0].partition("[")[0]
        right = hint(bad.reason, path, bad.problem)
        option = options.get(path)
        if option is None:
            raise Problem(f"{bad} ({right})" if right else str(bad)) from bad
        raise Problem(f"{option} {right or str(bad)}") from bad


def given(**fields: object) -> dict[str, object]:
    """Those that are there and not empty."""
    return {name: value for name, value in fields.items() if value not in (None, [], {})}
