"""ionctl check: messages looked at without publishing them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from ionctl.cli.output import show
from ionctl.cli.reading import text_of
from ionctl.cli.target import Target, on_target
from ionctl.ops import publishing
from ionctl.ops.result import Checks
from ionctl.printable import printable
from ionctl.problem import Problem, UsageProblem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ionctl.ops.result import Checked


@on_target
def check(
    target: Target,
    files: Annotated[
        list[str], typer.Argument(metavar="FILE", help="Messages; -: standard input.")
    ],
    sender: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="The relay's own, of messages that name none."),
    ] = None,
) -> None:
    """What the relay would find wrong with messages. Nothing is asked of AWS.

    Exit status 1: one of them would be dead-lettered; 2: one of the files can't be read, the others
    are checked all the same.
    """
    checked, unread = [], list[Problem]()
    for file in files:
        try:
            checked.append(publishing.check(text_of(file), file, default_sender=sender))
        except Problem as problem:
            unread.append(problem)
    if checked:
        show(target, Checks(files=checked), Text(printable("\n".join(lines(checked)))))
    if unread:
        raise UsageProblem("\nionctl: ".join(map(str, unread)))
    if not all(one.ok for one in checked):
        raise typer.Exit(1)


def lines(checked: list[Checked]) -> Iterator[str]:
    """A line a finding, as compilers write them, so that editors lead to the place."""
    for one in checked:
        yield from fault_lines(one)
        for warning in one.warnings:
            yield f"{one.source}: warning: {warning}"
        if one.ok:
            name = f", {one.email_id}" if one.email_id else ""
            yield f"{one.source}: ok: {one.action or 'a claim check'}{name}, {one.bytes:,} octets"


def fault_lines(checked: Checked) -> Iterator[str]:
    """The same of what is wrong alone, in one file."""
    for fault in checked.faults:
        place = f":{fault.line}:{fault.column}" if fault.line else ""
        yield f"{checked.source}{place}: {fault.words} ({fault.reason})"
