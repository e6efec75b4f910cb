"""What the mail server does in one life of the function, and what is noted of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from smtp_server import NORMAL, Action, Moment, Reply, Step, Submission, reply
from soak.mail import is_bounced, name_of
from soak.smtp_chaos import Fault, SmtpChaos
from soak.witness import Sort, Witness

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
        submission: the server's record of it.
        told: what the server decides is going to arrive.
    """

    on_itself: Fault | None
    name: str = ""
    fault: Fault | None = None
    submission: Submission | None = None
    told: bool = True


class MailScript:
    """A script for `ScriptedServer`, which decides "accepted" by the dot that it saw.

    Args:
        life: number of whose server it is.
        chaos: draws the faults.
        witness: told of copies and doubts.
        submissions: the server's.
        moment: told of each step, before the server answers; it may kill the client.
    """

    def __init__(
        self,
        life: int,
        chaos: SmtpChaos,
        witness: Witness,
        submissions: Callable[[], Sequence[Submission]],
        moment: Callable[[], None],
    ) -> None:
        self._life = life
        self._chaos = chaos
        self._witness = witness
        self._submissions = submissions
        self._moment = moment
        self._sessions: dict[int, _Session] = {}

    def __call__(self, moment: Moment) -> Action:
        session = self._sessions.get(moment.session)
        if session is None:
            drawn = self._chaos.of_connection(f"{self._life}/{moment.session}")
            session = self._sessions[moment.session] = _Session(drawn)
        if moment.step is Step.MAIL:
            session.name = name_of(moment.argument)
            session.fault, session.told = self._chaos.of_transaction(session.name), True
        if moment.step is Step.BODY:
            session.submission = self._submissions()[-1]  # begun this instant
        action = self._action(session, moment)
        if moment.step is Step.DOT:
            self._dot(session, action)
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
            session.fault, session.told = None, fault.told
        self._chaos.happened(fault, to_an_email=not for_connection)
        if fault.reason:
            self._witness.refused[session.name].add(fault.reason)
        if moment.step is Step.BODY and not fault.told:
            self._witness.in_doubt(session.name, Sort.DOT)  # its dot may be on its way
        return fault.action

    def _dot(self, session: _Session, action: Action) -> None:
        """Note the verdict: the server is going to have the email, whatever it writes."""
        assert session.submission is not None
        if (action.reply or Reply(250)).code // 100 != 2:
            if not session.told:
                self._witness.in_doubt(session.name, Sort.DOT)
            return
        submission = session.submission
        self._witness.accepted(
            self._life,
            session.name,
            submission.recipients,
            submission.content,
            told=session.told,
        )
