"""Changes of a JSON text by paths with dots, such as `tags.kind` and `recipient.0`. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ion.contract.parse import without_mark
from ionctl.problem import Problem, UsageProblem

if TYPE_CHECKING:
    from collections.abc import Iterable


def changed(body: str, values: Iterable[str], dropped: Iterable[str] = ()) -> str:
    """The message with other values.

    Args:
        body: the message.
        values: each a PATH=VALUE; a value that is JSON is that, any other is text.
        dropped: paths of fields that are left out.

    Raises:
        Problem: the message is no object.
        UsageProblem: a path leads nowhere.
    """
    message = _object(body)
    for path in dropped:
        inner, last = _inner(message, path)
        try:
            del inner[last]
        except (KeyError, IndexError):
            raise UsageProblem(f"--drop {path}: that isn't there") from None
    for one in values:
        path, equals, value = one.partition("=")
        if not equals:
            raise UsageProblem(
                f"--set {one}: write it as PATH=VALUE, such as recipient=ann@example.org"
            )
        inner, last = _inner(message, path)
        try:
            inner[last] = _value(value)
        except IndexError:
            raise UsageProblem(f"--set {path}: the list has no such place") from None
    return compact(message)


def compact(message: object) -> str:
    """A message as it is sent: without white space, which counts against SQS's limit."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"))


def _object(body: str) -> dict[str, Any]:
    try:
        message = json.loads(without_mark(body))
    except (ValueError, RecursionError):
        raise Problem("its body is no JSON: give it anew with --body FILE") from None
    if not isinstance(message, dict):
        raise Problem("its body is no JSON object: give it anew with --body FILE")
    return message


def _inner(message: dict[str, Any], path: str) -> tuple[Any, str | int]:
    """The object or list that a path ends in, and the last step."""
    *steps, last = path.split(".")
    inner: Any = message
    for step in steps:
        try:
            inner = inner[_step(inner, step)]
        except (KeyError, IndexError, ValueError):
            raise UsageProblem(f"{path}: there is no {step} in the message") from None
    try:
        return inner, _step(inner, last)
    except ValueError:
        raise UsageProblem(f"{path}: {last} can't be there") from None


def _step(inner: object, step: str) -> str | int:
    """Raises ValueError: neither a list nor an object, or no index."""
    if isinstance(inner, dict):
        return step
    if isinstance(inner, list):
        return int(step)
    raise ValueError(step)


def _value(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text
