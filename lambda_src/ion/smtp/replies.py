"""What a reply means: one table, read from the top, the first rule that fits decides."""

import re
from dataclasses import dataclass

from ion.outcome import Kind, Outcome, Reason, Reply, Scope, Stage

_SETTING_UP = frozenset({Stage.CONNECT, Stage.EHLO, Stage.STARTTLS, Stage.AUTH})
_OUT_OF_STEP = frozenset({500, 501, 502, 503, 555})
"""In a sequence that we know to be valid, these say that the server lost the thread."""

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


@dataclass(frozen=True, slots=True)
class _Rule:
    """Fits a reply if everything that it names does."""

    kind: Kind
    scope: Scope
    reason: Reason
    codes: frozenset[int] | range
    enhanced: str = ""
    text: str = ""

    def fits(self, reply: Reply, enhanced: str) -> bool:
        return (
            reply.code in self.codes
            and (not self.enhanced or re.fullmatch(self.enhanced, enhanced) is not None)
            and (not self.text or re.search(self.text, reply.text, re.IGNORECASE) is not None)
        )


def _codes(*codes: int) -> frozenset[int]:
    return frozenset(codes)


_4XX, _5XX = range(400, 500), range(500, 600)

_HOLD_QUOTA = (Kind.QUOTA, Scope.SITE, Reason.QUOTA)
_HOLD_CONFIGURATION = (Kind.MISCONFIGURED, Scope.SITE, Reason.CONFIGURATION)
_SLOW_DOWN = (Kind.THROTTLED, Scope.SITE, Reason.THROTTLED)

_IN_A_TRANSACTION = (
    # Quotas: to be waited for, whatever the code says.
    _Rule(*_HOLD_QUOTA, _4XX, text=r"daily message quota|maximum credits exceeded"),
    _Rule(*_HOLD_QUOTA, _5XX, enhanced=r"5\.4\.5"),
    _Rule(*_HOLD_QUOTA, _5XX, text=r"SubmissionQuotaExceeded|sending quota exceeded"),
    # Throttles: too fast, or too many at once.
    _Rule(*_SLOW_DOWN, _4XX, text=r"maximum sending rate|throttl|too many (concurrent )?conn"),
    _Rule(*_SLOW_DOWN, _4XX, text=r"rate limit|too (fast|quickly)|too many messages"),
    _Rule(*_SLOW_DOWN, _codes(432), enhanced=r"4\.3\.2"),
    _Rule(*_SLOW_DOWN, _codes(450), enhanced=r"4\.2\.1", text=r"rate|limit"),
    _Rule(*_SLOW_DOWN, _codes(421), enhanced=r"4\.7\.\d+"),
    _Rule(*_SLOW_DOWN, _codes(421), text=r"too many"),
    # Greylisting (RFC 6647) borrows the throttles' enhanced code.
    _Rule(Kind.GREYLISTED, Scope.RECIPIENT, Reason.GREYLISTED, _4XX, text=r"gr[ea]y-?list"),
    _Rule(
        Kind.GREYLISTED, Scope.RECIPIENT, Reason.GREYLISTED, _codes(450, 451), enhanced=r"4\.7\.1"
    ),
    _Rule(*_SLOW_DOWN, _4XX, enhanced=r"4\.7\.\d+"),
    # The account's fault, said about a message.
    _Rule(*_HOLD_CONFIGURATION, _codes(530, 534, 535, 538)),  # log in first (RFC 4954)
    _Rule(*_HOLD_CONFIGURATION, _codes(554), text=r"^access denied"),
    _Rule(*_HOLD_CONFIGURATION, _codes(554), text=r"email address is not verified"),
    _Rule(*_HOLD_CONFIGURATION, _codes(403), text=r"not authorized to send"),
    _Rule(*_HOLD_CONFIGURATION, _codes(550), enhanced=r"5\.2\.25[1-5]"),
)

_ONE_TOO_MANY = _Rule(
    Kind.TOO_MANY_RECIPIENTS,
    Scope.RECIPIENT,
    Reason.TRY_LATER,
    frozenset({452, 552}),
    enhanced=r"|[45]\.5\.3",
)
"""RFC 5321 section 4.5.3.1.10: 452, and 552 from older servers. Said about the first recipient,
the same codes mean a full disk and a full mailbox."""


def classify(stage: Stage, reply: Reply, *, after_accepted: bool = False) -> Outcome:
    """What `reply` means at `stage`; total, whatever code or text a server comes up with.

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
    digit = str(reply.code)[0]
    enhanced = reply.enhanced or ""
    if enhanced[:1] != digit:
        enhanced = ""
    rules = (*_IN_A_TRANSACTION, _ONE_TOO_MANY) if after_accepted else _IN_A_TRANSACTION
    for rule in rules:
        if rule.fits(reply, enhanced):
            return Outcome(stage, rule.kind, rule.scope, rule.reason, reply)
    scope, rejected = _REJECTED[stage]
    if reply.code == 421:  # the service closes the channel (RFC 5321 section 3.8)
        scope = Scope.CONNECTION
    if digit == "4":
        return Outcome(stage, Kind.TRANSIENT, scope, Reason.TRY_LATER, reply)
    return Outcome(stage, Kind.PERMANENT, scope, rejected, reply)


def _out_of_step(stage: Stage, reply: Reply) -> bool:
    """True for what a server never says to a valid command, and for success before its time."""
    early = reply.positive and stage in (Stage.DATA, Stage.BODY)
    return early or reply.code in _OUT_OF_STEP or reply.code // 100 not in (2, 4, 5)


def _setting_up(stage: Stage, reply: Reply) -> Outcome:
    """Nothing said before the first MAIL is a verdict on a message."""
    reason = _SETTING_UP_REASON[stage]
    if reply.code // 100 == 4:
        if stage is Stage.AUTH:
            reason = Reason.AUTH_LATER
        return Outcome(stage, Kind.UNAVAILABLE, Scope.SITE, reason, reply)
    return Outcome(stage, Kind.MISCONFIGURED, Scope.SITE, reason, reply)


def leaves_in_step(reply: Reply) -> bool:
    """True if the connection may be kept after this reply (its buffer being empty)."""
    return reply.code not in _OUT_OF_STEP and reply.code != 421 and reply.code // 100 != 3
