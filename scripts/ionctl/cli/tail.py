"""ionctl tail: the function's log, for people."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from ionctl.cli.conditions import age
from ionctl.cli.output import console
from ionctl.cli.target import Target, on_target
from ionctl.ops.follow import Follower
from ionctl.ops.lines import is_trouble, line
from ionctl.ops.log import Wanted
from ionctl.printable import printable

if TYPE_CHECKING:
    from ionctl.ops.log import Event

_LOCAL_SECONDS, _AWS_SECONDS = 0.5, 3
"""Between two looks."""
_USUAL = timedelta(minutes=10)
_STYLES = {"ERROR": "red", "WARNING": "yellow"}


@on_target
def tail(
    target: Target,
    key: Annotated[
        str,
        typer.Option("--id", metavar="KEY", help="Only of this email_id, or SQS message id."),
    ] = "",
    errors: Annotated[
        bool, typer.Option("--errors", help="Only warnings, errors and dead letters.")
    ] = False,
    since: Annotated[
        str | None,
        typer.Option(metavar="AGE", help="From so long ago on: 30m, 12h, 7d; default: 10m."),
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", help="Go on until Ctrl-C.")] = False,
) -> None:
    """The function's log in lines for people. With --json: its events, one a line."""
    begin = datetime.now(UTC) - (age(since, "--since") if since else _USUAL)
    follower = Follower(target.deployment(), Wanted(about=key), begin)
    while True:
        for event in follower.more():
            if not errors or is_trouble(event.record):
                _print(event, as_json=target.as_json, with_traceback=errors)
        if not follow:
            return
        time.sleep(_LOCAL_SECONDS if target.local else _AWS_SECONDS)


def _print(event: Event, *, as_json: bool, with_traceback: bool) -> None:
    if as_json:
        typer.echo(json.dumps(event.record))
        return
    style = _STYLES.get(event.text("level"), "")
    at = (f"{event.at.astimezone(UTC):%H:%M:%S}  ", "dim")
    console.print(Text.assemble(at, (printable(line(event.record)), style)), soft_wrap=True)
    if with_traceback and (traceback := event.text("traceback")):
        console.print(Text(printable(traceback.rstrip()), style="dim"), soft_wrap=True)
