"""Meaning of a reply at the command that it answers."""

import re

from ion.outcome import Kind, Outcome, Reason, Reply, Scope, Stage
from ion.smtp.rules import asks_to_log_in, verdict_on

_SETTING_UP = frozenset({Stage.CONNECT, Stage.EHLO, Stage.STARTTLS, Stage.AUTH})
_NAMES_AN_ADDRESS = frozenset({Stage.MAIL, Stage.RCPT})
_SYNTAX = 501
"""Where the command names an address it says that the address is malformed; elsewhere, as below."""
_OUT_OF_STEP = frozenset({500, _SYNTAX, 502, 503, 555})
"""In a sequence that we know to be valid, these say that the server lost the thread."""
_MINDS_PIPELINING = re.compile(
    r"smtp\s+(protocol\s+)?synchroni[sz]ation"  # Postfix, Exim
    r"|use\s+of\s+smtp\s+command\s+pipelining"  # Postfix, nginx, rspamd
    r"|^protocol\s+error$",  # postscreen
    re.IGNORECASE,
)
"""Said with the code of a refusal about when the commands came, and not about what they said."""

_SETTING_UP_REASON = {
    Stage.CONNECT: Reason.GREETING,
    Stage.EHLO: Reason.EHLO,
    Stage.STARTTLS: Reason.TLS_REQUIRED,
    Stage.AUTH: Reason.AUTH,
}
_REJECTED = {
    Stage.MAIL: (Scope.SENDER, Reason.SENDER_REJECTED),
    Stage.RCPT: (Scope.RECIPIENT, Reason.RCPT_REJECTED),
    Stage.DATA: (Scope.MESSAGE, Reason.DATA_REJECTED),
    Stage.BODY: (Scope.MESSAGE, Reason.CONTENT_REJECTED),
    Stage.DOT: (Scope.MESSAGE, Reason.CONTENT_REJECTED),
}


def classify(stage: Stage, reply: Reply, *, after_accepted: bool = False) -> Outcome:
    """Classify `reply` at `stage`; it knows an answer for every code and text.

    The code wins over the enhanced code; where their first digits differ, the enhanced one is
    ignored. A 3xx is never expected here: the session takes the 354 itself.

    Args:
        stage: the command that was answered.
        reply: the answer.
        after_accepted: at RCPT: another recipient of this transaction has been accepted.
    """
    if stage in _SETTING_UP:
        return _setting_up(stage, reply)
    if _out_of_step(stage, reply):
        if stage is Stage.DOT:
            return Outcome(stage, Kind.IN_DOUBT, Scope.CONNECTION, Reason.IN_DOUBT, reply)
        return Outcome(stage, Kind.OUT_OF_STEP, Scope.CONNECTION, Reason.PROTOCOL, reply)
    if reply.positive:
        return Outcome(stage, Kind.ACCEPTED, Scope.MESSAGE, Reason.ACCEPTED, reply)
    verdict = verdict_on(stage, reply, after_accepted=after_accepted)
    if verdict is not None:
        return Outcome(stage, *verdict, reply)
    scope, rejected = _REJECTED[stage]
    if reply.closing:  # the service closes the channel (RFC 5321 section 3.8)
        scope = Scope.CONNECTION
    if reply.transient:
        return Outcome(stage, Kind.TRANSIENT, scope, Reason.TRY_LATER, reply)
    return Outcome(stage, Kind.PERMANENT, scope, rejected, reply)


def _out_of_step(stage: Stage, reply: Reply) -> bool:
    """True for what a server never says to a valid command, and for success before its time."""
    if reply.positive:
        return stage in (Stage.DATA, Stage.BODY)
    if _MINDS_PIPELINING.search(reply.text):
        return True
    if (reply.code == _SYNTAX and stage in _NAMES_AN_ADDRESS) or asks_to_log_in(stage, reply):
        return False
    return reply.code in _OUT_OF_STEP or not (reply.transient or reply.permanent)


def _setting_up(stage: Stage, reply: Reply) -> Outcome:
    """Nothing said before the first MAIL is a verdict on a message."""
    reason = _SETTING_UP_REASON[stage]
    if reply.transient:
        if stage is Stage.AUTH:
            reason = Reason.AUTH_LATER
        return Outcome(stage, Kind.UNAVAILABLE, Scope.SITE, reason, reply)
    return Outcome(stage, Kind.MISCONFIGURED, Scope.SITE, reason, reply)


def leaves_in_step(stage: Stage, reply: Reply) -> bool:
    """True if the connection may be kept after this reply (its buffer being empty)."""
    return not (reply.closing or _out_of_step(stage, reply))
