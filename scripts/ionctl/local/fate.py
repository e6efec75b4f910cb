"""What became of a file that was published."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ionctl.local import show
from ionctl.local.mail_session import Arrived
from ionctl.local.peek import Queued
from ionctl.printable import printable

_NO_TRACE = "waited for in vain: no email, no dead letter, nothing queued, nothing in the log"


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one file.

    Args:
        emails, dead_letters: what came of it; a message can be split between its recipients.
        undecided: where it, or a part of it, is queued still, and why; empty: it isn't.
        refused: why it never came onto the queue; None: it did.
        copy_of: the file before it that has the same key, and with it the emails.
        report: of what is no email, or was cancelled: what the log says of it last.
    """

    file: Path
    emails: tuple[Arrived, ...] = ()
    dead_letters: tuple[Queued, ...] = ()
    undecided: tuple[str, ...] = ()
    refused: str | None = None
    copy_of: Path | None = None
    report: str | None = None

    @property
    def is_good(self) -> bool:
        """True if everything was sent, or done: nothing of it is left in a queue."""
        return not self.wrong

    @property
    def wrong(self) -> tuple[str, ...]:
        """What went wrong, in a word or two each; empty: nothing."""
        found = {
            "not published": self.refused is not None,
            "dead-lettered": bool(self.dead_letters),
            "still queued": bool(self.undecided),
            "without a trace": not self.is_told,
        }
        return tuple(words for words, is_true in found.items() if is_true)

    @property
    def is_told(self) -> bool:
        """True if something is known of it; the log may be late."""
        told = (self.refused, self.copy_of, self.report)
        return bool(self.emails or self.dead_letters or self.undecided or any(told))

    def __str__(self) -> str:
        parts = [_sent(email) for email in self.emails]
        parts += [f"dead-lettered {show.why(dead)}" for dead in self.dead_letters]
        parts += self.undecided
        if self.report is not None and not (self.undecided or self.dead_letters or self.emails):
            parts.append(self.report)
        if self.copy_of is not None and not parts:
            parts.append(f"nothing: a copy of {self.copy_of}")
        if self.refused is not None:
            parts.append(f"not published: {self.refused}")
        return printable(f"{self.file} → {'; '.join(parts) or _NO_TRACE}")


def _sent(email: Arrived) -> str:
    recipients = ", ".join(email.recipients)
    if email.confirmed:
        return f"sent to {recipients}"
    return f"arrived for {recipients}, but the connection was lost before the relay was told"


def summary(fates: Sequence[Fate], timeout_seconds: float) -> str | None:
    """Give what went wrong in a sentence; None: nothing did."""
    wrong = Counter(words for fate in fates for words in fate.wrong)
    if not wrong:
        return None
    bad = sum(not fate.is_good for fate in fates)
    parts = [f"{count} {words}" for words, count in wrong.most_common()]
    waited = f" after {timeout_seconds:g} s (see --timeout)" if wrong["still queued"] else ""
    return f"{bad} of {len(fates)} went wrong: {', '.join(parts)}{waited}"
