"""One Lambda: the relay, in the hands of chance."""

import asyncio
import math
from typing import TYPE_CHECKING, Any

from breaches import breaches
from emulated import Account, Held, Request
from ion.delivery import InDoubt
from ion.policy.lease import SENT
from machine.books import Books, Cause
from machine.emails import Arrival, Email
from machine.faults import KILLS, Ill, Plan, Seam, Trouble
from machine.orders import OBEYED_SECONDS
from machine.relay import LIFE_SECONDS, Kind, Relay
from machine.seams import Seams
from machine.simulated_time import SKEW
from smtp_server import (
    NORMAL,
    Action,
    Habit,
    Moment,
    Offer,
    ScriptedServer,
    Step,
    Submission,
    reply,
)

if TYPE_CHECKING:
    from clock import Clock

_AT_ONCE_SECONDS = 1.0
"""Calls take a little time."""
_SLOW = frozenset({Trouble.SLOW, Trouble.SLOW_ANSWER})
_EMAILS_A_CONNECTION = 2
"""That a limited server takes."""
MALFORMED = reply(501, "5.1.3 Recipient address syntax error")
"""OpenSMTPD's words: about one recipient, and nothing else."""
_AT_THE_DOT = frozenset({Step.BODY, Step.DOT})
_UNCLEAR = frozenset(
    {Ill.DROP, Ill.GARBAGE, Ill.GLUED, Ill.HANG, Ill.LOST_THREAD, Ill.CLOSING, Ill.KILLED}
)
"""After these, ion can't know what the server has decided."""


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
        self._seams = Seams(account, self, clock, plan)
        self._main: asyncio.Task[object] | None = None
        self._touched: dict[int, Email] = {}
        self._fired = self._buried = 0
        self._unclear: dict[int, int] = {}
        """By session: from which of its submissions on ion can't know what the server decided."""
        self._begun: dict[tuple[int, int], float] = {}
        """By session and submission: when its body began."""
        self.dead = False
        self.out_of_time = False
        """Its clock and that of a Lambda beside it are so far apart that no lease can help."""

    async def live(self) -> None:
        """Run, perhaps die, and see the consequences written into the books."""
        await asyncio.sleep(self._plan.starts_after)
        SKEW.set(self._plan.skew_seconds)
        loop, plan = asyncio.get_running_loop(), self._plan
        offer = plan.habit.on(Offer(pipelining=True), _EMAILS_A_CONNECTION)
        async with ScriptedServer(self._script, offer=offer) as self._server:
            relay = Relay(self._kind, self._account, self._seams, self._clock, self._in_doubt)
            self._main = loop.create_task(relay.run(self._server.port, plan))
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
        sessions = self._server.sessions
        self._books.strays += breaches(sessions, plan.pipelining, offer, plan.connections)
        for session in {one.session for one in self._server.submissions}:
            for number, submission in enumerate(self._of_session(session)):
                if submission.accepted:
                    unclear = number >= self._unclear.get(session, math.inf) or self.out_of_time
                    doubts = {to: unclear or to in unknown for to in submission.recipients}
                    arrival = self._arrival(self._begun[session, number])
                    self._books.arrived(submission, arrival, in_doubt=doubts)

    def _arrival(self, at: float) -> Arrival:
        plan = self._plan
        slow = any(fault.trouble in _SLOW for fault in self._seams.fired)
        late = LIFE_SECONDS if self._fired else _AT_ONCE_SECONDS
        seconds = late + (LIFE_SECONDS if slow else 2 * plan.lull_seconds)
        return Arrival(
            at,
            plan.skew_seconds,
            late_seconds=late,
            slow_seconds=seconds,
            blind=self._is_blind(at, seconds),
            astray=self.out_of_time,
        )

    def _is_blind(self, at: float, seconds: float) -> bool:
        """True if the control row hadn't been read for too long, though it was tried."""
        looks = [look for look in self._seams.looks if look[0] <= at]
        seen = [number for number, (_, ok) in enumerate(looks) if ok]
        if not seen:
            return True
        failed = looks[seen[-1] + 1 :]
        return bool(failed) and at - failed[0][0] > OBEYED_SECONDS + seconds

    @property
    def tries(self) -> int:
        """Envelopes begun, as the server saw it; and dead letters about what others began."""
        commands = [one for session in self._server.sessions for one in session.commands]
        return sum(command.verb == "MAIL" for command in commands) + self._buried

    @property
    def is_countable(self) -> bool:
        """True if nothing happened to it, so that the server saw all that it did."""
        return not self._fired and not self.dead and self._plan.habit is Habit.USUAL

    def _of_session(self, session: int) -> list[Submission]:
        return [one for one in self._server.submissions if one.session == session]

    def kill(self) -> None:
        """Die: no further call is made, no further byte is written."""
        self.dead = True
        if self._main is not None:
            self._main.cancel()

    # -- what happens --------------------------------------------------------------------

    def _script(self, moment: Moment) -> Action:
        if moment.step is Step.RCPT and self._books.is_malformed(moment.argument):
            return MALFORMED
        if moment.step is Step.BODY:
            number = len(self._of_session(moment.session)) - 1
            self._begun[moment.session, number] = self._clock()
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
        if seam in (Seam.WRITE, Seam.STEER):
            self._books.written(self._clock(), request["Statements"], answer["Responses"])
        if seam is Seam.BURY:
            self._buried += len(request["Entries"])
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
