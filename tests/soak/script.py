"""What the mail server does in one life of the function, and what is noted of it."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from smtp_server import NORMAL, Action, Ending, Moment, Reply, Step, Submission, reply
from soak.mail import is_bounced, name_of
from soak.manner import Manner
from soak.smtp_chaos import REASONS, Fault, SmtpChaos
from soak.witness import Break, Copy, Sort, Witness

_OF_CONNECTION = frozenset(
    {Step.CONNECT, Step.EHLO, Step.STARTTLS, Step.AUTH, Step.RSET, Step.QUIT}
)
_BOUNCE = reply(550, "5.1.1 no such user")


@dataclass
class _Session:
    """What a connection is at.

    Args:
        on_itself: the fault that it is to have.
        name: of the email under way.
        fault: that this is to have.
        submission: the server's record of it, if its content comes by DATA.
        told: what the server decides is going to arrive.
        lost: the thread is: the client can't believe what it hears from now on.
        broken: since then, where a window of emails is in doubt.
        astray: contents that have come since then.
        taken: copies of the last emails that were taken for certain, one less than the window.
    """

    on_itself: Fault | None
    name: str = ""
    fault: Fault | None = None
    submission: Submission | None = None
    told: bool = True
    lost: bool = False
    broken: Break | None = None
    astray: int = 0
    taken: deque[Copy] = field(default_factory=deque)


class MailScript:
    """A script for `ScriptedServer`, which decides "accepted" by the dot that it saw.

    A client that speaks command by command, or pipelines with one content at a time, has at most
    one email in doubt when a connection breaks: the one whose dot isn't answered. Nothing may
    come to a server that has lost the thread. With a window, as much as that may.

    Args:
        life: number of whose server it is.
        chaos: draws the faults.
        witness: told of copies and doubts.
        submissions: the server's.
        moment: told of each step, before the server answers; it may kill the client.
        manner: of the server.
    """

    def __init__(
        self,
        life: int,
        chaos: SmtpChaos,
        witness: Witness,
        submissions: Callable[[], Sequence[Submission]],
        moment: Callable[[], None],
        manner: Manner,
    ) -> None:
        self._life = life
        self._chaos = chaos
        self._witness = witness
        self._submissions = submissions
        self._moment = moment
        self._manner = manner
        self._sessions: dict[int, _Session] = {}

    def __call__(self, moment: Moment) -> Action:
        session = self._sessions.get(moment.session)
        if session is None:
            drawn = self._chaos.of_connection(f"{self._life}/{moment.session}")
            session = self._sessions[moment.session] = _Session(drawn)
            session.taken = deque(maxlen=self._manner.window - 1)
        if moment.step is Step.MAIL:
            session.name = name_of(moment.argument)
            session.fault = self._chaos.of_transaction(session.name, self._manner)
            session.told = not session.lost
            if session.lost:  # and so the client may take for an answer what is none
                self._witness.refused[session.name].add("PROTOCOL")
        if moment.step is Step.BODY:
            session.submission = self._submissions()[-1]  # begun this instant
        was_lost = session.lost
        action = self._action(session, moment)
        if moment.step is Step.DOT:
            if was_lost:
                self._goes_astray(session)
            self._dot(session, action)
            session.submission = None
        self._moment()
        return action

    def _action(self, session: _Session, moment: Moment) -> Action:
        if moment.step is Step.RCPT and is_bounced(moment.argument):
            return _BOUNCE
        for_connection = moment.step in _OF_CONNECTION
        fault = session.on_itself if for_connection else session.fault
        if fault is None or fault.step is not moment.step or not self._chaos.on:
            return NORMAL
        if for_connection:
            session.on_itself = None
        else:
            session.fault, session.told = None, session.told and fault.told
        self._chaos.happened(fault, to_an_email=not for_connection)
        if fault.reason:
            # Out of step, a refusal may be taken for that of the next command.
            reasons = {*REASONS.values()} if session.lost else {fault.reason}
            self._witness.refused[session.name] |= reasons
        in_flight = not for_connection or moment.step is Step.RSET  # or something may be
        if fault.loses_the_thread and in_flight and not session.lost:
            self._lose(session, moment.step, fault.action.ending)
        if moment.step is Step.BODY and fault.action.ending is not Ending.GO_ON:
            self._witness.in_doubt(session.name, Sort.DOT)  # its dot may be on its way
            self._is_seen(session)
        return fault.action

    def _lose(self, session: _Session, step: Step, ending: Ending) -> None:
        session.lost = True
        if step is Step.BODY:
            session.astray -= 1  # its dot is on its way already
        if not self._manner.chunking:
            return
        session.broken = self._witness.broke(self._life, self._manner.window)
        if step in (Step.MAIL, Step.RCPT):
            session.told = False  # its content is on its way already
        if ending in (Ending.RESET, Ending.CLOSE):  # who writes into that can't read any more
            for copy in session.taken:
                if copy.name in session.broken.claimed:
                    copy.unread = session.broken

    def _goes_astray(self, session: _Session) -> None:
        session.astray += 1
        if session.astray > self._manner.astray:
            what = f"out of step: {session.name} went to a server that had lost the thread"
            self._witness.faults.append(what)

    def _is_seen(self, session: _Session) -> None:
        """One less of those in doubt whom nobody saw."""
        if session.broken is not None:
            session.broken.room = max(0, session.broken.room - 1)

    def _dot(self, session: _Session, action: Action) -> None:
        """Note the verdict: the server is going to have the email, whatever it writes."""
        if not session.told:
            self._is_seen(session)
        if (action.reply or Reply(250)).code // 100 != 2:
            if not session.told:
                self._witness.in_doubt(session.name, Sort.DOT)
            return
        submission = session.submission or self._submissions()[-1]  # by BDAT: begun this instant
        copy = self._witness.accepted(
            self._life,
            session.name,
            submission.recipients,
            submission.content,
            told=session.told,
        )
        if session.told:
            session.taken.append(copy)
