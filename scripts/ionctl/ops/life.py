"""The life of an email: where it stands, in words, by all that it has left behind."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from ion.outcome import Reason
from ion.policy.lease import CLAIMED, DEAD, DOUBTED, PENDING, SENT, SUPPRESSED, RowStatus
from ion.report.redact import id_in
from ionctl.ops import letters as dead
from ionctl.ops.events import as_told, due_at, edit_of, moment_of
from ionctl.ops.ids import key_by_message_id, key_by_other_ids, message_id_in
from ionctl.ops.result import Life, LifeState, Verdict
from ionctl.ops.status import status
from ionctl.ops.timeline import merged, notice_words, notices
from ionctl.ops.traces import traces
from ionctl.ops.verdict import moment
from ionctl.problem import Problem
from ionctl.program import command

if TYPE_CHECKING:
    from ion.aws.table import Item
    from ionctl.ops.deployment import Deployment
    from ionctl.ops.log import Event
    from ionctl.ops.traces import Traces

_KEEPS_MAIL = (Verdict.MISCONFIGURED, Verdict.DISABLED, Verdict.PAUSED, Verdict.HELD)
FATES = {
    PENDING: "waiting",
    CLAIMED: "sending",
    SENT: "sent",
    DEAD: "dead_lettered",
    DOUBTED: "in_doubt",
    SUPPRESSED: "suppressed",
}
"""Of a recipient, in a word: a character of the row's `fates`."""
_STATES = {
    RowStatus.QUEUED: LifeState.QUEUED,
    RowStatus.SENDING: LifeState.SENDING,
    RowStatus.DEFERRED: LifeState.DEFERRED,
    RowStatus.SENT: LifeState.SENT,
    RowStatus.BOUNCED: LifeState.DEAD_LETTERED,
    RowStatus.EXPIRED: LifeState.DEAD_LETTERED,
    RowStatus.IN_DOUBT: LifeState.IN_DOUBT,
    RowStatus.CANCELLED: LifeState.CANCELLED,
    RowStatus.SUPPRESSED: LifeState.SUPPRESSED,
}


_OWN = {
    CLAIMED: LifeState.SENDING,
    DEAD: LifeState.DEAD_LETTERED,
    DOUBTED: LifeState.IN_DOUBT,
    SUPPRESSED: LifeState.SUPPRESSED,
}
"""Of a recipient's fate."""


def life(
    deployment: Deployment,
    key: str,
    *,
    since: datetime | None = None,
    scan: bool = False,
    with_cause: bool = False,
    progress: dead.Progress = dead.silent,
) -> Life:
    """What became of an email.

    Args:
        deployment: the relay.
        key: the email's key, the SQS id of one of its messages, its Message-ID, what the mail
            server calls it, or the id that SNS returned for its publish.
        since: look through the log from then on; None: from when it was first queued, if that is
            known, else for a day.
        scan: look through the whole ledger, too, for a Message-ID or a mail server's id.
        with_cause: where it only waits, look at the relay, too, for what keeps mail from going.
        progress: is told of the look at dead letters, or of the scan.

    Raises:
        Problem: it is empty, or a Message-ID of no email in that part of the log.
    """
    if not (asked := key.strip()):
        raise Problem("an id that is empty is no email's: name one")
    if message_id := message_id_in(asked):
        asked = key_by_message_id(deployment, message_id, since, scan=scan, progress=progress)
    found = traces(deployment, asked, since, progress)
    if not found.is_seen:
        other = key_by_other_ids(deployment, asked, since, scan=scan, progress=progress)
        if other.key:
            found = traces(deployment, other.key, since, progress)
        found.unknown += other.unknown
        found.hint = other.hint
    told = _told(found)
    return _with_cause(deployment, told, found.at) if with_cause else told


