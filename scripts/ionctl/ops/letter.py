"""A dead letter as people read it: what is written on it, and what its message asks for. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ion.contract import BadInput, Lane, Send, given_tags
from ion.contract.hints import hint
from ion.deadletter.letter import REPLY
from ion.deadletter.query import reason_of
from ion.history import carried_history, named_history, resolve
from ion.mail import recipients
from ionctl.ops.letter_remedy import remedy
from ionctl.ops.result import Letter

if TYPE_CHECKING:
    from ion.contract import Action
    from ion.message import Message


def as_read(letter: Message, *, with_body: bool) -> Letter:
    """A letter that was received.

    Args:
        letter: it.
        with_body: a list of many leaves the bodies out.
    """
    history = carried_history(letter)  # as it is written there: resolve begins another life
    reason, path, problem = reason_of(letter), history.path or "", history.problem or ""
    reply = letter.attributes.get(REPLY)
    asked: Action | None = None
    try:
        resolved, asked = resolve(letter)
        email_id = resolved.email_id
    except BadInput:
        email_id = named_history(letter).email_id
    send = asked if isinstance(asked, Send) else None
    return Letter(
        message_id=letter.id,
        email_id=email_id,
        reason=reason,
        path=path,
        problem=problem,
        did_you_mean=history.did_you_mean,
        hint=hint(reason, path, problem or None),
        remedy=remedy(reason),
        stage=history.stage or "",
        reply=str(reply.value) if reply else "",
        attempts=history.attempts,
        redrives=history.redrives,
        action=str(asked.__struct_config__.tag) if asked else "",
        recipients=_recipients(send) if send else [],
        subject=(send.subject or "") if send else "",
        left=list(history.left),
        lane=history.lane or (send.lane if send else None) or Lane.NORMAL,
        tags=history.tags or (given_tags(send.tags) if send else {}),
        first_queued_at=history.first_queued_at,
        died_at=history.failed_at,
        body=letter.body if with_body else "",
    )


def died_at(letter: Letter, message: Message) -> datetime:
    """When it died; of what SQS or SNS moved: when that came."""
    return letter.died_at or datetime.fromtimestamp(message.sent_at, UTC)


def _recipients(send: Send) -> list[str]:
    """Their addresses; none if one of them is no address."""
    try:
        return list(recipients(send))
    except BadInput:
        return []
