"""Messages that were checked, published, rendered."""

from ionctl.ops.result.base import Result
from ionctl.ops.result.life import Life


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


class Checks(Result, frozen=True, kw_only=True):
    """Messages that were looked at, in the order of the command line."""

    files: list[Checked]


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
