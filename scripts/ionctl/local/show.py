"""How an email, a dead letter and a log event look on a terminal."""

import email.policy
import json
from collections.abc import Mapping
from email.parser import BytesHeaderParser
from typing import Any

from ion.contract.hints import hint
from ion.outcome import Reason
from ionctl.local.mail_session import Arrived
from ionctl.local.peek import Queued

_BODY_CHARACTERS = 100


def arrived(one: Arrived) -> str:
    """Give one line: for whom an email is, and its subject."""
    headers = BytesHeaderParser(policy=email.policy.default).parsebytes(one.content)
    line = f"{one.at.astimezone():%H:%M:%S}  email for {', '.join(one.recipients)}"
    if subject := headers["Subject"]:
        line += f": {_shortened(str(subject))}"
    if not one.confirmed:
        line += " (connection lost before the relay was told)"
    return printable(line)


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
    if record.get("message") == "deferred":
        text = (
            f"deferred {record['email_id']}: {record['reason']} {record['reply']}, "
            f"next try in {record['retry_in_seconds']} s"
        )
    elif record.get("message") == "redrive":
        text = _redrive(record)
    elif record.get("message") == "steered":
        text = _steered(record)
    elif record.get("message") == "cancelled":
        text = f"cancelled {record['email_id']}"
        if not record["tried"]:
            text += ": nothing of that id has been tried yet"
    elif record.get("message") == "too_late":
        text = f"too late to cancel {record['email_id']}: it is under way, or has had its fate"
    elif record.get("message") == "done" and record["reason"] == Reason.CANCELLED:
        text = f"not sent {record['email_id']}: it was cancelled"
    elif record.get("level") in ("WARNING", "ERROR"):
        details = [record.get(name) for name in ("reason", "reply", "error", "code", "exception")]
        text = " ".join(str(part) for part in (record["message"], *details) if part)
    else:
        return None
    return printable(text)


def _redrive(report: Mapping[str, Any]) -> str:
    reasons = ", ".join(f"{reason} {count}" for reason, count in report["reasons"].items())
    parts = [f"{report['meant']} meant" + (f" ({reasons})" if reasons else "")]
    parts.append(f"{report['moved']} moved")
    if report["refused"]:
        parts.append(f"{report['refused']} refused: they have come back too often")
    if report["hidden"]:
        parts.append(f"{report['hidden']} hidden: someone is looking at them")
    if report["error"]:
        parts.append(report["error"])
    if report["goes_on"]:
        parts.append(f"goes on in {report['pause_seconds']} s")
    return f"redrive {report['email_id']}: {'; '.join(parts)}"


def _steered(record: Mapping[str, Any]) -> str:
    """What is in force after an order."""
    forced = [f"a pause of {lane} until {until}" for lane, until in record["pauses"].items()]
    forced += [f"the stop {name} until {until}" for name, until in record["stops"].items()]
    order = ": ".join(filter(None, (record["order"], record["without_effect"])))
    return f"{order}: in force now: {', '.join(forced) or 'nothing'}"


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _BODY_CHARACTERS else f"{line[:_BODY_CHARACTERS]}…"


def printable(text: str) -> str:
    """Take out what would command the terminal: emails are written by strangers."""
    return "".join(c if c.isprintable() or c in "\n\t" else "�" for c in text)
