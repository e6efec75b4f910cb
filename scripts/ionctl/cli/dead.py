"""ionctl dead: dead letters looked at, sent again, corrected and thrown away."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Group
from rich.table import Table
from rich.text import Text

from ion.outcome import Reason
from ionctl.cli.ask import progress, sure
from ionctl.cli.choice import Choice, on_choice, redrive_of
from ionctl.cli.conditions import named
from ionctl.cli.output import show
from ionctl.cli.target import Target, on_target
from ionctl.ops import letters
from ionctl.ops.json_place import place
from ionctl.ops.result import Moved
from ionctl.ops.verdict import moment
from ionctl.printable import printable
from ionctl.program import command

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ionctl.ops.result import Letter, Letters, ReasonCount

app = typer.Typer(
    name="dead",
    no_args_is_help=True,
    help="Dead letters: list, show, redrive, discard, restore, edit.",
)
_ROWS = 30
"""Letters in a list for people; --json has all that were looked at."""


@app.command("list")
@on_target
@on_choice
def list_(
    target: Target,
    choice: Choice,
    most: Annotated[
        int, typer.Option(min=1, metavar="N", help="Look at no more than so many.")
    ] = letters.LISTED,
) -> None:
    """Dead letters by reason and path, and the newest ones. Hides none of them."""
    deployment = target.deployment()
    with progress("looking at dead letters") as told:
        found = letters.look(deployment, choice.where, ids=choice.ids, most=most, progress=told)
    show(target, found, _pictured(found))


@app.command("show")
@on_target
def show_(
    target: Target,
    message_id: Annotated[str, typer.Argument(metavar="MESSAGE-ID", help="As in `dead list`.")],
) -> None:
    """All of one dead letter, its message included."""
    message_id = named(message_id, "MESSAGE-ID")
    letter = letters.letter(target.deployment(), message_id)
    show(target, letter, _whole(letter))


@app.command()
@on_target
@on_choice
def redrive(
    target: Target,
    choice: Choice,
    maximum: Annotated[
        int | None, typer.Option("--max", metavar="N", help="No more than so many.")
    ] = None,
    rate: Annotated[
        float | None, typer.Option(metavar="N", help="So many a second; 0.5 is one in two.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count, and move nothing.")] = False,
) -> None:
    """Send dead letters again: under their ids, so nobody who was served is served twice."""
    asked = redrive_of(choice.where, maximum, rate)
    deployment = target.deployment()
    with progress("moving dead letters back") as told:
        moved = letters.redrive(
            deployment,
            choice.where,
            ids=choice.ids,
            maximum=asked.max,
            rate=asked.rate,
            dry_run=dry_run,
            progress=told,
        )
    show(target, moved, Text(_redriven(moved)))
    _exit_unless_all(moved, choice)


@app.command()
@on_target
@on_choice
def discard(
    target: Target,
    choice: Choice,
    file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where they are written down; default: one here."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
) -> None:
    """Delete dead letters, once they are in a file: `dead restore` brings them back."""
    deployment = target.deployment()
    with progress("looking at dead letters") as told:
        found = letters.look(
            deployment, choice.where, ids=choice.ids, most=letters.ALL, progress=told
        )
    if not found.chosen:
        none = Moved(chosen=0, done=0, refused=0, hidden=found.hidden, reasons=[], dry_run=False)
        show(target, none, Text(_discarded(none)))
        _exit_unless_all(none, choice)
        return
    of = ", ".join(f"{group.count} {group.reason}" for group in found.groups)
    sure(f"Discard {_counted(found.chosen)} ({of})", yes=yes)
    written = file or Path(f"ion-dead-letters-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.jsonl")
    ids = [one.message_id for one in found.letters]  # what dies meanwhile was not asked about
    with progress("discarding") as told:
        moved = letters.discard(deployment, ids=ids, file=written, progress=told)
    show(target, moved, Text(_discarded(moved)))
    _exit_unless_all(moved, choice)


@app.command()
@on_target
def restore(
    target: Target,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Of `dead discard`.")],
) -> None:
    """Put the letters of a file back into the dead-letter queue."""
    deployment = target.deployment()
    with progress("putting letters back") as told:
        count = letters.restore(deployment, file, told)
    moved = Moved(
        chosen=count, done=count, refused=0, hidden=0, reasons=[], dry_run=False, file=str(file)
    )
    show(target, moved, Text(f"{_counted(count)} of {file} back in the dead-letter queue"))


# -- pictures ----------------------------------------------------------------------------


def _exit_unless_all(moved: Moved, choice: Choice) -> None:
    """Exit with 1 if something that was asked for is left."""
    missing = moved.chosen < len(set(choice.ids)) and not choice.where
    all_done = moved.dry_run or moved.done == moved.chosen
    if moved.hidden or moved.refused or missing or not all_done:
        raise typer.Exit(1)


def _pictured(found: Letters) -> RenderableType:
    if not found.chosen:
        none = "no dead letter is like that" if found.seen else "no dead letters"
        return Text(none + _hidden(found.hidden))
    now = datetime.now(UTC)
    groups = Table(box=None, pad_edge=False)
    for name in ("count", "reason", "path", "died", "what to do"):
        groups.add_column(
            name, justify="right" if name == "count" else "left", no_wrap=name == "reason"
        )
    for group in found.groups:
        oldest, newest = (moment(at, now) for at in (group.oldest_at, group.newest_at))
        died = newest if oldest == newest else f"{oldest} to {newest}"
        groups.add_row(
            *_texts(str(group.count), group.reason, group.path, died, group.hint or group.remedy)
        )
    rows = [line for one in found.letters[:_ROWS] for line in _row(one, now)]
    words = f"{_counted(found.chosen)}{f' of {found.seen}' if found.chosen < found.seen else ''}"
    if found.more:
        words += f", among the first {found.seen}; about {found.more} more were not looked at: "
        words += "--most N does"
    words += _hidden(found.hidden)
    if (unlisted := len(found.letters) - _ROWS) > 0:
        words += f"; the newest {_ROWS} are listed, {unlisted} more with --json"
    return Group(groups, Text(), *rows, Text(), Text(words))


def _row(letter: Letter, now: datetime) -> tuple[Text, Text]:
    """Two lines of a list: which letter and why, and which email."""
    died = moment(letter.died_at or letter.first_queued_at, now)
    why = " ".join(filter(None, (letter.reason, letter.path)))
    about = "  ".join(filter(None, (letter.email_id, _names(letter), letter.subject)))
    first = Text.assemble((letter.message_id, "bold"), printable(f"  {died}  {why}"))
    second = Text(printable(f"    {about}"), "dim")
    for line in (first, second):
        line.no_wrap, line.overflow = True, "ellipsis"
    return first, second


def _whole(letter: Letter) -> RenderableType:
    facts = Table(box=None, show_header=False, pad_edge=False)
    for name, value in (
        ("email_id", letter.email_id),
        ("reason", letter.reason),
        ("path", letter.path + (f": {letter.problem}" if letter.problem else "")),
        ("did you mean", letter.did_you_mean),
        ("right would be", letter.hint),
        ("what to do", letter.remedy),
        ("reply", letter.reply),
        ("stage", letter.stage),
        ("attempts", str(letter.attempts)),
        ("redrives", str(letter.redrives)),
        ("recipients", _names(letter)),
        ("subject", letter.subject),
        ("lane", letter.lane),
        ("tags", ", ".join(f"{name}={value}" for name, value in letter.tags.items())),
        ("published", _moment(letter.first_queued_at)),
        ("died", _moment(letter.died_at) if letter.died_at else "not known: SQS or SNS moved it"),
    ):
        if value:
            facts.add_row(*_texts(name, value))
    return Group(facts, Text(), _body(letter))


def _body(letter: Letter) -> Text:
    """The message, with the line marked that the path leads to."""
    lines = indented(letter.body).split("\n")
    marked = 0
    if letter.path and letter.reason != Reason.BAD_JSON:
        marked, _ = place("\n".join(lines), letter.path)
    text = Text()
    for number, line in enumerate(lines, 1):
        text.append(printable(line), "bold red" if number == marked else "")
        text.append(f"  ← {letter.path}\n" if number == marked else "\n", "red")
    text.rstrip()
    return text


def indented(body: str) -> str:
    """A body as people read it; as it is, if it isn't JSON, or too deep for them and Python."""
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return body


