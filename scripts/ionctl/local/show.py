"""How an email, a dead letter and a log event look on a terminal."""

import email.policy
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from email.parser import BytesHeaderParser
from typing import Any

from ion.contract.hints import hint
from ionctl.local.mail_session import Arrived
from ionctl.local.peek import Queued
from ionctl.ops.lines import notable
from ionctl.printable import printable

_BODY_CHARACTERS = 100


def arrived(one: Arrived) -> str:
    """Give one line: for whom an email is, and its subject."""
    headers = BytesHeaderParser(policy=email.policy.default).parsebytes(one.content)
    line = f"{clock(one.at)}  email for {', '.join(one.recipients)}"
    if subject := headers["Subject"]:
        line += f": {_shortened(str(subject))}"
    if not one.confirmed:
        line += " (connection lost before the relay was told)"
    return printable(line)


def clock(at: datetime | None = None) -> str:
    """Give a time of day as the log and the console have it, in UTC; None: now."""
    return f"{(at or datetime.now(UTC)).astimezone(UTC):%H:%M:%SZ}"


def dead_letter(one: Queued) -> str:
    """Give one line: why, and the beginning of the message."""
    return printable(f"dead-lettered {why(one)}: {_shortened(one.body)}")


def why(dead: Queued) -> str:
    """Give what is written on a dead letter: the reason, the reply, and what is wrong where."""
    attributes, history = dead.attributes, provenance(dead)
    reason = attributes.get("reason", "without a reason: SQS moved it, or SNS")
    reply, where = attributes.get("reply", ""), history.get("path") or ""
    problem, meant = history.get("problem"), history.get("did_you_mean")
    if problem:
        where += f" {problem}, did you mean {meant}?" if meant else f" {problem}"
    if where == "$" and reply:  # the message as a whole: nothing that helps
        where = ""
    right = hint(reason, history.get("path") or "", problem)
    said = ": ".join(filter(None, (reply, where)))
    return f"{reason} {said}".strip() + (f" ({right})" if right else "")


def provenance(message: Queued) -> dict[str, Any]:
    """Give what ion wrote on a message about where it comes from; {} if it hasn't yet."""
    written: dict[str, Any] = json.loads(message.attributes.get("ion", "{}"))
    return written


def event(record: Mapping[str, Any]) -> str | None:
    """Give one line for an event of the function's log that a person should see, or None."""
    told = notable(record)
    return None if told is None else printable(told)


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _BODY_CHARACTERS else f"{line[:_BODY_CHARACTERS]}…"
