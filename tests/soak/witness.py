"""What the mail server and the proxy have seen, put together: who got a copy, and what is in doubt.

An email is in doubt from the moment its claim is in the ledger until its result is. If the process
dies in between, or what it wrote didn't arrive, nobody can know whether it was sent: that is what
ion is excused for, and it is noted here from outside. A copy is excused only if the one before it
was in doubt in this way.
"""

import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256

from soak.mail import name_of
from soak.orders import email_of
from soak.steered import Steered


class Sort(StrEnum):
    """Where the doubt is from."""

    DOT = "dot"
    """The reply to the dot didn't arrive, or the dot itself may not have."""
    KILL = "kill"
    """SIGKILL between the claim and the acknowledgements."""
    AWS = "aws"
    """The claim's answer was lost; or both the result and the delete failed."""


@dataclass
class Copy:
    """An email that the mail server took, by its dot.

    Args:
        name: of it.
        recipients: who.
        content: a digest of it, its Date aside.
        date: that.
        doubt: why its sender can't know; empty: it can.
        at: when; seconds since the epoch, by the soak's clock.
    """

    name: str
    recipients: tuple[str, ...]
    content: bytes
    date: bytes
    doubt: str = ""
    at: float = 0.0


@dataclass
class _Lease:
    """A claim that is in the ledger, without a result.

    Args:
        name: of the email.
        token: the ledger's.
        copies: that the server took under it.
        unheard: the claim's answer, or the result, was kept from arriving.
    """

    name: str
    token: str
    copies: list[Copy] = field(default_factory=list)
    unheard: bool = False


@dataclass
class Witness:
    """Told of everything by the script and the notes.

    Args:
        now: seconds, by the soak's clock.

    Attributes:
        copies: in the order of their dots.
        doubts: events by name.
        sorts: events by sort.
        parked: names of those that were dead-lettered over a doubt.
        redriven: by name: how often such a one was put back, so that it may be sent once more.
        hindered: names of those for whom a write to a queue was, or who were between two queues
            at an end: a letter may be left over.
        refused: injected final refusals: reasons of dead letters, by name; those of one recipient
            by address.
        tried: names of those that a mail server was asked to take.
        faults: what can't be excused.
    """

    now: Callable[[], float] = time.time
    copies: list[Copy] = field(default_factory=list)
    doubts: Counter[str] = field(default_factory=Counter)
    sorts: Counter[Sort] = field(default_factory=Counter)
    parked: set[str] = field(default_factory=set)
    redriven: Counter[str] = field(default_factory=Counter)
    hindered: set[str] = field(default_factory=set)
    refused: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    tried: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)
    held: Counter[str] = field(default_factory=Counter)
    """Messages by name, in any queue or still to be published."""
    busy_at: float = 0.0
    """When a message came or went last, by `time.monotonic`."""
    _names: dict[str, str] = field(default_factory=dict)
    """By the ledger's key."""
    _receipts: dict[str, str] = field(default_factory=dict)
    """Names by receipt handle."""
    _leases: dict[int, dict[str, _Lease]] = field(default_factory=lambda: defaultdict(dict))
    """By life and name."""
    _moved: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    """By life: names put into a queue; from where they come they are not deleted yet."""

    def __post_init__(self) -> None:
        self.steered = Steered(self.now)

    # -- queues --------------------------------------------------------------------------

    def received(self, message_id: str, receipt: str, body: str) -> None:
        self.busy_at = time.monotonic()
        name = email_of(body)
        self._receipts[receipt] = name
        self._names.setdefault(message_id, name)

    def name_by_receipt(self, receipt: str) -> str:
        return self._receipts.get(receipt, "")

    def deleted(self, life: int, receipt: str) -> None:
        self.busy_at = time.monotonic()
        name = self._receipts.pop(receipt, "")
        self.held[name] -= 1
        self._moved[life].discard(name)

    def sent(self, life: int, name: str, *, waits: bool = False) -> None:
        """A copy was put into a queue; of what waits, the one is as good as the other."""
        self.busy_at = time.monotonic()
        self.held[name] += 1
        if not waits:
            self._moved[life].add(name)

    # -- the ledger ----------------------------------------------------------------------

    def name_by_key(self, key: str) -> str:
        return name_of(key) or self._names.get(key, "")

    def claimed(self, life: int, key: str, token: str, *, heard: bool) -> None:
        """The claim is in the ledger; perhaps its answer didn't arrive."""
        name = self.name_by_key(key)
        for other in list(self._leases):
            before = self._leases[other].get(name)
            if before is not None and before.token != token:
                self._left_open(other, name, Sort.AWS)
        lease = self._leases[life].setdefault(name, _Lease(name, token))
        lease.unheard = lease.unheard or not heard

    def recorded(self, life: int, key: str, *, done: bool) -> None:
        """The result is in the ledger; or it was kept from it."""
        name = self.name_by_key(key)
        if done:
            self._leases[life].pop(name, None)
        elif name in self._leases[life]:
            self._leases[life][name].unheard = True

    # -- the mail server -----------------------------------------------------------------

    def accepted(
        self, life: int, name: str, recipients: tuple[str, ...], content: bytes, *, told: bool
    ) -> Copy:
        """A dot was seen, and the email taken; perhaps the reply isn't going to arrive."""
        before, date, after = re.split(rb"(?m)^(Date: .*\r\n)", content, maxsplit=1)
        copy = Copy(name, recipients, sha256(before + after).digest(), date, at=self.now())
        if f"This is {name}.".encode() not in content:
            self.faults.append(f"unexpected: {name} with other content")
        self.copies.append(copy)
        lease = self._leases[life].get(name)
        if lease is not None:
            lease.copies.append(copy)
        elif told:  # else it was on its way when the client gave it up, and said so
            self.faults.append(f"undue copy: {name} sent without a lease")
        if not told:
            copy.doubt = Sort.DOT
            self.in_doubt(name, Sort.DOT)
        return copy

    def in_doubt(self, name: str, sort: Sort) -> None:
        """An event."""
        self.doubts[name] += 1
        self.sorts[sort] += 1

    # -- ends ----------------------------------------------------------------------------

    def ended(self, life: int, sort: Sort) -> None:
        """An invocation is over, and all that it has asked for is done: by SIGKILL or by itself."""
        for name in list(self._leases[life]):
            self._left_open(life, name, sort)
        del self._leases[life]
        self.hindered |= self._moved.pop(life, set())

    def _left_open(self, life: int, name: str, sort: Sort) -> None:
        lease = self._leases[life].pop(name)
        if self.held[name] <= 0:  # nothing is left that could bring it back
            return
        if sort is not Sort.KILL and not lease.unheard:
            self.faults.append(f"no result: {name} was given up without a fault")
            return
        if lease.unheard and not lease.copies:  # it had been given up before the end
            sort = Sort.AWS
        for copy in lease.copies:
            copy.doubt = copy.doubt or sort
        self.in_doubt(name, sort)
