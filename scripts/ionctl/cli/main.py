"""The program ionctl: its commands, and what it says when one can't be done."""

from __future__ import annotations

import os
import signal
import sys
from importlib import import_module
from inspect import getdoc
from typing import TYPE_CHECKING, Annotated

import typer

from ion.aws.errors import AWS_ERRORS
from ionctl import outlet, program
from ionctl.cli.mistakes import is_help, mistake
from ionctl.cli.output import errors
from ionctl.cli.target import Target, on_target
from ionctl.files import version
from ionctl.ops.deployment import said
from ionctl.printable import printable
from ionctl.problem import BrokenOff, Problem, UsageProblem

if TYPE_CHECKING:
    from collections.abc import Sequence

_COMPLETION = "_IONCTL_COMPLETE"
"""Environment variable with which a shell asks what could come next."""
_MISTAKE = 2
"""Exit status of a mistake in the command line, as in Python's own argparse and in bash."""

_COMMANDS = {
    "status": "status:show_status",
    "show": "life:show_life",
    "dead": "edit:app",  # which adds itself to the others
    "suppress": "suppress:app",
    "erase": "erase:erase",
    "pause": "steering:pause",
    "resume": "steering:resume",
    "stop": "steering:stop",
    "cancel": "steering:cancel",
    "wake": "steering:wake",
    "send": "send:send",
    "check": "check:check",
    "doctor": "doctor:doctor",
    "render": "render:render",
    "tail": "tail:tail",
    "load": "load:load",
    "cost": "cost:cost",
    "console": "console:console",
}
"""Module and function of each command, in the order of the help."""


def _tell_version(asked: bool) -> None:
    if asked:
        typer.echo(f"ionctl {version()}")
        raise typer.Exit


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


def app(words: Sequence[str] = ()) -> typer.Typer:
    """Give the program.

    Args:
        words: of a command line that names one of its commands: it has that one alone then, since
            to load all of them takes twice as long. Without any it has all.
    """
    made = typer.Typer(
        name="ionctl",
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    made.callback()(_main)
    for name in [one for one in _COMMANDS if one in words] or _COMMANDS:
        module, _, part = _COMMANDS[name].partition(":")
        found = getattr(import_module(f"ionctl.cli.{module}"), part)
        if isinstance(found, typer.Typer):
            made.add_typer(found)
            infos = found.registered_commands
        else:
            made.command(name)(found)
            infos = made.registered_commands[-1:]
        for one in infos:
            # its whole first line in the list, which Click would cut at the terminal's width
            one.short_help = (getdoc(one.callback) or "").partition("\n")[0]
    return made


def main() -> int:
    """Run the command line; give the exit status."""
    program.begin()
    try:
        return outlet.run("ionctl", _ended)
    except KeyboardInterrupt:  # while a command is loaded; one that runs ends by Abort
        return 128 + signal.SIGINT


def _ended() -> int:
    try:
        return _run(_words())
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


def _run(words: Sequence[str]) -> int:
    """Run the command line, by the commands that its words name, or by all: see `app`."""
    try:
        return app(words)(prog_name="ionctl", standalone_mode=False) or 0
    except typer.TyperException as error:
        context = getattr(error, "ctx", None)
        if not words or context is None or context.parent is not None:
            raise
    # Nothing has been run. Of "daed show" one command was loaded, and all know what was meant.
    return _run(())


def _words() -> list[str]:
    """Of the command line; none where all commands are told of."""
    words = sys.argv[1:]
    return [] if "--help" in words or _COMPLETION in os.environ else words


def _complain(words: str) -> None:
    """One line on standard error, however long."""
    errors.print(f"ionctl: {printable(words)}", markup=False, soft_wrap=True)