def _redriven(moved: Moved) -> str:
    if not moved.chosen:
        return "no dead letter is like that: nothing is moved" + _hidden(moved.hidden)
    chosen = moved.chosen - moved.refused
    of = f" ({_reasons(moved.reasons)})" if moved.reasons else ""
    if moved.dry_run:
        words = f"{_counted(chosen)} would be moved{of}"
    else:
        words = f"{moved.done} of {_counted(chosen)} moved back to the input queue{of}"
    if moved.refused:
        words += f"; refused: {moved.refused}, which came back ten times already: correct them "
        words += f"with {command('dead edit')}, or discard them"
    words += _hidden(moved.hidden)
    if moved.woken:
        words += "; the relay is awake"
    elif moved.done:
        words += "; the relay could not be woken, and begins at its next schedule"
    return words


def _discarded(moved: Moved) -> str:
    if not moved.chosen:
        return "no dead letter is like that: nothing is discarded" + _hidden(moved.hidden)
    words = f"{moved.done} of {_counted(moved.chosen)} discarded ({_reasons(moved.reasons)})"
    return (
        f"{words}; {command('dead restore')} {moved.file} brings them back{_hidden(moved.hidden)}"
    )


def _hidden(count: int) -> str:
    if not count:
        return ""
    return f"; hidden: {count}, which somebody else has received: try again in two minutes"


def _counted(count: int) -> str:
    return f"{count} dead letter{'' if count == 1 else 's'}"


def _reasons(reasons: list[ReasonCount]) -> str:
    return ", ".join(f"{one.count} {one.reason}" for one in reasons)


def _names(letter: Letter) -> str:
    """Addresses of the recipients that it is about."""
    left = letter.left or range(len(letter.recipients))
    return ", ".join(letter.recipients[i] for i in left if i < len(letter.recipients))


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"


def _texts(*words: str) -> list[Text]:
    """Cells that rich takes literally."""
    return [Text(printable(one)) for one in words]
