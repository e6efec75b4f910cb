"""What commands give back, on a terminal as JSON and to the console: types, and nothing else.

Times are in UTC. null is "not known" or "none", as the field's words say. Fields may be added in
later versions, and are not renamed.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """A result, or a part of one."""


# -- status ------------------------------------------------------------------------------


class Verdict(StrEnum):
    """State of a relay in a word; of several the first that is true."""

    MISCONFIGURED = "misconfigured"
    """A setting or the secret is wrong, and nothing is received."""
    DISABLED = "disabled"
    """The function may not run."""
    PAUSED = "paused"
    HELD = "held"
    """Mail waits that should go: no server lets it in, or AWS doesn't."""
    STOPPING = "stopping"
    """Mail is being dead-lettered by an operator's stop."""
    BACKLOG = "backlog"
    """More waits than a run takes at once, and it is going out."""
    SENDING = "sending"
    IDLE = "idle"


class Depth(Result, frozen=True, kw_only=True):
    """Messages in a queue, as SQS counts them: approximately.

    Args:
        visible: can be received now.
        in_flight: received, and hidden until they are deleted or put back.
        delayed: not to be received yet.
        oldest_seconds: age of the oldest one, as CloudWatch has it; null: not known, or none.
    """

    visible: int
    in_flight: int
    delayed: int
    oldest_seconds: int | None = None


class Queues(Result, frozen=True, kw_only=True):
    """Depth of each queue.

    Args:
        input: normal mail.
        bulk: bulk mail.
        later: mail that was put off or is scheduled, hidden until it is due.
        dead_letter: what could not be sent.
    """

    input: Depth
    bulk: Depth
    later: Depth
    dead_letter: Depth


class ReasonCount(Result, frozen=True, kw_only=True):
    """How many dead letters have a reason."""

    reason: str
    count: int


class HeldServer(Result, frozen=True, kw_only=True):
    """A mail server that lets nothing in, or what else keeps mail from going.

    Args:
        server: its section in the secret, such as "smtp" or "smtp:backup"; empty: it is AWS, or a
            setting.
        reason: a code of docs/reasons.md.
        reply: the server's words, or AWS's code.
        since: when it was first noticed, as far as the log was read.
        next_try: when ion asks it again; null: at the next run.
    """

    server: str
    reason: str
    reply: str
    since: datetime | None = None
    next_try: datetime | None = None


class PauseInForce(Result, frozen=True, kw_only=True):
    """A pause. `lane` null: of everything. `at`: when it was ordered; null: not known."""

    lane: str | None
    until: datetime
    by: str
    why: str
    at: datetime | None = None


class StopInForce(Result, frozen=True, kw_only=True):
    """A stop.

    Args:
        where: its conditions as in the message; null: every email.
        stopped: emails that it has dead-lettered, as far as runs have ended since.
        at: when it was ordered; null: not known.
    """

    id: str
    where: dict[str, Any] | None
    until: datetime
    by: str
    why: str
    stopped: int
    at: datetime | None = None


class Pace(Result, frozen=True, kw_only=True):
    """How fast mail may go to a server.

    Args:
        rate: recipients a second, of all running functions together; null: without a limit.
        connections: at most so many, of one running function.
        learned: False: from the settings; True: the server has throttled.
        since: if learned: when it was last changed.
    """

    server: str
    rate: float | None
    connections: int
    learned: bool
    since: datetime | None = None


class Run(Result, frozen=True, kw_only=True):
    """A run of the function that has ended.

    Args:
        stopped: why it ended, as in its log event "run ended".
        held: why mail was left behind that should go; empty: it wasn't.
    """

    ended_at: datetime
    seconds: float
    stopped: str
    held: str
    error: str
    received: int
    sent: int
    deferred: int
    released: int
    dead_lettered: int


class AlarmState(Result, frozen=True, kw_only=True):
    """A CloudWatch alarm of the relay's that tells people.

    Args:
        key: as in docs/operations.md: "held", "dead-letters" …
        name: in CloudWatch.
        state: "OK", "ALARM" or "INSUFFICIENT_DATA".
        heard_by: confirmed subscriptions of its topics, and other actions; 0: nobody hears it.
            null: that can't be looked at.
    """

    key: str
    name: str
    state: str
    since: datetime | None
    heard_by: int | None


