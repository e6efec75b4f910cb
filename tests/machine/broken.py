"""Relays that break the promise, each in one way: what the machine is there to find."""

import math
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from ion.aws.control import ControlRow
from ion.aws.ledger import Ledger, Record, Result, _columns
from ion.aws.queue import Queue
from ion.aws.table import TableError
from ion.contract import Lane, Send
from ion.deadline import Deadline
from ion.delivery import Delivery, InDoubt
from ion.drain.admission import Admission
from ion.drain.deliver import Deliverer
from ion.drain.queues import Queues
from ion.drain.run import Drain
from ion.drain.settle import Settler, _Settled
from ion.drain.work_item import Job, Unclaimed, WorkItem
from ion.envelope import Email
from ion.history import History
from ion.limits import SKEW_SECONDS
from ion.message import Draft, Message
from ion.outcome import Kind as Meaning
from ion.outcome import Outcome, Reason
from ion.policy.control import Control
from ion.policy.lease import Cancelling, Claim, Judgement, Verdict, cancelled, judge
from ion.smtp.session import Session
from ion.smtp.stream import StreamError
from machine.relay import Kind


class Yes(Ledger):
    """Whoever asks may send."""

    async def claim(self, claims: Sequence[Claim], now: float) -> list[Judgement]:
        judgements = await super().claim(claims, now)
        return [
            judge(None, claim, now)
            if judged.verdict in (Verdict.DONE, Verdict.WAIT, Verdict.SUSPECT)
            else judged
            for claim, judged in zip(claims, judgements, strict=True)
        ]


class Forgetful(Ledger):
    """Never writes down how it ended."""

    async def record(self, results: Sequence[Record], now: float) -> list[Record]:
        return []


class Unbound(Ledger):
    """Its leases end as they begin."""

    async def claim(self, claims: Sequence[Claim], now: float) -> list[Judgement]:
        ended = now - 2 * SKEW_SECONDS
        return await super().claim([replace(one, lease_until=ended) for one in claims], now)


class Careless(Ledger):
    """Doesn't count how often an email was in doubt."""

    async def record(self, results: Sequence[Record], now: float) -> list[Record]:
        sure = [
            replace(one, row=replace(one.row, doubts="0" * len(one.row.doubts)))
            if isinstance(one, Result)
            else one
            for one in results
        ]
        return await super().record(sure, now)


class Reckless(Ledger):
    """Sends what a person should decide about."""

    async def claim(self, claims: Sequence[Claim], now: float) -> list[Judgement]:
        return [
            replace(judged, verdict=Verdict.SEND) if judged.verdict is Verdict.PARKED else judged
            for judged in await super().claim(claims, now)
        ]


class Tidy(Queue):
    """Makes bodies look nicer."""

    async def send(self, drafts: Sequence[Draft]) -> list[bool]:
        return await super().send([replace(one, body=one.body.strip()) for one in drafts])


class Hasty(Settler):
    """Deletes before the fate is written."""

    async def settle(self, one: WorkItem, deliveries: Sequence[Delivery]) -> bool:
        await self._queues.of(one.message.source).delete([one.message])
        return await super().settle(one, deliveries)


class Mover(Settler):
    """Deletes before the copy for another queue is sent."""

    async def _move(self, settled: Sequence[_Settled]) -> list[tuple[Message, int]]:
        await self._delete([one.message for one in settled if one.copy])
        return await super()._move(settled)


class Counting(Settler):
    """Counts what was put back as an attempt."""

    async def settle(self, one: WorkItem, deliveries: Sequence[Delivery]) -> bool:
        counted = [
            replace(delivery, outcome=replace(delivery.outcome, kind=Meaning.TRANSIENT))
            if delivery.outcome.reason is Reason.DEADLINE
            else delivery
            for delivery in deliveries
        ]
        return await super().settle(one, counted)


class OddDrain(Drain):
    """Settles in its own way."""

    settler: type[Settler]

    def __init__(self, **parts: Any) -> None:  # noqa: ANN401 - as its parent's
        super().__init__(**parts)
        given = (parts[name] for name in ("queues", "ledger", "telemetry"))
        self._settler = self.settler(*given)
        self._intake._settled = self._settler.flush  # noqa: SLF001 - it has its own by now


class HastyDrain(OddDrain):
    settler = Hasty


class MovingDrain(OddDrain):
    settler = Mover


class CountingDrain(OddDrain):
    settler = Counting


class Grabbing(Queue):
    """Deletes what it receives."""

    async def receive(self, **how: Any) -> list[Message]:  # noqa: ANN401 - as its parent's
        found = await super().receive(**how)
        await self.delete(found)
        return found


# -- what its publishers want ------------------------------------------------------------


class Ruthless(Ledger):
    """Cancels whatever the row says."""

    async def cancel(self, email_id: str, now: float, by: str = "") -> Cancelling:
        how = await super().cancel(email_id, now, by)
        if how is not Cancelling.TOO_LATE:
            return how
        row = cancelled(None, "token", now)
        assert row is not None
        await self._table.execute([self._table.update(email_id, _columns(row))])
        return Cancelling.CANCELLED


