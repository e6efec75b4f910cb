"""One claimed email to its fate: transact, and put the recipients' outcomes together."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from ion.deadline import Deadline
from ion.delivery import Delivery, Status, guarded
from ion.delivery import expired as too_late
from ion.drain.work_item import Job
from ion.envelope import Email
from ion.guard_rules import GuardRules
from ion.mail import redirected
from ion.mail.dkim import Signer
from ion.message import Message
from ion.outcome import Kind, Outcome, Reason, Scope, Stage
from ion.policy.guard import Routes, StagingGuard
from ion.policy.lease import may_resend
from ion.policy.rate import is_about_one_connection
from ion.policy.refusals import Refusals
from ion.policy.retry import delay_seconds, expired, held_over_seconds
from ion.report.redact import redact
from ion.settings import Pipelining
from ion.smtp.pool import Pool
from ion.smtp.session import Session

_HOLDS = frozenset({Kind.QUOTA, Kind.MISCONFIGURED, Kind.UNAVAILABLE})
_ABOUT_A_MESSAGE = frozenset({Reason.CONFIGURATION, Reason.RELAYING_DENIED})
"""Holds that another message might not have met."""
_CONNECTIONS = 3
"""For one attempt at one email, at most."""
_PROTOCOL_TRIES = 3
"""A server that loses the thread over the same message this often won't ever like it."""


