"""The count at the end: what was published against what the server stored. Pure.

It believes the server's mailboxes and the queues. The ledger is asked for one thing: whether it
says of an email that it was in doubt, which excuses a second copy.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage

from real.emails import Email, on_the_wire
from real.server import Stored

REFUSALS = frozenset({"RCPT_REJECTED", "SMTPUTF8_UNSUPPORTED"})
"""Reasons that are about one recipient."""
_IN_DOUBT = "IN_DOUBT"
_MOST_DOUBTS = 2
"""After so many an email is dead-lettered (in_doubt = resend_once)."""


@dataclass(frozen=True)
class Letter:
    """A dead letter.

    Args:
        name: of the email.
        reason: on it.
        reply: on it; empty: none.
        left: indexes of the recipients that it is about; empty: all.
    """

    name: str
    reason: str
    reply: str = ""
    left: tuple[int, ...] = ()


@dataclass(frozen=True)
class Balance:
    """What it comes to.

    Args:
        emails: published.
        good: recipients who were to be served.
        stored: copies in the mailboxes; a copy for a stranger counts, too.
        dead: recipients by what is on their dead letters.
        doubled: recipients with more than one copy.
        lost: recipients with neither a copy nor a letter, whose email isn't queued.
        in_doubt: emails that were, says the ledger.
        faults: everything that doesn't balance; empty: it does.
    """

    emails: int
    good: int
    stored: int
    dead: Mapping[str, int]
    good_dead: int
    doubled: int
    lost: int
    in_doubt: int
    faults: tuple[str, ...]


def balance(
    emails: Sequence[Email],
    stored: Iterable[Stored],
    letters: Sequence[Letter],
    waiting: Iterable[str],
    doubts: Mapping[str, int],
) -> Balance:
    """Count.

    Args:
        emails: published.
        stored: in the server's mailboxes.
        letters: in the dead-letter queue.
        waiting: names of what is still in the input queue.
        doubts: by name, how often it was in doubt.
    """
    mailboxes = _mailboxes(stored)
    dead = _dead(emails, letters)
    queued = set(waiting)
    faults = [f"still queued: {name}" for name in sorted(queued)]
    owners = {who: one for one in emails for who in (*one.good, *one.strangers, *one.odd)}
    for who, copies in mailboxes.items():
        if who not in owners:
            faults.append(f"nobody wrote to {who}")
        elif not all(is_copy(content, owners[who]) for content in copies):
            faults.append(f"not what was published: {who}")
    good = [(one, who) for one in emails for who in one.good]
    for one, who in good:
        if one.name not in queued:
            count = len(mailboxes.get(who, ()))
            faults += _faults(who, count, dead.get(who), doubts.get(one.name, 0))
    for who, one in owners.items():
        if one.name in queued or who in one.good:
            continue
        faults += _faults_of_refused(who, len(mailboxes.get(who, ())), dead.get(who))
    return Balance(
        emails=len(emails),
        good=len(good),
        stored=sum(map(len, mailboxes.values())),
        dead=Counter(f"{letter.reason} {letter.reply[:9]}".strip() for letter in dead.values()),
        good_dead=sum(who in dead for _, who in good),
        doubled=sum(len(copies) > 1 for copies in mailboxes.values()),
        lost=sum(
            who not in mailboxes and who not in dead and one.name not in queued
            for who, one in owners.items()
        ),
        in_doubt=sum(count > 0 for count in doubts.values()),
        faults=tuple(faults),
    )


def _mailboxes(stored: Iterable[Stored]) -> dict[str, list[bytes]]:
    """Copies by recipient. Two of one acceptance are the server's, which was killed in between."""
    accepted: dict[str, dict[str, bytes]] = defaultdict(dict)
    for one in stored:
        accepted[one.recipient][one.acceptance] = one.content
    return {who: list(copies.values()) for who, copies in accepted.items()}


def _dead(emails: Sequence[Email], letters: Sequence[Letter]) -> dict[str, Letter]:
    """Letters by recipient, as the server has them."""
    by_name = {one.name: one.recipients for one in emails}
    return {
        on_the_wire(by_name[letter.name][i]): letter
        for letter in letters
        for i in letter.left or range(len(by_name[letter.name]))
    }


def _faults(who: str, copies: int, letter: Letter | None, doubts: int) -> list[str]:
    """A good recipient gets one copy; two if it was in doubt; a letter if that was so twice."""
    faults = []
    if not copies and letter is None:
        faults.append(f"lost: {who}")
    if copies > 1 + min(doubts, 1):
        faults.append(f"{copies} copies, in doubt {doubts} times: {who}")
    if letter is not None and not (letter.reason == _IN_DOUBT and doubts >= _MOST_DOUBTS):
        faults.append(f"good, and dead as {letter.reason} {letter.reply}".rstrip() + f": {who}")
    return faults


def _faults_of_refused(who: str, copies: int, letter: Letter | None) -> list[str]:
    """The server decides: it serves them, or the letter says what it said to their RCPT."""
    if letter is None:
        return [] if copies == 1 else [f"{copies} copies, and no letter: {who}"]
    if copies:
        return [f"served, and dead as {letter.reason} {letter.reply}".rstrip() + f": {who}"]
    if letter.reason not in REFUSALS:
        return [f"refused alone, and dead as {letter.reason} {letter.reply}".rstrip() + f": {who}"]
    return []


def is_copy(content: bytes, email: Email) -> bool:
    """True if a stored file is this email, word by word."""
    message = message_from_bytes(content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    part = message.get_body(("plain",))
    if part is None or part.defects:
        return False
    text = str(part.get_content()).replace("\r\n", "\n")
    return message["Subject"] == email.subject and text.rstrip("\n") == email.text
