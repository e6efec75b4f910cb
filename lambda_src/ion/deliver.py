"""One Send to its fate: compose, transact, and put the recipients' outcomes together."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from ion.contract import Send
from ion.deadline import Deadline
from ion.envelope import Email
from ion.mail import compose
from ion.outcome import Delivery, Kind, Outcome, Reason, Stage, Status
from ion.provenance import Provenance
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
        default_sender: From, for messages that name none.
        give_up_after_seconds: age at which a message is no longer tried.
        now: seconds since the epoch.
        jitter: random, 0 to 1.
    """

    def __init__(
        self,
        pool: Pool,
        default_sender: str | None,
        give_up_after_seconds: float,
        now: Callable[[], float] = time.time,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._pool = pool
        self._default_sender = default_sender
        self._give_up_after_seconds = give_up_after_seconds
        self._now = now
        self._jitter = jitter

    async def deliver(self, send: Send, origin: Provenance, deadline: Deadline) -> list[Delivery]:
        """Try once to send to everybody who is left.

        Args:
            send: the action.
            origin: its key and history; `attempts` counts this one.
            deadline: by which everything has been said and done.

        Returns:
            One delivery if all recipients fare alike, else one for each way that they fare.

        Raises:
            BadInput: it can't become an email.
        """
        email = compose(
            send,
            key=origin.email_id,
            queued_at=origin.first_queued_at,
            default_sender=self._default_sender,
        )
        everybody = email.envelope.recipients
        indexes = [i for i in origin.left if i < len(everybody)] or range(len(everybody))
        began = time.perf_counter()
        outcomes = await self._send(email, [everybody[i] for i in indexes], deadline)
        seconds = time.perf_counter() - began
        by_index = dict(zip(indexes, outcomes, strict=True))
        return [
            replace(delivery, smtp_seconds=seconds)
            for delivery in self._sort(everybody, by_index, origin)
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

    def _sort(
        self, everybody: Sequence[str], outcomes: dict[int, Outcome], origin: Provenance
    ) -> list[Delivery]:
        """Recipients that fare alike, together."""
        groups: dict[Status, list[int]] = {}
        for index, outcome in outcomes.items():
            groups.setdefault(self._status(outcome, origin), []).append(index)
        whole = len(groups) == 1 and not origin.left
        deliveries = []
        for status, indexes in groups.items():
            worst = outcomes[indexes[0]]
            delay = _HELD_OVER_SECONDS if worst.reason is Reason.CONFIGURATION else 0
            if status is Status.DEFERRED:
                delay = delay_seconds(worst, origin.attempts, self._jitter())
                if self._too_old(origin, delay):
                    status, delay = Status.DEAD, 0  # noqa: PLW2901
                    worst = replace(worst, reason=Reason.EXPIRED)
            deliveries.append(
                Delivery(
                    status,
                    worst,
                    delay_seconds=delay,
                    left=() if whole else tuple(indexes),
                    addresses=tuple(everybody[i] for i in indexes),
                )
            )
        return deliveries

    def _status(self, outcome: Outcome, origin: Provenance) -> Status:
        if outcome.kind is Kind.ACCEPTED:
            return Status.SENT
        if outcome.kind is Kind.PERMANENT:
            return Status.DEAD
        if outcome.kind in _HOLDS:
            return Status.HELD
        if outcome.reason is Reason.PROTOCOL and origin.attempts >= _PROTOCOL_TRIES:
            return Status.DEAD
        return Status.DEFERRED

    def _too_old(self, origin: Provenance, delay: float) -> bool:
        since = origin.since or origin.first_queued_at
        age = (datetime.fromtimestamp(self._now(), UTC) - since).total_seconds()
        return expired(age, delay, self._give_up_after_seconds)


def _deserves_another_connection(outcome: Outcome, *, reused: bool) -> bool:
    """The stream failed, not the message; 421 says so too, on a connection that had been idle."""
    if outcome.kind is Kind.OUT_OF_STEP:
        return True
    closing = outcome.reply is not None and outcome.reply.code == 421
    return closing and reused and outcome.stage is Stage.MAIL
