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
    SUPPRESSED = "suppressed"
    """Nobody is written to: the suppression list, or an erasure, names all recipients."""
    BOUNCED = "bounced"
    """The server took it, and the provider said afterwards that it couldn't be delivered, to some
    recipients at least."""


class LifeEvent(Result, frozen=True, kw_only=True):
    """One thing that happened to an email, as its row has it or the log.

    Args:
        what: "sent", "deferred", "released", "dead_lettered", "suppressed", "cancelled" …; of the
            provider's notices "delivered", "bounced", "complained"; or "edited", of several edits
            the last.
        words: a sentence for people.
        reply: the server's, with its own id of the email where it named one.
        recipients: indexes of those that it is about; empty: all.
        code: of the server's reply; null: not known, or there was none.
        ms: that the server took over it, the last time; null: not known.
        times: how often it happened so, one time right after the other.
        until: when it happened so last, if more than once.
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
    code: int | None = None
    ms: int | None = None
    times: int = 1
    until: datetime | None = None


class ProviderNotice(Result, frozen=True, kw_only=True):
    """What the provider said of an email after its server had taken it.

    Args:
        recipient: index of the one that it is about; null: all.
        what: "delivered", "bounced" or "complained".
        at: when, by the provider; null: it didn't say.
        detail: its words.
    """

    recipient: int | None
    what: str
    at: datetime | None
    detail: str = ""


class Life(Result, frozen=True, kw_only=True):
    """The life of an email.

    Args:
        words: where it stands, in a sentence, with what to do if it should stand elsewhere.
        fates: a word a recipient, in order: "sent", "dead_lettered", "in_doubt", "suppressed",
            "sending", "waiting"; empty: not known.
        provider_id: the id that the mail server gave it, if its reply named one.
        queued_at: when it was first queued, as far as the ledger tells.
        changed_at: when the ledger's row changed last: of an email that was sent, when it was.
        server, reply: that had it last, and what it said, as far as the ledger tells.
        events: oldest first.
        looked_back_to: what happened earlier isn't in `events`.
        unknown: what could not be looked at, or not wholly, and why, in words.
        header_message_id: the email's Message-ID, in angle brackets; empty: not known.
        notices: what the provider said afterwards, by recipient.
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
    header_message_id: str = ""
    notices: list[ProviderNotice] = msgspec.field(default_factory=list)


class EmailFound(Result, frozen=True, kw_only=True):
    """One of the emails to an address.

    Args:
        at: when it was first queued, or the first that is known of it.
        state: where it stands for this recipient, as far as it is known without a look at each
            place.
        reason, reply: of the email's last attempt, if there was one.
        fate: of this recipient: as in `Life.fates`; empty: not known.
        queue: that it waits in, if it was seen there.
        letters: SQS ids of its dead letters.
        email_state: where it stands for all of its recipients, as `Life.state`.
    """

    email_id: str
    at: datetime
    state: LifeState
    email_state: LifeState
    reason: str = ""
    reply: str = ""
    fate: str = ""
    queue: str = ""
    letters: list[str] = msgspec.field(default_factory=list)


class SuppressionFound(Result, frozen=True, kw_only=True):
    """Why an address isn't written to.

    Args:
        scope: which mail: "all", "domain:example.com", "tag:name=value"; "erased": all that was
            published before `since`.
        until: null: for good.
    """

    scope: str
    why: str
    since: datetime
    until: datetime | None = None


class Emails(Result, frozen=True, kw_only=True):
    """Emails to an address.

    Args:
        address: as it was looked for.
        emails: the newest first.
        suppressions: in force now.
        looked_back_to: the log was read from then on.
        scanned: rows of the whole ledger that were looked at; null: it wasn't scanned.
        unknown: what could not be looked at, or not wholly, and why, in words.
    """

    address: str
    emails: list[EmailFound]
    suppressions: list[SuppressionFound]
    looked_back_to: datetime
    scanned: int | None
    unknown: list[str] = msgspec.field(default_factory=list)
