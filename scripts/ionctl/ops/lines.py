"""Events of the function's log as lines for people. Pure; to be made fit for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ion.outcome import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping


def line(record: Mapping[str, Any]) -> str:
    """Any event in a line."""
    match record.get("message"):
        case "sent":
            return f"sent {record['email_id']} over {record['server']}: {record['reply']}"
        case "dead_lettered":
            why = " ".join(str(record.get(one) or "") for one in ("reason", "reply", "path"))
            return f"dead-lettered {record['email_id']}: {' '.join(why.split())}"
        case "released":
            return f"put back {record['email_id']}: {record['reason']}"
        case "run ended":
            return f"run ended: {_run(record)}"
    told = notable(record)
    if told is not None:
        return told
    about = (record.get("email_id"), record.get("reason"))
    return " ".join(str(part) for part in (record.get("message", ""), *about) if part)


def is_trouble(record: Mapping[str, Any]) -> bool:
    """Whether a person is to look at it: a warning, an error, a dead letter."""
    return record.get("level") in ("WARNING", "ERROR") or record.get("message") == "dead_lettered"


def notable(record: Mapping[str, Any]) -> str | None:
    """One line for an event of the function's log that a person should see, or None."""
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
    return text


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


def _run(record: Mapping[str, Any]) -> str:
    """What a run came to."""
    counts = ("received", "sent", "deferred", "released", "dead_lettered", "redriven")
    parts = [f"{record[one]} {one.replace('_', '-')}" for one in counts if record.get(one)]
    held = f", held: {record['held']}" if record.get("held") else ""
    ended = f"{', '.join(parts) or 'nothing to do'} in {record.get('seconds', 0)} s"
    return f"{ended}, {record.get('stopped', '')}{held}"
