"""Pause, stop, resume, cancel and wake: what an operator orders, past the queue."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import msgspec

from ion.aws.control import ControlRow
from ion.aws.errors import AWS_ERRORS
from ion.aws.ledger import Ledger
from ion.aws.table import Table
from ion.policy.control import TooManyStopsError, noted, over_already
from ion.policy.lease import Cancelling, RowStatus
from ionctl.ops.on_table import on_table
from ionctl.ops.result import Cancelled, InForce, PauseInForce, StopInForce
from ionctl.ops.verdict import moment
from ionctl.problem import Problem
from ionctl.program import command

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ion.contract import Lane, Pause, Stop, StopWhere
    from ion.policy.control import Control
    from ionctl.ops.deployment import Deployment

_OBEYED_SECONDS = 10
"""After which every running function has read the row, or sends nothing more."""
_MOST_SAID = 1000
"""Characters of who and why, as the row takes them."""
_CANCELLED = {
    Cancelling.CANCELLED: "cancelled",
    Cancelling.UNTRIED: "cancelled; nothing of that id has been tried yet: it may be queued, "
    "scheduled, still to come, or have another id",
    Cancelling.TOO_LATE: "too late: it is under way, or has had its fate",
}


def in_force(deployment: Deployment) -> InForce:
    """What is in force. Raises Problem: the table can't be used."""
    control = on_table(deployment, _row(deployment).read())
    return _in_force(control, "nothing is paused or stopped")


def pause(deployment: Deployment, order: Pause, *, by: str, why: str = "") -> InForce:
    """Let mail wait: all of it, or a lane's.

    Raises:
        Problem: it would be over already, or the table can't be used.
    """
    now = _begins(order)
    control = _change(
        deployment, lambda was: was.with_pause(order, now, by=said(by), why=said(why))
    )
    what = f"{order.lane} mail" if order.lane else "everything"
    return _in_force(control, f"{what} is paused: {_obeyed(now)}, and mail waits")


def stop(deployment: Deployment, order: Stop, *, by: str, why: str = "") -> InForce:
    """Let emails be dead-lettered as STOPPED, those to come as well.

    Raises:
        Problem: it would be over already, there are too many, or the table can't be used.
    """
    now, new_id = _begins(order), uuid4().hex[:8]

    def changed(was: Control) -> Control:
        return was.with_stop(order, now, by=said(by), why=said(why), new_id=new_id)

    try:
        control = _change(deployment, changed)
    except TooManyStopsError as error:
        raise Problem(str(error)) from error
    name = control.stops[-1].id
    return _in_force(control, f"stop {name} is in force: {_obeyed(now)}")


def resume(
    deployment: Deployment, *, by: str, lane: Lane | None = None, stop_id: str | None = None
) -> InForce:
    """End what is in force, and wake the relay.

    Args:
        deployment: whose.
        by: who asks for it.
        lane: only the pause of that lane.
        stop_id: only that stop. Neither: everything; that mends a damaged row as well.

    Raises:
        Problem: there is no such pause or stop, or the table can't be used.
    """
    now, row = time.time(), _row(deployment)
    if lane is None and stop_id is None:
        control = on_table(deployment, row.clear(now, said(by)))
        what = "every pause and every stop is over"
    elif stop_id is not None:
        before = on_table(deployment, row.read())
        if stop_id not in [one.id for one in before.stops_at(now)]:
            raise Problem(
                f"no stop {stop_id} is in force: {command('status')} shows those that are"
            )
        control = _change(deployment, lambda was: was.without_stop(stop_id))
        what = f"stop {stop_id} is over"
    else:
        before = on_table(deployment, row.read())
        if lane not in [one.lane for one in before.pauses_at(now)]:
            raise Problem(
                f"{lane} mail has no pause of its own: {command('status')} shows what is paused"
            )
        control = _change(deployment, lambda was: was.without_pause(lane))
        what = f"the pause of {lane} mail is over"
    woken = "the relay is awake"
    try:
        wake(deployment)
    except AWS_ERRORS:
        woken = "what waits goes out when a message, an alarm or the schedule wakes the relay next"
    return _in_force(control, f"{what}: {woken}")


