"""ionctl suppress: whom ion doesn't write to."""

from __future__ import annotations

import codecs
import csv
import getpass
import io
import os
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
from ionctl.cli.conditions import named
from ionctl.cli.output import errors, show
from ionctl.cli.steering import until_of
from ionctl.cli.target import Target, on_target
from ionctl.files import create_own
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
"""Of lines that are left out, for people."""
_MOST_BYTES = 64 << 20
"""Of a file: some two million addresses. What is larger is hardly a list of them."""
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
    why: Annotated[Why, typer.Option(metavar="WHY", help=f"{', '.join(Why)}; default: manual.")] = (
        Why.MANUAL
    ),
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="2027-03-08T09:00:00Z; default: for good.")
    ] = None,
    lasting: Annotated[str | None, typer.Option("--for", metavar="AGE", help="30m, 12h, 7d.")] = (
        None
    ),
    by: _By = None,
) -> None:
    """Write to an address no more: all mail, a sender's, or that with a tag."""
    address = named(address, "ADDRESS")
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
    address = named(address, "ADDRESS")
    done = suppressing.remove(target.deployment(), address, scope)
    show(target, done, _known(done))


@app.command()
@on_target
def check(target: Target, address: _Address) -> None:
    """What is known of an address."""
    address = named(address, "ADDRESS")
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
        with os.fdopen(create_own(file), "w", encoding="utf-8", newline="") as made:
            made.write(text)
    errors.print(f"{_entries(len(found.entries))}; {_NO_ADDRESSES}", markup=False, soft_wrap=True)


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
        typer.Option(
            metavar="NAME", help="Make Mailgun's tag, or SendGrid's group, X the scope tag:NAME=X."
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count, and write nothing.")] = False,
    by: _By = None,
) -> None:
    """Put the addresses of a file on the list, as SES, SendGrid and Mailgun export them.

    CSV and JSON; or one address a line, or a CSV with a column `email`, and perhaps `reason`,
    `scope`, `since` and `until`. What the file is follows from its columns. An import that was
    broken off goes on if it is begun again. The exit status is 1 if something is left out: a line
    without an address, or with an address, a time or a scope that can't be understood.
    """
    wishes = Wishes(scope, tag, by or getpass.getuser())
    with progress("writing") as told:
        done = import_text(target.deployment(), _text(file), wishes, dry_run=dry_run, progress=told)
    show(target, done, Text(printable(_imported(done))))
    if done.unread or done.left_out:
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
    addresses = f"{found.addresses} address{'es' * (found.addresses != 1)}"
    words = f"{_entries(len(found.entries))} of {addresses}; {_NO_ADDRESSES}"
    if len(found.entries) > _ROWS:
        words += f"; the latest {_ROWS} are listed, all with --json"
    if found.erased:
        words += f"; erased: {found.erased} address{'es' * (found.erased != 1)}"
    if found.damaged:
        words += f"; damaged rows, to whose addresses nothing is sent: {found.damaged}"
    return Group(table, Text(), Text(words)) if found.entries else Text(words)


def _imported(done: Imported) -> str:
    would = "would be " if done.dry_run else ""
    words = (
        f"{done.format}: {_entries(done.read)}; {would}new: {done.new}, {would}changed: "
        f"{done.changed}, there already: {done.unchanged}"
    )
    if done.twice:
        words += f"; twice in the file: {done.twice}"
    if done.over:
        words += f"; over already, and not put on the list: {done.over}"
    if done.unread:
        numbers = [*dict.fromkeys(done.unread)]
        some = ", ".join(map(str, numbers[:_NUMBERS]))
        more = f" and {len(numbers) - _NUMBERS} more" if len(numbers) > _NUMBERS else ""
        words += (
            f"\nno address, or one that can't be read, in line (of JSON: entry) {some}{more}: "
            "left out"
        )
    left_out = [*dict.fromkeys(done.left_out)]
    for one in left_out[:_NUMBERS]:
        words += f"\nline (of JSON: entry) {one.number}: {one.why}: left out"
    if (more_left := len(left_out) - _NUMBERS) > 0:
        words += f"\n{more_left} more are left out for such a reason: all with --json"
    return words


def _entries(count: int) -> str:
    return f"{count} {'entry' if count == 1 else 'entries'}"


def _csv(entries: list[SuppressionEntry]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("hash", "scope", "why", "since", "until"))
    for one in entries:
        end = one.until.isoformat() if one.until else ""
        writer.writerow((one.hash, one.scope, one.why, one.since.isoformat(), end))
    return out.getvalue()


def _text(file: Path) -> str:
    """Of the file, in UTF-8, or in UTF-16 with its mark, as Excel saves Unicode text."""
    try:
        if str(file) == "-":
            octets = sys.stdin.buffer.read(_MOST_BYTES + 1)
        elif file.stat().st_size > _MOST_BYTES:
            raise Problem(_too_large(file))
        else:
            with file.open("rb") as opened:  # what isn't a plain file has no size
                octets = opened.read(_MOST_BYTES + 1)
        if len(octets) > _MOST_BYTES:
            raise Problem(_too_large(file))
        is_wide = octets.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        return octets.decode("utf-16" if is_wide else "utf-8-sig")
    except OSError as error:
        raise Problem(f"{file} can't be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise Problem(
            f"{file} is no text in UTF-8, nor in UTF-16 with a byte order mark (octet "
            f"{error.start}): convert it"
        ) from error


def _too_large(file: Path) -> str:
    return f"{file} has more than {_MOST_BYTES >> 20} MiB, the most that is read: split it"


def _time(written: str) -> datetime:
    try:
        return read_time(written)
    except ValueError as error:
        raise Problem("--until must be a time with a zone: 2027-03-08T09:00:00Z") from error
