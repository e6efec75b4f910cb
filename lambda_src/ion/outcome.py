"""Outcomes: the stage at which a conversation ended, and what that means."""

from dataclasses import dataclass, replace
from enum import StrEnum


class Stage(StrEnum):
    """The step in a message's life, or in the SMTP conversation, at which it ended."""

    PARSE = "parse"
    FETCH = "fetch"
    """Getting from S3 what the message names."""
    CLAIM = "claim"
    GUARD = "guard"
    """The staging guard's look at the envelope, right before it goes to a connection."""
    CONNECT = "connect"
    EHLO = "ehlo"
    STARTTLS = "starttls"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    BODY = "body"
    """From the 354 until the final dot has been handed to the socket: certainly not sent."""
    DOT = "dot"
    """The final dot may have left: the server may have the email."""


class Scope(StrEnum):
    """The scope of a failure: who pays for it (after Postfix: site, message, recipient, stream)."""

    SITE = "site"
    """The server, the login, the quota: says nothing about any message."""
    CONNECTION = "connection"
    SENDER = "sender"
    MESSAGE = "message"
    RECIPIENT = "recipient"


class Kind(StrEnum):
    """Meaning of a reply, or of its absence. Only `smtp.replies` decides it."""

    ACCEPTED = "accepted"
    TRANSIENT = "transient"
    GREYLISTED = "greylisted"
    THROTTLED = "throttled"
    QUOTA = "quota"
    MISCONFIGURED = "misconfigured"
    UNAVAILABLE = "unavailable"
    """The site can't be talked to just now: connect, greeting, EHLO, TLS, a login put off."""
    OUT_OF_STEP = "out_of_step"
    """The stream can't be believed any more; nothing was decided about the email."""
    TOO_MANY_RECIPIENTS = "too_many_recipients"
    PERMANENT = "permanent"
    IN_DOUBT = "in_doubt"
    """The dot left and no believable reply came: the server may have the email (RFC 1047)."""


class Reason(StrEnum):
    """Stable codes: what is written on a dead letter, a hold, a log event, a metric."""

    # bad input, found without talking to any server
    BAD_JSON = "BAD_JSON"
    INVALID_SCHEMA = "INVALID_SCHEMA"
    INVALID_UNICODE = "INVALID_UNICODE"
    INVALID_ADDRESS = "INVALID_ADDRESS"
    HEADER_NAME = "HEADER_NAME"
    HEADER_VALUE = "HEADER_VALUE"
    """It can't be written in the grammar of its field (RFC 5322, RFC 2369)."""
    HEADER_INJECTION = "HEADER_INJECTION"
    SENDER_MISSING = "SENDER_MISSING"
    UNSUBSCRIBE_MISSING = "UNSUBSCRIBE_MISSING"
    """The message wants a link to unsubscribe, and it isn't said where that leads to."""
    TOO_LARGE = "TOO_LARGE"
    """Too many recipients or attachments for a message of ours, more octets than a function of its
    memory holds, or more than the server takes."""
    ATTACHMENT_MISSING = "ATTACHMENT_MISSING"
    ATTACHMENT_FORBIDDEN = "ATTACHMENT_FORBIDDEN"
    """The function may not read it."""
    ATTACHMENT_MISMATCH = "ATTACHMENT_MISMATCH"
    """It isn't what the publisher says it is (`sha256`)."""
    CLAIM_MISSING = "CLAIM_MISSING"
    """The message says where the message is, and it isn't there."""
    CLAIM_FORBIDDEN = "CLAIM_FORBIDDEN"
    """The function may not read what the message points to."""
    ID_REUSED = "ID_REUSED"
    """The key belongs to an email with other content."""
    SMTPUTF8_UNSUPPORTED = "SMTPUTF8_UNSUPPORTED"
    TEMPLATE_MISSING = "TEMPLATE_MISSING"
    TEMPLATE_ERROR = "TEMPLATE_ERROR"
    """The template can't be rendered with this context."""
    GUARDED = "GUARDED"
    """The staging guard lets no email reach this recipient, or go out in this sender's name."""
    STOPPED = "STOPPED"
    """An operator's stop is about it."""
    CANCELLED = "CANCELLED"
    """Its publisher doesn't want it sent any more."""
    SUPPRESSED = "SUPPRESSED"
    """The recipient is on the suppression list."""
    ERASED = "ERASED"
    """The recipient's data was erased after the email had been published."""
    # the server's verdict
    SENDER_REJECTED = "SENDER_REJECTED"
    RCPT_REJECTED = "RCPT_REJECTED"
    RELAYING_DENIED = "RELAYING_DENIED"
    """The server doesn't send there for us: a wrong server, or a login that it doesn't see."""
    DATA_REJECTED = "DATA_REJECTED"
    CONTENT_REJECTED = "CONTENT_REJECTED"
    PROTOCOL = "PROTOCOL"
    ACCEPTED = "ACCEPTED"
    # not decided yet
    TRY_LATER = "TRY_LATER"
    GREYLISTED = "GREYLISTED"
    MAILBOX_FULL = "MAILBOX_FULL"
    THROTTLED = "THROTTLED"
    CONNECTION_LOST = "CONNECTION_LOST"
    IN_DOUBT = "IN_DOUBT"
    ERROR = "ERROR"
    """A fault of ion's own; the log event has the traceback."""
    DEADLINE = "DEADLINE"
    """The invocation is about to end."""
    LEDGER = "LEDGER"
    """It can't be known just now who has been served, so nothing is sent."""
    TEMPLATE_UNAVAILABLE = "TEMPLATE_UNAVAILABLE"
    """The templates can't be read just now."""
    STORAGE = "STORAGE"
    """What the message names can't be fetched just now."""
    SCHEDULED = "SCHEDULED"
    """It isn't to be sent before a time that its publisher named."""
    LANE = "LANE"
    """Bulk mail that came by the door for normal mail."""
    LEASED = "LEASED"
    """Another run is at work on this email."""
    DUPLICATE = "DUPLICATE"
    """A copy of an email that has had its fate."""
    # gave up
    CRASH_LOOP = "CRASH_LOOP"
    """The process died over it again and again."""
    EXPIRED = "EXPIRED"
    POISON = "POISON"
    """Received so often that SQS is about to bury it without a word."""
    # the site is ill: the run ends, no message pays
    CONNECT = "CONNECT"
    GREETING = "GREETING"
    EHLO = "EHLO"
    TLS_CERT = "TLS_CERT"
    TLS_REQUIRED = "TLS_REQUIRED"
    AUTH = "AUTH"
    AUTH_MISSING = "AUTH_MISSING"
    AUTH_LATER = "AUTH_LATER"
    QUOTA = "QUOTA"
    CONFIGURATION = "CONFIGURATION"


