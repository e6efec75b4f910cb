"""A mistake in the command line that Typer finds, in one line and in the words of this program."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from ionctl.program import command

if TYPE_CHECKING:
    from typer import TyperException

_RIGHT = {
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_parsing": "must be a number",
    "finite_number": "must be a number",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than_equal": "must be at most {le:g}",
}
"""By the type of a pydantic error, which Typer checks values with: what would be right."""


def is_help(error: TyperException) -> bool:
    """Whether it is no mistake but the help, for a group whose command wasn't named."""
    context = getattr(error, "ctx", None)
    return context is not None and error.message == context.get_help()


def mistake(error: TyperException) -> str:
    """What is wrong, with what was typed, and where to read what would be right."""
    context = getattr(error, "ctx", None)
    words = _value(error) if isinstance(error, typer.BadParameter) else ""
    words = words or " ".join(error.format_message().split())
    words = words.removesuffix(".")
    if context is None:
        return words
    _, _, name = context.command_path.partition(" ")
    return f"{words} (see {command(f'{name} --help'.strip())})"


def _value(error: typer.BadParameter) -> str:
    """The option, the value that was typed, and what it must be; empty: it isn't of a value."""
    found = getattr(error.__cause__, "errors", None)
    if found is None or error.param is None:
        return ""
    first = found()[0]
    name = str(error.param.get_error_hint()).replace("'", "")
    right = _RIGHT.get(first["type"])
    if right is None:  # it names what was typed
        return f"{name}: {error.message.removeprefix('Value error, ')}"
    return f"{name} {first['input']}: {right.format(**first.get('ctx', {}))}"
