"""What the console asks of ops, call by call: each takes the relay and what the page gave."""

from __future__ import annotations

import getpass
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from ion.contract import Cancel, Pause, Stop, Where, parse
from ionctl.ops import edit as dead_edit
from ionctl.ops import letters as dead_letters
from ionctl.ops import life as life_of
from ionctl.ops import publishing, rows, steering, suppressing, waking
from ionctl.ops import status as relay_status
from ionctl.ops.by_address import are_meant, emails_to
from ionctl.problem import Problem
from ionctl.program import command

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from ion.contract import Lane
    from ionctl.ops.deployment import Deployment
    from ionctl.ops.result import (
        AddressKnown,
        Cancelled,
        Checked,
        Edited,
        Emails,
        InForce,
        Letter,
        Letters,
        Life,
        Moved,
        Published,
        Status,
    )

_MOST_LETTERS = 200
"""Shown at a time; the groups count all."""


def status(deployment: Deployment, *, letters: bool) -> Status:
    """How the relay is; `letters`: the dead ones by reason, too."""
    return relay_status.status(deployment, letters=letters)


def found(deployment: Deployment, asked: str, *, scan: bool) -> Life | Emails:
    """The life of an email; of an address, the emails to it.

    Args:
        deployment: whose.
        asked: an id, or an address.
        scan: look through the whole ledger, too.

    Raises:
        Problem: the ledger is so large that somebody should be asked before.
    """
    if scan and (whole := rows.size(deployment)).octets > rows.LARGE_BYTES:
        raise Problem(
            f"the ledger has {whole.octets / 1e9:,.1f} GB: to look through all of it costs about "
            f"${whole.dollars:,.2f} and takes minutes; {command('show')} {asked} --scan does it"
        )
    if are_meant(deployment, asked, scan=scan):
        return emails_to(deployment, asked, scan=scan)
    return life_of.life(deployment, asked, scan=scan)


# -- dead letters ------------------------------------------------------------------------


def dead(deployment: Deployment, reason: str, path: str) -> Letters:
    """Dead letters of a reason and path; empty: of any."""
    chosen = {name: value for name, value in (("reason", reason), ("path", path)) if value}
    where = msgspec.convert(chosen, Where) if chosen else None
    found = dead_letters.look(deployment, where)
    return msgspec.structs.replace(found, letters=found.letters[:_MOST_LETTERS])


def letter(deployment: Deployment, message_id: str) -> Letter:
    """One dead letter, with its body."""
    return dead_letters.letter(deployment, message_id)


def redrive(deployment: Deployment, where: Where | None, ids: Collection[str]) -> Moved:
    """Dead letters back into the input queue."""
    return dead_letters.redrive(deployment, where, ids=ids)


def discard(deployment: Deployment, ids: Collection[str]) -> tuple[Moved, str]:
    """Delete dead letters; what was written down of them before, as lines of JSON.

    The file stays: a download may fail.
    """
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    file = Path(tempfile.gettempdir()) / f"{deployment.name}-discarded-{stamp}.jsonl"
    moved = dead_letters.discard(deployment, None, ids=ids, file=file)
    return moved, file.read_text(encoding="utf-8") if file.exists() else ""


def edit(deployment: Deployment, message_id: str, body: str) -> Edited:
    """Send a dead letter's email with another content, under the same key."""
    return dead_edit.edit(deployment, message_id, body, by=_who())


# -- publishing --------------------------------------------------------------------------


def check(deployment: Deployment, body: str) -> Checked:
    """What is wrong with a message."""
    return publishing.check(body, default_sender=deployment.default_sender)


def publish(deployment: Deployment, body: str, *, bulk: bool, as_it_is: bool) -> Published:
    """Put a message on the topic."""
    return publishing.publish(deployment, body, bulk=bulk, as_it_is=as_it_is)


# -- steering ----------------------------------------------------------------------------


def pause(deployment: Deployment, order: Mapping[str, Any], why: str) -> InForce:
    """Receive nothing of a lane, or at all. Raises BadInput."""
    asked: Pause = _parsed({"action": "pause", **order})
    return steering.pause(deployment, asked, by=_who(), why=why)


def stop(deployment: Deployment, order: Mapping[str, Any], why: str) -> InForce:
    """Dead-letter emails. Raises BadInput."""
    asked: Stop = _parsed({"action": "stop", **order})
    return steering.stop(deployment, asked, by=_who(), why=why)


def resume(deployment: Deployment, lane: Lane | None, stop_id: str | None) -> InForce:
    """End a lane's pause, or a stop; neither is named: everything."""
    return steering.resume(deployment, by=_who(), lane=lane, stop_id=stop_id)


def cancel(deployment: Deployment, email_id: str) -> Cancelled:
    """Don't send an email. Raises BadInput: it can't be a key."""
    asked: Cancel = _parsed({"action": "cancel", "email_id": email_id})
    return steering.cancel(deployment, asked.email_id, by=_who())


def suppress(deployment: Deployment, address: str, scope: str) -> AddressKnown:
    """Write to an address no more. Raises Problem: it is none, or that is no scope."""
    return suppressing.add(deployment, address.strip(), scope=scope.strip(), by=_who())


def unsuppress(deployment: Deployment, address: str, scope: str | None) -> AddressKnown:
    """Write to an address again. Raises Problem: it has no such entry."""
    return suppressing.remove(deployment, address.strip(), scope)


def wake(deployment: Deployment) -> str:
    """Let the relay look at its queues now, and ask again whom it leaves alone; in words."""
    return waking.wake(deployment)


def _parsed(order: Mapping[str, Any]) -> Any:  # noqa: ANN401 - as its action says
    """The message that would ask for it by the topic: it is checked in the same way."""
    return parse(msgspec.json.encode(order).decode())


def _who() -> str:
    """Whom pauses and stops name as theirs."""
    return getpass.getuser()
