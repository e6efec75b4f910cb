"""ionctl suppress: whom ion doesn't write to."""

from __future__ import annotations

import csv
import getpass
import io
import sys
from datetime import UTC, datetime
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from rich.console import Group
from rich.table import Table
from rich.text import Text

from ion.contract import read_time
from ion.policy.suppression import ALL, Why
from ionctl.cli.ask import progress
from ionctl.cli.output import errors, show
from ionctl.cli.steering import until_of
from ionctl.cli.target import Target, on_target
from ionctl.ops import suppressing
from ionctl.ops.suppression_import import Wishes, import_text
from ionctl.ops.verdict import moment
from ionctl.printable import printable
from ionctl.problem import Problem

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ionctl.ops.result import AddressKnown, Imported, SuppressionEntries, SuppressionEntry

app = typer.Typer(
    name="suppress",
    no_args_is_help=True,
    help="The suppression list: add, remove, check, list, import, export.",
)
_ROWS = 50
"""Entries in a list for people; --json has all."""
_NUMBERS = 10
"""Of lines without an address, for people."""
_NO_ADDRESSES = "the list has keyed hashes: addresses can't be read out of it"

_Address = Annotated[
    str, typer.Argument(metavar="ADDRESS", help="Or its hash, as the log and the ledger have it.")
]
_By = Annotated[str | None, typer.Option(metavar="NAME", help="Default: your user name.")]


@app.command()
@on_target
def add(  # noqa: PLR0913 - a parameter an option
    target: Target,
    address: _Address,
    *,
    scope: Annotated[
        str,
        typer.Option(
            metavar="SCOPE", help="all (the default), domain:example.com (of From), tag:NAME=VALUE."
        ),
    ] = ALL,
    why: Annotated[Why, typer.Option(metavar="WHY", help="Default: manual.")] = Why.MANUAL,
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="2027-03-08T09:00:00Z; default: for good.")
    ] = None,
    lasting: Annotated[str | None, typer.Option("--for", metavar="AGE", help="30m, 12h, 7d.")] = (
        None
    ),
    by: _By = None,
) -> None:
    """Write to an address no more: all mail, a sender's, or that with a tag."""
    ends = until_of(until, lasting)
    done = suppressing.add(
        target.deployment(),
        address,
        scope=scope,
        why=why,
        until=_time(ends) if ends else None,
        by=by or getpass.getuser(),
    )
    show(target, done, _known(done))


@app.command()
@on_target
def remove(
    target: Target,
    address: _Address,
    scope: Annotated[
        str | None, typer.Option(metavar="SCOPE", help="Only this entry; default: all of them.")
    ] = None,
) -> None:
    """Write to an address again."""
    done = suppressing.remove(target.deployment(), address, scope)
    show(target, done, _known(done))


@app.command()
@on_target
def check(target: Target, address: _Address) -> None:
    """What is known of an address."""
    found = suppressing.check(target.deployment(), address)
    show(target, found, _known(found))


@app.command("list")
@on_target
def list_(target: Target) -> None:
    """All entries, by the hashes of their addresses. Reads the whole table."""
    with progress("reading the table") as told:
        found = suppressing.entries(target.deployment(), told)
    show(target, found, _listed(found))


@app.command()
@on_target
def export(
    target: Target,
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="Default: standard output.")
    ] = None,
) -> None:
    """All entries as CSV (with --json as JSON): hash, scope, why, since, until. No addresses.

    `import` reads it again, into the same table or into one that was made of a backup of it: the
    key of the hashes is there.
    """
    with progress("reading the table") as told:
        found = suppressing.entries(target.deployment(), told)
    if file is None and target.as_json:
        show(target, found, Text())
    elif file is None:
        sys.stdout.write(_csv(found.entries))
    else:
        text = msgspec.json.encode(found).decode() if target.as_json else _csv(found.entries)
        try:
            file.write_text(text, encoding="utf-8", newline="")
        except OSError as error:
            raise Problem(f"{file} can't be written: {error.strerror}") from error
    errors.print(f"{len(found.entries)} entries; {_NO_ADDRESSES}", markup=False, soft_wrap=True)