class Deaf(Ledger):
    """Claims what is cancelled."""

    async def claim(self, claims: Sequence[Claim], now: float) -> list[Judgement]:
        return [
            judge(None, claim, now) if judged.verdict is Verdict.CANCELLED else judged
            for claim, judged in zip(claims, await super().claim(claims, now), strict=True)
        ]


class Impatient(Admission):
    """Knows no schedule."""

    async def _prepare_send(
        self, message: Message, history: History, send: Send, content: str
    ) -> WorkItem:
        now = msgspec.structs.replace(send, not_before=None)
        return await super()._prepare_send(message, history, now, content)


class Early(Queues):
    """Gives out what isn't due."""

    async def due(
        self, messages: Sequence[Message], paused: Collection[Lane] = ()
    ) -> list[Message]:
        return [*messages]


class Late(Admission):
    """Looks at when an email expires as it is received, and never again."""

    async def _prepare_send(
        self, message: Message, history: History, send: Send, content: str
    ) -> WorkItem:
        one = await super()._prepare_send(message, history, send, content)
        if isinstance(one.task, Unclaimed) and one.task.expires_at > self._now():
            one = replace(one, task=replace(one.task, expires_at=math.inf))
        return one


class Timeless(Admission):
    """Knows no end."""

    async def _prepare_send(
        self, message: Message, history: History, send: Send, content: str
    ) -> WorkItem:
        for_ever = msgspec.structs.replace(send, expires_at=None)
        return await super()._prepare_send(message, history, for_ever, content)


# -- what its operators want -------------------------------------------------------------


class Restless(ControlRow):
    """Knows no pause."""

    async def read(self) -> Control:
        return Control(stops=(await super().read()).stops)


class Unstoppable(ControlRow):
    """Knows no stop."""

    async def read(self) -> Control:
        return Control(pauses=(await super().read()).pauses)


class Sweeping(ControlRow):
    """Takes each stop to be about all emails."""

    async def read(self) -> Control:
        control = await super().read()
        stops = tuple(msgspec.structs.replace(one, where=None) for one in control.stops)
        return Control(pauses=control.pauses, stops=stops)


class Optimistic(ControlRow):
    """What can't be read says nothing."""

    async def read(self) -> Control:
        try:
            return await super().read()
        except TableError:
            return Control()


# -- how it speaks to a server -----------------------------------------------------------


class Stubborn(Deliverer):
    """Sends again what is in doubt, whatever the policy."""

    async def deliver(self, job: Job, message: Message, deadline: Deadline) -> list[Delivery]:
        return await super().deliver(replace(job, in_doubt=InDoubt.RESEND), message, deadline)


class Faithful(Session):
    """Stays with a connection on which the server takes nothing more."""

    def retire(self) -> None:
        pass


class Nosy(Session):
    """Asks whether the server is still there, whoever else speaks."""

    async def send(self, email: Email, deadline: Deadline) -> tuple[Outcome, ...]:
        wire = self._channel._stream  # noqa: SLF001 - past the locks
        try:
            wire.write(b"NOOP\r\n")
            await wire.read_reply(deadline.remaining())
        except StreamError:
            self.close()
        return await super().send(email, deadline)


COARSE = {
    "claims are always granted": Kind(ledger=Yes),
    "results are not recorded": Kind(ledger=Forgetful),
    "bodies of dead letters are changed": Kind(dead_letters=Tidy),
    "deleted before it is dead-lettered": Kind(drain=HastyDrain),
    "deleted when received": Kind(input_queue=Grabbing),
    "probed while others speak": Kind(session=Nosy),
    "dead letters deleted before they are sent back": Kind(dead_letters=Grabbing),
    "cancelled without a condition": Kind(ledger=Ruthless),
    "cancels are ignored": Kind(ledger=Deaf),
    "nothing expires": Kind(admission=Timeless),
    "pauses are ignored": Kind(control=Restless),
    "stops are about all": Kind(control=Sweeping),
    "sent though orders can't be read": Kind(control=Optimistic),
}
FINE = {
    "schedules are ignored": Kind(admission=Impatient),
    "sent where a person should decide": Kind(ledger=Reckless),
    "leases last no time": Kind(ledger=Unbound),
    "doubts are forgotten": Kind(ledger=Careless),
    "a connection that takes no more is kept": Kind(session=Faithful),
    "what waits isn't kept waiting": Kind(queues=Early),
    "stops are ignored": Kind(control=Unstoppable),
    "deleted before it is moved": Kind(drain=MovingDrain),
    "what is put back counts": Kind(drain=CountingDrain),
    "expiry is judged as a message comes": Kind(admission=Late),
}
"""Several things must come together: some fifty stories may go well before."""

STUBBORN = Kind(deliverer=Stubborn)
"""Its copies are as many as they should be: the claim keeps to the policy as well."""
