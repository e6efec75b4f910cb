"""ionctl dead edit: a dead letter's message corrected, and sent under the same id."""

from __future__ import annotations

import difflib
import getpass
import json
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from ionctl.cli.ask import sure
from ionctl.cli.conditions import named
from ionctl.cli.dead import app, indented
from ionctl.cli.output import errors, show
from ionctl.cli.reading import text_of
from ionctl.cli.target import Target, on_target
from ionctl.ops import letters
from ionctl.ops.edit import edit as send_edited
from ionctl.ops.json_change import changed, compact
from ionctl.ops.publishing import check
from ionctl.printable import printable
from ionctl.problem import Problem, UsageProblem
from ionctl.program import command

if TYPE_CHECKING:
    from ionctl.ops.result import Checked

_USUAL_EDITOR = "vi"


@app.command()
@on_target
def edit(
    target: Target,
    message_id: Annotated[str, typer.Argument(metavar="MESSAGE-ID", help="As in `dead list`.")],
    values: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="PATH=VALUE",
            help="recipient=ann@example.org, recipient.0=…, tags.kind=…; JSON or text.",
        ),
    ] = None,
    dropped: Annotated[
        list[str] | None, typer.Option("--drop", metavar="PATH", help="Leave that field out.")
    ] = None,
    body: Annotated[
        str | None, typer.Option(metavar="FILE", help="The whole message; -: standard input.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
) -> None:
    """Correct a dead letter's message, and send it under the same id.

    Without --set, --drop and --body it opens $EDITOR. What is wrong is said before anything is
    sent. Nobody who was served is served again.
    """
    if body is not None and (values or dropped):
        raise UsageProblem("--body is the whole message: leave --set and --drop out")
    message_id = named(message_id, "MESSAGE-ID")
    deployment = target.deployment()
    letter = letters.letter(deployment, message_id)
    sender = deployment.default_sender
    if body is not None:
        new = text_of(body)
    elif values or dropped:
        new = changed(letter.body, values or (), dropped or ())
    else:
        new = _edited(letter.body, sender)
    if indented(new) == indented(letter.body):
        raise Problem(f"nothing is changed: {command('dead redrive')} sends it as it is")
    errors.print(_difference(letter.body, new))
    checked = check(new, default_sender=sender)
    if not checked.ok:
        errors.print(_faults(check(indented(new), default_sender=sender)), soft_wrap=True)
        raise typer.Exit(1)
    sure(f"Send it under the id {letter.email_id}", yes=yes)
    done = send_edited(deployment, message_id, new, by=getpass.getuser())
    show(target, done, Text(printable(f"{done.words}: {command('show')} {done.email_id}")))


def _edited(body: str, default_sender: str | None) -> str:
    """The body as a person leaves it in the editor, in which nothing is wrong any more."""
    if not sys.stdin.isatty():
        raise Problem("there is no terminal for an editor: use --set, --drop or --body")
    command = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or _USUAL_EDITOR)
    with tempfile.TemporaryDirectory(prefix="ion-") as folder:  # its owner's alone
        file = Path(folder) / "message.json"
        file.write_text(indented(body) + "\n", encoding="utf-8")
        while True:
            try:
                subprocess.run([*command, file], check=True)
            except (OSError, subprocess.CalledProcessError) as error:
                raise Problem(f"the editor {command[0]} failed, nothing is sent: {error}") from None
            text = file.read_text(encoding="utf-8")
            checked = check(text, default_sender=default_sender)
            if checked.ok or indented(text) == indented(body):
                break
            errors.print(_faults(checked), soft_wrap=True)
            sure("Edit it again", yes=False)
    try:
        return compact(json.loads(text))
    except (ValueError, RecursionError):
        return text


def _faults(checked: Checked) -> Text:
    lines = (
        f"line {one.line}, column {one.column}: {one.words} ({one.reason})"
        for one in checked.faults
    )
    return Text(printable("\n".join(lines)))


def _difference(old: str, new: str) -> Text:
    """What is another, with colours where there are some."""
    text = Text()
    was, is_now = (f"{indented(one)}\n".splitlines(keepends=True) for one in (old, new))
    for line in difflib.unified_diff(was, is_now, "as it is", "as it will be", n=2):
        style = {"+": "green", "-": "red", "@": "cyan"}.get(line[0], "")
        text.append(printable(line), style)
    return text
