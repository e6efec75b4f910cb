"""What a soak came to, for people and for programs."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from smtp_server import ScriptedServer
from soak.books import Balance
from soak.mail import is_malformed
from soak.manner import Manner

_SHOWN = 20


@dataclass(frozen=True)
class Report:
    """Figures of the harness; nothing in it is ion's own word.

    Args:
        messages: published, twins not counted.
        seed: of it.
        policy: for emails in doubt.
        pipelining: the mode of all lives, or that they had different ones.
        books: the count.
        witnessed: faults of ion that were seen on the way.
        in_doubt_events: injected, by sort.
        smtp_transactions: begun under chaos.
        smtp_faults: of these, those that met a fault.
        smtp_sorts: by sort, those of connections included.
        smtp_ways: of emails, chaos or not; see `ways`.
        aws_calls: made under chaos.
        aws_sorts: faults by sort.
        delivered_twice: messages that SQS gave out once more than it had to.
        steered: copies of what waits or is moved, letters, orders and cancels, by sort.
        obeyed_within: real seconds that a stop or a pause needed at most.
        kills: processes that died by SIGKILL.
        invocations: of the function.
        seconds: that it took.
    """

    messages: int
    seed: int
    policy: str
    pipelining: str
    books: Balance
    witnessed: tuple[str, ...]
    in_doubt_events: Mapping[str, int]
    smtp_transactions: int
    smtp_faults: int
    smtp_sorts: Mapping[str, int]
    smtp_ways: Mapping[str, int]
    aws_calls: int
    aws_sorts: Mapping[str, int]
    delivered_twice: int
    steered: Mapping[str, int]
    obeyed_within: float
    kills: int
    invocations: int
    seconds: float

    @property
    def aws_faults(self) -> int:
        return sum(self.aws_sorts.values())

    @property
    def faults(self) -> tuple[str, ...]:
        """Why the books don't balance; empty: they do."""
        return (*self.books.faults, *self.witnessed)

    def as_json(self) -> dict[str, Any]:
        books = self.books
        return {
            "messages": self.messages,
            "seed": self.seed,
            "policy": self.policy,
            "pipelining": self.pipelining,
            "published": books.published,
            "sent": books.sent,
            "dead_lettered": books.dead_lettered,
            "cancelled": books.cancelled,
            "lost": books.lost,
            "unexpected": books.unexpected,
            "duplicated": len(books.duplicated),
            "extra_copies": books.extra_copies,
            "in_doubt_events": sum(self.in_doubt_events.values()),
            "in_doubt_events_by_sort": dict(self.in_doubt_events),
            "smtp_transactions": self.smtp_transactions,
            "smtp_faults": self.smtp_faults,
            "smtp_faults_by_sort": dict(sorted(self.smtp_sorts.items())),
            "smtp_ways": dict(sorted(self.smtp_ways.items())),
            "aws_calls": self.aws_calls,
            "aws_faults": self.aws_faults,
            "aws_faults_by_sort": dict(sorted(self.aws_sorts.items())),
            "delivered_twice": self.delivered_twice,
            "steered": dict(sorted(self.steered.items())),
            "obeyed_within_seconds": round(self.obeyed_within, 1),
            "kills": self.kills,
            "invocations": self.invocations,
            "seconds": round(self.seconds, 1),
            "faults": list(self.faults),
        }

    def __str__(self) -> str:
        books = self.books
        smtp = f"{self.smtp_faults} of {self.smtp_transactions} transactions"
        aws = f"{self.aws_faults} of {self.aws_calls} calls"
        sorts = ", ".join(f"{count} {sort}" for sort, count in self.in_doubt_events.items())
        ways = ", ".join(f"{count} {way}" for way, count in sorted(self.smtp_ways.items()))
        steered = ", ".join(f"{count} {what}" for what, count in sorted(self.steered.items()))
        rows = {
            "published": f"{books.published} fates of {self.messages} messages",
            "sent": books.sent,
            "dead-lettered": books.dead_lettered,
            "cancelled": books.cancelled,
            "lost": books.lost,
            "unexpected": books.unexpected,
            "duplicated": f"{len(books.duplicated)}, by {books.extra_copies} copies",
            "in-doubt events": f"{sum(self.in_doubt_events.values())} ({sorts})",
            "smtp faults": f"{smtp}, {_share(self.smtp_faults, self.smtp_transactions)}",
            "emails begun": ways,
            "aws faults": f"{aws}, {_share(self.aws_faults, self.aws_calls)}",
            "steered": steered,
            "obeyed within": f"{self.obeyed_within:.1f} s",
            "delivered twice": self.delivered_twice,
            "kills": f"{self.kills}; {self.invocations} invocations",
            "seed": f"{self.seed}, {self.policy}, pipelining {self.pipelining}",
            "took": f"{self.seconds:.0f} s",
        }
        lines = [f"{name:<16} {value}" for name, value in rows.items()]
        lines += [f"  {fault}" for fault in self.faults[:_SHOWN]]
        if len(self.faults) > _SHOWN:
            lines.append(f"  and {len(self.faults) - _SHOWN} more")
        lines.append("The books don't balance." if self.faults else "The books balance.")
        return "\n".join(lines)


ONE_BY_ONE, GROUPED = "command by command", "in one flight"
MORE_BEHIND = "envelopes behind a dot"
PROBES = "NOOPs on idle connections"
PUT_OFF = "put off by a connection that was full"
MALFORMED = "501s to a recipient"


def ways(server: ScriptedServer, manner: Manner) -> Counter[str]:
    """How emails came to a server, and what there was beside them that no fault was drawn for."""
    sessions = server.sessions
    commands = [command for session in sessions for command in session.commands]
    mails = [command for command in commands if command.verb == "MAIL"]
    grouped = sum(one.pipelined for one in mails)
    counted = {
        ONE_BY_ONE: len(mails) - grouped,
        GROUPED: grouped,
        MORE_BEHIND: sum(session.early_mails for session in sessions),
        PROBES: sum(command.verb == "NOOP" for command in commands),
        PUT_OFF: sum(session.put_off for session in sessions),
        MALFORMED: sum(is_malformed(command.line) for command in commands),
        f"to {manner.habit} servers": len(mails),
    }
    return +Counter(counted)


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "none"
