"""What is seen of the relay that no server has to put up with is found, and nothing else."""

from collections.abc import Sequence

import pytest

from breaches import breaches
from smtp_server import Command, Offer, Session, Step

OFFER = Offer(pipelining=True)
OFF, ENVELOPE, DEEP = "off", "envelope", "deep"


def session(
    *,
    put_off: int = 0,
    early: int = 0,
    minded: int = 0,
    unawaited: Sequence[Step] = (),
    pipelined: bool = False,
) -> Session:
    commands = [Command("MAIL FROM:<>", 0, pipelined)]
    return Session(
        1,
        commands,
        put_off=put_off,
        early_mails=early,
        minded_mails=minded,
        unawaited=list(unawaited),
    )


@pytest.mark.parametrize(
    ("seen", "pipelining", "offer", "breach"),
    [
        (session(unawaited=[Step.NOOP]), ENVELOPE, OFFER, "unawaited: more came behind NOOP"),
        (session(put_off=2), ENVELOPE, OFFER, "not replaced: 2 put off on one connection"),
        (session(put_off=4), DEEP, OFFER, "not replaced: 4 put off on one connection"),
        (session(pipelined=True), OFF, OFFER, "pipelined: 1 commands with more behind them"),
        (session(pipelined=True), DEEP, Offer(), "pipelined: 1 commands with more behind them"),
        (session(early=1), ENVELOPE, OFFER, "too deep: 1 envelopes behind a dot"),
        (session(minded=13), DEEP, OFFER, "not learned: 13 envelopes behind a dot"),
    ],
)
def test_a_breach_is_found(seen: Session, pipelining: str, offer: Offer, breach: str) -> None:
    (found,) = breaches([session(), seen], pipelining, offer, 4)
    assert found.startswith(breach)


@pytest.mark.parametrize(
    ("seen", "pipelining", "offer"),
    [
        (session(pipelined=True), ENVELOPE, OFFER),
        (session(put_off=1), OFF, OFFER),
        (session(put_off=3, early=50, pipelined=True), DEEP, OFFER),
        (session(early=13, minded=12), DEEP, OFFER),
    ],
)
def test_what_the_mode_allows_is_none(seen: Session, pipelining: str, offer: Offer) -> None:
    assert list(breaches([seen], pipelining, offer, 4)) == []
