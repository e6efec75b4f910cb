"""A relay at a glance."""

from datetime import datetime
from enum import StrEnum

from ionctl.ops.result.base import Result
from ionctl.ops.result.letters import ReasonCount
from ionctl.ops.result.orders import PauseInForce, StopInForce


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
