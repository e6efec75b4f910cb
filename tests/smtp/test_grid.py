"""Eight faults at eleven steps, 88 cells: the report agrees with what the server has."""

import asyncio
from dataclasses import replace

import pytest

from ion.outcome import Kind, Outcome, Reason, Scope
from ion.settings import Pipelining
from smtp.client import ANN, FIRST, SECOND, WITH_LOGIN, email, pool_for, sent
from smtp_server import FAULTS, GRID, ScriptedServer, Step, Tls, reply

SETTING_UP = (Step.CONNECT, Step.EHLO, Step.STARTTLS, Step.AUTH)
ENVELOPE = (Step.MAIL, Step.RCPT, Step.DATA)

SENT = (Kind.ACCEPTED, Reason.ACCEPTED)
NO_CONNECTION = (Kind.UNAVAILABLE, Reason.CONNECT)
LATER = (Kind.TRANSIENT, Reason.TRY_LATER)
NOT_SENT = (Kind.OUT_OF_STEP, Reason.CONNECTION_LOST)
OUT_OF_STEP = (Kind.OUT_OF_STEP, Reason.PROTOCOL)
IN_DOUBT = (Kind.IN_DOUBT, Reason.IN_DOUBT)
BEFORE_RSET = (Kind.PERMANENT, Reason.RCPT_REJECTED)
"""What makes us say RSET. Whatever becomes of that, the verdict stands."""

Allowed = set[tuple[Kind, Reason]]


def _refusals(kind: Kind, auth: Reason) -> dict[Step, Allowed]:
    reasons = (Reason.GREETING, Reason.EHLO, Reason.TLS_REQUIRED, auth)
    return {step: {(kind, reason)} for step, reason in zip(SETTING_UP, reasons, strict=True)}


def _broken() -> dict[Step, Allowed]:
    return {
        **{step: {NO_CONNECTION} for step in SETTING_UP},
        **{step: {NOT_SENT, OUT_OF_STEP} for step in ENVELOPE},
        Step.BODY: {NOT_SENT, IN_DOUBT},  # a small body has left as a whole before it is read
        Step.DOT: {IN_DOUBT},
    }


_LATER: dict[Step, Allowed] = {
    **_refusals(Kind.UNAVAILABLE, Reason.AUTH_LATER),
    **{step: {LATER} for step in (*ENVELOPE, Step.BODY, Step.DOT)},
}
ALLOWED: dict[str, dict[Step, Allowed]] = {
    "4xx": _LATER,
    "5xx": {
        **_refusals(Kind.MISCONFIGURED, Reason.AUTH),
        Step.MAIL: {(Kind.PERMANENT, Reason.SENDER_REJECTED)},
        Step.RCPT: {(Kind.PERMANENT, Reason.RCPT_REJECTED)},
        Step.DATA: {(Kind.PERMANENT, Reason.DATA_REJECTED)},
        Step.BODY: {(Kind.PERMANENT, Reason.TOO_LARGE)},
        Step.DOT: {(Kind.PERMANENT, Reason.CONTENT_REJECTED)},
    },
    "421": _LATER,
    "drop": _broken(),
    "delay": {},
    "garbage": _broken(),
    # RFC 3207 section 4.2 has the plaintext behind the 220 thrown away. At BODY the glued reply
    # comes alone, ahead of the one to the dot: nobody could tell them apart.
    # Several replies that come together: one too many is noticed where they don't fit any more.
    "glued": {**_broken(), Step.STARTTLS: {SENT}, Step.BODY: {SENT, NOT_SENT, IN_DOUBT}},
    "trickle": {},
}


def assert_agree(outcome: Outcome, sender: str, server: ScriptedServer) -> None:
    """The report and the server's count by the dot."""
    accepted = [taken for taken in server.accepted if taken.sender == sender]
    if outcome.kind is Kind.ACCEPTED:
        assert len(accepted) == 1
    elif outcome.kind is Kind.IN_DOUBT:
        assert [begun for begun in server.submissions if begun.sender == sender]
    else:
        assert accepted == []


