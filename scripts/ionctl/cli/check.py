"""ionctl check: messages looked at without publishing them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from ionctl.cli.output import show
from ionctl.cli.target import Target, on_target
from ionctl.ops import publishing
from ionctl.ops.result import Checks
from ionctl.printable import printable
from ionctl.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ionctl.ops.result import Checked

STDIN = "-"


@on_target
def check(
    target: Target,
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="Messages; -: standard input.")
    ],
    sender: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="The relay's own, of messages that name none."),
    ] = None,
) -> None:
    """What the relay would find wrong with messages. Nothing is asked of AWS.

    Exit status 1: one of them would be dead-lettered.
    """
    checked = [publishing.check(read(file), file, default_sender=sender) for file in files]
    show(target, Checks(files=checked), Text(printable("\n".join(lines(checked)))))
    if not all(one.ok for one in checked):
        raise typer.Exit(1)


def read(file: str) -> str:
    """The text of a file, or of standard input. Raises Problem: it can't be read."""
    try:
        octets = sys.stdin.buffer.read() if file == STDIN else Path(file).read_bytes()
        return octets.decode()
    except UnicodeDecodeError as error:
        raise Problem(f"{file} is no UTF-8, which JSON is written in: {error.reason}") from error
    except OSError as error:
        raise Problem(f"{file} can't be read: {error.strerror}") from error


def lines(checked: list[Checked]) -> Iterator[str]:
    """A line a finding, as compilers write them, so that editors lead to the place."""
    for one in checked:
        for fault in one.faults:
            place = f":{fault.line}:{fault.column}" if fault.line else ""
            yield f"{one.source}{place}: {fault.words} ({fault.reason})"
        for warning in one.warnings:
            yield f"{one.source}: warning: {warning}"
        if one.ok:
            name = f", {one.email_id}" if one.email_id else ""
            yield f"{one.source}: ok: {one.action or 'a claim check'}{name}, {one.bytes:,} octets"
