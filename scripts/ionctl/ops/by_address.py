"""The emails to an address: in the log, in rows, in dead letters and in queues."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ion.address_hash import address_hash
from ion.aws.address_key import AddressKey
from ion.aws.addresses import Addresses
from ion.aws.table import Table
from ion.contract import BadInput
from ion.limits import KEYS_A_READ
from ion.mail import is_address
from ion.mail.addresses import parse_address
from ionctl.ops import letters as dead
from ionctl.ops import log, rows
from ionctl.ops.ids import key_by_message_id, message_id_in
from ionctl.ops.letter import as_read
from ionctl.ops.life import FATES, state_for, state_of
from ionctl.ops.looking import all_of, count, looking
from ionctl.ops.result import EmailFound, Emails, LifeState, SuppressionFound
from ionctl.ops.traces import USUAL_SPAN, in_queues, tried
from ionctl.problem import Problem

if TYPE_CHECKING:
    from ion.aws.table import Item
    from ion.message import Message
    from ionctl.ops.deployment import Deployment

_NO_KEY = (
    "the log and the ledger: no run has made the key of the addresses' hashes yet, so neither has "
    "an address"
)


@dataclass(slots=True)
class _Trace:
    """What was found of one email."""

    first: datetime
    log_state: LifeState = LifeState.QUEUED
    reason: str = ""
    reply: str = ""
    queue: str = ""
    letters: list[str] = field(default_factory=list)
    row: Item | None = None


@dataclass(slots=True)
class _Look:
    """A look for an address.

    Args:
        address: as the envelope has it.
        hashed: empty: no hash has been made yet.
        emails: by key.
    """

    deployment: Deployment
    address: str
    since: datetime
    hashed: str = ""
    emails: dict[str, _Trace] = field(default_factory=dict)
    suppressions: list[SuppressionFound] = field(default_factory=list)
    scanned: int | None = None
    unknown: list[str] = field(default_factory=list)

    def note(self, key: str, at: datetime) -> _Trace:
        trace = self.emails.setdefault(key, _Trace(at))
        trace.first = min(trace.first, at)
        return trace


def is_one(text: str) -> bool:
    """Whether it is an address, and not a Message-ID or an id."""
    return "@" in text and "<" not in text and is_address(text)


def are_meant(
    deployment: Deployment, text: str, since: datetime | None = None, *, scan: bool = False
) -> bool:
    """Whether the emails to an address are asked for; no email has it as its key or Message-ID.

    Args:
        deployment: the relay.
        text: what is asked for, an id or an address.
        since: look through the log from then on for a Message-ID; None: for a day.
        scan: look through the whole ledger for it, too.
    """
    if not is_one(text) or rows.exists(deployment, text.strip()):
        return False
    if not (message_id := message_id_in(text.strip())):
        return True
    try:
        key_by_message_id(deployment, message_id, since, scan=scan)
    except Problem:
        return True  # ion's Message-IDs look like addresses without their brackets
    return False


def emails_to(
    deployment: Deployment,
    address: str,
    *,
    since: datetime | None = None,
    scan: bool = False,
    progress: dead.Progress = dead.silent,
) -> Emails:
    """The emails to an address, the newest first.

    Args:
        deployment: the relay.
        address: of the recipient; its case doesn't matter.
        since: look through the log from then on; None: for a day.
        scan: look through the whole ledger, too.
        progress: is told of the look at dead letters, then of the scan.

    Raises:
        Problem: it is no address.
    """
    try:
        written = parse_address(address.strip(), "$").address
    except BadInput as error:
        raise Problem(f"{address} is no email address") from error
    look = _Look(deployment, written, since or datetime.now(UTC) - USUAL_SPAN)
    tried(look.unknown, "the ledger", lambda: asyncio.run(_know(look)))
    if look.hashed:
        tried(look.unknown, "the log", lambda: _read_log(look))
        if scan:
            tried(look.unknown, "the whole ledger", lambda: _scan(look, progress))
    tried(look.unknown, "the dead letters", lambda: asyncio.run(_letters(look, progress)))
    tried(look.unknown, "the queues", lambda: asyncio.run(_queues(look)))
    tried(look.unknown, "the ledger", lambda: asyncio.run(_read_rows(look)))
    found = [_told(key, one, look.hashed) for key, one in look.emails.items()]
    return Emails(
        address=written,
        emails=sorted(found, key=lambda one: one.at, reverse=True),
        suppressions=look.suppressions,
        looked_back_to=look.since,
        scanned=look.scanned,
        unknown=look.unknown,
    )


async def _know(look: _Look) -> None:
    """Its hash, and what is kept of the address."""
    dynamodb, table = look.deployment.account.dynamodb, look.deployment.table
    key = await AddressKey(dynamodb, table).read()
    if key is None:
        look.unknown.append(_NO_KEY)
        return
    look.hashed = address_hash(key, look.address)
    state = (await Addresses(dynamodb, table).read([look.hashed])).get(look.hashed)
    if state is None:
        return
    now = datetime.now(UTC)
    look.suppressions = [
        SuppressionFound(scope=one.scope, why=str(one.why), since=one.since, until=one.until)
        for one in state.suppressions
        if one.until is None or now < one.until
    ]
    if state.erased_at is not None:
        erased = SuppressionFound(scope="erased", why="erased", since=state.erased_at)
        look.suppressions.append(erased)


def _read_log(look: _Look) -> None:
    part = log.read(look.deployment, log.Wanted(to=look.hashed), look.since)
    for event in part.events:
        trace = look.note(event.text("email_id"), event.at)
        trace.reason, trace.reply = event.text("reason"), event.text("reply")
        trace.log_state = _IN_LOG.get(event.name, LifeState.QUEUED)
    if part.cut:
        look.unknown.append(
            f"the log: too much to be read, events after {part.until:%Y-%m-%d %H:%M} UTC weren't; "
            "give a later --since"
        )


_IN_LOG = {
    "sent": LifeState.SENT,
    "deferred": LifeState.DEFERRED,
    "released": LifeState.DEFERRED,
    "dead_lettered": LifeState.DEAD_LETTERED,
    "suppressed": LifeState.SUPPRESSED,
}
"""Where the last event leaves an email, if its row is gone."""


def _scan(look: _Look, progress: dead.Progress) -> None:
    found = rows.scan(look.deployment, rows.has("recipients", look.hashed), progress)
    look.scanned = found.seen
    for item in found.items:
        look.note(rows.key_of(item), _moment(item.get("first_queued_at", {}).get("S")))


async def _letters(look: _Look, progress: dead.Progress) -> None:
    async with looking(look.deployment) as at_letters:
        counted = await count(look.deployment)
        async for some in all_of(at_letters, counted):
            for one in some:
                if _is_to(one, look.address):
                    read = as_read(one, with_body=False)
                    trace = look.note(read.email_id, read.first_queued_at)
                    trace.letters.append(one.id)
                    trace.reason, trace.reply = read.reason, read.reply
            progress(len(at_letters.seen), counted)
    if (hidden := counted - len(at_letters.seen)) > 0:
        look.unknown.append(f"the dead letters: {hidden} are hidden, look again in two minutes")


async def _queues(look: _Look) -> None:
    seen = counted = 0
    async for queue in in_queues(look.deployment):
        seen, counted = seen + len(queue.messages), counted + queue.counted
        for one in queue.messages:
            if _is_to(one, look.address):
                read = as_read(one, with_body=False)
                look.note(read.email_id, read.first_queued_at).queue = queue.name
    if counted > seen:
        look.unknown.append(
            f"the queues: {seen:,} of {counted:,} messages could be looked at; what waits for its "
            "time can't be"
        )


async def _read_rows(look: _Look) -> None:
    table = Table(look.deployment.account.dynamodb, look.deployment.table)
    keys = list(look.emails)
    for start in range(0, len(keys), KEYS_A_READ):
        for key, row in (await table.read(keys[start : start + KEYS_A_READ])).items():
            look.emails[key].row = row
            look.note(key, _moment(row.get("first_queued_at")))


def _is_to(message: Message, address: str) -> bool:
    """Whether a message is to that address; of one that can't be read, whether it names it."""
    named = as_read(message, with_body=False).recipients
    folded = address.lower()
    if named:
        return folded in (one.lower() for one in named)
    return folded in message.body.lower()