@app.command("import")
@on_target
def import_(
    target: Target,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="- is standard input.")],
    scope: Annotated[
        str | None,
        typer.Option(metavar="SCOPE", help="Of all of them; default: as the file says, else all."),
    ] = None,
    tag: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Make Mailgun's tag X the scope tag:NAME=X."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count, and write nothing.")] = False,
    by: _By = None,
) -> None:
    """Put the addresses of a file on the list, as SES, SendGrid and Mailgun export them.

    CSV and JSON; or one address a line, or a CSV with a column `email`, and perhaps `reason`,
    `scope`, `since` and `until`. What the file is follows from its columns. An import that was
    broken off goes on if it is begun again. The exit status is 1 if some lines have no address.
    """
    wishes = Wishes(scope, tag, by or getpass.getuser())
    with progress("writing") as told:
        done = import_text(target.deployment(), _text(file), wishes, dry_run=dry_run, progress=told)
    show(target, done, Text(printable(_imported(done))))
    if done.unread:
        raise typer.Exit(1)


# -- pictures ----------------------------------------------------------------------------


def _known(found: AddressKnown) -> RenderableType:
    lines = [f"{found.hash}: {found.words}" if found.hash else found.words]
    lines += [f"  {_words(one)}" for one in found.entries]
    if found.soft_bounces:
        lines.append(f"  transient bounces of late: {found.soft_bounces}")
    return Text(printable("\n".join(lines)))


def _words(one: SuppressionEntry) -> str:
    end = f", until {one.until:%Y-%m-%d %H:%M}Z" if one.until else ""
    return f"{one.scope}: {one.why}, since {one.since:%Y-%m-%d}{end}" + (
        f", by {one.by}" if one.by else ""
    )


def _listed(found: SuppressionEntries) -> RenderableType:
    now = datetime.now(UTC)
    table = Table(box=None, pad_edge=False)
    for name in ("hash", "scope", "why", "since", "until", "by"):
        table.add_column(name, no_wrap=name in ("hash", "why"))
    for one in found.entries[:_ROWS]:
        end = moment(one.until, now) if one.until else ""
        cells = (one.hash, one.scope, one.why, moment(one.since, now), end, one.by)
        table.add_row(*(Text(printable(cell)) for cell in cells))
    words = f"{len(found.entries)} entries of {found.addresses} addresses; {_NO_ADDRESSES}"
    if len(found.entries) > _ROWS:
        words += f"; the latest {_ROWS} are listed, all with --json"
    if found.erased:
        words += f"; erased: {found.erased} addresses"
    if found.damaged:
        words += f"; damaged rows, to whose addresses nothing is sent: {found.damaged}"
    return Group(table, Text(), Text(words)) if found.entries else Text(words)


def _imported(done: Imported) -> str:
    would = "would be " if done.dry_run else ""
    words = (
        f"{done.format}: {done.read} entries; {would}new: {done.new}, {would}changed: "
        f"{done.changed}, there already: {done.unchanged}"
    )
    if done.unread:
        some = ", ".join(map(str, done.unread[:_NUMBERS]))
        more = f" and {len(done.unread) - _NUMBERS} more" if len(done.unread) > _NUMBERS else ""
        words += f"\nno address in line (of JSON: entry) {some}{more}: left out"
    return words


def _csv(entries: list[SuppressionEntry]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("hash", "scope", "why", "since", "until"))
    for one in entries:
        end = one.until.isoformat() if one.until else ""
        writer.writerow((one.hash, one.scope, one.why, one.since.isoformat(), end))
    return out.getvalue()


def _text(file: Path) -> str:
    try:
        octets = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        return octets.decode("utf-8-sig")
    except OSError as error:
        raise Problem(f"{file} can't be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise Problem(f"{file} is no text in UTF-8 (octet {error.start}): convert it") from error


def _time(written: str) -> datetime:
    try:
        return read_time(written)
    except ValueError as error:
        raise Problem("--until must be a time with a zone: 2027-03-08T09:00:00Z") from error
