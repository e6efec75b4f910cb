"""Dead letters, and what was done with them."""

from datetime import datetime

from ionctl.ops.result.base import Result


class ReasonCount(Result, frozen=True, kw_only=True):
    """How many dead letters have a reason."""

    reason: str
    count: int


class Letter(Result, frozen=True, kw_only=True):
    """A dead letter.

    Args:
        message_id: SQS's, which names the letter while it lies there.
        email_id: the email's key.
        reason: a code of docs/reasons.md.
        path: JSONPath of what is wrong with the input; empty: nothing is, or not known.
        hint: what would be right at `path`, in words; empty: the reason says it all.
        remedy: what to do about a letter of that reason.
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
    remedy: str
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


class LetterGroup(Result, frozen=True, kw_only=True):
    """Dead letters of one reason and path.

    Args:
        hint: what would be right at `path`, in words; empty: the reason says it all.
        remedy: what to do about letters of that reason.
    """

    reason: str
    path: str
    hint: str
    remedy: str = ""
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
