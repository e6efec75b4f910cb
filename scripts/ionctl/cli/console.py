"""ionctl console: the relay in a browser."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.text import Text

from ionctl.cli.output import errors, show
from ionctl.cli.target import Target, on_target
from ionctl.console.door import open_in_browser
from ionctl.ops import local_stack
from ionctl.ops.result import ConsoleAddress
from ionctl.problem import Problem, UsageProblem

_USUAL = "Default: 8466, or a free one if that is taken."


@on_target
def console(
    target: Target,
    port: Annotated[
        int | None, typer.Option(metavar="PORT", min=1, max=65535, help=_USUAL, show_default=False)
    ] = None,
    write: Annotated[
        bool, typer.Option("--write", help="Let it change something: pause, redrive, publish …")
    ] = False,
    open_: Annotated[bool, typer.Option("--open", help="Open it in a browser.")] = False,
) -> None:
    """Show the relay in a browser, until Ctrl-C. Only this machine can reach it.

    The address that it prints has a token in it: who knows that, and works on this machine, sees
    the relay with your credentials. With --local it is the address of the console that ./run.sh
    serves already, inbox and all.
    """
    if target.local:
        _of_the_local_relay(target, wants_its_own=port is not None or write, is_opened=open_)
        return
    # what serves it is loaded by no other command
    from ionctl.console.server import Console  # noqa: PLC0415

    with (
        TemporaryDirectory(prefix="ionctl-") as folder,
        Console(target.deployment(), port=port, write=write) as running,
    ):
        _tell(target, running.url)
        if open_:
            open_in_browser(running.url, Path(folder) / "console.html")
        if not target.as_json:
            can = "It can change something" if write else "It only looks; --write lets it change"
            errors.print(f"{can}. Ctrl-C ends it.", style="dim")
        with suppress(KeyboardInterrupt):
            running.wait()
            raise Problem("the console has ended by itself")


def _of_the_local_relay(target: Target, *, wants_its_own: bool, is_opened: bool) -> None:
    if wants_its_own:
        raise UsageProblem(
            "./run.sh serves the local relay's console: --port and --write are its own matter"
        )
    url = local_stack.read().console_url
    if not url:
        raise Problem("this ./run.sh has no console: start it without --no-console")
    _tell(target, url)
    if is_opened:
        open_in_browser(url, local_stack.door())


def _tell(target: Target, url: str) -> None:
    show(target, ConsoleAddress(url=url), Text(url, no_wrap=True, overflow="ignore"))
    sys.stdout.flush()  # the reader of a pipe has it before the program ends
