"""Received messages to what may be done about them: parsed, checked, and claimed ten a call.

What is wrong with a message in itself is found here, before the ledger or the mail server
hears of it. An email's content is made later, by the worker that sends it: here it would lie about.
"""

import random
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TypeGuard

import msgspec

from ion.address_hash import address_hash
from ion.aws.address_key import AddressKey
from ion.aws.ledger import Ledger
from ion.aws.table import TableError
from ion.contract import (
    BadInput,
    Lane,
    S3Object,
    Send,
    claim_check,
    content_hash,
)
from ion.delivery import (
    Delivery,
    InDoubt,
    Status,
    cancelled,
    duplicate,
    fault,
    id_reused,
    leased,
    poison,
    scheduled,
    template_unavailable,
    to_bulk,
    unclaimable,
)
from ion.drain.about import about_email
from ion.drain.claim_checks import ClaimChecks
from ion.drain.suppression_list import Addressed, Looked, SuppressionList, addressed, left_out
from ion.drain.templating import Bodies, Templates, TooLateError
from ion.drain.unfetched import UnfetchedError
from ion.drain.work_item import Claimed, Pointer, PutBack, Suspect, Unclaimed, WorkItem
from ion.history import Fetched, History, message_id, named_history, read_history, resolve, since
from ion.identity import Identity
from ion.limits import MOST_RECEIVES, SKEW_SECONDS
from ion.mail import Checked, author, check, header_message_id, recipients
from ion.message import Message, Source
from ion.outcome import Kind, Outcome, Reason, Scope, Stage
from ion.policy.lease import Claim, Judgement, Row, Verdict
from ion.policy.retry import delay_seconds
from ion.policy.schedule import begins_at, born_at, ends_at
from ion.policy.suppression import Forbidden
from ion.report.telemetry import Telemetry
from ion.template import FilesUnavailableError
from ion.unsubscribe.links import Links


@dataclass(frozen=True, slots=True)
class _Asking:
    """What is asked about an email before it may be sent: whether, and to whom."""

    claim: Claim
    addressed: Addressed


