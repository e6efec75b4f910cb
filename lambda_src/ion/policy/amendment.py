"""Whether the content of a dead-lettered email may change under its key: pure.

The ledger's row holds a hash of the content, so that no other email goes out under a key. A person
who corrects a dead letter needs the row's consent first: with the new hash on it, the new content
is the one that may be sent, and the old one is not any more.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum

from ion.policy.lease import DEAD, DOUBTED, Claim, Row, RowStatus, Verdict, judge


class Amending(StrEnum):
    """Answer to a person who wants to send another content under a key."""

    AGREED = "agreed"
    UNKNOWN = "unknown"
    """Nothing was tried under that key, so there is nothing to agree to: bad input has no row."""
    UNDER_WAY = "under_way"
    """A run sends it, or died over it, and the next one decides."""
    WAITING = "waiting"
    """Other recipients of it, or a twin of it, wait for a try with the content as it was."""
    SENT = "sent"
    CANCELLED = "cancelled"
    ANOTHER = "another"
    """The row knows the key by another content than the letter's."""
    SERVED = "served"
    """Recipients whom the letter isn't about would be others: their fates are the old ones'."""
    OVERTAKEN = "overtaken"
    """The letter has gone back already, or a younger one has: its recipients are not its own."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a message says.

    Args:
        hash: of it; empty: it can't be read.
        recipients: their addresses, in the order that fates are kept in.
    """

    hash: str
    recipients: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Amendment:
    """An answer, and the row as it is to be; None: as it is."""

    how: Amending
    row: Row | None = None


_NO: dict[RowStatus, Amending] = {
    RowStatus.SENDING: Amending.UNDER_WAY,
    RowStatus.DEFERRED: Amending.WAITING,
    RowStatus.QUEUED: Amending.WAITING,
    RowStatus.SENT: Amending.SENT,
    RowStatus.CANCELLED: Amending.CANCELLED,
}


def amended(
    row: Row | None,
    claim: Claim,
    old: Content,
    recipients: tuple[str, ...],
    now: float,
    former_hashes: Collection[str] = (),
) -> Amendment:
    """Judge an amendment by the row in the ledger.

    Args:
        row: what the ledger has; None: nothing.
        claim: as the corrected message will make it, with a token of its own.
        old: what the letter says as it is.
        recipients: of the corrected message.
        now: seconds since the epoch.
        former_hashes: of contents that the row's has replaced, by an amendment that wasn't tried.
    """
    if row is None or row.expires_at <= now or (row.is_blank and row.status not in _NO):
        is_same = _keeps(old.recipients, recipients, _others(claim, len(old.recipients)))
        return Amendment(Amending.UNKNOWN if is_same else Amending.SERVED)
    if row.status in _NO:
        return Amendment(_NO[row.status])
    if row.content_hash not in (old.hash, claim.content_hash, *former_hashes):
        return Amendment(Amending.ANOTHER)
    kept = [i for i in range(len(row.fates)) if row.fates[i] not in (DEAD, DOUBTED)]
    kept += _others(claim, len(row.fates))
    if kept and len(old.recipients) != len(row.fates):
        return Amendment(Amending.SERVED)
    if not _keeps(old.recipients, recipients, kept):
        return Amendment(Amending.SERVED)
    new = replace(_for_so_many(row, claim.recipients), content_hash=claim.content_hash)
    if judge(new, claim, now).verdict is Verdict.DONE:
        return Amendment(Amending.OVERTAKEN)
    if new == row:
        return Amendment(Amending.AGREED)
    return Amendment(Amending.AGREED, replace(new, token=claim.token))


def _others(claim: Claim, count: int) -> list[int]:
    """Indexes of the recipients that the letter isn't about."""
    return [i for i in range(count) if claim.left and i not in claim.left]


def _keeps(old: tuple[str, ...], new: tuple[str, ...], kept: Collection[int]) -> bool:
    """True if those that are kept are at their places; if none is, the list may be any."""
    return not kept or (len(old) == len(new) and all(old[i] == new[i] for i in kept))


def _for_so_many(row: Row, recipients: int) -> Row:
    """The row of a dead email for another number of recipients; what is in doubt stays so."""
    if recipients == len(row.fates):
        return row
    redrives = max(map(row.redrives, range(len(row.fates))), default=0)
    return replace(
        row,
        fates=(DOUBTED if DOUBTED in row.fates else DEAD) * recipients,
        doubts=max(row.doubts, default="0") * recipients,
        claimed_redrives=(redrives,) * recipients if redrives else (),
    )
