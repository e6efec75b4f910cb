"""One Lambda: the relay as the handler puts it together, in the hands of chance."""

import asyncio
import math
import ssl
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from breaches import breaches
from emulated import Account, Held, Request
from ion.aws.control import ControlRow
from ion.aws.ledger import Ledger
from ion.aws.objects import Objects
from ion.aws.queue import Queue
from ion.deadline import Deadline
from ion.delivery import InDoubt
from ion.drain.admission import Admission
from ion.drain.deliver import Deliverer
from ion.drain.queues import Queues
from ion.drain.run import Drain
from ion.limits import LEASE_MARGIN_SECONDS
from ion.message import Source
from ion.policy.lease import SENT
from ion.report.telemetry import Telemetry
from ion.settings import Security, Smtp
from ion.smtp.connect import connect
from ion.smtp.logins import Logins
from ion.smtp.pool import Pool
from ion.smtp.session import Session, emails_a_connection
from machine.books import Books, Cause, Email
from machine.faults import KILLS, Ill, Plan, Seam
from machine.seams import Seams
from machine.simulated_time import SKEW
from smtp_server import NORMAL, Action, Moment, Offer, ScriptedServer, Step, Submission, reply

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

    from clock import Clock

LIFE_SECONDS = 400.0
"""Then Lambda kills the function. Long enough for it to lose patience at a dot before."""
_GIVE_UP_SECONDS = 4 * 24 * 3600
_TLS = ssl.create_default_context()
_EMAILS_A_CONNECTION = 2
"""That a limited server takes."""
MALFORMED = reply(501, "5.1.3 Recipient address syntax error")
"""OpenSMTPD's words: about one recipient, and nothing else."""
_AT_THE_DOT = frozenset({Step.BODY, Step.DOT})
_UNCLEAR = frozenset(
    {Ill.DROP, Ill.GARBAGE, Ill.GLUED, Ill.HANG, Ill.LOST_THREAD, Ill.CLOSING, Ill.KILLED}
)
"""After these, ion can't know what the server has decided."""


def _no_s3() -> "S3Client":
    raise AssertionError("no email here has anything in S3")


@dataclass(frozen=True)
class Kind:
    """What a relay is made of; `broken` has other parts."""

    ledger: type[Ledger] = Ledger
    drain: type[Drain] = Drain
    deliverer: type[Deliverer] = Deliverer
    session: type[Session] = Session
    input_queue: type[Queue] = Queue
    dead_letters: type[Queue] = Queue


