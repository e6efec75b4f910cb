"""The email that an id belongs to which isn't its key: Message-ID, a mail server's id, SNS's id."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from ion.aws.errors import AWS_ERRORS, code_of
from ion.mail import message_id_left
from ionctl.ops import letters as dead
from ionctl.ops import log, rows
from ionctl.ops.deployment import said
from ionctl.ops.publishes import Publishes, sqs_ids
from ionctl.ops.traces import USUAL_SPAN
from ionctl.ops.verdict import moment
from ionctl.problem import Problem

if TYPE_CHECKING:
    from ionctl.ops.deployment import Deployment

_MESSAGE_ID = re.compile(r"<([^<>\s]+)>|([0-9a-f]{32}@[^@<>\s]+)")
"""In angle brackets anything; without them as ion writes it."""
_IONS = re.compile(r"([0-9a-f]{32})@[^@]+")
"""The left part is made of the key, which it doesn't give away."""
_QUEUE_ID = re.compile(r"[0-9A-Za-z_.-]{8,80}")
"""As SES, Postfix, Exim, SendGrid, Gmail and Exchange (InternalId) call an email."""
_EXCHANGE = re.compile(r"\[?InternalId=(\d{8,20})\]?")
_WITH_KEY = ("sent", "deferred", "dead_lettered", "released")


@dataclass(slots=True)
class Other:
    """What an id led to.

    Args:
        key: the email's; empty: to nothing.
        unknown: what could not be looked at, in words.
        hint: for people, where it led to nothing.
    """

    key: str = ""
    unknown: list[str] = field(default_factory=list)
    hint: str = ""


def message_id_in(text: str) -> str:
    """A Message-ID in angle brackets; empty: the text is none."""
    found = _MESSAGE_ID.fullmatch(text)
    return f"<{found[1] or found[2]}>" if found else ""


def key_by_message_id(
    deployment: Deployment,
    message_id: str,
    since: datetime | None,
    *,
    scan: bool = False,
    progress: dead.Progress = dead.silent,
) -> str:
    """The key of the email with that Message-ID: by the table's index, if there is one, or the log.

    Args:
        deployment: whose.
        message_id: in angle brackets.
        since: look through the log from then on; None: for a day.
        scan: look through the whole ledger, too.
        progress: is told of that.

    Raises:
        Problem: none is found.
    """
    if key := rows.by_message_id(deployment, message_id):
        return key
    now = datetime.now(UTC)
    begin = since or now - USUAL_SPAN
    part = log.read(deployment, log.Wanted(header_message_id=message_id), begin, now)
    if part.events:
        return part.events[-1].text("email_id")
    if left := _IONS.fullmatch(message_id[1:-1]):  # events of earlier versions don't have it
        part = log.read(deployment, log.Wanted(_WITH_KEY), begin, now)
        for event in reversed(part.events):
            if message_id_left(key := event.text("email_id")) == left[1]:
                return key
    if scan:
        found = rows.scan(deployment, rows.is_("header_message_id", message_id), progress)
        if found.items:
            return rows.key_of(found.items[0])
    until = f" and before {moment(part.until, now)}, where there was too much" if part.cut else ""
    ledger = ", and no row of the ledger" if scan else ""
    further = "" if scan else ", with --scan through the whole ledger"
    raise Problem(
        f"no email in the log has that Message-ID, after {moment(begin, now)}{until}{ledger}: it "
        "doesn't tell the key it was made of, so look further back with --since 7d"
        f"{further}, or take the email_id"
    )


def key_by_other_ids(
    deployment: Deployment,
    asked: str,
    since: datetime | None,
    *,
    scan: bool = False,
    progress: dead.Progress = dead.silent,
) -> Other:
    """The key of the email that a mail server calls so, or of whose publish SNS did.

    Args:
        deployment: whose.
        asked: the id.
        since: look through the logs from then on; None: for a day.
        scan: look through the whole ledger, too.
        progress: is told of that.
    """
    other = Other()
    if _is_uuid(asked):
        _by_sns_id(deployment, asked, since, other)
    if not other.key and (name := _queue_id_in(asked)):
        key = _by_queue_id(deployment, name, since)
        if scan and not key:
            found = rows.scan(deployment, rows.is_("queue_id", name), progress)
            key = rows.key_of(found.items[0]) if found.items else ""
        other.key = key
    return other


def _by_queue_id(deployment: Deployment, name: str, since: datetime | None) -> str:
    begin = since or datetime.now(UTC) - USUAL_SPAN
    try:
        part = log.read(deployment, log.Wanted(("sent",), queue_id=name), begin)
    except AWS_ERRORS:
        return ""  # the look at the log for a key has said so already
    return part.events[-1].text("email_id") if part.events else ""


def _by_sns_id(deployment: Deployment, asked: str, since: datetime | None, other: Other) -> None:
    begin = since or datetime.now(UTC) - USUAL_SPAN
    try:
        found = sqs_ids(deployment, asked, begin)
    except AWS_ERRORS as error:
        other.unknown.append(f"SNS's delivery log: {said(error)}")
        other.hint = (
            f"If that id is what SNS returned: its delivery log can't be read ({code_of(error)})"
        )
        return
    if found.ids:
        other.key = found.ids[0]
    else:
        other.hint = _why_sns_leads_nowhere(found, begin)


def _why_sns_leads_nowhere(found: Publishes, begin: datetime) -> str:
    better = (
        "An email_id of the publisher's own is the better way: it is found at once, and a publish "
        "that is repeated is sent once"
    )
    if not found.is_on:
        return (
            "If that id is what SNS returned: it isn't on the message in the queue, and SNS's "
            "delivery log, which knows both ids, is off: Terraform's log_publishes turns it on, "
            f"for publishes from then on. {better}"
        )
    if found.failed:
        return f"SNS couldn't put that publish into its queue: {found.failed}"
    since = moment(begin, datetime.now(UTC))
    return (
        f"If that id is what SNS returned: SNS's delivery log has no such publish since {since}; "
        f"--since looks further back, and log_publishes says what share is logged. {better}"
    )


def _queue_id_in(asked: str) -> str:
    """What a mail server may call an email; empty: none calls it so."""
    if exchange := _EXCHANGE.fullmatch(asked):
        return exchange[1]
    return asked if _QUEUE_ID.fullmatch(asked) else ""


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False