class Deliverer:
    """Sends messages, one at a time a caller.

    Args:
        pool: where sessions come from.
        give_up_after_seconds: age at which a message is no longer tried.
        now: seconds since the epoch.
        jitter: random, 0 to 1.
        guard: whom email may reach, and in whose name; None: there are no such rules.
        signer: by DKIM; None: nothing is signed here.
    """

    def __init__(
        self,
        pool: Pool,
        give_up_after_seconds: float,
        now: Callable[[], float] = time.time,
        jitter: Callable[[], float] = random.random,
        *,
        guard: StagingGuard | None = None,
        signer: Signer | None = None,
    ) -> None:
        self._pool = pool
        self._give_up_after_seconds = give_up_after_seconds
        self._now = now
        self._jitter = jitter
        self._signer = signer
        self._guard = guard or StagingGuard(GuardRules())
        self._refusals = Refusals()
        self._put_off_afresh: set[tuple[Stage, int, str | None]] = set()
        """Replies of fresh connections that put an email off: the server's pace."""

    async def deliver(self, job: Job, message: Message, deadline: Deadline) -> list[Delivery]:
        """Try once to send to the recipients that are left.

        Args:
            job: the email, claimed.
            message: that asked for it.
            deadline: by which everything has been said and done.

        Returns:
            One delivery for each way that recipients fare.
        """
        if job.expires_at <= self._now():
            return [too_late(job.targets)]
        envelope = job.email.envelope
        if path := self._guard.forbidden_sender(envelope):
            return [guarded(job.targets, path)]
        routes = self._guard.routes(envelope.recipients, job.targets)
        left_out = [guarded(routes.left_out)] if routes.left_out else []
        to_send = (*routes.themselves, *routes.redirected)
        if not to_send:
            return left_out
        known = self._refusals.of(envelope.senders)
        if known is not None:
            return left_out + self._sort(job, dict.fromkeys(to_send, known))
        began = time.perf_counter()
        outcomes = await self._send_along(routes, job.email, message, deadline)
        seconds = time.perf_counter() - began
        sent = self._sort(job, outcomes)
        return left_out + [replace(delivery, smtp_seconds=seconds) for delivery in sent]

    async def _send_along(
        self, routes: Routes, email: Email, message: Message, deadline: Deadline
    ) -> dict[int, Outcome]:
        """An outcome for each recipient that something goes to, by index.

        First to the recipients themselves; then, in a transaction of its own since its content is
        its own, the redirect's copy. If the site turns out to be ill, that isn't tried.
        """
        everybody, redirect = email.envelope.recipients, self._guard.redirect_to
        goes_to = {i: everybody[i] for i in routes.themselves}
        fates: dict[str, Outcome] = {}
        if goes_to:
            fates = await self._send(email, list(goes_to.values()), deadline)
        if routes.redirected and redirect:
            ill = [one for one in fates.values() if one.kind in _HOLDS and one.scope is Scope.SITE]
            copy = redirected(email, [everybody[i] for i in routes.redirected], redirect)
            fates |= {redirect: ill[0]} if ill else await self._send(copy, [redirect], deadline)
            goes_to |= dict.fromkeys(routes.redirected, redirect)
        fates = self._refusals.observe(message.id, email.envelope.senders, fates)
        return {i: fates[address] for i, address in goes_to.items()}

    async def _send(
        self, email: Email, recipients: Sequence[str], deadline: Deadline
    ) -> dict[str, Outcome]:
        """An outcome for each recipient.

        A fault of the connection costs no attempt: the email gets a fresh one at once. Most often
        the server had dropped an idle one, or had taken as many emails as it takes on one. It gets
        a third one if it went out in a flight on the second: the pool is more careful by then.
        """
        if self._signer is not None:  # last: what goes out is what is signed
            email = self._signer.sign(email)
        fates: dict[str, Outcome] = {}
        left = list(recipients)
        for attempt in range(_CONNECTIONS):
            session = await self._pool.acquire(fresh=attempt > 0)
            if isinstance(session, Outcome):
                fates |= dict.fromkeys(left, session)
                break
            in_a_flight = session.pipelining is not Pipelining.OFF
            try:
                left = await self._transact(session, email, left, deadline, fates)
            finally:
                await self._pool.release(session)
            if not left or (attempt > 0 and not in_a_flight):
                break
        return fates

    async def _transact(
        self,
        session: Session,
        email: Email,
        recipients: list[str],
        deadline: Deadline,
        fates: dict[str, Outcome],
    ) -> list[str]:
        """Add outcomes to `fates`; returns the recipients to try on another connection at once."""
        reused = session.transactions > 0
        envelope = replace(email.envelope, recipients=tuple(recipients))
        outcomes = await session.send(replace(email, envelope=envelope), deadline)
        fates |= zip(recipients, outcomes, strict=True)
        # Those of a further transaction, if one was needed and not begun; else all of them.
        waiting = {r for r in recipients if fates[r].kind not in (Kind.ACCEPTED, Kind.PERMANENT)}
        rest = [
            r for r in recipients if r in waiting and fates[r].stage is Stage.MAIL
        ] or recipients
        put_off = _put_off([fates[r] for r in rest])
        if put_off is None:
            return [r for r in recipients if fates[r].kind is Kind.OUT_OF_STEP]
        reused = reused or any(outcome.kind is Kind.ACCEPTED for outcome in outcomes)
        if not reused:
            self._put_off_afresh.add(put_off)
        if not reused or put_off in self._put_off_afresh:
            return []
        session.retire()
        return rest

    def _sort(self, job: Job, outcomes: dict[int, Outcome]) -> list[Delivery]:
        """Recipients that fare alike, together."""
        everybody, redirect = job.email.envelope.recipients, self._guard.redirect_to
        groups: dict[tuple[Status, Reason], list[int]] = {}
        for index, outcome in outcomes.items():
            status = self._status(outcome, job, int(job.row.doubts[index]))
            groups.setdefault((status, outcome.reason), []).append(index)
        deliveries = []
        for (status, _), indexes in groups.items():
            outcome = outcomes[indexes[0]]
            delivery = Delivery(
                status,
                outcome,
                recipients=tuple(indexes),
                server=self._pool.server,
                reply=redact(outcome.said, [*(everybody[i] for i in indexes), redirect or ""]),
            )
            deliveries.append(self._timed(delivery, job))
        return deliveries

    def _status(self, outcome: Outcome, job: Job, doubts: int) -> Status:
        if outcome.kind is Kind.ACCEPTED:
            return Status.SENT
        if outcome.kind is Kind.PERMANENT:
            return Status.DEAD
        if outcome.kind in _HOLDS:
            return Status.RELEASED
        if outcome.kind is Kind.IN_DOUBT and not may_resend(job.in_doubt, doubts + 1):
            return Status.DEAD
        if outcome.reason is Reason.PROTOCOL and job.row.attempts + 1 >= _PROTOCOL_TRIES:
            return Status.DEAD
        return Status.DEFERRED

    def _timed(self, delivery: Delivery, job: Job) -> Delivery:
        """The delivery with the delay of its next try; dead if it is too late for one."""
        outcome, age = delivery.outcome, self._now() - job.since
        if delivery.status is Status.DEFERRED:
            # A throttled attempt isn't counted, so there the receives tell how often it was.
            tries = job.receives if outcome.kind is Kind.THROTTLED else job.row.attempts + 1
            delay = delay_seconds(outcome, tries, self._jitter())
        elif delivery.status is Status.RELEASED and outcome.reason in _ABOUT_A_MESSAGE:
            # If it is the only one that the server minds, the others must not wait behind it.
            delay = held_over_seconds(age)
        else:
            return delivery
        minded = delivery.status is Status.DEFERRED or outcome.scope is not Scope.SITE
        gives_up = expired(outcome, age, delay, self._give_up_after_seconds)
        if minded and (gives_up or self._now() + delay >= job.expires_at):
            return replace(delivery, status=Status.DEAD, outcome=outcome.too_late)
        return replace(delivery, delay_seconds=delay)


def _put_off(outcomes: Sequence[Outcome]) -> tuple[Stage, int, str | None] | None:
    """The reply, where MAIL or every RCPT was put off with one; None: none was, or it says why.

    It may be about the connection: OpenSMTPD says 452 to MAIL after a hundred emails, for ever.
    """
    first = outcomes[0]
    if first.reply is None or not first.reply.transient:
        return None
    closed = first.reply.closing and first.kind is Kind.THROTTLED
    if closed and not is_about_one_connection(first):
        return None  # there are too many of them: not one more, then
    for outcome in outcomes:
        envelope = outcome.stage in (Stage.MAIL, Stage.RCPT) and outcome.stage is first.stage
        if not envelope or outcome.reason not in (Reason.TRY_LATER, Reason.THROTTLED):
            return None
    return first.stage, first.reply.code, first.reply.enhanced
