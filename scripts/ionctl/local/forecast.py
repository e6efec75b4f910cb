"""What the relay would do with a message, in a line of words. Nothing is sent, moved or deleted."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ion.contract import (
    BadInput,
    Cancel,
    Lane,
    Pause,
    Redrive,
    Resume,
    S3Object,
    Send,
    Stop,
    claim_check,
)
from ion.contract.hints import hint
from ion.delivery import Delivery, Status
from ion.drain.claim_checks import ClaimChecks
from ion.drain.suppression_list import Looked, SuppressionList, addressed, left_out
from ion.drain.templating import filled
from ion.drain.unfetched import UnfetchedError
from ion.envelope import Email
from ion.history import Fetched, History, resolve, since
from ion.limits import MOST_RECEIVES, SKEW_SECONDS
from ion.mail import check
from ion.message import Message, Source
from ion.outcome import Reason
from ion.policy.control import Control
from ion.policy.guard import StagingGuard
from ion.policy.schedule import begins_at, ends_at
from ion.template import FilesUnavailableError, Renderer
from ionctl.local.orders import in_words
from ionctl.ops.result import Moved

NOT_KNOWN = "not-known@sender.invalid"
"""The sender, where it isn't known."""
_FRESH_SECONDS = 60
_FETCH_SECONDS = 30
_OVER = frozenset({"sent", "cancelled"})
"""States of the ledger's row with which nothing more is sent."""


@dataclass(frozen=True, slots=True)
class Relay:
    """What a relay goes by.

    Args:
        sender: From, of emails that name none; None: they are dead-lettered.
        control: what operators have asked for.
        claim_checks: fetches what messages point to; None: it can't be.
        count: the dead letters that a redrive is about; None: they can't be looked at.
        states: of emails in the ledger, by their keys.
        suppression_list: who must not be written to; None: it can't be looked at.
    """

    sender: str | None
    renderer: Renderer
    guard: StagingGuard
    control: Control = field(default_factory=Control)
    claim_checks: ClaimChecks | None = None
    count: Callable[[Redrive], Moved] | None = None
    states: Callable[[Sequence[str]], Mapping[str, str]] = lambda _keys: {}
    suppression_list: SuppressionList | None = None
    now: Callable[[], float] = time.time


def would(message: Message, relay: Relay) -> str:
    """Say what would become of a message, if it were received now."""
    if message.receives >= MOST_RECEIVES - 1:  # the next receive is the function's
        return f"would be dead-lettered: {Reason.POISON}"
    try:
        fetched = asyncio.run(_fetched(message, relay.claim_checks))
        history, action = resolve(message, fetched)
        if isinstance(action, Send):
            return _would_send(message, history, action, relay)
    except BadInput as bad:
        right = hint(bad.reason, bad.path, bad.problem)
        return f"would be dead-lettered: {bad}" + (f" ({right})" if right else "")
    except UnfetchedError as error:
        dead = error.fate(relay.now() - message.sent_at).status is Status.DEAD
        return f"would {'be dead-lettered' if dead else 'wait'}: {error}"
    except FilesUnavailableError as error:
        return f"would wait: {Reason.TEMPLATE_UNAVAILABLE}, {error}"
    except _NotFetchedError as error:
        return str(error)
    return _would_carry_out(message, history, action, relay)


class _NotFetchedError(Exception):
    """What a message points to isn't looked at; the text is what to say."""


async def _fetched(message: Message, claim_checks: ClaimChecks | None) -> Fetched | None:
    claim = claim_check(message.body)
    if claim is None:
        return None
    where = "in S3" if isinstance(claim, S3Object) else "in the outbox"
    if claim_checks is None:
        raise _NotFetchedError(f"would be fetched first: it says only that the message is {where}")
    if isinstance(claim, S3Object):
        return await claim_checks.from_s3(message, claim, _FETCH_SECONDS)
    found = (await claim_checks.from_outbox([message])).get(0)
    if isinstance(found, UnfetchedError):
        raise found
    return found  # None: there is no outbox, and it is bad input