class Admission:
    """Parses messages and claims them.

    Args:
        ledger: who has been served.
        telemetry: told of faults.
        default_sender: From, for messages that name none.
        in_doubt: the policy, for messages that name none.
        lease_until: when this run, and everything that it might still do, is over for certain;
            seconds since the epoch.
        now: seconds since the epoch.
        address_key: of the hashes by which rows and log tell recipients.
        templates: of messages that name one; None: there are none.
        claim_checks: fetches what messages point to; None: no message does.
        suppression_list: who must not be written to; None: there is none.
        links: to unsubscribe by; None: it isn't set where they lead to.
    """

    def __init__(  # noqa: PLR0913 - what a message may need
        self,
        ledger: Ledger,
        telemetry: Telemetry,
        default_sender: str | None,
        in_doubt: InDoubt,
        lease_until: float,
        now: Callable[[], float] = time.time,
        *,
        address_key: AddressKey,
        templates: Templates | None = None,
        claim_checks: ClaimChecks | None = None,
        suppression_list: SuppressionList | None = None,
        links: Links | None = None,
    ) -> None:
        self._ledger = ledger
        self._address_key = address_key
        self.suppression_list = suppression_list
        self._telemetry = telemetry
        self._claim_checks = claim_checks
        self._links = links
        self.default_sender = default_sender
        self._in_doubt = in_doubt
        self._lease_until = lease_until
        self._templates = templates
        self._now = now
        self.failures = 0
        """Claims in a row to which the table gave no answer, be it of the emails or of their
        recipients; those side by side count as one."""

    async def begin(self) -> None:
        """Read what each claim needs. Once an environment: it never changes.

        Raises:
            TableError: it can't be known, so nothing can be claimed.
        """
        await self._address_key.get()

    async def admit(self, messages: Sequence[Message]) -> list[WorkItem]:
        """Say for each message, in order, what may be done about it.

        An email that must not be sent twice at any price is left for its worker to claim, right
        before it is sent: a claim is what a process that dies leaves in doubt.
        """
        claim_checks = self._claim_checks
        fetched = await claim_checks.from_outbox(messages) if claim_checks else {}
        prepared = [await self._prepare(one, fetched.get(n)) for n, one in enumerate(messages)]
        asking: dict[str, _Asking] = {}
        claimants: set[int] = set()
        for number, one in enumerate(prepared):
            if _is_claimed_early(one.task) and one.history.email_id not in asking:
                asking[one.history.email_id] = self._asking(one, one.task)
                claimants.add(number)
        judgements, looked = await self._judgements(asking)
        admitted = []
        for number, one in enumerate(prepared):
            if not _is_claimed_early(one.task):
                admitted.append(one)
                continue
            judged = judgements[one.history.email_id]
            if number not in claimants:  # its twin came in the same ten
                judged = Judgement(Verdict.WAIT)
            barred = looked.barred.get(one.history.email_id, {})
            admitted.append(_admitted(one, one.task, judged, barred))
        return admitted

    async def admit_alone(self, one: WorkItem) -> WorkItem:
        """Say what may be done about one message.

        A suspect must be the only one at that time. Of others it doesn't matter: after a crash
        with one that must not be sent twice, nothing is sent.
        """
        unclaimed = one.task.unclaimed if isinstance(one.task, Suspect) else one.task
        if not isinstance(unclaimed, Unclaimed):
            return one
        name = one.history.email_id
        judgements, looked = await self._judgements(
            {name: self._asking(one, unclaimed, alone=True)}
        )
        barred = looked.barred.get(name, {})
        return _admitted(one, unclaimed, judgements[name], barred)

    async def fetch(self, one: WorkItem, timeout_seconds: float) -> WorkItem:
        """Read the message that lies in S3, and say what may be done about it."""
        message, history = one.message, one.history
        if self._claim_checks is None or not isinstance(one.task, Pointer):
            return one
        try:
            fetched = await self._claim_checks.from_s3(message, one.task.s3, timeout_seconds)
        except UnfetchedError as error:
            return WorkItem(message, history, error.fate(self._now() - since(message, history)))
        except BadInput as bad:
            return WorkItem(message, history, _dead(bad))
        except Exception as error:  # noqa: BLE001 - the message's border: it harms no other
            self._telemetry.fault("fault", error, message.id)
            return WorkItem(message, history, fault())
        return await self.admit_alone(await self._prepare(message, fetched))

    def unread(self, message: Message) -> WorkItem:
        """A message that is to be put back."""
        return WorkItem(message, read_history(message), PutBack())

    async def _judgements(
        self, asking: Mapping[str, "_Asking"]
    ) -> tuple[dict[str, Judgement], Looked]:
        """Claim emails, by key, unless it can't be known whom they may go to."""
        if not asking:
            return {}, Looked()
        before, looked = self.failures, Looked()
        if self.suppression_list is not None:
            emails = {name: one.addressed for name, one in asking.items()}
            looked = await self.suppression_list.look(emails)
        code = looked.code
        judgements = dict.fromkeys(asking, Judgement(Verdict.UNKNOWN))
        claims = {name: one.claim for name, one in asking.items() if name not in looked.unknown}
        try:
            judged = await self._ledger.claim(list(claims.values()), self._now())
        except TableError as error:
            code = str(error)
        else:
            judgements |= zip(claims, judged, strict=True)
        unknown = [one for one in judgements.values() if one.verdict is Verdict.UNKNOWN]
        if unknown:
            self._telemetry.trouble("the ledger can't be used", count=len(unknown), code=code)
        answered = len(unknown) < len(judgements)
        self.failures = 0 if answered else min(self.failures, before) + 1
        return judgements, looked

    async def _prepare(
        self, message: Message, fetched: Fetched | UnfetchedError | None
    ) -> WorkItem:
        history = named_history(message) if fetched else read_history(message)
        if message.receives >= MOST_RECEIVES:  # before anything that it may have broken so often
            return WorkItem(message, history, poison())
        if isinstance(fetched, UnfetchedError):  # an item of the outbox, and its key is known
            fate = fetched.fate(self._now() - since(message, history))
            return WorkItem(message, history, fate, identity=Identity())
        if fetched is None and self._claim_checks is not None:
            pointer = claim_check(message.body)
            if isinstance(pointer, S3Object):
                return WorkItem(message, history, Pointer(pointer))
        try:
            history, action = resolve(message, fetched)
            if not isinstance(action, Send):
                return WorkItem(message, history, action)
            content = fetched.content if fetched else message.body
            return await self._prepare_send(message, history, action, content)
        except BadInput as bad:
            return WorkItem(message, history, _dead(bad))
        except TooLateError:
            return WorkItem(message, history, PutBack())
        except Exception as error:  # noqa: BLE001 - the message's border: it harms no other
            self._telemetry.fault("fault", error, message.id)
            return WorkItem(message, history, fault())

    async def _prepare_send(
        self, message: Message, history: History, send: Send, content: str
    ) -> WorkItem:
        """An email that may go now; or the fate of one that may not."""
        if message.source is Source.INPUT and Lane.BULK in (send.lane, history.lane):
            return WorkItem(message, history, to_bulk())
        now = self._now()
        came = since(message, history)
        begins, born = begins_at(send, came, now), born_at(send, came)
        if born != came:
            due = datetime.fromtimestamp(born, UTC)
            history = msgspec.structs.replace(history, since=due)
        if begins is not None:
            waits = scheduled(begins + SKEW_SECONDS - now)
            identity = await self._identity_of(history.email_id, send, content)
            return WorkItem(message, history, waits, identity=identity)
        expires_at = ends_at(send)
        asked = _without_content(send)
        try:
            rendered, bodies = await self._rendered(send)
        except FilesUnavailableError as error:
            self._telemetry.trouble("a template can't be read", code=str(error))
            waits = _when_it_can_be_read(message, str(error))
            identity = await self._identity_of(history.email_id, send, content)
            return WorkItem(message, history, waits, identity=identity)
        email = check(rendered, key=history.email_id, default_sender=self.default_sender)
        if send.unsubscribe:
            email = await self._with_link(send, email)
        identity = await self._identity(email.envelope.recipients, email.message_id, content)
        in_doubt = send.in_doubt or self._in_doubt
        unclaimed = Unclaimed(email, in_doubt, identity.content_hash, bodies, expires_at, asked)
        return WorkItem(message, history, unclaimed, identity=identity)

    async def _identity_of(self, key: str, send: Send, content: str) -> Identity | None:
        """What an email is found by that isn't checked yet; None: something is wrong with it.

        That is told when its time has come, as of an email that needn't wait.
        """
        try:
            to, sender = recipients(send), author(send, self.default_sender)
        except BadInput:
            return None
        return await self._identity(to, header_message_id(key, sender), content)

    async def _identity(self, to: Sequence[str], message_id_field: str, content: str) -> Identity:
        key = await self._address_key.get()
        hashes = tuple(address_hash(key, one) for one in to)
        return Identity(hashes, message_id_field, content_hash(content))

    async def _with_link(self, send: Send, email: Checked) -> Checked:
        """The email with a link by which its recipient unsubscribes."""
        if self._links is None:
            raise BadInput(Reason.UNSUBSCRIBE_MISSING, "$.unsubscribe")
        (recipient,) = email.envelope.recipients
        return email.with_unsubscribe(await self._links.link(send, recipient))

    async def _rendered(self, send: Send) -> tuple[Send, Bodies | None]:
        if send.template is None:
            return send, None
        if self._templates is None:
            raise BadInput(Reason.TEMPLATE_MISSING, "$.template")
        return await self._templates.check(send)

    def _asking(self, one: WorkItem, unclaimed: Unclaimed, *, alone: bool = False) -> "_Asking":
        claim = self._claim(one, unclaimed, alone=alone)
        return _Asking(claim, addressed(unclaimed.email.envelope, claim.scope, one.history))

    def _claim(self, one: WorkItem, unclaimed: Unclaimed, *, alone: bool = False) -> Claim:
        history, recipients = one.history, len(unclaimed.email.envelope.recipients)
        return Claim(
            email_id=history.email_id,
            message_id=message_id(one.message, history),
            content_hash=unclaimed.content_hash,
            recipients=recipients,
            left=tuple(i for i in history.left if i < recipients),
            redrives=history.redrives,
            queued_at=_iso(history.first_queued_at),
            in_doubt=unclaimed.in_doubt,
            alone=alone,
            token=uuid.uuid4().hex,
            lease_until=self._lease_until,
            about=about_email(one),
        )


