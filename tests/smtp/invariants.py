"""What holds for every verdict, whatever a server says."""

import re

from ion.outcome import Kind, Outcome, Reply, Scope, Stage

SETTING_UP = (Stage.CONNECT, Stage.EHLO, Stage.STARTTLS, Stage.AUTH)
TRANSACTION = (Stage.MAIL, Stage.RCPT, Stage.DATA, Stage.BODY, Stage.DOT)
OUT_OF_STEP = frozenset({500, 501, 502, 503, 555})
MALFORMED_ADDRESS = frozenset({(Stage.MAIL, 501), (Stage.RCPT, 501)})
"""The exception: a command that names an address may be answered with what is wrong with it."""
LOG_IN = frozenset({502, 503})
"""Another: some servers say so instead of 530, or what else is wrong with the account."""
OF_THE_ACCOUNT = frozenset({Kind.MISCONFIGURED, Kind.QUOTA, Kind.THROTTLED})
AGAINST_PIPELINING = re.compile("synchroni|pipelining|protocol\\s+error", re.IGNORECASE)
"""Nothing without one of these words is taken for a complaint about it."""
LOST = frozenset({Kind.OUT_OF_STEP, Kind.IN_DOUBT})
OF_THE_SITE = frozenset({Kind.UNAVAILABLE, Kind.QUOTA, Kind.THROTTLED})
UNDECIDED = frozenset(
    {
        Kind.TRANSIENT,
        Kind.GREYLISTED,
        Kind.THROTTLED,
        Kind.QUOTA,
        Kind.TOO_MANY_RECIPIENTS,
        Kind.MISCONFIGURED,
    }
)


def assert_consistent(stage: Stage, reply: Reply, outcome: Outcome) -> None:
    """The promise's rules that hold for all replies."""
    digit = reply.code // 100
    assert isinstance(outcome, Outcome)
    assert outcome.stage is stage
    assert outcome.reply is reply
    assert str(outcome)
    assert outcome.scope is Scope.SITE or outcome.kind not in OF_THE_SITE
    if stage in SETTING_UP:  # nothing said there is a verdict on a message
        assert outcome.scope is Scope.SITE
        assert outcome.kind is (Kind.UNAVAILABLE if digit == 4 else Kind.MISCONFIGURED)
        return
    malformed = (stage, reply.code) in MALFORMED_ADDRESS
    log_in = reply.code in LOG_IN and outcome.kind in OF_THE_ACCOUNT
    exempt = malformed or log_in
    out_of_step = (reply.code in OUT_OF_STEP and not exempt) or digit not in (2, 4, 5)
    early = digit == 2 and stage in (Stage.DATA, Stage.BODY)
    against_pipelining = digit in (4, 5) and AGAINST_PIPELINING.search(reply.text)
    if out_of_step or early or (against_pipelining and outcome.kind in LOST):
        assert outcome.kind is (Kind.IN_DOUBT if stage is Stage.DOT else Kind.OUT_OF_STEP)
        assert outcome.scope is Scope.CONNECTION
        return
    assert outcome.kind not in {*LOST, Kind.UNAVAILABLE}
    assert (outcome.kind is Kind.ACCEPTED) == (digit == 2)
    if digit == 4:
        assert outcome.kind in UNDECIDED
    if outcome.kind is Kind.PERMANENT:
        assert digit == 5
        assert outcome.scope in {Scope.SENDER, Scope.MESSAGE, Scope.RECIPIENT}
    if outcome.kind is Kind.TOO_MANY_RECIPIENTS:
        assert stage is not Stage.MAIL
        assert outcome.scope is Scope.RECIPIENT
    if outcome.kind is Kind.MISCONFIGURED:
        assert outcome.scope in {Scope.SITE, Scope.SENDER}
