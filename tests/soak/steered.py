"""What the proxy has seen of how emails were steered: letters, orders and cancels, and when."""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from soak.orders import InForce, cancelled_by, email_of, read

_UNDECIDED = ("", "queued", "deferred")
"""States of a row that a cancel may still change; "": there is none."""


@dataclass(frozen=True)
class Burial:
    """A dead letter that was written, whatever became of it.

    Args:
        name: of the email.
        reason: on it.
        at: when, by the soak's clock.
    """

    name: str
    reason: str
    at: float


class Steered:
    """Told of everything by the notes.

    Args:
        now: seconds, by the soak's clock.

    Attributes:
        burials: in order.
        in_force: what was, in order.
        queues: by the names of emails: in which ones they were received.
        counts: for the report.
        faults: what can't be excused.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.burials: list[Burial] = []
        self.in_force: list[InForce] = []
        self.queues: defaultdict[str, set[str]] = defaultdict(set)
        self.counts: Counter[str] = Counter()
        self.faults: list[str] = []
        self._tenants: dict[str, str] = {}
        self._states: dict[str, tuple[int, str]] = {}
        """By the names of emails: how often the ledger's row was written, and its state."""
        self._cancels: dict[str, tuple[str, int]] = {}
        """By receipt handle: the email that is cancelled, and how often its row was written."""
        self._put_off: Counter[str] = Counter()
        """Cancels that have a copy in another queue, by the email's name."""

    # -- queues --------------------------------------------------------------------------

    def received(self, receipt: str, body: str, queue: str, tenant: str) -> None:
        name = email_of(body)
        self.queues[name].add(queue)
        self._tenants.setdefault(name, tenant)
        if cancelled := cancelled_by(body):
            self._cancels[receipt] = cancelled, self._states.get(cancelled, (0, ""))[0]

    def sent(self, body: str, queue: str, tenant: str, reason: str = "") -> None:
        """A copy was put into a queue; with a reason: a dead letter."""
        name = email_of(body)
        if reason:
            self.burials.append(Burial(name, reason, self._now()))
            self.counts[f"letters over {reason}"] += 1
        else:
            self.counts[f"copies to {queue}"] += 1
        if cancelled := cancelled_by(body):
            self._put_off[cancelled] += 1
        if name and tenant != self._tenants.get(name, tenant):
            self.faults.append(f"tenant lost: {name} went to {queue} as {tenant or 'no tenant'}'s")
        self.counts["copies of a tenant's"] += bool(tenant)

    def deleted(self, receipt: str) -> None:
        """If it was a cancel: it has been carried out, or was too late."""
        name, writes = self._cancels.pop(receipt, ("", 0))
        if not name:
            return
        if self._put_off[name]:
            self._put_off[name] -= 1
            return
        writes_now, state = self._states.get(name, (0, ""))
        if writes == writes_now and state in _UNDECIDED:
            self.faults.append(f"not cancelled: {name}, which hadn't been begun")
        self.counts["cancels"] += 1

    # -- the ledger ----------------------------------------------------------------------

    def wrote(self, name: str, state: str) -> None:
        """The row of an email has this state now."""
        writes, _ = self._states.get(name, (0, ""))
        self._states[name] = writes + 1, state
        self.counts["cancelled"] += state == "cancelled"

    def controlled(self, text: str) -> None:
        """This is in force now."""
        now = read(self._now(), text)
        if self.in_force and self.in_force[-1].same_as(now):
            return
        self.in_force.append(now)
        self.counts["changes of what is in force"] += 1
