"""ionctl show: what became of an email."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Group
from rich.table import Table
from rich.text import Text

from ionctl.cli.conditions import age
from ionctl.cli.output import errors, show
from ionctl.cli.target import Target, on_target
from ionctl.ops.life import life
from ionctl.ops.result import Life, LifeState
from ionctl.ops.verdict import moment
from ionctl.printable import printable

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ionctl.ops.result import LifeEvent

_STYLES = {
    LifeState.SENT: "bold green",
    LifeState.DEAD_LETTERED: "bold red",
    LifeState.IN_DOUBT: "bold red",
    LifeState.NEVER_SEEN: "bold red",
}
_WRONG = (LifeState.DEAD_LETTERED, LifeState.IN_DOUBT, LifeState.NEVER_SEEN)


@on_target
def show_life(
    target: Target,
    key: Annotated[
        str,
        typer.Argument(
            metavar="ID", help="The email_id, an SQS message id, or the Message-ID header."
        ),
    ],
    since: Annotated[
        str | None,
        typer.Option(metavar="AGE", help="Look so far back in the log: 30m, 12h, 7d."),
    ] = None,
) -> None:
    """What became of an email, from the ledger, the log, the dead letters and the queues.

    The exit status is 1 if it was never seen, dead-lettered, or may or may not have been sent.
    """
    begin = datetime.now(UTC) - age(since, "--since") if since else None
    with errors.status("looking for it"):
        found = life(target.deployment(), key, since=begin, with_cause=True)
    show(target, found, picture(found))
    if found.state in _WRONG:
        raise typer.Exit(1)


def picture(found: Life) -> RenderableType:
    """The state, what is known, and what happened when."""
    mark = ("● ", _STYLES.get(found.state, "bold yellow"))
    parts: list[RenderableType] = [Text.assemble(mark, printable(found.words)), Text()]
    about = Table.grid(padding=(0, 2))
    about.add_column(style="dim", no_wrap=True)
    about.add_column()
    about.add_row("email_id", Text(printable(found.email_id)))
    if found.provider_id:
        about.add_row("server's id", Text(printable(found.provider_id)))
    if found.fates and (len(found.fates) > 1 or found.fates[0] != found.state):
        about.add_row("recipients", Text(_fates(found.fates)))
    for letter in found.letters:
        addresses = ", ".join(letter.recipients) or "recipients can't be read"
        about.add_row("dead letter", Text(printable(f"{letter.message_id} ({addresses})")))
    for line in found.unknown:
        about.add_row("not seen", Text(printable(line), style="yellow"))
    parts.append(about)
    if found.events:
        parts += [Text(), _timeline(found.events)]
    else:
        now = datetime.now(UTC)
        since = moment(found.looked_back_to, now)
        parts.append(Text(f"The log has nothing of it since {since}; --since looks further back."))
    return Group(*parts)


def _fates(fates: list[str]) -> str:
    """Each with its number, as in to, cc and bcc; many: counted."""
    words = [one.replace("_", "-") for one in fates]
    if len(words) <= 5:
        return ", ".join(f"{number} {word}" for number, word in enumerate(words, 1))
    return ", ".join(f"{words.count(word)} {word}" for word in dict.fromkeys(words))


def _timeline(events: list[LifeEvent]) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    day = None
    for one in events:
        at = one.at.astimezone(UTC)
        line = Text(printable(one.words))
        if one.reply:
            line.append(f": {printable(one.reply)}", style="dim")
        table.add_row(f"{at:%Y-%m-%d %H:%M:%S}" if at.date() != day else f"{at:%H:%M:%S}", line)
        day = at.date()
    return table