def ill(fault: str, step: Step, *, pipelining: bool) -> ScriptedServer:
    """A server that has the fault once."""
    return ScriptedServer(
        {step: [FAULTS[fault](step)]},
        recipients={ANN: [reply(550, "5.1.1 no such user")]} if step is Step.RSET else {},
        tls=Tls.STARTTLS,
        offer=replace(WITH_LOGIN, pipelining=pipelining),
    )


CELLS = pytest.mark.parametrize(("fault", "step"), GRID, ids=[f"{f}-{s.value}" for f, s in GRID])
MANNERS = pytest.mark.parametrize("pipelining", [False, True], ids=["one by one", "pipelining"])


@MANNERS
@CELLS
async def test_the_report_and_the_server_agree(fault: str, step: Step, *, pipelining: bool) -> None:
    async with ill(fault, step, pipelining=pipelining) as server:
        pool = pool_for(server, Tls.STARTTLS)
        async with pool:
            (outcome,) = await sent(pool, email())
        await server.settled()
        by_default = BEFORE_RSET if step is Step.RSET else SENT
        allowed = ALLOWED[fault].get(step, {by_default})
        if pipelining and step is Step.RSET and fault in ("garbage", "glued"):
            allowed |= {NOT_SENT}  # of replies that came together, which one was it to?
        assert (outcome.kind, outcome.reason) in allowed, outcome
        assert (outcome.scope is Scope.SITE) == (outcome.kind in SITE_KINDS)
        assert_agree(outcome, FIRST, server)


SITE_KINDS = {Kind.UNAVAILABLE, Kind.MISCONFIGURED}


@MANNERS
@CELLS
async def test_it_harms_no_other_email_and_what_certainly_was_not_sent_arrives_once(
    fault: str, step: Step, *, pipelining: bool
) -> None:
    async with ill(fault, step, pipelining=pipelining) as server:
        async with pool_for(server, Tls.STARTTLS) as pool:
            (first,) = await sent(pool, email())
            (second,) = await sent(pool, email(sender=SECOND))
            assert (second.scope is Scope.SITE) == (first.scope is Scope.SITE)
        async with pool_for(server, Tls.STARTTLS) as pool:  # the next run
            if second.scope is Scope.SITE:
                (second,) = await sent(pool, email(sender=SECOND))
            if first.kind not in {Kind.ACCEPTED, Kind.IN_DOUBT, Kind.PERMANENT}:
                (first,) = await sent(pool, email(), fresh=True)
                assert first.kind is Kind.ACCEPTED
        await server.settled()
        assert second.kind is Kind.ACCEPTED
        assert_agree(first, FIRST, server)
        assert_agree(second, SECOND, server)


@pytest.mark.parametrize("pipelining", list(Pipelining))
@CELLS
async def test_emails_side_by_side_harm_each_other_no_more(
    fault: str, step: Step, pipelining: Pipelining
) -> None:
    """In `deep`, the envelope of the one is on its way while the dot of the other is answered."""
    senders = [f"{name}@sender.example" for name in ("a", "b", "c", "d")]
    async with ill(fault, step, pipelining=True) as server:
        left, outcomes = senders, dict[str, Outcome]()
        for fresh in (False, True, True):  # as deliver does it, and then the next run
            async with pool_for(server, Tls.STARTTLS, pipelining=pipelining) as pool:
                mails = [email(sender=sender) for sender in left]
                found = await asyncio.gather(*(sent(pool, mail, fresh=fresh) for mail in mails))
            outcomes |= {sender: one for sender, (one,) in zip(left, found, strict=True)}
            left = [sender for sender in left if outcomes[sender].kind not in FINAL]
        await server.settled()
        assert left == []
        for sender, outcome in outcomes.items():
            assert_agree(outcome, sender, server)
        hurt = [one for one in outcomes.values() if one.kind is not Kind.ACCEPTED]
        assert len(hurt) <= 1, "whom the fault befell"


FINAL = {Kind.ACCEPTED, Kind.IN_DOUBT, Kind.PERMANENT}