def _without_content(send: Send) -> Send:
    """What a stop may ask about; the rest would lie about until the email's turn has come."""
    return Send(
        recipient=send.recipient,
        cc=send.cc,
        bcc=send.bcc,
        sender=send.sender,
        tags=send.tags,
        body_text="",
    )


def _dead(bad: BadInput) -> Delivery:
    """The fate of bad input."""
    outcome = Outcome(Stage.PARSE, Kind.PERMANENT, Scope.MESSAGE, bad.reason)
    return Delivery(
        Status.DEAD,
        outcome,
        path=bad.path,
        problem=bad.problem,
        did_you_mean=bad.did_you_mean,
        reply=bad.detail,
    )


def _admitted(
    one: WorkItem, unclaimed: Unclaimed, judged: Judgement, barred: Mapping[int, Forbidden]
) -> WorkItem:
    """What may be done about an email; the fates of who must not be written to are apart."""
    message, history = one.message, one.history
    addresses = unclaimed.email.envelope.recipients
    if judged.verdict is Verdict.SUSPECT:
        return replace(one, task=Suspect(unclaimed))
    if (row := judged.row) is None:
        return replace(one, task=_without_sending(judged, len(addresses)))
    targets, parked = (
        tuple(i for i in some if i not in barred) for some in (judged.targets, judged.parked)
    )
    ours = {*judged.targets, *judged.parked}
    apart = left_out({i: why for i, why in barred.items() if i in ours})
    if parked:
        apart = (*apart, _parked(Reason.IN_DOUBT, row, parked))
    if not targets:
        fate, *others = apart
        return replace(one, task=fate, row=row, apart=tuple(others))
    if judged.verdict is not Verdict.SEND:
        reason = Reason.IN_DOUBT if judged.verdict is Verdict.PARKED else Reason.CRASH_LOOP
        return replace(one, task=_parked(reason, row, targets), row=row, apart=apart)
    queued_at, first = history.first_queued_at, row.queued_at
    # A twin's: receivers should take it for the same.
    if first and first != _iso(queued_at):
        queued_at = datetime.fromisoformat(first)
    claimed = Claimed(
        unclaimed.email,
        queued_at,
        row,
        targets,
        unclaimed.in_doubt,
        since(message, history),
        history.receives + message.receives,
        unclaimed.bodies,
        unclaimed.expires_at,
        unclaimed.asked,
    )
    return replace(one, task=claimed, row=row, apart=apart)


