"""Questions before something is destroyed, and progress while something takes long."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ionctl.cli.output import errors
from ionctl.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def sure(question: str, *, yes: bool) -> None:
    """Go on if the person says so.

    Args:
        question: without its mark.
        yes: it was answered on the command line.

    Raises:
        Problem: standard input is no terminal, so no question can be asked.
        typer.Exit: the answer is no.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise Problem(f"{question}? There is no terminal to ask at: say --yes")
    if not typer.confirm(f"{question}?", err=True):
        errors.print("nothing is changed")
        raise typer.Exit(1)


@contextmanager
def progress(words: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on the terminal, on standard error; on none, nothing.

    It gives a function that takes how much is done, and of how much.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    bar = Progress(
        *columns,
        TimeRemainingColumn(),
        console=errors,
        transient=True,
        disable=not errors.is_terminal,
    )
    with bar:
        task = bar.add_task(words, total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)
