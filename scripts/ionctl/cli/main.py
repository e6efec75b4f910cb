"""The program ionctl: its commands, and what it says when one can't be done."""

from __future__ import annotations

import signal
from inspect import getdoc
from typing import Annotated

import typer

from ion.aws.errors import AWS_ERRORS
from ionctl import outlet, program
from ionctl.cli import dead, edit, steering, suppress  # noqa: F401 - edit adds itself to dead
from ionctl.cli.check import check
from ionctl.cli.console import console
from ionctl.cli.cost import cost
from ionctl.cli.doctor import doctor
from ionctl.cli.erase import erase
from ionctl.cli.life import show_life
from ionctl.cli.load import load
from ionctl.cli.mistakes import is_help, mistake
from ionctl.cli.output import errors
from ionctl.cli.render import render
from ionctl.cli.send import send
from ionctl.cli.status import show_status
from ionctl.cli.tail import tail
from ionctl.cli.target import Target, on_target
from ionctl.files import version
from ionctl.ops.deployment import said
from ionctl.printable import printable
from ionctl.problem import BrokenOff, Problem, UsageProblem

_MISTAKE = 2
"""Exit status of a mistake in the command line, as in Python's own argparse and in bash."""

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
for one in (*app.registered_commands, *dead.app.registered_commands):
    # its whole first line in the list of commands, which Click would cut at the terminal's width
    one.short_help = (getdoc(one.callback) or "").partition("\n")[0]


def main() -> int:
    """Run the command line; give the exit status."""
    program.begin()
    return outlet.run("ionctl", _ended)


def _ended() -> int:
    try:
        return app(prog_name="ionctl", standalone_mode=False) or 0
    except SystemExit as ended:  # completion ends so, and Typer where the reader has gone
        if isinstance(ended.__context__, BrokenPipeError):
            raise ended.__context__ from None
        return ended.code if isinstance(ended.code, int) else 1
    except typer.TyperException as error:
        if is_help(error):
            typer.echo(error.message, err=True)
        else:
            _complain(mistake(error))
        return _MISTAKE
    except UsageProblem as problem:
        _complain(str(problem))
        return _MISTAKE
    except BrokenOff as ended:
        _complain(str(ended))
        return 128 + signal.SIGINT
    except Problem as problem:
        _complain(str(problem))
    except typer.Abort:  # the question had no answer
        _complain("nothing is changed")
    except AWS_ERRORS as error:
        _complain(f"AWS refuses: {said(error)}")
    return 1


def _complain(words: str) -> None:
    """One line on standard error, however long."""
    errors.print(f"ionctl: {printable(words)}", markup=False, soft_wrap=True)