class Status(Result, frozen=True, kw_only=True):
    """A relay at a glance.

    Args:
        words: the verdict in a sentence, with what to do if something is wrong.
        advice: that last part of `words`; empty: nothing is to be done.
        ok: False: something is wrong, and `ionctl status` exits with 1.
        dead_letters: by reason, of the first `dead_letters_seen`; null: not looked at.
        deferred: emails put off in the last hour, as far as the log was read.
        next_retry: when the first of them, or of those that are scheduled, is due.
        runs: the last ones, the latest first.
        backlog_ends: when all that waits is gone at the pace of the last minutes; null: not known.
        unknown: what could not be looked at, and why, in words.
    """

    name: str
    region: str
    at: datetime
    verdict: Verdict
    words: str
    advice: str = ""
    ok: bool
    queues: Queues
    dead_letters: list[ReasonCount] | None
    dead_letters_seen: int
    held: list[HeldServer]
    pauses: list[PauseInForce]
    stops: list[StopInForce]
    pace: list[Pace]
    deferred: int
    next_retry: datetime | None
    runs: list[Run]
    alarms: list[AlarmState]
    backlog_ends: datetime | None
    unknown: list[str]


# -- the life of an email ----------------------------------------------------------------


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
        what: the log event's name: "sent", "deferred", "released", "dead_lettered" …
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
    recipients: list[int] = []


class Letter(Result, frozen=True, kw_only=True):
    """A dead letter.

    Args:
        message_id: SQS's, which names the letter while it lies there.
        email_id: the email's key.
        reason: a code of docs/reasons.md.
        path: JSONPath of what is wrong with the input; empty: nothing is, or not known.
        hint: what would be right, in words; empty: nothing helps in general.
        reply: the server's words, or a template's file and line.
        action: "send", or what else the body asks for; empty: it can't be read.
        recipients: addresses of the email; empty: it can't be read.
        left: indexes of the recipients that the letter is about; empty: all.
        died_at: when it was dead-lettered; null: SQS or SNS moved it.
        body: as published; empty where a list leaves it out.
    """

    message_id: str
    email_id: str
    reason: str
    path: str
    problem: str
    did_you_mean: str
    hint: str
    stage: str
    reply: str
    attempts: int
    redrives: int
    action: str
    recipients: list[str]
    subject: str
    left: list[int]
    lane: str
    tags: dict[str, str]
    first_queued_at: datetime
    died_at: datetime | None
    body: str = ""