def _would_send(message: Message, history: History, send: Send, relay: Relay) -> str:
    now, key = relay.now(), history.email_id
    if (state := relay.states([key]).get(key)) in _OVER:
        return f"would not be sent: {key} is {state} already, as the ledger has it"
    begins = begins_at(send, since(message, history), now)
    if begins is not None:
        return f"would wait until {_written(begins + SKEW_SECONDS)}: not_before"
    if ends_at(send) <= now:
        return f"would be dead-lettered: {BadInput(Reason.EXPIRED, '$.expires_at')}"
    lane = _lane(message, history, send)
    if lane in relay.control.paused_lanes(now):
        until = max(
            one.until for one in relay.control.pauses_at(now) if one.lane in (None, lane)
        ).timestamp()
        return f"would wait: {lane} mail is paused until {_written(until)}"
    if send.template:
        relay.renderer.files.refresh(now - _FRESH_SECONDS)
    asked, send = send, filled(send, relay.renderer)
    checked = check(send, key=key, default_sender=relay.sender)
    everybody = checked.envelope.recipients
    left = [i for i in history.left if i < len(everybody)] or list(range(len(everybody)))
    stop = relay.control.stop_about(asked, now, key=key, left=left, default_sender=relay.sender)
    if stop is not None:
        return f"would be dead-lettered: {Reason.STOPPED}, {stop.said}"
    looked = Looked()
    if relay.suppression_list is not None:
        email_of = {key: addressed(checked.envelope, left, history)}
        looked = asyncio.run(relay.suppression_list.look(email_of))
    if looked.unknown:
        return f"would wait: the suppression list can't be read, {looked.code}"
    fates = left_out(looked.barred.get(key, {}))
    barred = {i for fate in fates for i in fate.recipients}
    not_sent = "; ".join(_not_sent(fate, everybody) for fate in fates)
    if not (left := [i for i in left if i not in barred]):
        return f"would {not_sent}"
    email = checked.email(history.first_queued_at, dict.fromkeys(checked.objects, ()))
    line = _would_go(email, len(checked.objects), left, relay.guard)
    line += f"; and {not_sent}" if not_sent else ""
    return f"{line}, as bulk" if lane is Lane.BULK else line


def _not_sent(fate: Delivery, everybody: Sequence[str]) -> str:
    names = ", ".join(everybody[i] for i in fate.recipients)
    why = ": ".join(filter(None, (fate.outcome.reason.value, fate.reply)))
    return f"not be sent to {names}, {why}"


def _lane(message: Message, history: History, send: Send) -> Lane:
    is_bulk = message.source is Source.BULK or Lane.BULK in (send.lane, history.lane)
    return Lane.BULK if is_bulk else Lane.NORMAL


def _would_go(email: Email, objects: int, left: Iterable[int], guard: StagingGuard) -> str:
    everybody = email.envelope.recipients
    if path := guard.forbidden_sender(email.envelope):
        return f"would be dead-lettered: {BadInput(Reason.GUARDED, path)}"
    routes = guard.routes(everybody, left)
    goes_to = [everybody[i] for i in routes.themselves]
    if routes.redirected:
        originals = ", ".join(everybody[i] for i in routes.redirected)
        goes_to.append(f"{guard.redirect_to} (in place of {originals})")
    left_out = ", ".join(everybody[i] for i in routes.left_out)
    buried = f"be dead-lettered for {left_out}: {Reason.GUARDED}" if left_out else ""
    if not goes_to:
        return f"would {buried}"
    _, sender = email.envelope.senders
    if sender == NOT_KNOWN:
        sender = "a sender that isn't known here"
    files = f" and {objects} object{'s'[: objects > 1]} of S3" if objects else ""
    return (
        f"would go from {sender} to {', '.join(goes_to)}: {email.subject!r}, "
        f"{email.size} bytes{files}"
    ) + (f"; and {buried}" if buried else "")


def _would_carry_out(
    message: Message,
    history: History,
    action: Redrive | Cancel | Stop | Pause | Resume,
    relay: Relay,
) -> str:
    line = f"would {in_words(action, history)}"
    if isinstance(action, Redrive) and relay.count is not None:
        return f"{line}; {_counted(relay.count(action))}"
    if isinstance(action, Stop | Pause):
        published_at = since(message, history)
        why = relay.control.why_without_effect(action, published_at, relay.now())
        return f"{line}: without effect, {why}" if why else line
    if isinstance(action, Cancel):
        state = relay.states([action.email_id]).get(action.email_id)
        return f"{line}: the ledger has it as {state}" if state else line
    if isinstance(action, Resume):
        now, control = relay.now(), relay.control
        return f"{line}: {len(control.pauses_at(now))} and {len(control.stops_at(now))} now"
    return line


def _counted(found: Moved) -> str:
    reasons = ", ".join(f"{one.reason} {one.count}" for one in found.reasons)
    line = f"{found.chosen} now" + (f" ({reasons})" if reasons else "")
    if found.refused:
        line += f", of which {found.refused} have come back too often and stay"
    return line + (f"; {found.hidden} are hidden" if found.hidden else "")


def _written(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
