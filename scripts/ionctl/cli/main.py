"""The program ionctl: its commands, and what it says when one can't be done."""

from __future__ import annotations

import os
import signal
import sys
from typing import Annotated

import typer

from ion.aws.errors import AWS_ERRORS
from ionctl.cli import dead, edit, steering, suppress  # noqa: F401 - edit adds itself to dead
from ionctl.cli.check import check
from ionctl.cli.console import console
from ionctl.cli.cost import cost
from ionctl.cli.doctor import doctor
from ionctl.cli.erase import erase
from ionctl.cli.life import show_life
from ionctl.cli.load import load
from ionctl.cli.output import errors
from ionctl.cli.render import render
from ionctl.cli.send import send
from ionctl.cli.status import show_status
from ionctl.cli.tail import tail
from ionctl.cli.target import Target, on_target
from ionctl.files import version
from ionctl.ops.deployment import said
from ionctl.printable import printable
from ionctl.problem import Problem

app = typer.Typer(
    name="ionctl",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _tell_version(asked: bool) -> None:
    if asked:
        typer.echo(f"ionctl {version()}")
        raise typer.Exit


@app.callback()
@on_target
def _main(
    _target: Target,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_tell_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """See and steer an ion relay: what waits and why, what became of an email, pause and stop.

    Exit status: 0 well, 1 something is wrong or can't be done, 2 a mistake in the command line.
    """


app.command("status")(show_status)
app.command("show")(show_life)
app.add_typer(dead.app)
app.add_typer(suppress.app)
app.command()(erase)
for order in (steering.pause, steering.resume, steering.stop, steering.cancel, steering.wake):
    app.command()(order)
app.command()(send)
app.command()(check)
app.command()(on_target(doctor))
app.command()(render)
app.command()(tail)
app.command()(load)
app.command()(cost)
app.command()(console)


def main() -> int:
    """Run the command line; give the exit status."""
    try:
        app(prog_name="ionctl")
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 1
    except Problem as problem:
        errors.print(f"ionctl: {printable(str(problem))}", markup=False, soft_wrap=True)
    except AWS_ERRORS as error:
        errors.print(f"ionctl: AWS refuses: {said(error)}", markup=False, soft_wrap=True)
    except BrokenPipeError:
        # the reader of the output has gone; Python would complain once more while exiting
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    return 1
