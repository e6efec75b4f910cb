"""What an event of the log says about an email, in a sentence. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ion.outcome import Reason
from ionctl.ops.result import LifeEvent
from ionctl.ops.verdict import moment

if TYPE_CHECKING:
    from ion.aws.table import Item
    from ionctl.ops.log import Event

ABOUT_EMAILS = (
    *("sent", "deferred", "released", "dead_lettered", "done", "moved_to_bulk"),
    *("cancelled", "too_late"),
)
"""Events that tell what became of one email."""
_DONE: dict[str, str] = {
    Reason.CANCELLED: "Not sent: it was cancelled",
    Reason.DUPLICATE: "A copy came in, and was deleted: the email had had its fate",
}
"""By reason: why a message was deleted without being sent."""
_OTHERS = {
    "moved_to_bulk": "Moved to the bulk queue",
    "too_late": "Too late to cancel it: it was under way, or had had its fate",
}


def as_told(event: Event) -> LifeEvent:
    """An event as a person reads it."""
    attempt = event.number("attempt")
    return LifeEvent(
        at=event.at,
        what=event.name,
        words=sentence(event),
        reason=event.text("reason"),
        stage=event.text("stage"),
        reply=event.text("reply"),
        server=event.text("server"),
        attempt=int(attempt) if attempt else None,
        message_id=event.text("message_id"),
    )


def edit_of(row: Item) -> LifeEvent | None:
    """The last edit of an email, as the ledger's row has it; None: there was none."""
    at = moment_of(row.get("edited_at"))
    if at is None:
        return None
    edits = int(row.get("edits") or 1)
    before = f" (edit number {edits})" if edits > 1 else ""
    words = f"Edited by {row.get('edited_by') or 'nobody named'}{before}, under the same id"
    return LifeEvent(at=at, what="edited", words=words)


def moment_of(written: object) -> datetime | None:
    """A time in the ledger's row; None: it has none."""
    try:
        return datetime.fromisoformat(str(written))
    except ValueError:
        return None


def sentence(event: Event) -> str:
    """What happened; the server's words aren't in it."""
    reason, count = event.text("reason"), event.number("recipients") or 0
    some = f" for {count:.0f} recipients" if count > 1 else ""
    match event.name:
        case "sent":
            return f"Taken by {event.text('server') or 'the mail server'}{some}"
        case "deferred":
            due = moment(due_at(event), event.at)
            if reason == Reason.SCHEDULED:
                return f"Scheduled: looked at again at {due}"
            return f"Deferred{some} ({reason}), next try {due}"
        case "released":
            return f"Put back, which is no attempt ({reason})"
        case "dead_lettered":
            return f"Dead-lettered{some} ({reason}){_where(event)}"
        case "cancelled":
            untried = "" if event.record.get("tried") else "; nothing of it had been tried"
            return f"Cancelled{untried}"
        case "done":
            return _DONE.get(reason, "Done")
        case _:
            return _OTHERS.get(event.name, event.name)


def due_at(event: Event) -> datetime:
    """When mail that was put off by an event is looked at again."""
    return event.at + timedelta(seconds=event.number("retry_in_seconds") or 0)


def _where(event: Event) -> str:
    """What is wrong with the input, and where."""
    path, problem = event.text("path"), event.text("problem")
    meant = event.text("did_you_mean")
    parts = [f" at {path}" if path else "", f" {problem}" if problem else ""]
    return "".join(parts) + (f", did you mean {meant}?" if meant else "")
