"""Many addresses put on the suppression list, of a file; begun again it goes on where it was."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from ion.aws.table import TableError
from ion.limits import KEYS_A_READ
from ion.policy.suppression import ALL, AddressState, Suppression, tagged
from ionctl.ops.address_rows import hash_of, key, known_key, rows
from ionctl.ops.on_table import on_table
from ionctl.ops.result import EntryLeftOut, Imported
from ionctl.ops.steering import said
from ionctl.ops.suppressing import checked_scope
from ionctl.ops.suppression_file import read
from ionctl.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ion.aws.addresses import Addresses
    from ionctl.ops.deployment import Deployment
    from ionctl.ops.suppression_file import Listed, SuppressionFile

    Progress = Callable[[int, int], None]

_AT_A_TIME = 4
"""Hundreds of addresses in hand: a new table takes some thousand writes a second."""
_TRIES = 6
_FIRST_PAUSE_SECONDS = 0.5
"""Doubled from try to try: DynamoDB makes room within seconds."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """How a file's entries are to be understood.

    Args:
        scope: of all of them; None: as the file says, else all mail.
        tag: name of ion's tag that Mailgun's tags, or SendGrid's groups, are values of; None: not
            said.
        by: who asks for it.
    """

    scope: str | None = None
    tag: str | None = None
    by: str = ""


@dataclass(slots=True)
class _Wanted:
    """By hash, what is to be on the list; and what in the file isn't: no address, or unclear."""

    entries: dict[str, list[Suppression]] = field(default_factory=dict)
    unread: list[int] = field(default_factory=list)
    left_out: list[EntryLeftOut] = field(default_factory=list)
    twice: int = 0
    over: int = 0


def import_text(
    deployment: Deployment,
    text: str,
    wishes: Wishes,
    *,
    dry_run: bool,
    progress: Progress,
) -> Imported:
    """Put what a file has on the list; an entry that is there and for longer stays.

    Args:
        deployment: whose.
        text: of the file.
        wishes: how it is to be understood.
        dry_run: only count.
        progress: is told of addresses done.

    Raises:
        Problem: the file is of no known kind, or the table can't be used. What was written by then
            stays, and the same import again does the rest.
    """
    scope = checked_scope(wishes.scope) if wishes.scope is not None else None
    found = read(text)
    _refuse_unsaid_tags(found, wishes)
    with_key = known_key(deployment) if dry_run else key(deployment)
    wanted = _wanted(found, Wishes(scope, wishes.tag, said(wishes.by)), with_key or b"")
    work = _written(rows(deployment), wanted.entries, dry_run=dry_run, progress=progress)
    counts = on_table(deployment, work)
    return Imported(
        format=found.format,
        read=len(found.entries) + len(found.unclear),
        new=counts["new"],
        changed=counts["changed"],
        unchanged=counts["unchanged"],
        unread=wanted.unread,
        dry_run=dry_run,
        left_out=sorted(wanted.left_out, key=lambda one: one.number),
        twice=wanted.twice,
        over=wanted.over,
    )


def _wanted(found: SuppressionFile, wishes: Wishes, with_key: bytes) -> _Wanted:
    wanted, now = _Wanted(), datetime.now(UTC)
    wanted.left_out = [EntryLeftOut(number=one.number, why=one.why) for one in found.unclear]
    for one in found.entries:
        try:
            hashed = hash_of(one.address, with_key)
        except Problem:
            wanted.unread.append(one.number)
            continue
        try:
            scopes = [checked_scope(scope, "scope") for scope in _scopes(one, wishes)]
        except Problem as error:
            wanted.left_out.append(EntryLeftOut(number=one.number, why=str(error)))
            continue
        if one.until is not None and one.until <= now:
            wanted.over += 1
            continue
        entries = wanted.entries.setdefault(hashed, [])
        wanted.twice += {*scopes} <= {entry.scope for entry in entries}
        entries.extend(
            Suppression(scope, one.why, one.at or now, one.until, wishes.by) for scope in scopes
        )
    return wanted


def _scopes(one: Listed, wishes: Wishes) -> list[str]:
    """Of an entry, as they are written."""
    if wishes.scope is not None:
        return [wishes.scope]
    if one.tags and wishes.tag is not None:
        return [tagged(wishes.tag, value) for value in one.tags]
    return [one.scope or ALL]


def _refuse_unsaid_tags(found: SuppressionFile, wishes: Wishes) -> None:
    """Raises Problem: it isn't said of which tag of ion's the file's tags are values."""
    tagged_one = next((one for one in found.entries if one.tags), None)
    if tagged_one and wishes.scope is None and wishes.tag is None:
        tag = tagged_one.tags[0]
        raise Problem(
            f"entry {tagged_one.number} is about {found.tags_are} {tag} alone: --tag NAME "
            f"makes it the scope tag:NAME={tag}, --scope all takes it for all mail"
        )


async def _written(
    addresses: Addresses,
    wanted: Mapping[str, list[Suppression]],
    *,
    dry_run: bool,
    progress: Progress,
) -> Counter[str]:
    counts: Counter[str] = Counter()
    items = list(wanted.items())
    hundreds = iter([items[at : at + KEYS_A_READ] for at in range(0, len(items), KEYS_A_READ)])

    async def work() -> None:
        for some in hundreds:
            counts.update(await _hundred(addresses, dict(some), dry_run=dry_run))
            progress(counts.total(), len(wanted))

    await asyncio.gather(*(work() for _ in range(_AT_A_TIME)))
    return counts


async def _hundred(
    addresses: Addresses, wanted: Mapping[str, list[Suppression]], *, dry_run: bool
) -> Counter[str]:
    """Counted as it was at first; tried again, since a table grows with what is asked of it.

    Each try looks at what is there by then, and asks only for the rest.
    """
    counts: Counter[str] | None = None
    pause, tries = _FIRST_PAUSE_SECONDS, _TRIES
    while True:
        tries -= 1
        try:
            there = await addresses.read(wanted)
            new = {one: _with(AddressState(), wanted[one]) for one in wanted if one not in there}
            changed = [one for one, was in there.items() if _with(was, wanted[one]) != was]
            if counts is None:
                same = len(there) - len(changed)
                counts = Counter(new=len(new), changed=len(changed), unchanged=same)
            if not dry_run:
                for hashed in [*await addresses.add_new(new), *changed]:
                    await addresses.change(hashed, partial(_with, entries=wanted[hashed]))
        except TableError:
            if not tries:
                raise
            await asyncio.sleep(pause)
            pause *= 2
        else:
            return counts


def _with(state: AddressState, entries: list[Suppression]) -> AddressState:
    for one in entries:
        state = state.suppressed(one)
    return state
