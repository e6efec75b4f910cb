"""One email over a session, and what the server saw of it."""

from ion.outcome import Outcome, Stage
from ion.smtp.session import Session
from smtp.client import (
    FIRST,
    email,
    soon,
)
from smtp_server import (
    ScriptedServer,
    Step,
)

ENVELOPE = (Step.MAIL, Step.RCPT, Step.DATA)

STAGES = {
    Step.MAIL: Stage.MAIL,
    Step.RCPT: Stage.RCPT,
    Step.DATA: Stage.DATA,
    Step.BODY: Stage.BODY,
    Step.DOT: Stage.DOT,
}


async def one(session: Session, *recipients: str, sender: str = FIRST) -> Outcome:
    """The one outcome of an email."""
    outcomes = await outcomes_of(session, *recipients, sender=sender)
    assert len(set(outcomes)) == 1
    return outcomes[0]


async def outcomes_of(
    session: Session, *recipients: str, sender: str = FIRST
) -> tuple[Outcome, ...]:
    return await session.send(email(*recipients, sender=sender), soon())


def verbs(server: ScriptedServer) -> list[str]:
    """What was said behind EHLO, on all connections."""
    return [verb for session in server.sessions for verb in session.verbs if verb != "EHLO"]
