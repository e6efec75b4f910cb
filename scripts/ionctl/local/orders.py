"""What a message that is no email asks for, in words that follow "would"."""

from ion.contract import Cancel, Pause, Redrive, Resume, Stop, StopWhere, Where, given_tags
from ion.history import History


def in_words(action: Redrive | Cancel | Stop | Pause | Resume, history: History) -> str:
    """Give them.

    Args:
        action: what is asked for.
        history: of its message: a redrive may have done a part already.
    """
    match action:
        case Redrive():
            return _redrive(action, history)
        case Cancel(email_id=email_id):
            return f"cancel {email_id}"
        case Stop():
            which = ", ".join(_conditions(action.where)) or "all"
            return f"dead-letter emails as STOPPED: {which}{_until(action.until)}"
        case Pause():
            return f"pause {action.lane or 'all'} mail{_until(action.until)}"
        case Resume():
            return "end all pauses and stops"


def _until(time: str | None) -> str:
    return f", until {time}" if time else ", for an hour"


def _redrive(query: Redrive, history: History) -> str:
    which = _conditions(query.where)
    if query.max is not None:
        which.append(f"at most {max(0, query.max - history.moved)}")
    if query.rate is not None:
        which.append(f"{query.rate:g} a second")
    does = "count dead letters" if query.dry_run else "move dead letters back to the input queue"
    return f"{does}: {', '.join(which) or 'all'}"


def _conditions(where: StopWhere | None) -> list[str]:
    if where is None:
        return []
    conditions = {
        "recipient_domain": where.recipient_domain,
        "sender": where.sender,
        "tag": " and ".join(f"{name}={value}" for name, value in given_tags(where.tag).items()),
        "email_id": where.email_id,
    }
    if isinstance(where, Where):
        reasons = where.reason if isinstance(where.reason, list) else [where.reason]
        conditions = {
            "reason": " or ".join(filter(None, reasons)),
            "path": where.path,
            **conditions,
            "older_than": where.older_than,
            "younger_than": where.younger_than,
        }
    return [f"{name} {value}" for name, value in conditions.items() if value]
