"""The count at the end: what was published against what arrived, what died and what is left. Pure.

It believes the mail server, by the dots it saw, and the queues; never what ion says of itself.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from soak.course import Course, astray
from soak.mail import Mail
from soak.witness import Copy, Witness

RESEND_ONCE, PARK = "resend_once", "park"
_MOST_COPIES = {RESEND_ONCE: 2, PARK: 1}
_DOUBTFUL = {"IN_DOUBT": {RESEND_ONCE: 2, PARK: 1}, "CRASH_LOOP": {RESEND_ONCE: 3, PARK: 3}}
"""How many events it takes to be dead-lettered over them."""
_LEFT = "."
"""The ledger's word for a recipient who is still to be served."""


@dataclass(frozen=True)
class Letter:
    """A dead letter.

    Args:
        body: of it.
        name: in it.
        reason: on it.
        left: indexes of the recipients that it is about; empty: all.
    """

    body: str
    name: str
    reason: str
    left: tuple[int, ...] = ()


@dataclass(frozen=True)
class Excuses:
    """What the harness did, by name: all that ion is forgiven.

    Args:
        doubts: in-doubt events.
        redriven: how often it was put back though there was a doubt about it.
        hindered: a write to a queue was: a letter may be there beside another fate.
        refused: reasons of final refusals; those of one recipient by address.
    """

    doubts: Mapping[str, int] = field(default_factory=dict)
    redriven: Mapping[str, int] = field(default_factory=dict)
    hindered: frozenset[str] = frozenset()
    refused: Mapping[str, set[str]] = field(default_factory=dict)

    @classmethod
    def seen(cls, witness: Witness) -> "Excuses":
        """Those that a witness has."""
        hindered = frozenset(witness.hindered)
        return cls(witness.doubts, witness.redriven, hindered, witness.refused)


@dataclass(frozen=True)
class Balance:
    """What it comes to, in fates: one for each recipient of an email, one for a broken message.

    Args:
        published: due.
        sent: arrived, once or more.
        dead_lettered: didn't arrive, and lie in the dead-letter queue.
        cancelled: neither, since they were cancelled in time.
        lost: none of these.
        duplicated: names of which somebody has more than one copy.
        extra_copies: beyond the first.
        unexpected: arrived, or died, and were never published so.
        faults: everything that doesn't balance; empty: it does.
    """

    published: int
    sent: int
    dead_lettered: int
    cancelled: int
    lost: int
    duplicated: frozenset[str]
    extra_copies: int
    unexpected: int
    faults: tuple[str, ...]


def balance(  # noqa: PLR0913 - what there is to count
    mails: Mapping[str, Mail],
    copies: Sequence[Copy],
    letters: Sequence[Letter],
    left: Iterable[str],
    excuses: Excuses,
    policy: str = RESEND_ONCE,
    *,
    cancelled: Mapping[str, str] | None = None,
    course: Course | None = None,
) -> Balance:
    """Count.

    Args:
        mails: published, by name.
        copies: that arrived, in order.
        letters: in the dead-letter queue.
        left: names of what is still in a queue.
        excuses: what may be forgiven.
        policy: what ion was to do about an email in doubt.
        cancelled: fates of the recipients of emails that are, by name, as the ledger has them.
        course: what was seen of their ways.
    """
    cancelled, course = cancelled or {}, course or Course()
    unexpected = [*_unexpected_copies(mails, copies), *_unexpected_letters(mails, letters)]
    arrived: dict[tuple[str, str], list[Copy]] = defaultdict(list)
    for copy in copies:
        for recipient in copy.recipients:
            arrived[copy.name, recipient].append(copy)
    dead = {
        (one.name, mails[one.name].fates[i])
        for one in letters
        if one.name in mails
        for i in one.left or range(len(mails[one.name].fates))
    }
    due = {(mail.name, fate) for mail in mails.values() for fate in mail.fates}
    called_off = {one for one in due if one[0] in cancelled} - arrived.keys() - dead
    lost = due - arrived.keys() - dead - called_off
    faults = [f"unexpected: {what}" for what in unexpected]
    faults += [f"lost: {name} {who}".rstrip() for name, who in sorted(lost)]
    faults += [f"still queued: {name}" for name in left]
    for (name, who), several in arrived.items():
        certain = [i for i, copy in enumerate(several[:-1], 1) if not copy.doubt]
        redriven = excuses.redriven.get(name, 0)
        faults += _undue_copies(f"{name} {who}", len(several), certain, redriven, policy)
    faults += [
        f"sent and dead: {name} {who}"
        for name, who in sorted(arrived.keys() & dead)
        if not _may_be_both(name, excuses)
    ]
    faults += [
        f"undue letter: {one.name} {one.reason}"
        for one in letters
        if one.name in mails
        and not course.explains(one.name, one.reason)
        and not _is_due(one, mails[one.name], excuses, policy)
    ]
    faults += [
        f"not brought back: {one.name}"
        for one in letters
        if one.name in mails and course.was_brought_back(mails[one.name].flow, one.reason)
    ]
    faults += _wrongly_cancelled(mails, cancelled, arrived, dead, excuses)
    faults += astray(mails, copies, course)
    return Balance(
        published=len(due),
        sent=len(due & arrived.keys()),
        dead_lettered=len((due & dead) - arrived.keys()),
        cancelled=len(called_off),
        lost=len(lost),
        duplicated=frozenset(name for (name, _), several in arrived.items() if len(several) > 1),
        extra_copies=sum(len(several) - 1 for several in arrived.values()),
        unexpected=len(unexpected),
        faults=tuple(faults),
    )