def _with_cause(deployment: Deployment, told: Life, at: datetime) -> Life:
    """The same, with what keeps its mail from going and what to do, if something does."""
    is_due = told.next_try is None or told.next_try <= at
    if told.state not in (LifeState.QUEUED, LifeState.DEFERRED) or not is_due:
        return told
    relay = status(deployment, letters=False)
    if relay.verdict not in _KEEPS_MAIL:
        return told
    what = told.words.replace(_whether(), "")
    return msgspec.structs.replace(told, words=f"{what} {relay.words}")


def _whether() -> str:
    """Where to see whether mail goes, for those who haven't looked."""
    return f": {command('status')} says whether mail goes"


def _told(found: Traces) -> Life:
    state, words = _state(found)
    row = found.row or {}
    fates = str(row.get("fates", ""))
    sent = [one for one in found.events if one.name == "sent"]
    replies = [one.text("reply") for one in reversed(sent)]
    if row.get("reason") == Reason.ACCEPTED:
        replies.append(str(row.get("reply", "")))
    edit = edit_of(row)
    events = merged(found.row, found.events, [as_told(one) for one in found.events])
    events += [edit] if edit else []
    return Life(
        email_id=found.email_id,
        state=state,
        words=words,
        fates=[FATES.get(one, "waiting") for one in fates],
        attempts=int(row.get("attempts") or 0),
        provider_id=str(row.get("queue_id") or "") or next(filter(None, map(id_in, replies)), ""),
        next_try=_next_try(found) if state in (LifeState.DEFERRED, LifeState.SCHEDULED) else None,
        events=sorted(events, key=lambda one: one.at),
        letters=found.letters,
        looked_back_to=found.since,
        unknown=found.unknown,
        queued_at=moment_of(row.get("first_queued_at")),
        changed_at=moment_of(row.get("updated_at")),
        server=str(row.get("server") or ""),
        reply=str(row.get("reply") or ""),
        header_message_id=_text(found, "header_message_id"),
        notices=notices(row),
    )


def _text(found: Traces, name: str) -> str:
    """A value of the row; where it has none, of the log."""
    in_log = [one.text(name) for one in reversed(found.events)]
    return next(filter(None, (str((found.row or {}).get(name) or ""), *in_log)), "")


def _state(found: Traces) -> tuple[LifeState, str]:
    if found.row is not None and found.row["status"] != RowStatus.QUEUED:
        return _by_row(found)
    if found.letters:
        return LifeState.DEAD_LETTERED, _dead(found)
    if found.events:
        return _by_log(found, found.events[-1])
    if found.row is not None:
        return _by_row(found)
    if found.place is not None:
        since = moment(found.place.since, found.at)
        return LifeState.QUEUED, (
            f"It is in the {found.place.queue} queue since {since}, and no run has looked at it "
            f"yet{_whether()}."
        )
    return LifeState.NEVER_SEEN, _never_seen(found)


def state_of(row: Item) -> LifeState:
    """Where the ledger's row says that an email stands."""
    state = _STATES.get(RowStatus(str(row["status"])), LifeState.SENDING)
    if state is LifeState.SENT and any(one.what == "bounced" for one in notices(row)):
        return LifeState.BOUNCED
    return state


def state_for(row: Item, recipient: int) -> LifeState:
    """Where the ledger's row says that an email stands for one of its recipients, by its index."""
    fate = str(row.get("fates") or "")[recipient : recipient + 1]
    if fate == SENT:
        bounced = recipient in _bounced(row)
        return LifeState.BOUNCED if bounced else LifeState.SENT
    return _OWN.get(fate) or state_of(row)  # undecided: as the email


def _bounced(row: Item) -> set[int]:
    """Indexes of the recipients whom the provider couldn't deliver it to."""
    everybody = range(len(str(row.get("fates") or "")))
    whom = {one.recipient for one in notices(row) if one.what == "bounced"}
    return {*everybody} if None in whom else {one for one in whom if one is not None}