class Life(Result, frozen=True, kw_only=True):
    """The life of an email.

    Args:
        words: where it stands, in a sentence, with what to do if it should stand elsewhere.
        fates: a word a recipient, in order: "sent", "dead_lettered", "in_doubt", "sending",
            "waiting"; empty: not known.
        provider_id: the id that the mail server gave it, if its reply named one.
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
    unknown: list[str] = []


# -- dead letters ------------------------------------------------------------------------


class LetterGroup(Result, frozen=True, kw_only=True):
    """Dead letters of one reason and path."""

    reason: str
    path: str
    hint: str
    count: int
    oldest_at: datetime
    newest_at: datetime


class Letters(Result, frozen=True, kw_only=True):
    """A look at the dead-letter queue.

    Args:
        groups: all that were chosen, by reason and path, the largest first.
        letters: the chosen ones, the newest first, without bodies.
        seen: how many letters were looked at.
        chosen: how many of them the conditions are true of.
        hidden: about how many could not be looked at: somebody else has received them.
        more: about how many were not looked at, since no more were asked for.
    """

    groups: list[LetterGroup]
    letters: list[Letter]
    seen: int
    chosen: int
    hidden: int
    more: int = 0


class Moved(Result, frozen=True, kw_only=True):
    """What a redrive or a discard did.

    Args:
        chosen: letters that it was about.
        done: of these: moved back to the input queue, or deleted.
        refused: of these: have come back too often, and stay.
        hidden: about how many could not be looked at.
        reasons: those chosen, by reason.
        file: where a discard has written them down; empty: it was a redrive.
        woken: the relay was woken, so that it sends what was moved back at once.
    """

    chosen: int
    done: int
    refused: int
    hidden: int
    reasons: list[ReasonCount]
    dry_run: bool
    file: str = ""
    woken: bool = False


class Edited(Result, frozen=True, kw_only=True):
    """An email sent under the same id with another content."""

    email_id: str
    words: str


# -- publishing --------------------------------------------------------------------------


class Fault(Result, frozen=True, kw_only=True):
    """What is wrong with a message.

    Args:
        reason: the code that its dead letter would have.
        path: JSONPath.
        problem: "missing", "unknown", "type", "value" or "duplicate"; empty: it isn't about a
            field's form.
        words: what is wrong and what would be right, in a sentence.
        line, column: in the text, from 1; 0: not known.
    """

    reason: str
    path: str
    problem: str
    did_you_mean: str
    words: str
    line: int = 0
    column: int = 0


class Checked(Result, frozen=True, kw_only=True):
    """A message that was looked at without publishing it.

    Args:
        source: the file's name, or "-".
        email_id: the key that it names; empty: it will have that of SQS's message.
        action: "send" …; empty: it can't be read.
        faults: none: it will be taken.
        warnings: what is allowed and probably not meant, in words.
    """

    source: str
    ok: bool
    action: str
    email_id: str
    bytes: int
    faults: list[Fault]
    warnings: list[str]


class Published(Result, frozen=True, kw_only=True):
    """A message on the topic.

    Args:
        email_id: by which `ionctl show` finds it.
        message_id: SNS's.
        topic_arn: where it was published.
    """

    email_id: str
    message_id: str
    topic_arn: str


class Checks(Result, frozen=True, kw_only=True):
    """Messages that were looked at, in the order of the command line."""

    files: list[Checked]


class Sent(Result, frozen=True, kw_only=True):
    """An email that was published and waited for."""

    published: Published
    life: Life


class Loaded(Result, frozen=True, kw_only=True):
    """A load test. Its emails have the tag `load` with the value `run`.

    Args:
        run: names it; its emails' keys begin with it, as in "load-5f2c81d0-17".
        published: of `asked`, those that SNS has taken.
        sent, dead_lettered: of these, as the log tells; the others had no fate in time.
        seconds: from the first publish to the last email's being taken by the server.
        per_second: emails sent, on the average of these seconds.
        p50, p95, p99: seconds from publish to the server's taking it, for so many of a hundred
            emails at most; by the clocks of this machine and of Lambda. null: none was sent.
    """

    run: str
    asked: int
    published: int
    sent: int
    dead_lettered: int
    seconds: float
    per_second: float
    p50: float | None
    p95: float | None
    p99: float | None


class Rendered(Result, frozen=True, kw_only=True):
    """What a template makes of some data. Empty: it has no such part."""

    subject: str
    text: str
    html: str


# -- steering ----------------------------------------------------------------------------


class InForce(Result, frozen=True, kw_only=True):
    """What operators have asked for.

    Args:
        words: what was done, and when every running function has heard of it.
    """

    pauses: list[PauseInForce]
    stops: list[StopInForce]
    words: str


class Cancelled(Result, frozen=True, kw_only=True):
    """A cancel. `how`: "cancelled", "untried" (cancelled, nothing was tried yet), "too_late"."""

    email_id: str
    how: str
    words: str


# -- console -----------------------------------------------------------------------------


class ConsoleAddress(Result, frozen=True, kw_only=True):
    """Where the console is. `url`: to be opened in a browser of this machine; has its token."""

    url: str


# -- doctor ------------------------------------------------------------------------------


class Grade(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"
    WRONG = "wrong"
    SKIPPED = "skipped"
    """It can't be looked at from here; `found` says why."""


class Finding(Result, frozen=True, kw_only=True):
    """One check.

    Args:
        check: its name, stable: "login", "spf", "alarm-listeners" …
        about: what it is about: a server, a domain, an alarm; empty: the relay.
        found: what was found, in a sentence.
        advice: what to do; empty: nothing.
    """

    check: str
    about: str
    grade: Grade
    found: str
    advice: str = ""


class Diagnosis(Result, frozen=True, kw_only=True):
    """All checks. `ok`: none is wrong."""

    name: str
    ok: bool
    findings: list[Finding]


# -- cost --------------------------------------------------------------------------------


class CostLine(Result, frozen=True, kw_only=True):
    """What one service charges.

    Args:
        what: the service, and what it charges for.
        amount: how much of it there was.
        unit: of `amount`.
        dollars: list price of us-east-1, without free tiers.
    """

    what: str
    amount: float
    unit: str
    dollars: float


class Cost(Result, frozen=True, kw_only=True):
    """What a relay cost, by CloudWatch's metrics and list prices of us-east-1.

    Args:
        lines: the dearest first.
        dollars: all of them.
        emails: that were sent.
        dollars_a_million: emails, alarms and all; null: none was sent.
        unknown: what could not be counted, or is only known within bounds, in words.
    """

    name: str
    since: datetime
    until: datetime
    lines: list[CostLine]
    dollars: float
    emails: int
    dollars_a_million: float | None
    unknown: list[str]