def _unexpected_copies(mails: Mapping[str, Mail], copies: Sequence[Copy]) -> list[str]:
    found = []
    firsts: dict[str, Copy] = {}
    for copy in copies:
        mail = mails.get(copy.name)
        if (
            mail is None
            or not set(copy.recipients) <= set(mail.recipients)
            or any(map(mail.due_of, copy.recipients))
        ):
            found.append(f"a copy of {copy.name} at {', '.join(copy.recipients)}")
            continue
        first = firsts.setdefault(copy.name, copy)
        if copy.content != first.content or copy.date != first.date:
            found.append(f"two copies of {copy.name} that differ")
    return found


def _unexpected_letters(mails: Mapping[str, Mail], letters: Sequence[Letter]) -> list[str]:
    """Letters whose body isn't byte for byte what was published."""
    return [
        f"a letter of {one.name or one.body}"
        for one in letters
        if one.name not in mails or one.body != mails[one.name].body
    ]


def _undue_copies(
    whom: str, copies: int, certain: Sequence[int], redriven: int, policy: str
) -> list[str]:
    """Each copy but the last must have been in doubt, or nobody may send another."""
    found = [f"undue copy: {whom} has another after copy {number}" for number in certain]
    if copies > _MOST_COPIES[policy] * (1 + redriven):  # whoever puts it back begins anew
        found.append(f"undue copy: {whom} has {copies}")
    return found


def _wrongly_cancelled(
    mails: Mapping[str, Mail],
    cancelled: Mapping[str, str],
    arrived: Mapping[tuple[str, str], Sequence[Copy]],
    dead: AbstractSet[tuple[str, str]],
    excuses: Excuses,
) -> Iterator[str]:
    """A recipient who was left when the email was cancelled has no copy for certain, no letter."""
    for name, fates in cancelled.items():
        if name not in mails or not mails[name].cancelled:
            yield f"unexpected: {name} is cancelled"
            continue
        everybody = mails[name].recipients
        for who, fate in zip(everybody, fates or _LEFT * len(everybody), strict=True):
            copies = arrived.get((name, who), ())
            if fate == _LEFT and any(not copy.doubt for copy in copies):
                yield f"sent and cancelled: {name} {who}"
            if fate == _LEFT and (name, who) in dead and not _may_be_both(name, excuses):
                yield f"dead and cancelled: {name} {who}"


def _may_be_both(name: str, excuses: Excuses) -> bool:
    """True if a letter may lie there beside a copy that arrived."""
    return bool(excuses.doubts.get(name) or name in excuses.hindered)


def _is_due(letter: Letter, mail: Mail, excuses: Excuses, policy: str) -> bool:
    """True if the harness knows why."""
    if letter.reason in _DOUBTFUL:
        return excuses.doubts.get(letter.name, 0) >= _DOUBTFUL[letter.reason][policy]
    if letter.reason in excuses.refused.get(letter.name, ()):
        return True
    about = [mail.fates[i] for i in letter.left or range(len(mail.fates))]
    return all(
        letter.reason in {mail.due_of(fate), *excuses.refused.get(fate, ())} for fate in about
    )
