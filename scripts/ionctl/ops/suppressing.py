"""The suppression list: entries added, removed, looked up and listed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ion.mail.domains import wire_domain
from ion.policy.suppression import (
    ALL,
    AddressState,
    Suppression,
    Why,
    is_scope,
    sender_domain,
)
from ionctl.ops.address_rows import hash_of, key, known_key, rows, scan, wire_address
from ionctl.ops.on_table import on_table
from ionctl.ops.result import AddressKnown, SuppressionEntries, SuppressionEntry
from ionctl.ops.steering import said
from ionctl.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from ionctl.ops.deployment import Deployment

    Progress = Callable[[int, int], None]

_SWITCH = "ION_SUPPRESSION_LIST"
"""The function's variable. In its config.cfg the setting may stand as well, unseen from here."""
NOT_ON = (
    "; it has effect once the list is on (Terraform: settings = { suppression = { list = "
    "\"on\" } }), which the function's environment doesn't say"
)


def add(
    deployment: Deployment,
    address: str,
    *,
    scope: str = ALL,
    why: Why = Why.MANUAL,
    until: datetime | None = None,
    by: str = "",
) -> AddressKnown:
    """Put an address on the list; an entry of that scope that ends no sooner stays.

    Args:
        deployment: whose.
        address: or its hash.
        scope: which mail it is about.
        why: it is there.
        until: None: for good.
        by: who asks for it.

    Raises:
        Problem: it is no address or no scope, it would be over already, or the table can't be used.
    """
    now, scope = datetime.now(UTC), checked_scope(scope)
    if until is not None and until <= now:
        raise Problem(f"until {until.isoformat()}: over already, nothing is changed")
    hashed = hash_of(address, key(deployment))
    entry = Suppression(scope, why, now, until, said(by))
    state = on_table(deployment, rows(deployment).change(hashed, lambda was: was.suppressed(entry)))
    end = f" until {until:%Y-%m-%d %H:%M}Z" if until else ""
    was_there = ", by an entry that was there, and ends no sooner; it stays as it is"
    stays = "" if entry in state.suppressions else was_there
    what = f"no mail of scope {scope} goes to it{end}{stays}{effect(deployment)}"
    return known(hashed, state, what)


def remove(deployment: Deployment, address: str, scope: str | None = None) -> AddressKnown:
    """Take an address off the list; its transient bounces are forgiven.

    Args:
        deployment: whose.
        address: or its hash.
        scope: only that entry; None: all of them.

    Raises:
        Problem: there is no such entry, or the table can't be used.
    """
    scope = checked_scope(scope) if scope is not None else None
    was = check(deployment, address)
    if scope not in (None, *(one.scope for one in was.entries)) or not was.entries:
        of_it = f" of scope {scope}" if scope and was.entries else ""
        raise Problem(f"it has no entry{of_it}: nothing is changed")
    change = rows(deployment).change(was.hash, lambda state: state.lifted(scope))
    state = on_table(deployment, change)
    what = f"removed: {scope or ', '.join(one.scope for one in was.entries)}"
    return known(was.hash, state, f"{what}; what was suppressed by then isn't sent any more")


def check(deployment: Deployment, address: str) -> AddressKnown:
    """What is known of an address, or of a hash. Raises Problem: the table can't be used."""
    made = known_key(deployment)
    if made is None:  # a mistake is told all the same
        wire_address(address) if "@" in address else None
        return known("", AddressState(), "nothing is known of it")
    hashed = hash_of(address, made)
    found = on_table(deployment, rows(deployment).read([hashed]))
    if hashed not in found:
        return known(hashed, AddressState(), "nothing is known of it")
    state, now = found[hashed], datetime.now(UTC)
    scopes = [one.scope for one in state.suppressions if one.until is None or now < one.until]
    what = f"suppressed: {', '.join(scopes)}{effect(deployment)}" if scopes else "not suppressed"
    if state.erased_at:
        what += f"; nothing published by {state.erased_at:%Y-%m-%d %H:%M:%S}Z is sent to it"
    return known(hashed, state, what)


def entries(deployment: Deployment, progress: Progress) -> SuppressionEntries:
    """All entries. Raises botocore's errors."""
    seen = addresses = erased = damaged = 0
    found: list[SuppressionEntry] = []

    def looked(more: int) -> None:
        nonlocal seen
        seen += more
        progress(seen, seen)

    for hashed, state in scan(deployment, looked):
        if state is None:
            damaged += 1
            continue
        addresses += bool(state.suppressions)
        erased += state.erased_at is not None
        found += (_entry(hashed, one) for one in state.suppressions)
    found.sort(key=lambda one: (one.since, one.hash, one.scope), reverse=True)
    return SuppressionEntries(
        entries=found, addresses=addresses, erased=erased, damaged=damaged, rows=seen
    )


def known(hashed: str, state: AddressState, words: str) -> AddressKnown:
    """What a row says."""
    return AddressKnown(
        hash=hashed,
        entries=[_entry(hashed, one) for one in state.suppressions],
        soft_bounces=len(state.soft_bounces),
        erased_at=state.erased_at,
        words=words,
    )


def checked_scope(scope: str, name: str = "--scope") -> str:
    """A scope as the list has it, its domain in small letters.

    Args:
        scope: as somebody writes it.
        name: of the place where it stands.

    Raises:
        Problem: it is none.
    """
    kind, _, domain = scope.partition(":")
    as_listed = sender_domain(wire_domain(domain) or "") if kind == "domain" else scope
    if not is_scope(as_listed):
        raise Problem(
            f"{name} {scope}: must be all, domain:example.com (of From) or tag:NAME=VALUE"
        )
    return as_listed


def effect(deployment: Deployment) -> str:
    """What to do for the list to have an effect, in words; empty: it has."""
    return "" if deployment.environment.get(_SWITCH) == "on" else NOT_ON


def _entry(hashed: str, one: Suppression) -> SuppressionEntry:
    return SuppressionEntry(
        hash=hashed,
        scope=one.scope,
        why=one.why.value,
        since=one.since,
        until=one.until,
        by=one.by,
    )