class Problem(StrEnum):
    """In what way a message breaks the contract (INVALID_SCHEMA)."""

    MISSING = "missing"
    """A field that must be there isn't."""
    UNKNOWN = "unknown"
    """There is no such field."""
    TYPE = "type"
    """A number where a string belongs, and the like."""
    VALUE = "value"
    """The type is right; the value isn't one of those allowed."""
    DUPLICATE = "duplicate"
    """The same name twice in one object."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One SMTP reply (RFC 5321 section 4.2).

    Args:
        code: 200-599.
        enhanced: the enhanced status code of the last line ("5.1.1", RFC 3463), if it has one.
        text: the lines' texts joined by newlines, enhanced codes taken off; not trusted, not
            redacted.
    """

    code: int
    enhanced: str | None
    text: str

    @property
    def positive(self) -> bool:
        """True for any 2xx (RFC 5321 section 4.3.2 lets a server answer 252)."""
        return self.code // 100 == 2  # the digit that RFC 5321 gives success

    @property
    def transient(self) -> bool:
        """True for 4xx (RFC 5321 section 4.2.1)."""
        return self.code // 100 == 4  # as above

    @property
    def permanent(self) -> bool:
        """True for 5xx (RFC 5321 section 4.2.1)."""
        return self.code // 100 == 5  # as above

    @property
    def closing(self) -> bool:
        """True for 421: the server shuts the connection down (RFC 5321 section 3.8)."""
        return self.code == 421  # in answer to any command

    def __str__(self) -> str:
        return " ".join(filter(None, (str(self.code), self.enhanced, self.text)))


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a conversation, for one recipient or for all of them."""

    stage: Stage
    kind: Kind
    scope: Scope
    reason: Reason
    reply: Reply | None = None
    detail: str = ""
    """Our words where there was no reply: "connection lost", "timed out" …"""

    @property
    def said(self) -> str:
        """The server's words, or ours where it had none. Not redacted."""
        return str(self.reply) if self.reply else self.detail

    @property
    def too_late(self) -> "Outcome":
        """The same where there is no time for another try; of a doubt a person is told as such."""
        in_doubt = self.kind is Kind.IN_DOUBT
        return self if in_doubt else replace(self, reason=Reason.EXPIRED)

    def __str__(self) -> str:
        where = f"{self.reason} at {self.stage}"
        return f"{where}: {self.said}" if self.said else where
