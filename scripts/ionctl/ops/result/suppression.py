"""The suppression list, and erasures."""

from datetime import datetime

import msgspec

from ionctl.ops.result.base import Result


class SuppressionEntry(Result, frozen=True, kw_only=True):
    """An entry of the list.

    Args:
        hash: of the address, which nobody can read out of it.
        scope: "all", "domain:example.com" or "tag:name=value".
        why: "bounce", "complaint", "unsubscribe", "manual" or "import".
        until: when it ends by itself; null: never.
        by: who put it there; empty: it isn't known.
    """

    hash: str
    scope: str
    why: str
    since: datetime
    until: datetime | None
    by: str


class AddressKnown(Result, frozen=True, kw_only=True):
    """What is known of one address.

    Args:
        hash: of the address; empty: no address has been hashed yet, so nothing is known of any.
        entries: those in force, and those that are over and have not been removed.
        soft_bounces: transient bounces that count towards a suppression.
        erased_at: nothing that was published before that is sent to it; null: never erased.
        words: what was done, or found.
    """

    hash: str
    entries: list[SuppressionEntry]
    soft_bounces: int
    erased_at: datetime | None
    words: str


class SuppressionEntries(Result, frozen=True, kw_only=True):
    """The list.

    Args:
        entries: the latest first.
        addresses: how many addresses have an entry.
        erased: how many addresses have been erased.
        damaged: rows that ion hasn't written: nothing is sent to these addresses.
        rows: of the table that were looked at.
    """

    entries: list[SuppressionEntry]
    addresses: int
    erased: int
    damaged: int
    rows: int


class EntryLeftOut(Result, frozen=True, kw_only=True):
    """An entry of a file that isn't imported, though it has an address.

    Args:
        number: its line, or its number in a JSON list, from 1.
        why: what in it can't be understood, and how it is written.
    """

    number: int
    why: str


class Imported(Result, frozen=True, kw_only=True):
    """An import.

    Args:
        format: what the file was taken for.
        read: entries in it.
        new: addresses of which nothing was known.
        changed: addresses that had another entry, or a shorter one.
        unchanged: addresses that had it already.
        unread: lines, or numbers in a JSON list, that have no address, or one that can't be read;
            other addresses of theirs are imported.
        dry_run: nothing was written.
        left_out: what else of it isn't imported.
        twice: entries that stand in the file before, with the same scope.
        over: entries that the file says have ended, which are not put on the list.
    """

    format: str
    read: int
    new: int
    changed: int
    unchanged: int
    unread: list[int]
    dry_run: bool
    left_out: list[EntryLeftOut] = msgspec.field(default_factory=list)
    twice: int = 0
    over: int = 0


class Erased(Result, frozen=True, kw_only=True):
    """An erasure.

    Args:
        hash: of the address: that is kept, and what stands under it.
        at: what was published before that isn't sent to it any more; with `dry_run`: would be.
        kept: entries of the suppression list, which stay.
        deleted: dead letters that were about it alone, by their SQS ids.
        shared: dead letters of emails to it that are about others, too, and stay: a redrive leaves
            it out.
        mentioning: dead letters that have the address elsewhere, or can't be read, and stay.
        hidden: about how many dead letters could not be looked at.
        waiting: about how many messages wait in the queues: what is for it is dropped when its
            turn comes.
        dry_run: nothing was changed.
    """

    hash: str
    at: datetime
    kept: list[SuppressionEntry]
    deleted: list[str]
    shared: list[str]
    mentioning: list[str]
    hidden: int
    waiting: int
    dry_run: bool
