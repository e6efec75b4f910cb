"""The life of an email."""

from datetime import datetime
from enum import StrEnum

import msgspec

from ionctl.ops.result.base import Result
from ionctl.ops.result.letters import Letter


class LifeState(StrEnum):
    """Where an email stands."""

    NEVER_SEEN = "never_seen"
    """Neither ledger nor log nor dead-letter queue know it, and it wasn't found in a queue."""
    QUEUED = "queued"
    SCHEDULED = "scheduled"
    SENDING = "sending"
    DEFERRED = "deferred"
    SENT = "sent"
    DEAD_LETTERED = "dead_lettered"
    """For some recipients at least."""
    IN_DOUBT = "in_doubt"
    """The server may have it, and a person decides."""
    CANCELLED = "cancelled"


class LifeEvent(Result, frozen=True, kw_only=True):
    """One thing that happened to an email, as the log has it.

    Args:
        what: the log event's name: "sent", "deferred", "released", "dead_lettered" …; or "edited",
            which the ledger tells: of several edits the last.
        words: a sentence for people.
        reply: the server's, with its own id of the email where it named one.
        recipients: indexes of those that it is about; empty: all.
    """

    at: datetime
    what: str
    words: str
    reason: str = ""
    stage: str = ""
    reply: str = ""
    server: str = ""
    attempt: int | None = None
    message_id: str = ""
    recipients: list[int] = msgspec.field(default_factory=list)


class Life(Result, frozen=True, kw_only=True):
    """The life of an email.

    Args:
        words: where it stands, in a sentence, with what to do if it should stand elsewhere.
        fates: a word a recipient, in order: "sent", "dead_lettered", "in_doubt", "sending",
            "waiting"; empty: not known.
        provider_id: the id that the mail server gave it, if its reply named one.
        queued_at: when it was first queued, as far as the ledger tells.
        changed_at: when the ledger's row changed last: of an email that was sent, when it was.
        server, reply: that had it last, and what it said, as far as the ledger tells.
        events: oldest first.
        looked_back_to: what happened earlier isn't in `events`.
        unknown: what could not be looked at, or not wholly, and why, in words.
    """

    email_id: str
    state: LifeState
    words: str
    fates: list[str]
    attempts: int
    provider_id: str
    next_try: datetime | None
    events: list[LifeEvent]
    letters: list[Letter]
    looked_back_to: datetime
    unknown: list[str] = msgspec.field(default_factory=list)
    queued_at: datetime | None = None
    changed_at: datetime | None = None
    server: str = ""
    reply: str = ""
