"""What the console asks of ops, call by call: each takes the relay and what the page gave."""

from __future__ import annotations

import getpass
import tempfile
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from ion.contract import Cancel, Pause, Stop, Where, parse
from ionctl.ops.result import (
    Cancelled,
    Checked,
    Depth,
    Edited,
    InForce,
    Letter,
    Letters,
    Life,
    Moved,
    Published,
    Queues,
    Status,
    Verdict,
)
from ionctl.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from ionctl.ops.deployment import Deployment

_MOST_LETTERS = 200
"""Shown at a time; the groups count all."""


def _ops(module: str) -> Any:  # noqa: ANN401 - a module
    """Part of ops. Raises Problem: it isn't there yet."""
    try:
        return import_module(f"ionctl.ops.{module}")
    except ModuleNotFoundError:
        raise Problem(f"ionctl.ops.{module} isn't there yet") from None


def status(deployment: Deployment, *, letters: bool) -> Status:
    """How the relay is; `letters`: the dead ones by reason, too."""
    try:
        found: Status = _ops("status").status(deployment, letters=letters)
    except Problem as problem:
        return _counted(deployment, str(problem))
    return found


def _counted(deployment: Deployment, why: str) -> Status:
    """What counts alone can tell."""

    def depth(url: str) -> Depth:
        counts = deployment.account.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])[
            "Attributes"
        ]
        return Depth(
            visible=int(counts["ApproximateNumberOfMessages"]),
            in_flight=int(counts["ApproximateNumberOfMessagesNotVisible"]),
            delayed=int(counts["ApproximateNumberOfMessagesDelayed"]),
        )

    return Status(
        name=deployment.name,
        region=deployment.account.region,
        at=datetime.now(UTC),
        verdict=Verdict.IDLE,
        words="Idle: nothing waits.",
        ok=True,
        queues=Queues(
            input=depth(deployment.queue_url),
            bulk=depth(deployment.bulk_queue_url),
            later=depth(deployment.later_queue_url),
            dead_letter=depth(deployment.dead_letter_queue_url),
        ),
        dead_letters=None,
        dead_letters_seen=0,
        held=[],
        pauses=[],
        stops=[],
        pace=[],
        deferred=0,
        next_retry=None,
        runs=[],
        alarms=[],
        backlog_ends=None,
        unknown=[why],
    )


def life(deployment: Deployment, key: str) -> Life:
    """The life of an email."""
    found: Life = _ops("life").life(deployment, key)
    return found


# -- dead letters ------------------------------------------------------------------------


def dead(deployment: Deployment, reason: str, path: str) -> Letters:
    """Dead letters of a reason and path; empty: of any."""
    chosen = {name: value for name, value in (("reason", reason), ("path", path)) if value}
    where = msgspec.convert(chosen, Where) if chosen else None
    found: Letters = _ops("letters").look(deployment, where, most=_MOST_LETTERS)
    return found


def letter(deployment: Deployment, message_id: str) -> Letter:
    """One dead letter, with its body."""
    found: Letter = _ops("letters").letter(deployment, message_id)
    return found


def redrive(deployment: Deployment, where: Where | None, ids: Collection[str]) -> Moved:
    """Dead letters back into the input queue."""
    moved: Moved = _ops("letters").redrive(deployment, where, ids=ids)
    return moved


def discard(deployment: Deployment, ids: Collection[str]) -> tuple[Moved, str]:
    """Delete dead letters; what was written down of them before, as lines of JSON.

    The file stays: a download may fail.
    """
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    file = Path(tempfile.gettempdir()) / f"{deployment.name}-discarded-{stamp}.jsonl"
    moved: Moved = _ops("letters").discard(deployment, None, ids=ids, file=file)
    return moved, file.read_text(encoding="utf-8") if file.exists() else ""


def edit(deployment: Deployment, message_id: str, body: str) -> Edited:
    """Send a dead letter's email with another content, under the same key."""
    edited: Edited = _ops("edit").edit(deployment, message_id, body, by=_who())
    return edited


# -- publishing --------------------------------------------------------------------------


def check(body: str) -> Checked:
    """What is wrong with a message."""
    checked: Checked = _ops("publishing").check(body)
    return checked


def publish(deployment: Deployment, body: str, *, bulk: bool) -> Published:
    """Put a message on the topic."""
    published: Published = _ops("publishing").publish(deployment, body, bulk=bulk)
    return published


# -- steering ----------------------------------------------------------------------------


def pause(deployment: Deployment, order: Mapping[str, Any], why: str) -> InForce:
    """Receive nothing of a lane, or at all. Raises BadInput."""
    asked: Pause = _parsed({"action": "pause", **order})
    forced: InForce = _ops("steering").pause(deployment, asked, by=_who(), why=why)
    return forced


def stop(deployment: Deployment, order: Mapping[str, Any], why: str) -> InForce:
    """Dead-letter emails. Raises BadInput."""
    asked: Stop = _parsed({"action": "stop", **order})
    forced: InForce = _ops("steering").stop(deployment, asked, by=_who(), why=why)
    return forced


def resume(deployment: Deployment) -> InForce:
    """End every pause and every stop."""
    forced: InForce = _ops("steering").resume(deployment)
    return forced


def cancel(deployment: Deployment, email_id: str) -> Cancelled:
    """Don't send an email. Raises BadInput: it can't be a key."""
    asked: Cancel = _parsed({"action": "cancel", "email_id": email_id})
    cancelled: Cancelled = _ops("steering").cancel(deployment, asked.email_id)
    return cancelled


def wake(deployment: Deployment) -> None:
    """Let the relay look at its queues now."""
    _ops("steering").wake(deployment)


def _parsed(order: Mapping[str, Any]) -> Any:  # noqa: ANN401 - as its action says
    """The message that would ask for it by the topic: it is checked in the same way."""
    return parse(msgspec.json.encode(order).decode())


def _who() -> str:
    """Whom pauses and stops name as theirs."""
    return getpass.getuser()
