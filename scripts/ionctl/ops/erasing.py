"""Erasure: what was published for an address isn't sent any more, and its dead letters go."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ion.aws.control import ControlRow
from ion.contract import BadInput, Send
from ion.deadletter.look import unbroken
from ion.history import resolve
from ion.mail import recipients
from ion.mail.addresses import parse_address
from ion.policy.suppression import AddressState
from ionctl.ops.address_rows import hash_of, is_hash, key, known_key, rows, wire_address
from ionctl.ops.depth import depth
from ionctl.ops.looking import all_of, count, dead_letters, looking, run
from ionctl.ops.on_table import on_table
from ionctl.ops.result import Erased
from ionctl.ops.suppressing import known
from ionctl.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ion.message import Message
    from ionctl.ops.deployment import Deployment

    Progress = Callable[[int, int], None]


@dataclass(slots=True)
class _Letters:
    """What lies in the dead-letter queue about an address, by SQS ids."""

    deleted: list[str] = field(default_factory=list)
    shared: list[str] = field(default_factory=list)
    mentioning: list[str] = field(default_factory=list)
    hidden: int = 0


def erase(deployment: Deployment, address: str, *, dry_run: bool, progress: Progress) -> Erased:
    """Let nothing that was published by now be sent to an address, and delete its dead letters.

    The mark goes first, so that nothing gets past it while the letters are looked at.

    Args:
        deployment: whose.
        address: as somebody writes it; no hash, since letters are found by the address.
        dry_run: only look.
        progress: is told of letters looked at.

    Raises:
        Problem: it is no address, or a queue or the table can't be used. To erase again does no
            harm, and does what is left.
        botocore's errors.
    """
    wanted = checked(address)
    now = datetime.now(UTC)
    hashed, state = (_looked if dry_run else _marked)(deployment, wanted, now)
    letters = run(_letters(deployment, wanted, dry_run=dry_run, progress=progress))
    urls = (deployment.queue_url, deployment.bulk_queue_url, deployment.later_queue_url)
    depths = [depth(deployment.account, url) for url in urls]
    return Erased(
        hash=hashed,
        at=now if state.erased_at is None else state.erased_at,
        kept=known(hashed, state, "").entries,
        deleted=letters.deleted,
        shared=letters.shared,
        mentioning=letters.mentioning,
        hidden=letters.hidden,
        waiting=sum(one.visible + one.in_flight + one.delayed for one in depths),
        dry_run=dry_run,
    )


def checked(address: str) -> str:
    """The address as the envelope has it. Raises Problem: it is none."""
    if is_hash(address):
        raise Problem("erase needs the address: dead letters can't be found by its hash")
    return wire_address(address)


def _marked(deployment: Deployment, wanted: str, now: datetime) -> tuple[str, AddressState]:
    """Relays look at the mark once the control row says that there is one, so that goes first."""
    hashed = hash_of(wanted, key(deployment))
    control = ControlRow(deployment.account.dynamodb, deployment.table)
    on_table(deployment, control.change(lambda was: was.with_erasures()))
    return hashed, on_table(
        deployment, rows(deployment).change(hashed, lambda was: was.erased(now))
    )


def _looked(deployment: Deployment, wanted: str, now: datetime) -> tuple[str, AddressState]:
    """The same, as it would be."""
    hashed = hash_of(wanted, known_key(deployment) or b"")
    found = on_table(deployment, rows(deployment).read([hashed]))
    return hashed, found.get(hashed, AddressState()).erased(now)


async def _letters(
    deployment: Deployment, wanted: str, *, dry_run: bool, progress: Progress
) -> _Letters:
    found, queue = _Letters(), dead_letters(deployment)
    counted = await count(deployment)
    async with looking(deployment) as at_letters:

        async def delete(chosen: Sequence[Message]) -> None:
            undeleted = await queue.delete(chosen)
            gone = [one for one in chosen if one not in undeleted]
            at_letters.moved(gone)
            found.deleted.extend(one.id for one in gone)
            found.mentioning.extend(one.id for one in undeleted)

        async for some in all_of(at_letters, counted):
            alone: list[Message] = []
            for one in some:
                match _is_about_it_alone(one, wanted):
                    case True:
                        alone.append(one)
                    case False:
                        found.shared.append(one.id)
                    case None if _mentions(one, wanted):
                        found.mentioning.append(one.id)
            if dry_run:
                found.deleted.extend(one.id for one in alone)
            elif alone:
                await unbroken(delete(alone))
            progress(len(at_letters.seen), max(counted, len(at_letters.seen)))
    found.hidden = max(0, counted - len(at_letters.seen))
    return found


def _is_about_it_alone(letter: Message, wanted: str) -> bool | None:
    """True: the letter is about that recipient alone; False: others are in it; None: it isn't.

    A letter may be about some recipients of an email; the others have had their fate, and need it
    no longer.
    """
    try:
        history, action = resolve(letter)
        everybody = [one.lower() for one in recipients(action)] if isinstance(action, Send) else []
    except BadInput:
        return True if _names_it_alone(letter.body, wanted) else None
    if wanted.lower() not in everybody:
        return None
    left = {everybody[i] for i in history.left if i < len(everybody)} or {*everybody}
    return left == {wanted.lower()}


def _names_it_alone(body: str, wanted: str) -> bool:
    """Whether a message that isn't as the contract has it is to that address, and to nobody else.

    One with an address in a field that the contract doesn't know may be about somebody else, too.
    """
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        return False
    if not isinstance(read, dict):
        return False
    known = {*Send.__struct_encode_fields__, "action"}
    if any("@" in json.dumps(value) for name, value in read.items() if name not in known):
        return False
    named: set[str] = set()
    try:
        for name in ("recipient", "cc", "bcc"):
            value = read.get(name)
            for one in value if isinstance(value, list) else [value]:
                address: Any = one.get("email") or one if isinstance(one, dict) else one
                if address not in (None, ""):
                    named.add(parse_address(address, f"$.{name}").address.lower())
    except (BadInput, AttributeError):
        return False  # of somebody, but nobody knows of whom
    return named == {wanted.lower()}


def _mentions(letter: Message, wanted: str) -> bool:
    """True if the address stands anywhere in its text."""
    return wanted.lower() in letter.body.lower()
