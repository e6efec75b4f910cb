"""Which dead letters a redrive is about: pure."""

from ion.contract import BadInput, Send, Where, seconds_of
from ion.deadletter.letter import REASON
from ion.history import carried_history, resolve
from ion.mail import recipients
from ion.mail.domains import wire_domain
from ion.message import Message
from ion.outcome import Reason


def reason_of(letter: Message) -> str:
    """Why it is dead.

    Without a word on it, ion never had it in hand: SQS moved it here after too many receives, or
    SNS after it couldn't reach the input queue.
    """
    written = letter.attributes.get(REASON)
    return written.value if written and isinstance(written.value, str) else Reason.POISON


def is_meant(letter: Message, where: Where | None, asked_at: float) -> bool:
    """True if all that `where` says is true of the dead letter.

    Args:
        letter: as received from the dead-letter queue.
        where: None: every letter.
        asked_at: when the redrive was published, seconds since the epoch: ages end there.
    """
    if where is None:
        return True
    age = asked_at - _died_at(letter)
    return (
        (where.reason is None or reason_of(letter) in _as_list(where.reason))
        and (where.older_than is None or age >= seconds_of(where.older_than))
        and (where.younger_than is None or age < seconds_of(where.younger_than))
        and (where.recipient_domain is None or _goes_to(letter, where.recipient_domain))
    )


def _as_list(reason: Reason | list[Reason]) -> list[Reason]:
    return reason if isinstance(reason, list) else [reason]


def _died_at(letter: Message) -> float:
    failed_at = carried_history(letter).failed_at
    return letter.sent_at if failed_at is None else failed_at.timestamp()


def _goes_to(letter: Message, domain: str) -> bool:
    """True if it is about a recipient there. What can't be read goes nowhere."""
    try:
        history, action = resolve(letter)
        everybody = recipients(action) if isinstance(action, Send) else ()
    except BadInput:
        return False
    left = history.left or range(len(everybody))
    wanted = (wire_domain(domain) or domain).lower()
    return any(
        everybody[i].rpartition("@")[2].lower() == wanted for i in left if i < len(everybody)
    )
