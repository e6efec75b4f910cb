"""Relays that break the promise, each in one way: what the machine is there to find."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ion.aws.ledger import Ledger, Result
from ion.aws.queue import Queue
from ion.deadline import Deadline
from ion.delivery import Delivery, InDoubt
from ion.drain.deliver import Deliverer
from ion.drain.run import Drain
from ion.drain.settle import Settler
from ion.drain.work_item import Job, WorkItem
from ion.envelope import Email
from ion.limits import SKEW_SECONDS
from ion.message import Draft, Message
from ion.outcome import Outcome
from ion.policy.lease import Claim, Judgement, Verdict, judge
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

    async def record(self, results: Sequence[Result], now: float) -> list[Result]:
        return []


class Unbound(Ledger):
    """Its leases end as they begin."""

    async def claim(self, claims: Sequence[Claim], now: float) -> list[Judgement]:
        ended = now - 2 * SKEW_SECONDS
        return await super().claim([replace(one, lease_until=ended) for one in claims], now)


class Careless(Ledger):
    """Doesn't count how often an email was in doubt."""

    async def record(self, results: Sequence[Result], now: float) -> list[Result]:
        sure = [
            replace(one, row=replace(one.row, doubts="0" * len(one.row.doubts))) for one in results
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


class HastyDrain(Drain):
    def __init__(self, **parts: Any) -> None:  # noqa: ANN401 - as its parent's
        super().__init__(**parts)
        given = (parts[name] for name in ("queues", "ledger", "telemetry"))
        self._settler = Hasty(*given)


class Grabbing(Queue):
    """Deletes what it receives."""

    async def receive(self, **how: Any) -> list[Message]:  # noqa: ANN401 - as its parent's
        found = await super().receive(**how)
        await self.delete(found)
        return found


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
    "sent where a person should decide": Kind(ledger=Reckless),
    "bodies of dead letters are changed": Kind(dead_letters=Tidy),
    "deleted before it is dead-lettered": Kind(drain=HastyDrain),
    "deleted when received": Kind(input_queue=Grabbing),
    "probed while others speak": Kind(session=Nosy),
    "dead letters deleted before they are sent back": Kind(dead_letters=Grabbing),
}
FINE = {
    "leases last no time": Kind(ledger=Unbound),
    "doubts are forgotten": Kind(ledger=Careless),
    "a connection that takes no more is kept": Kind(session=Faithful),
}
"""Several things must come together: some fifty stories may go well before."""

STUBBORN = Kind(deliverer=Stubborn)
"""Its copies are as many as they should be: the claim keeps to the policy as well."""