def _by_row(found: Traces) -> tuple[LifeState, str]:
    """By what the ledger has."""
    row = found.row or {}
    state, afterwards = state_of(row), notices(row)
    server, reply = str(row.get("server") or "the mail server"), str(row.get("reply") or "")
    at = moment(moment_of(row.get("updated_at")) or found.at, found.at)
    words = f" ({reply})" if reply else ""
    match state:
        case LifeState.SENT:
            told = notice_words(afterwards, found.at) or "What becomes of it there, its log says."
            said = f"{_shares(row) or 'Sent'}: {server} took it at {at}{words}. {told}"
        case LifeState.BOUNCED:
            shares = _shares(row)
            taken = f"{shares}: {server} took it" if shares else f"Bounced after {server} took it"
            said = (
                f"{taken} at {at}{words}. "
                f"{notice_words(afterwards, found.at)} The address may be wrong: ask for another."
            )
        case LifeState.QUEUED:
            said = _waits(found)
        case LifeState.SUPPRESSED:
            said = _suppressed(row, at)
        case LifeState.SENDING:
            said = _sending(found)
        case LifeState.DEFERRED:
            said = _put_off(found, str(row.get("reason") or ""), reply)
        case LifeState.IN_DOUBT:
            said = (
                f"The mail server may have it: {row.get('reason') or 'IN_DOUBT'} at {at}{words}. "
                f"Find out whether it has arrived; {command('dead redrive')} sends it once more."
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


def _shares(row: Item) -> str:
    """Of an email that some of its recipients got and others didn't: how many; else empty."""
    fates = str(row.get("fates") or "")
    own = Counter(state_for(row, recipient) for recipient in range(len(fates)))
    got = own.pop(LifeState.SENT, 0)
    if not got or not own:
        return ""
    others = ", ".join(f"{count} {str(state).replace('_', ' ')}" for state, count in own.items())
    return f"Sent to {got} of {len(fates)}; {others}"


def _waits(found: Traces) -> str:
    """A row that was made when a run received the email, and could only let it wait."""
    row = found.row or {}
    since = moment(moment_of(row.get("first_queued_at")) or found.at, found.at)
    reason = str(row.get("reason") or "")
    return (
        f"Received, and waits since {since}{f' ({reason})' if reason else ''}: it hasn't been "
        f"tried yet{_whether()}."
    )


def _suppressed(row: Item, at: str) -> str:
    if row.get("reason") == Reason.ERASED:
        return (
            f"Not sent, decided at {at}: what is known of its recipient was erased "
            f"({command('erase')}) after it was published."
        )
    return (
        f"Not sent, decided at {at}: each of its recipients is on the suppression list. "
        f"{command('suppress check')} ADDRESS says since when and why, "
        f"{command('suppress remove')} ADDRESS takes one off; put "
        "in the recipient's address, which the ledger hasn't. Then it has to be published anew, "
        "under another email_id."
    )


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
        f"by the next run that receives it: {command('wake')} starts one."
    )


def _put_off(found: Traces, reason: str, reply: str) -> str:
    why = ": ".join(filter(None, (reason, reply)))
    due = _next_try(found)
    if due is None:
        when = "when the next try is due isn't in the log that was read"
    elif due <= found.at:
        when = f"due since {moment(due, found.at)}{_whether()}"
    else:
        when = f"next try at {moment(due, found.at)}"
    attempts = int((found.row or {}).get("attempts") or 0)
    tried = f", tried {attempts} time{'s' * (attempts != 1)}" if attempts else ""
    return f"Deferred ({why}){tried}; {when}."


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
            f"{command('dead show')} {one.message_id}; then {command('dead edit')}, "
            "redrive or discard."
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
        said = (
            f"Not found: {found.counted - found.seen:,} of {found.counted:,} queued messages can't "
            "be looked at, and what was published lately may be one of them. Neither ledger nor "
            f"dead letters know it, nor {looked}"
        )
    else:
        said += ", and no queue has it"
    if found.hint:
        said += f". {found.hint}"
    return f"{said}. Was it published to this relay's topic, under exactly this email_id?"