def cancel(deployment: Deployment, email_id: str, *, by: str = "") -> Cancelled:
    """Let an email not be sent, unless it is too late. Raises Problem: the table can't be used."""
    ledger = Ledger(deployment.account.dynamodb, deployment.table)
    how = on_table(deployment, ledger.cancel(email_id, time.time(), said(by)))
    words = _CANCELLED[how]
    if how is Cancelling.TOO_LATE:
        table = Table(deployment.account.dynamodb, deployment.table)
        row = on_table(deployment, table.read([email_id])).get(email_id, {})
        words = _too_late(row)
    return Cancelled(email_id=email_id, how=how, words=words)


def wake(deployment: Deployment) -> None:
    """Let the relay look at its queues now, without waiting for it. Raises botocore's errors."""
    deployment.account.functions.invoke(FunctionName=deployment.name, InvocationType="Event")


def pauses_in_force(control: Control | None, at: datetime) -> list[PauseInForce]:
    """Those that haven't ended; None: what is in force isn't known."""
    return [
        PauseInForce(
            lane=one.lane, until=one.until.astimezone(UTC), by=one.by, why=one.why, at=one.at
        )
        for one in (control.pauses_at(at.timestamp()) if control else ())
    ]


def stops_in_force(control: Control | None, at: datetime) -> list[StopInForce]:
    """The same of stops."""
    return [
        StopInForce(
            id=one.id,
            where=_given(one.where) if one.where else None,
            until=one.until.astimezone(UTC),
            by=one.by,
            why=one.why,
            stopped=one.stopped,
            at=one.at,
        )
        for one in (control.stops_at(at.timestamp()) if control else ())
    ]


def said(words: str) -> str:
    """Words as the row takes them."""
    return noted(words, _MOST_SAID)


# -- how ---------------------------------------------------------------------------------


def _row(deployment: Deployment) -> ControlRow:
    return ControlRow(deployment.account.dynamodb, deployment.table)


def _begins(order: Pause | Stop) -> float:
    """Now; raises Problem: it would be over."""
    now = time.time()
    if over := over_already(order, now):
        raise Problem(f"until {order.until}: {over}, nothing is changed")
    return now


def _change(deployment: Deployment, change: Callable[[Control], Control]) -> Control:
    return on_table(deployment, _row(deployment).change(change))


def _too_late(row: Mapping[str, object]) -> str:
    """What the email has come to, by its row of the ledger."""
    try:
        at = f" at {moment(datetime.fromisoformat(str(row['updated_at'])), datetime.now(UTC))}"
    except (KeyError, ValueError):
        at = ""
    match row.get("status"):
        case RowStatus.SENT:
            return f"too late: sent{at}"
        case RowStatus.SENDING:
            return f"too late: it is being sent, since {at.removeprefix(' at ') or 'just now'}"
        case RowStatus.BOUNCED | RowStatus.EXPIRED:
            return f"too late: dead-lettered{at}, so it isn't sent as it is"
        case RowStatus.IN_DOUBT:
            return f"too late: the mail server may have it, since {at.removeprefix(' at ')}"
        case _:
            return _CANCELLED[Cancelling.TOO_LATE]


def _in_force(control: Control, words: str) -> InForce:
    now = datetime.now(UTC)
    return InForce(
        pauses=pauses_in_force(control, now), stops=stops_in_force(control, now), words=words
    )


def _obeyed(now: float) -> str:
    at = datetime.fromtimestamp(now, UTC) + timedelta(seconds=_OBEYED_SECONDS)
    return f"every running function obeys by {at:%H:%M:%S}Z"


def _given(where: StopWhere) -> dict[str, object]:
    """The conditions that are given."""
    named: dict[str, object] = msgspec.to_builtins(where)
    return {name: value for name, value in named.items() if value is not None}