def _told(key: str, trace: _Trace, hashed: str) -> EmailFound:
    row = trace.row
    if row is None:
        state = own = LifeState.DEAD_LETTERED if trace.letters else trace.log_state
    else:
        state, index = state_of(row), _index(row, hashed)
        if index is None and trace.letters:  # the row is of another email under that email_id
            state = own = LifeState.DEAD_LETTERED
        else:
            own = state if index is None else state_for(row, index)
            trace.reason, trace.reply = str(row.get("reason") or ""), str(row.get("reply") or "")
    return EmailFound(
        email_id=key,
        at=trace.first,
        state=own,
        email_state=state,
        reason=trace.reason,
        reply=trace.reply,
        fate=_fate(row, hashed),
        queue=trace.queue,
        letters=trace.letters,
    )


def _index(row: Item, hashed: str) -> int | None:
    """Of the recipient with that hash, of several the first; None: it isn't known."""
    recipients = str(row.get("recipients") or "").split()
    return recipients.index(hashed) if hashed in recipients else None


def _fate(row: Item | None, hashed: str) -> str:
    """That of the recipient with that hash."""
    index = _index(row, hashed) if row else None
    if not row or index is None:
        return ""
    fate = str(row.get("fates") or "")[index : index + 1]
    return FATES.get(fate, "waiting") if fate else ""


def _moment(written: object) -> datetime:
    """A time of a row; what can't be read is now, and changes nothing."""
    try:
        at = datetime.fromisoformat(str(written))
    except ValueError:
        return datetime.now(UTC)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
