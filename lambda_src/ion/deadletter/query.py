"""Which dead letters a redrive is about: pure."""

from ion.contract import BadInput, Send, Where, seconds_of
from ion.deadletter.letter import REASON
from ion.history import carried_history, named_history, resolve
from ion.message import Message
from ion.outcome import Reason
from ion.policy.conditions import asks_of_emails, is_about


def reason_of(letter: Message) -> str:
    """Why it is dead.

    Without a word on it, ion never had it in hand: SQS moved it here after too many receives, or
    SNS after it couldn't reach the input queue.
    """
    written = letter.attributes.get(REASON)
    return written.value if written and isinstance(written.value, str) else Reason.POISON


def is_meant(
    letter: Message, where: Where | None, asked_at: float, default_sender: str | None = None
) -> bool:
    """True if all that `where` says is true of the dead letter.

    Args:
        letter: as received from the dead-letter queue.
        where: None: every letter.
        asked_at: when the redrive was published, seconds since the epoch: ages end there.
        default_sender: From, of emails that name none.
    """
    if where is None:
        return True
    age = asked_at - _died_at(letter)
    return (
        (where.reason is None or reason_of(letter) in _as_list(where.reason))
        and where.path in (None, carried_history(letter).path or "")
        and (where.older_than is None or age >= seconds_of(where.older_than))
        and (where.younger_than is None or age < seconds_of(where.younger_than))
        and _says_so(letter, where, default_sender)
    )


def _as_list(reason: Reason | list[Reason]) -> list[Reason]:
    return reason if isinstance(reason, list) else [reason]


def _died_at(letter: Message) -> float:
    failed_at = carried_history(letter).failed_at
    return letter.sent_at if failed_at is None else failed_at.timestamp()


def _says_so(letter: Message, where: Where, default_sender: str | None) -> bool:
    """True if the message itself bears out the query. What can't be read has a name at most."""
    of_emails = asks_of_emails(where)
    if where.email_id is None and not of_emails:
        return True
    try:
        history, action = resolve(letter)
    except BadInput:
        return where.email_id == named_history(letter).email_id and not of_emails
    if where.email_id not in (None, history.email_id):
        return False
    if not of_emails:
        return True
    return isinstance(action, Send) and is_about(
        where, action, key=history.email_id, left=history.left, default_sender=default_sender
    )