def _parked(reason: Reason, row: Row, indexes: tuple[int, ...]) -> Delivery:
    """The fate of recipients who may have the email, or that the process dies over."""
    died = "the function died between claim and result"
    detail = died if row.crashes else "may have been sent before"
    outcome = Outcome(Stage.DOT, Kind.IN_DOUBT, Scope.MESSAGE, reason, detail=detail)
    return Delivery(Status.DEAD, outcome, recipients=indexes, reply=detail)


def _when_it_can_be_read(message: Message, code: str) -> Delivery:
    """Ever later, so that SQS doesn't count to a thousand receives meanwhile."""
    put_off = template_unavailable(0, code)
    delay = delay_seconds(put_off.outcome, message.receives, random.random())  # noqa: S311
    return replace(put_off, delay_seconds=delay)


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")


def _is_claimed_early(task: object) -> TypeGuard[Unclaimed]:
    return isinstance(task, Unclaimed) and task.in_doubt is not InDoubt.PARK


def _without_sending(judged: Judgement, recipients: int) -> Delivery:
    """The fate of a message that is nothing to send now."""
    match judged.verdict:
        case Verdict.DONE:
            return duplicate()
        case Verdict.CANCELLED:
            return cancelled()
        case Verdict.REUSED:
            return id_reused(recipients)
        case Verdict.WAIT:
            return leased(judged.wait_seconds)
        case _:
            return unclaimable()
