"""What the mail server does in one life of the function, and what is noted of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from smtp_server import NORMAL, Action, Ending, Moment, Reply, Step, Submission, reply
from soak.mail import is_bounced, is_malformed, name_of
from soak.manner import Manner
from soak.smtp_chaos import OUT_OF_STEP, Fault, SmtpChaos
from soak.witness import Sort, Witness

_OF_CONNECTION = frozenset(
    {Step.CONNECT, Step.EHLO, Step.STARTTLS, Step.AUTH, Step.RSET, Step.NOOP, Step.QUIT}
)
_BETWEEN_EMAILS = frozenset({Step.RSET, Step.NOOP})
_BOUNCE = reply(550, "5.1.1 no such user")
_MALFORMED = reply(501, "5.1.3 Recipient address syntax error")
"""OpenSMTPD's words. It is about this one, and says nothing about the others."""


@dataclass
class _Session:
    """What a connection is at.

    Args:
        on_itself: the fault that it is to have.
        name: of the email under way.
        fault: that this is to have.
        submission: the server's record of it, once its content is due.
        accepted: a recipient of the email has been.
        told: what the server decides is going to arrive.
        lost: the fault over which the thread is lost, and whose email had it; "": it isn't. The
            client can't believe what it hears from then on.
        last_dot: it was lost over the content under way, whose dot may be here already.
    """

    on_itself: Fault | None
    name: str = ""
    fault: Fault | None = None
    submission: Submission | None = None
    accepted: bool = False
    told: bool = True
    lost: str = ""
    last_dot: bool = False


class MailScript:
    """A script for `ScriptedServer`, which decides "accepted" by the dot that it saw.

    One content at a time is under way on a connection, in any mode, so when it breaks, one email
    is in doubt at most: the one whose dot isn't answered. No content may come to a server that has
    lost the thread.

    Args:
        life: number of whose server it is.
        chaos: draws the faults.
        witness: told of copies and doubts.
        submissions: the server's.
        moment: told of each step, before the server answers; it may kill the client.
        manner: of the life.
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
        if moment.step is Step.MAIL:
            session.name = name_of(moment.argument)
            self._witness.tried.add(session.name)
            session.fault = self._chaos.of_transaction(session.name, self._manner)
            session.told, session.last_dot = not session.lost, False
            session.accepted = False
        if moment.step is Step.BODY:
            session.submission = self._submissions()[-1]  # begun this instant
        astray = "" if session.last_dot else session.lost
        action = self._action(session, moment)
        if moment.step is Step.RCPT:
            session.accepted |= (action.reply or Reply(250)).code // 100 == 2
        if moment.step is Step.DOT:
            if astray:
                what = f"{session.name} went to a server that had lost the thread over {astray}"
                self._witness.faults.append(f"out of step: {what}")
            self._dot(session, action)
            session.submission = None
        self._moment()
        return action

    def _action(self, session: _Session, moment: Moment) -> Action:
        if moment.step is Step.RCPT and is_bounced(moment.argument):
            return _BOUNCE
        if moment.step is Step.RCPT and is_malformed(moment.argument):
            return _MALFORMED
        for_connection = moment.step in _OF_CONNECTION
        fault = session.on_itself if for_connection else session.fault
        if moment.step is Step.NOOP:
            probe = f"{self._life}/{moment.session}/{moment.nth_in_session}"
            fault = self._chaos.of_probe(probe)
        if fault is None or fault.step is not moment.step or not self._chaos.on:
            return NORMAL
        if for_connection:
            session.on_itself = None
        else:
            session.fault, session.told = None, session.told and fault.told
        self._chaos.happened(fault, to_an_email=not for_connection)
        if fault.reason:
            whose = moment.argument if moment.step is Step.RCPT else session.name
            self._witness.refused[whose].add(fault.reason)
        emails_may_follow = not for_connection or moment.step in _BETWEEN_EMAILS
        # With no recipient accepted, to refuse the DATA is the right answer (RFC 5321 3.3).
        right = moment.step is Step.DATA and not session.accepted and fault.action == OUT_OF_STEP
        if fault.loses_the_thread and emails_may_follow and not (right or session.lost):
            session.lost = f"{fault.step.value} {fault.name} of {session.name or 'nobody'}"
            session.last_dot = moment.step is Step.BODY
        if moment.step is Step.BODY and fault.action.ending is not Ending.GO_ON:
            self._witness.in_doubt(session.name, Sort.DOT)  # its dot may be on its way
        return fault.action

    def _dot(self, session: _Session, action: Action) -> None:
        """Note the verdict: the server is going to have the email, whatever it writes."""
        if (action.reply or Reply(250)).code // 100 != 2:
            if not session.told:
                self._witness.in_doubt(session.name, Sort.DOT)
            return
        submission = session.submission
        assert submission is not None, "a dot ends a body"
        self._witness.accepted(
            self._life,
            session.name,
            submission.recipients,
            submission.content,
            told=session.told,
        )
