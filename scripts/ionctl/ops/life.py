"""The life of an email: where it stands, in words, by all that it has left behind."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from ion.mail import message_id_left
from ion.outcome import Reason
from ion.policy.lease import CLAIMED, DEAD, DOUBTED, PENDING, SENT, RowStatus
from ion.report.redact import id_in
from ionctl.ops import letters as dead
from ionctl.ops import log
from ionctl.ops.events import as_told, due_at
from ionctl.ops.result import Life, LifeState
from ionctl.ops.traces import USUAL_SPAN, traces
from ionctl.ops.verdict import moment
from ionctl.problem import Problem

if TYPE_CHECKING:
    from ionctl.ops.deployment import Deployment
    from ionctl.ops.log import Event
    from ionctl.ops.traces import Traces

_MESSAGE_ID = re.compile(r"<?([0-9a-f]{32})@[^@<>\s]+>?")
"""As ion writes it; its left part is made of the key, which it doesn't give away."""
_ADDRESS = re.compile(r"[^@\s<>]+@[^@\s<>]+\.[^@\s<>]+")
_WITH_KEY = ("sent", "deferred", "dead_lettered", "released")
_FATES = {
    PENDING: "waiting",
    CLAIMED: "sending",
    SENT: "sent",
    DEAD: "dead_lettered",
    DOUBTED: "in_doubt",
}
_STATES = {
    RowStatus.SENDING: LifeState.SENDING,
    RowStatus.DEFERRED: LifeState.DEFERRED,
    RowStatus.SENT: LifeState.SENT,
    RowStatus.BOUNCED: LifeState.DEAD_LETTERED,
    RowStatus.EXPIRED: LifeState.DEAD_LETTERED,
    RowStatus.IN_DOUBT: LifeState.IN_DOUBT,
    RowStatus.CANCELLED: LifeState.CANCELLED,
}


def life(
    deployment: Deployment,
    key: str,
    *,
    since: datetime | None = None,
    progress: dead.Progress = dead.silent,
) -> Life:
    """What became of an email.

    Args:
        deployment: the relay.
        key: the email's key, the SQS id of one of its messages, or its Message-ID.
        since: look through the log from then on; None: from when it was first queued, if that is
            known, else for a day.
        progress: is told of the look at dead letters.

    Raises:
        Problem: it is a Message-ID of no email in that part of the log, or an address.
    """
    named = _MESSAGE_ID.fullmatch(key.strip())
    asked = _key_of(deployment, named[1], since) if named else key.strip()
    found = traces(deployment, asked, since, progress)
    told = _told(found)
    if told.state is LifeState.NEVER_SEEN and _ADDRESS.fullmatch(asked):
        raise Problem(
            f"no email has the key {asked}, and emails can't be found by an address yet: take the "
            "email_id that the application published with, or see ionctl dead list"
        )
    return told


def _key_of(deployment: Deployment, left: str, since: datetime | None) -> str:
    """The key that a Message-ID was made of, among those in the log."""
    now = datetime.now(UTC)
    begin = since or now - USUAL_SPAN
    part = log.read(deployment, log.Wanted(_WITH_KEY), begin, now)
    for event in reversed(part.events):
        if message_id_left(key := event.text("email_id")) == left:
            return key
    until = f" and before {moment(part.until, now)}, where there was too much" if part.cut else ""
    raise Problem(
        f"no email in the log has that Message-ID, after {moment(begin, now)}{until}: it doesn't "
        "tell the key it was made of, so look further back with --since 7d, or take the email_id"
    )


def _told(found: Traces) -> Life:
    state, words = _state(found)
    fates = str(found.row.get("fates", "")) if found.row else ""
    sent = [one for one in found.events if one.name == "sent"]
    replies = [one.text("reply") for one in reversed(sent)]
    if found.row and found.row.get("reason") == Reason.ACCEPTED:
        replies.append(str(found.row.get("reply", "")))
    return Life(
        email_id=found.email_id,
        state=state,
        words=words,
        fates=[_FATES.get(one, "waiting") for one in fates],
        attempts=int(found.row.get("attempts") or 0) if found.row else 0,
        provider_id=next(filter(None, map(id_in, replies)), ""),
        next_try=_next_try(found) if state in (LifeState.DEFERRED, LifeState.SCHEDULED) else None,
        events=[as_told(one) for one in found.events],
        letters=found.letters,
        looked_back_to=found.since,
        unknown=found.unknown,
    )


def _state(found: Traces) -> tuple[LifeState, str]:
    if found.row is not None and found.row["status"] != RowStatus.QUEUED:
        return _by_row(found)
    if found.letters:
        return LifeState.DEAD_LETTERED, _dead(found)
    if found.events:
        return _by_log(found, found.events[-1])
    if found.place is not None:
        since = moment(found.place.since, found.at)
        return LifeState.QUEUED, (
            f"It is in the {found.place.queue} queue since {since}, and no run has looked at it "
            "yet: ionctl status says whether mail goes."
        )
    return LifeState.NEVER_SEEN, _never_seen(found)