class Process:
    """One invocation in an execution environment of its own.

    Args:
        kind: of relay.
        account: its AWS.
        clock: the true time.
        books: told of everything that happens.
        plan: what goes wrong.
        in_doubt: the configured policy.
    """

    def __init__(
        self,
        kind: Kind,
        account: Account,
        clock: "Clock",
        books: Books,
        plan: Plan,
        in_doubt: InDoubt,
    ) -> None:
        self._kind = kind
        self._account = account
        self._clock = clock
        self._books = books
        self._plan = plan
        self._in_doubt = in_doubt
        self._seams = Seams(account, self, plan.aws, clock, plan.lull_seconds)
        self._main: asyncio.Task[object] | None = None
        self._touched: dict[int, Email] = {}
        self._fired = 0
        self._unclear: dict[int, int] = {}
        """By session: from which of its submissions on ion can't know what the server decided."""
        self.dead = False
        self.out_of_time = False
        """Its clock and that of a Lambda beside it are so far apart that no lease can help."""

    async def live(self) -> None:
        """Run, perhaps die, and see the consequences written into the books."""
        await asyncio.sleep(self._plan.starts_after)
        SKEW.set(self._plan.skew_seconds)
        loop = asyncio.get_running_loop()
        offer = self._plan.habit.on(Offer(pipelining=True), _EMAILS_A_CONNECTION)
        async with ScriptedServer(self._script, offer=offer) as self._server:
            self._main = loop.create_task(self._run())
            end = loop.call_later(LIFE_SECONDS, self.kill)
            try:
                await self._main
            except BaseException:
                if not self.dead:
                    raise
            finally:
                end.cancel()
            self._excuse()
            unknown = self._unknown()
            await self._server.settled()
        plan, sessions = self._plan, self._server.sessions
        self._books.strays += breaches(sessions, plan.pipelining, offer, plan.connections)
        for session in {one.session for one in self._server.submissions}:
            for number, submission in enumerate(self._of_session(session)):
                if submission.accepted:
                    unclear = number >= self._unclear.get(session, math.inf) or self.out_of_time
                    doubts = {to: unclear or to in unknown for to in submission.recipients}
                    self._books.arrived(submission, in_doubt=doubts)

    def _of_session(self, session: int) -> list[Submission]:
        return [one for one in self._server.submissions if one.session == session]

    def kill(self) -> None:
        """Die: no further call is made, no further byte is written."""
        self.dead = True
        if self._main is not None:
            self._main.cancel()

    # -- the relay -----------------------------------------------------------------------

    async def _run(self) -> object:
        smtp = Smtp(
            "127.0.0.1",
            self._server.port,
            Security.NONE,
            connections=self._plan.connections,
            pipelining=self._plan.pipelining,
        )
        deadline = Deadline.after(LIFE_SECONDS, self._clock)
        ledger = self._kind.ledger(cast("Any", self._seams.dynamodb), self._account.table)
        sqs = cast("SQSClient", self._seams.sqs)
        telemetry = Telemetry()
        telemetry.level("ERROR")
        lease_until = self._now() + deadline.remaining() + LEASE_MARGIN_SECONDS
        async with Pool(partial(connect, smtp, _TLS, deadline, Logins()), smtp.connections) as pool:
            drain = self._kind.drain(
                queues=self._queues(sqs, telemetry),
                ledger=ledger,
                control=ControlRow(cast("Any", self._seams.dynamodb), self._account.table),
                objects=Objects(_no_s3),
                admission=Admission(
                    ledger, telemetry, "ion@example.org", self._in_doubt, lease_until, self._now
                ),
                pool=pool,
                workers=smtp.connections * emails_a_connection(smtp.pipelining),
                deliverer=self._kind.deliverer(pool, _GIVE_UP_SECONDS, self._now, lambda: 0.5),
                telemetry=telemetry,
                linger_seconds=0,
                deadline=deadline,
            )
            return await drain.run()

    def _queues(self, sqs: "SQSClient", telemetry: Telemetry) -> Queues:
        account, kind = self._account, self._kind
        return Queues(
            input=kind.input_queue(sqs, account.input_url, Source.INPUT),
            bulk=kind.input_queue(sqs, account.bulk_url, Source.BULK),
            later=kind.input_queue(sqs, account.later_url, Source.LATER),
            dead_letters=kind.dead_letters(sqs, account.dead_url, Source.DEAD_LETTERS),
            telemetry=telemetry,
            now=self._now,
        )

    def _now(self) -> float:
        return self._clock() + SKEW.get()

    # -- what happens --------------------------------------------------------------------

    def _script(self, moment: Moment) -> Action:
        if moment.step is Step.RCPT and self._books.is_malformed(moment.argument):
            return MALFORMED
        for fault in self._plan.smtp:
            if not fault.is_due(moment.step, moment.nth - 1):
                continue
            self._fired += 1
            if fault.ill in _UNCLEAR or fault.is_too_slow:
                begun = len(self._of_session(moment.session)) - (moment.step in _AT_THE_DOT)
                self._unclear.setdefault(moment.session, begun)
            if fault.ill is Ill.KILLED:
                self.kill()
            return fault.action
        return NORMAL

    def noticed(self, seam: Seam, request: Request, answer: Any) -> None:  # noqa: ANN401
        """A call took effect: what of it the books want to know."""
        if seam in (Seam.RECEIVE, Seam.DIG):
            for message in answer.get("Messages", ()):
                if email := self._books.of_body(message["Body"]):
                    self._touched[email.number] = email
        if seam is Seam.REVIVE:
            refused = {one["Id"] for one in answer.get("Failed", ())}
            for entry in request["Entries"]:
                if entry["Id"] not in refused:
                    self._books.came_back(_held(entry))

    def _excuse(self) -> None:
        """What went wrong in a run may show in whatever it had in hand."""
        aws = [fault for fault in self._seams.fired if fault.trouble not in KILLS]
        causes = {
            Cause.AWS: bool(aws),
            Cause.SERVER: bool(self._fired),
            Cause.DEATH: self.dead,
            Cause.CLOCKS: self.out_of_time,
        }
        incidents = len(self._seams.fired) + self._fired + self.dead + self.out_of_time
        for number in self._touched:
            self._books.excuses[number] += incidents
            self._books.causes[number] |= {cause for cause, is_so in causes.items() if is_so}

    def _unknown(self) -> frozenset[str]:
        """Recipients whom the ledger doesn't have as served, and this can be helped by nobody.

        Unless the process died or the ledger was ill, it can be helped, and is no excuse.
        """
        ill = self.dead or any(fault.seam is Seam.WRITE for fault in self._seams.fired)
        sendable = [email for email in self._touched.values() if email.recipients]
        if not ill or not sendable:
            return frozenset()
        fates = self._fates({email.key for email in sendable})
        return frozenset(
            address
            for email in sendable
            for address, fate in zip(
                email.recipients,
                fates.get(email.key, "").ljust(len(email.recipients)),
                strict=False,
            )
            if fate != SENT
        )

    def _fates(self, keys: set[str]) -> dict[str, str]:
        table = self._account.table
        request = {table: {"Keys": [{"email_id": {"S": key}} for key in sorted(keys)]}}
        rows = self._account.dynamodb().batch_get_item(RequestItems=request)["Responses"][table]
        return {row["email_id"]["S"]: row["fates"]["S"] for row in rows}


def _held(entry: Request) -> Held:
    """A message on its way into a queue, as it will lie there."""
    attributes = {
        name: (value["DataType"], value.get("BinaryValue", value.get("StringValue", "")))
        for name, value in entry["MessageAttributes"].items()
    }
    return Held("", entry["MessageBody"], attributes, 0, visible=True, delayed=False)
