"""ionctl erase: a person's data."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from ionctl.cli.ask import progress, sure
from ionctl.cli.conditions import named
from ionctl.cli.output import show
from ionctl.cli.target import Target, on_target
from ionctl.ops import erasing
from ionctl.printable import printable
from ionctl.program import command

if TYPE_CHECKING:
    from ionctl.ops.result import Erased

_OBEYED = timedelta(seconds=10)
"""Within which a running function has read the control row, or sends nothing more."""
_ENDS = (
    "expires by itself: what waits for it, when its turn comes, 14 days after it was published at "
    "the latest; letters that stay, 14 days after they died. With the hash, and no address: the "
    "ledger's rows, 30 days after their last change, and their copies in the table's backups, 35 "
    "days after that; log events, as the log group keeps them"
)
_ELSEWHERE = (
    "lies elsewhere, and is yours to erase: the application's outbox table, attachments and "
    "messages in S3, what subscribers of the topics keep, files of ionctl dead discard, notices in "
    "the feedback's dead-letter queue, and what the mail provider has"
)


@on_target
def erase(
    target: Target,
    address: Annotated[str, typer.Argument(metavar="ADDRESS")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Look, and change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
) -> None:
    """Erase an address: what was published by now isn't sent to it, its dead letters are deleted.

    A hash of it stays, so that what comes back later isn't sent, and so do entries of the
    suppression list. The exit status is 1 if dead letters with the address are left.
    """
    address = named(address, "ADDRESS")
    erasing.checked(address)
    deployment = target.deployment()
    if not dry_run:
        sure("Let nothing that was published by now go there, and delete its dead letters", yes=yes)
    with progress("looking at dead letters") as told:
        done = erasing.erase(deployment, address, dry_run=dry_run, progress=told)
    show(target, done, Text(printable(_words(done))))
    if done.shared or done.mentioning or done.hidden:
        raise typer.Exit(1)


def _words(done: Erased) -> str:
    would = "would be" if done.dry_run else "is"
    what = f"nothing published by {done.at:%Y-%m-%d %H:%M:%S}Z {would} sent to it"
    if not done.dry_run:
        what += f", as running functions know by {done.at + _OBEYED:%H:%M:%S}Z"
    lines = [
        f"hash: {done.hash}",
        f"{what}; {_waiting(done.waiting)} in all",
        f"dead letters {'to be ' if done.dry_run else ''}deleted: {len(done.deleted)}",
    ]
    if done.shared:
        stay = "dead letters of emails to it that are about others, too, and stay; a redrive leaves"
        lines += [f"{stay} it out: {len(done.shared)}", *_discards(done.shared)]
    if done.mentioning:
        lines += [
            f"dead letters that have the address in their text, and stay: {len(done.mentioning)}",
            *_discards(done.mentioning),
        ]
    if done.hidden:
        lines.append(
            f"dead letters that somebody else has in hand: about {done.hidden}; erase again in two "
            "minutes"
        )
    scopes = ", ".join(one.scope for one in done.kept)
    lines.append(f"kept of the suppression list, by the hash: {scopes or 'nothing'}")
    return "\n".join([*lines, _ENDS, _ELSEWHERE])


def _waiting(count: int) -> str:
    return "about 1 message waits" if count == 1 else f"about {count} messages wait"


def _discards(ids: list[str]) -> list[str]:
    return [f"  {command('dead discard')} {one}" for one in ids]