def _by_row(found: Traces) -> tuple[LifeState, str]:
    """By what the ledger has."""
    row = found.row or {}
    state = _STATES.get(RowStatus(str(row["status"])), LifeState.SENDING)
    server, reply = str(row.get("server") or "the mail server"), str(row.get("reply") or "")
    at = moment(_time(row.get("updated_at"), found.at), found.at)
    words = f" ({reply})" if reply else ""
    match state:
        case LifeState.SENT:
            said = f"Sent: {server} took it at {at}{words}. What becomes of it there, its log says."
        case LifeState.SENDING:
            said = _sending(found)
        case LifeState.DEFERRED:
            said = _put_off(found, str(row.get("reason") or ""), reply)
        case LifeState.IN_DOUBT:
            said = (
                f"The mail server may have it: {row.get('reason') or 'IN_DOUBT'} at {at}{words}. "
                "Find out whether it has arrived; ionctl dead redrive sends it once more."
            )
        case LifeState.CANCELLED:
            said = f"Cancelled at {at}: no message of that email_id is sent."
        case _:
            said = _dead(found)
    return state, said


def _by_log(found: Traces, last: Event) -> tuple[LifeState, str]:
    """By the last event, where the ledger has nothing: the email was never claimed."""
    reason, at = last.text("reason"), moment(last.at, found.at)
    match last.name:
        case "deferred" if reason == Reason.SCHEDULED:
            due = moment(due_at(last), found.at)
            return LifeState.SCHEDULED, f"Scheduled: it isn't sent before {due}."
        case "deferred" | "released":
            return LifeState.DEFERRED, _put_off(found, reason, last.text("reply"))
        case "dead_lettered":
            return LifeState.DEAD_LETTERED, _dead(found)
        case "cancelled":
            return LifeState.CANCELLED, f"Cancelled at {at}: it isn't sent."
        case "done" if reason == Reason.CANCELLED:
            return LifeState.CANCELLED, f"Cancelled: its message was deleted at {at}."
        case "sent":
            return LifeState.SENT, f"Sent at {at}; the ledger has forgotten it since."
        case _:
            return LifeState.QUEUED, f"A run had it at {at}, and it waits for the next one."


def _sending(found: Traces) -> str:
    row = found.row or {}
    until = datetime.fromtimestamp(float(row.get("lease_until") or 0), UTC)
    if until > found.at:
        return (
            f"A run is at work on it, until {moment(until, found.at)} at the latest. If that run "
            "has died, it is taken up again then."
        )
    return (
        "A run died while it had it, or couldn't write down what came of it. It is taken up again "
        "by the next run that receives it: ionctl wake starts one."
    )


def _put_off(found: Traces, reason: str, reply: str) -> str:
    why = ": ".join(filter(None, (reason, reply)))
    due = _next_try(found)
    if due is None:
        when = "when the next try is due isn't in the log that was read"
    elif due <= found.at:
        when = f"due since {moment(due, found.at)}: ionctl status says whether mail goes"
    else:
        when = f"next try at {moment(due, found.at)}"
    attempts = int((found.row or {}).get("attempts") or 0)
    tried = f", tried {attempts} time{'s' * (attempts != 1)}" if attempts else ""
    return f"Put off ({why}){tried}; {when}."


def _next_try(found: Traces) -> datetime | None:
    put_off = [one for one in found.events if one.name == "deferred"]
    return due_at(put_off[-1]) if put_off else None


def _dead(found: Traces) -> str:
    """Why, and what may be done about its letter."""
    if found.letters:
        one = found.letters[-1]
        at = one.died_at or one.first_queued_at
        why = one.reply or " ".join(filter(None, (one.path, one.problem)))
        right = f"{one.did_you_mean}?" if one.did_you_mean else one.hint
        hint = f" ({right})" if right else ""
        left = f" for {len(one.left)} of its recipients" if one.left else ""
        return (
            f"Dead-lettered{left} at {moment(at, found.at)}, {one.reason}: {why}{hint}. "
            f"ionctl dead show {one.message_id}; then ionctl dead edit, redrive or discard."
        )
    row, events = found.row or {}, [one for one in found.events if one.name == "dead_lettered"]
    reason = str(row.get("reason") or (events[-1].text("reason") if events else ""))
    reply = str(row.get("reply") or (events[-1].text("reply") if events else ""))
    why = ": ".join(filter(None, (reason, reply)))
    if found.place is not None:
        since = moment(found.place.since, found.at)
        return f"Dead-lettered before ({why}), and back in the {found.place.queue} queue {since}."
    return (
        f"Dead-lettered ({why}), and its letter isn't in the queue any more: it was redriven, "
        "discarded, or is hidden by somebody who looks at it."
    )


def _never_seen(found: Traces) -> str:
    looked = f"the log since {moment(found.since, found.at)}"
    said = f"Never seen: neither ledger nor dead letters know it, nor {looked}"
    if found.unknown:
        said = f"Not found, as far as could be looked: {'; '.join(found.unknown)}"
    elif found.counted > found.seen:
        said += (
            f", and it isn't among the {found.seen:,} of {found.counted:,} queued messages that "
            "could be looked at"
        )
    else:
        said += ", and no queue has it"
    if _is_uuid(found.asked):
        said += (
            ". If that id is what SNS returned: it isn't on the message in the queue; take the "
            "email_id that was published, or look in the log for the time of the publish"
        )
    return f"{said}. Was it published to this relay's topic, under exactly this email_id?"


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False


def _time(written: object, otherwise: datetime) -> datetime:
    try:
        return datetime.fromisoformat(str(written))
    except ValueError:
        return otherwise
