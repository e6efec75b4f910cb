"""One claimed email to its fate: transact, and put the recipients' outcomes together."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from ion.admit import Job
from ion.claims import may_resend
from ion.deadline import Deadline
from ion.envelope import Email
from ion.message import Message
from ion.outcome import Delivery, Kind, Outcome, Reason, Stage, Status
from ion.retry import delay_seconds, expired
from ion.smtp.pool import Pool
from ion.smtp.session import Session

_HOLDS = frozenset({Kind.QUOTA, Kind.MISCONFIGURED, Kind.UNAVAILABLE})
_HELD_OVER_SECONDS = 5 * 60
"""A message over which the server held us is left alone this long: if it is the only one that the
server minds (an address that isn't verified), the others must not wait behind it."""
_PROTOCOL_TRIES = 3
"""A server that loses the thread over the same message this often won't ever like it."""


class Deliverer:
    """Sends messages, one at a time a caller.

    Args:
        pool: where sessions come from.
        give_up_after_seconds: age at which a message is no longer tried.
        now: seconds since the epoch.
        jitter: random, 0 to 1.
    """

    def __init__(
        self,
        pool: Pool,
        give_up_after_seconds: float,
        now: Callable[[], float] = time.time,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._pool = pool
        self._give_up_after_seconds = give_up_after_seconds
        self._now = now
        self._jitter = jitter

    async def deliver(self, job: Job, message: Message, deadline: Deadline) -> list[Delivery]:
        """Try once to send to everybody who is left.

        Args:
            job: the email, claimed.
            message: that asked for it; its age decides when to give up.
            deadline: by which everything has been said and done.

        Returns:
            One delivery for each way that recipients fare.
        """
        everybody = job.email.envelope.recipients
        began = time.perf_counter()
        outcomes = await self._send(job.email, [everybody[i] for i in job.targets], deadline)
        seconds = time.perf_counter() - began
        by_index = dict(zip(job.targets, outcomes, strict=True))
        return [
            replace(delivery, smtp_seconds=seconds)
            for delivery in self._sort(job, message, by_index)
        ]

    async def _send(
        self, email: Email, recipients: Sequence[str], deadline: Deadline
    ) -> list[Outcome]:
        """One outcome for each recipient.

        Who got none because the connection broke before the dot gets another chance at once, on
        a fresh connection, that costs no attempt: most often the server had dropped an idle one.
        """
        fates: dict[str, Outcome] = {}
        left = list(recipients)
        for fresh in (False, True):
            session = await self._pool.acquire(fresh=fresh)
            if isinstance(session, Outcome):
                fates |= dict.fromkeys(left, session)
                break
            reused = session.transactions > 0
            fates |= await self._transact(session, email, left, deadline)
            left = [r for r in left if _deserves_another_connection(fates[r], reused=reused)]
            if not left:
                break
        return [fates[recipient] for recipient in recipients]

    async def _transact(
        self, session: Session, email: Email, recipients: list[str], deadline: Deadline
    ) -> dict[str, Outcome]:
        envelope = replace(email.envelope, recipients=tuple(recipients))
        try:
            transaction = await session.send(replace(email, envelope=envelope), deadline)
        finally:
            await self._pool.release(session)
        return dict(zip(recipients, transaction.outcomes, strict=True))

    def _sort(self, job: Job, message: Message, outcomes: dict[int, Outcome]) -> list[Delivery]:
        """Recipients that fare alike, together."""
        everybody = job.email.envelope.recipients
        groups: dict[Status, list[int]] = {}
        for index, outcome in outcomes.items():
            groups.setdefault(self._status(outcome, job), []).append(index)
        deliveries = []
        for status, indexes in groups.items():
            delivery = Delivery(
                status,
                outcomes[indexes[0]],
                recipients=tuple(indexes),
                addresses=tuple(everybody[i] for i in indexes),
            )
            deliveries.append(self._timed(delivery, job, message))
        return deliveries

    def _status(self, outcome: Outcome, job: Job) -> Status:
        if outcome.kind is Kind.ACCEPTED:
            return Status.SENT
        if outcome.kind is Kind.PERMANENT:
            return Status.DEAD
        if outcome.kind in _HOLDS:
            return Status.HELD
        if outcome.kind is Kind.IN_DOUBT and not may_resend(job.in_doubt, job.row.doubts + 1):
            return Status.DEAD
        if outcome.reason is Reason.PROTOCOL and job.row.attempts + 1 >= _PROTOCOL_TRIES:
            return Status.DEAD
        return Status.DEFERRED

    def _timed(self, delivery: Delivery, job: Job, message: Message) -> Delivery:
        """When to try again, or that it isn't worth it any more."""
        outcome = delivery.outcome
        if delivery.status is Status.HELD and outcome.reason is Reason.CONFIGURATION:
            return replace(delivery, delay_seconds=_HELD_OVER_SECONDS)
        if delivery.status is not Status.DEFERRED:
            return delivery
        # A throttled attempt isn't counted, so there the receives tell how often it was.
        tries = message.receives if outcome.kind is Kind.THROTTLED else job.row.attempts + 1
        delay = delay_seconds(outcome, tries, self._jitter())
        if expired(self._now() - message.sent_at, delay, self._give_up_after_seconds):
            return replace(
                delivery, status=Status.DEAD, outcome=replace(outcome, reason=Reason.EXPIRED)
            )
        return replace(delivery, delay_seconds=delay)


def _deserves_another_connection(outcome: Outcome, *, reused: bool) -> bool:
    """The stream failed, not the message; 421 says so too, on a connection that had been idle."""
    if outcome.kind is Kind.OUT_OF_STEP:
        return True
    closing = outcome.reply is not None and outcome.reply.code == 421
    return closing and reused and outcome.stage is Stage.MAIL
