"""The count at the end: what was published against what arrived, what died and what is left.

Pure. It believes the mail server (by the dots it saw) and the queues, not what ion says of itself.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

SENT, CANCELLED = "sent", "cancelled"
"""The fates of emails that arrive, and of those that leave nothing; others have the reason of their
dead letter."""

RESEND_ONCE, RESEND, PARK = "resend_once", "resend", "park"
IN_DOUBT, CRASH_LOOP = "IN_DOUBT", "CRASH_LOOP"

_MOST_EXTRA = {RESEND_ONCE: 1, PARK: 0}
"""Extra copies of one email however often it is in doubt, by policy."""


@dataclass(frozen=True)
class Life:
    """What was seen up to one death of the function, or in the last run, which ended well.

    Args:
        arrived: keys of the emails that the mail server took, one a copy.
        open: keys that neither acknowledgement was there for when it died: the message still in
            the queue, and no result in the ledger.
        dying: dead letters written whose message was still in the queue when it died.
    """

    arrived: Sequence[str] = ()
    open: frozenset[str] = frozenset()
    dying: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Books:
    """One test's account.

    Args:
        due: each published key and its fate had nothing been killed.
        lives: in order.
        dead: key and reason of every dead letter.
        left: keys still in the queues of what is to be sent.
        policy: what is done about an email in doubt.
        cancelled: keys of which the ledger says so.
    """

    due: Mapping[str, str]
    lives: Sequence[Life]
    dead: Sequence[tuple[str, str]] = ()
    left: Sequence[str] = ()
    policy: str = RESEND_ONCE
    cancelled: Collection[str] = ()
    _in_doubt: Counter[str] = field(init=False)

    def __post_init__(self) -> None:
        doubts = Counter(key for life in self.lives for key in life.open)
        object.__setattr__(self, "_in_doubt", doubts)

    def faults(self) -> list[str]:
        """What doesn't balance; empty: everything does."""
        copies = Counter(key for life in self.lives for key in life.arrived)
        letters = Counter(key for key, _ in self.dead)
        found = [f"unexpected: {key}" for key in {*copies, *letters} - self.due.keys()]
        found += [f"still queued: {key}" for key in self.left]
        for key, fate in self.due.items():
            found += self._fate_faults(key, fate, copies[key])
            found += self._copy_faults(key, copies[key])
            found += self._letter_faults(key, letters[key])
        return found

    def _fate_faults(self, key: str, fate: str, copies: int) -> list[str]:
        """Exactly one fate, and the right one. Only doubt can take the place of what was due."""
        fates = {SENT} if copies else set[str]()
        fates |= {reason for other, reason in self.dead if other == key}
        fates |= {CANCELLED} if key in self.cancelled else set()
        if not fates:
            return [f"lost: {key}"]
        for doubt in (IN_DOUBT, CRASH_LOOP):
            if doubt in fates and self._in_doubt[key]:  # a copy, or an earlier letter, is the doubt
                fates.discard(doubt)
                if fates <= {fate}:
                    return []
        return [] if fates == {fate} else [f"{key}: {sorted(fates)}, due: {fate}"]

    def _copy_faults(self, key: str, copies: int) -> list[str]:
        """A second copy of what was open at a death, and went out in that life; no other."""
        found = []
        excused = sum(key in life.open and key in life.arrived for life in self.lives)
        if copies > 1 + min(excused, _MOST_EXTRA.get(self.policy, excused)):
            found.append(f"undue copy: {key} arrived {copies} times, {excused} open at a death")
        for number, life in enumerate(self.lives, 1):
            if life.arrived.count(key) > 1:
                found.append(f"undue copy: {key} twice in life {number}")
        return found

    def _letter_faults(self, key: str, letters: int) -> list[str]:
        """Letter before delete: who dies in between leaves one too many, under the same key."""
        excused = sum(key in life.dying for life in self.lives)
        if letters > 1 + excused:
            return [f"undue dead letter: {key} has {letters}, {excused} excused"]
        return []
